"""Opening a case: find the pupil, fill in the form."""

import datetime as dt

import pytest

from engine.store import tables as t
from engine.store.cases.find_pupil import first_absent
from tests.cast import Cast, hidden


def test_a_teacher_sees_the_class_at_once_and_a_head_asks_by_name(cast: Cast) -> None:
    assert "Y Thử" in cast.get("teacher", "/cases/new").text
    page = cast.get("head", "/cases/new").text
    assert "Y Thử" not in page
    assert "Y Thử" in cast.get("head", "/cases/new?q=thu+y").text


def test_namesakes_are_told_apart_by_class_village_and_year(cast: Cast) -> None:
    cast.pupil("A Tiến", birth_date=dt.date(2013, 1, 1))
    page = cast.get("head", "/cases/new?q=tien").text
    for words in ("A Tiến", "class, village", "sinh năm 2013"):
        assert words in page


@pytest.mark.parametrize("query", ["khac", "A Khác"])
def test_nobody_elses_pupils_are_found(cast: Cast, query: str) -> None:
    page = cast.get("head", f"/cases/new?q={query}").text
    assert "Không có học sinh tên này" in page
    assert "A Khác</strong>" not in page


def test_a_case_is_opened(cast: Cast) -> None:
    pupil = cast.installed.pupils["pupil"]
    answer = cast.send("teacher", "/cases/new", f"/cases/new?pupil={pupil}", absent_since="27/2/2026", causes="harvest")
    assert answer.status_code == 303
    page = cast.get("teacher", answer.location).text
    assert "Đã ghi: Lập hồ sơ" in page
    assert "Ghi lần liên hệ" in page


def test_the_register_knows_the_first_day_of_absence(cast: Cast) -> None:
    with cast.store.writing("test") as session:
        for day, mark in ((24, "p"), (25, "u"), (26, "e"), (27, "u")):
            row = {
                "pupil_id": cast.installed.pupils["pupil"],
                "day": dt.date(2026, 2, day),
                "session": "m",
                "mark": mark,
            }
            session.add(t.Mark(**row, at=cast.now))
    page = cast.get("teacher", f"/cases/new?pupil={cast.installed.pupils['pupil']}").text
    assert 'value="25/02/2026"' in page
    assert "lấy từ sổ điểm danh" in page


@pytest.mark.parametrize(
    ("marks", "first"),
    [("", None), ("p", None), ("u", 1), ("up", 1), ("eup", 2), ("pu", None), ("uplu", 1)],
)
def test_an_absence_begins_after_the_last_day_of_presence(marks: str, first: int | None) -> None:
    days = [dt.date(2026, 2, 28) - dt.timedelta(days=number) for number in range(len(marks))]
    assert first_absent(list(zip(days, marks, strict=True))) == (days[first - 1] if first else None)


def test_a_pupil_with_an_open_case_links_to_it(cast: Cast) -> None:
    code = cast.open_case()
    for address in ("/cases/new", f"/cases/new?pupil={cast.installed.pupils['pupil']}"):
        assert f'href="/cases/{code}"' in cast.get("teacher", address).text


def test_a_second_case_is_refused_and_names_the_first(cast: Cast) -> None:
    page = f"/cases/new?pupil={cast.installed.pupils['pupil']}"
    form = hidden(cast.get("teacher", page)) | {"absent_since": "27/2/2026", "causes": "harvest"}
    code = cast.open_case()
    answer = cast.browser("teacher").post("/cases/new", data=form)
    assert answer.status_code == 409
    for words in (f'href="/cases/{code}"', 'value="27/2/2026"'):  # and nothing that was typed is lost
        assert words in answer.text


def test_a_blank_form_asks_which_pupil_of_the_own_class_without_a_case(cast: Cast) -> None:
    page = cast.get("teacher", "/cases/new/blank").text
    assert "Y Thử" in page
    cast.open_case("classmate")
    assert "Y Thử" not in cast.get("teacher", "/cases/new/blank").text
    assert cast.get("head", "/cases/new/blank").status_code == 403


def test_without_a_pupil_the_blank_form_says_so_and_keeps_what_was_typed(cast: Cast) -> None:
    answer = cast.send("teacher", "/cases/new", "/cases/new/blank", absent_since="27/2/2026", causes="harvest")
    assert answer.status_code == 422
    for words in ('href="#pupil-0"', 'value="27/2/2026"', "A Thử"):
        assert words in answer.text


def test_sent_twice_it_opens_one_case(cast: Cast) -> None:
    page = f"/cases/new?pupil={cast.installed.pupils['pupil']}"
    form = hidden(cast.get("teacher", page)) | {"absent_since": "27/2/2026", "causes": "harvest"}
    answers = [cast.browser("teacher").post("/cases/new", data=form) for _ in range(2)]
    assert answers[0].location == answers[1].location


def test_what_is_wrong_is_said_and_what_was_typed_is_kept(cast: Cast) -> None:
    page = f"/cases/new?pupil={cast.installed.pupils['pupil']}"
    answer = cast.send("teacher", "/cases/new", page, absent_since="32/13/2026", note="Nghỉ không phép")
    assert answer.status_code == 422
    for words in ("32/13/2026", "Nghỉ không phép", 'href="#causes-0"', "A Thử"):
        assert words in answer.text


@pytest.mark.parametrize("pupil", ["0", "99999", "x", "5", "9" * 30])
def test_a_forged_pupil_is_not_found(cast: Cast, pupil: str) -> None:
    assert cast.send("teacher", "/cases/new", pupil=pupil, absent_since="27/2/2026", causes="econ").status_code in {
        403,
        404,
    }


def test_only_a_school_opens_cases(cast: Cast) -> None:
    for member in ("commune_officer", "volunteer", "education_office", "admin"):
        assert cast.get(member, "/cases/new").status_code == 403
