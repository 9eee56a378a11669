"""Each list that a page shows can be taken away as xlsx and csv: the same rows, harmless, noted."""

import csv
import io

import pytest
import python_calamine as calamine

from engine.store import tables as t
from tests.cast import Cast

LISTS = [
    ("teacher", "/work", "viec-cua-toi"),
    ("teacher", "/notices", "notices"),
    ("teacher", "/imports", "imports"),
    ("head", "/closures", "closures"),
    ("admin", "/admin/deliveries", "deliveries"),
    ("head", "/cases", "ho-so"),
]


def rows(cast: Cast, member: str, address: str) -> list[list[str]]:
    """The rows of a csv file, the header first."""
    answer = cast.get(member, address)
    assert answer.status_code == 200, address
    return list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))


def noted(cast: Cast) -> list[str]:
    with cast.store.reading("test") as session:
        return [what for (what,) in session.query(t.AccessLog.what).order_by(t.AccessLog.id)]


@pytest.mark.parametrize(("member", "page", "name"), LISTS)
def test_both_forms_have_the_same_rows_and_are_noted(cast: Cast, member: str, page: str, name: str) -> None:
    cast.to_commune("pupil")
    cast.open_case("classmate")
    days = {"first_day": cast.now.date(), "last_day": cast.now.date(), "reason": "Bão", "announced_at": cast.now}
    with cast.store.writing("test") as session:
        session.add(t.Closure(unit_id=cast.installed.units["school"], **days))
    said = rows(cast, member, f"{page}.csv")
    book = cast.get(member, f"{page}.xlsx")
    sheet = calamine.load_workbook(io.BytesIO(book.data)).get_sheet_by_index(0).to_python()
    assert len(sheet) == len(said)
    assert (len(said) > 1) is (page in {"/work", "/closures", "/cases"})
    assert sheet[0] == said[0]
    assert f'filename="{name}.xlsx"' in book.headers["Content-Disposition"]
    assert len([what for what in noted(cast) if what.startswith("export: ")]) == 2


def test_the_work_list_as_a_file_is_ones_own(cast: Cast) -> None:
    cast.to_commune("pupil")
    mine = cast.open_case("classmate")
    assert [row[0] for row in rows(cast, "teacher", "/work.csv")[1:]] == [mine]
    assert rows(cast, "outsider_teacher", "/work.csv")[1:] == []


def test_notices_carry_code_and_reason_only(cast: Cast) -> None:
    code = cast.to_commune()
    (notice,) = rows(cast, "commune_officer", "/notices.csv")[1:]
    assert notice[1] == code
    assert "A Thử" not in str(notice)


def test_a_class_list_has_the_marks_of_the_day_for_its_school_only(cast: Cast) -> None:
    address = f"/attendance/{cast.installed.units['class']}"
    pupil = cast.installed.pupils["pupil"]
    cast.send(
        "teacher", address, f"{address}?session=m", **{f"pupil-{pupil}": "u", "day": "2026-03-02", "session": "m"}
    )
    found = {row[0]: row[2:] for row in rows(cast, "teacher", f"{address}.csv?day=2026-03-02")[1:]}
    assert found["A Thử"] == ["02/03/2026", "Vắng không phép", ""]
    for member in ("outsider_teacher", "commune_officer", "volunteer"):
        assert cast.get(member, f"{address}.csv").status_code == 403


def test_support_as_a_file_tells_volunteers_no_receiver_and_nothing_runs(cast: Cast) -> None:
    code = cast.to_association()
    cast.accept(code, "volunteer")
    given = {"support_kind": "rice", "quantity": "1,5", "given_on": "2/3/2026", "giver": "=1+1", "received_by": "Y Mẹ"}
    cast.send("volunteer", f"/cases/{code}/support", **given)
    known, referred = (rows(cast, who, f"/cases/{code}/support.csv") for who in ("commune_officer", "volunteer"))
    assert known[1][:2] == [code, "02/03/2026"]
    assert (known[1][6], known[1][8]) == ("'=1+1", "Y Mẹ")
    assert "Y Mẹ" not in str(referred)
    assert cast.get("outsider_head", f"/cases/{code}/support.csv").status_code == 403


def test_what_is_not_ones_own_is_not_given_out(cast: Cast) -> None:
    assert cast.get("head", "/admin/deliveries.csv").status_code == 403
    assert cast.get("teacher", "/notices.pdf").status_code == 404


def test_the_outcome_of_rules_on_trial_as_a_file(cast: Cast) -> None:
    cast.open_case()
    cast.go_to("2026-03-06 08:00")
    page = cast.get("admin", "/simulate").text
    rules = cast.context.definitions.rules("dropout").text
    assert "<textarea" in page
    answer = cast.send("admin", "/simulate", first="2/3/2026", last="5/3/2026", rules=rules, **{"as": "csv"})
    assert answer.status_code == 200
    said = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert len(said) > 1
    assert all(then == would for _what, _name, then, would in said[1:])  # the rules on trial are those in force
    assert "export: rules on trial" in noted(cast)
