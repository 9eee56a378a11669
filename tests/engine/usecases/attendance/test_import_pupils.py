"""Lists of pupils within a school and across schools: nobody takes a child of elsewhere, nobody renames one unasked."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event, func, select, update

from engine.core.files.options import ADD, KEEP, SAME, TAKE, Options, reach_of
from engine.core.text import fold, sort_key
from engine.store import tables as t
from engine.usecases.attendance import import_jobs, importing
from engine.usecases.attendance.importing import ImportOutcome
from engine.usecases.context import Context
from tests.engine.usecases.attendance.test_importing import ALIASES, LIST, NOW, bring_in, numbers, pupil, said
from tests.installation import CastInstallation, definitions, installed

__all__ = ["installed"]  # a fixture

HEAD = LIST.splitlines()[0] + "\n"
# The outsider pupil A Khác, born on 3 April 2013, is on the list of the other school.
BORN = dt.date(2013, 4, 3)
HERE = "class,school,village,commune"


@pytest.fixture
def known(installed: CastInstallation) -> CastInstallation:
    """Both schools' pupils with names and birth dates as lists have them."""
    with installed.store.writing("test") as session:
        for one in session.scalars(select(t.Pupil)):
            one.search_key, one.sort_key, one.birth_date = fold(one.name), sort_key(one.name), BORN
    return installed


def by_head(installed: CastInstallation, text: str, decisions: dict[str, str] | None = None) -> ImportOutcome:
    """What comes of a list that the head of the school brings in, checked first as on the page."""
    reach, options = reach_of(installed.viewer("head"), "pupils"), Options(decisions=decisions)
    context, data = Context(installed.store, definitions(), aliases=ALIASES), text.encode()
    promised = importing.dry_run(context, "pupils", data, options, NOW, reach=reach)
    job = import_jobs.submit(context, installed.viewer("head"), "pupils", "a.csv", data, options, NOW)
    import_jobs.work(context, NOW)
    import_jobs.confirm(context, installed.viewer("head"), job, decisions or {})
    import_jobs.work(context, NOW)
    done = importing.outcome_of(context, job)
    assert (done.summary(), done.report) == (promised.summary(), promised.report)
    return done


def records(installed: CastInstallation, code: str) -> list[t.Pupil]:
    with installed.store.reading("test") as session:
        found = list(session.scalars(select(t.Pupil).where(t.Pupil.code == code).order_by(t.Pupil.id)))
        session.expunge_all()
        return found


def decided(installed: CastInstallation) -> list[tuple[Any, ...]]:
    columns = t.PupilChange.pupil_id, t.PupilChange.field, t.PupilChange.old, t.PupilChange.new, t.PupilChange.taken
    with installed.store.reading("test") as session:
        return [tuple(row) for row in session.execute(select(*columns).order_by(t.PupilChange.id))]


# --- a child known elsewhere ------------------------------------------------------------------------------------------

TWO_WAYS = pytest.mark.parametrize(
    "row",
    [
        "outsider_pupil,A Khác,03/04/2013",  # by the code and the birth date
        "HS77,A Khác,03/04/2013",  # by name and birth date, under a code of one's own
        "outsider_pupil,Trần Đổi Tên,03/04/2013",  # by the code, called otherwise
        "outsider_pupil,A Khác,",
    ],
    ids=["code", "name", "renamed", "code-alone"],
)


@TWO_WAYS
@pytest.mark.parametrize("village", ["village,commune", "outsider_village,outsider_commune"])
def test_a_child_of_another_school_is_a_new_record_here_and_hers_stays_as_it_is(
    known: CastInstallation, row: str, village: str
) -> None:
    before = vars(pupil(known.store, "outsider_pupil")).copy()
    outcome = by_head(known, f"{HEAD}{row},Nam,class,school,{village}\n")
    assert numbers(outcome) == (1, 0, 0, 0)
    assert (outcome.report["duplicates"], outcome.report["held"]) == ([], [])
    here, there = known.cast.units["school"], known.cast.units["outsider_school"]
    found = {one.school_id: one for one in records(known, row.split(",", maxsplit=1)[0])}
    assert found[here].name == row.split(",")[1]
    [after] = [one for one in records(known, "outsider_pupil") if one.school_id == there]
    assert {key: value for key, value in vars(after).items() if key[0] != "_"} == {
        key: value for key, value in before.items() if key[0] != "_"
    }


@pytest.mark.parametrize("decision", [SAME, ADD, TAKE, KEEP])
@TWO_WAYS
def test_no_decision_moves_or_renames_a_child_of_another_school(
    known: CastInstallation, row: str, decision: str
) -> None:
    code = row.split(",", maxsplit=1)[0]
    forged = {code: decision, "outsider_pupil": decision, f"{code}@outsider_school": decision}
    outcome = by_head(known, f"{HEAD}{row},Nam,{HERE}\n", forged)
    assert numbers(outcome) == (1, 0, 0, 0)
    [theirs] = [it for it in records(known, "outsider_pupil") if it.school_id == known.cast.units["outsider_school"]]
    assert (theirs.name, theirs.birth_date) == ("A Khác", BORN)
    assert decided(known) == []


def test_the_command_line_moves_nobody_between_schools_in_silence(known: CastInstallation) -> None:
    code = known.open()
    row = "pupil,A Thử,03/04/2013,Nam,outsider_class,outsider_school,outsider_village,outsider_commune\n"
    assert numbers(bring_in(known.store, "pupils", HEAD + row)) == (1, 0, 0, 0)
    case, units = known.case(code), known.cast.units
    assert (case.class_id, case.school_id, case.village_id) == (units["class"], units["school"], units["village"])
    assert [one.school_id for one in records(known, "pupil")] == [units["school"], units["outsider_school"]]


def test_a_file_of_two_schools_brings_both_children_of_one_code(known: CastInstallation) -> None:
    rows = f"HS001,Y Một,01/09/2014,Nữ,{HERE}\n"
    rows += "HS001,A Hai,02/09/2014,Nam,outsider_class,outsider_school,outsider_village,outsider_commune\n"
    assert numbers(bring_in(known.store, "pupils", HEAD + rows)) == (2, 0, 0, 0)
    assert [one.name for one in records(known, "HS001")] == ["Y Một", "A Hai"]
    assert numbers(bring_in(known.store, "pupils", HEAD + rows)) == (0, 0, 2, 0)


def test_a_pupil_who_stands_twice_in_a_file_for_one_school_is_told(known: CastInstallation) -> None:
    row = f"HS001,Y Một,01/09/2014,Nữ,{HERE}\n"
    outcome = bring_in(known.store, "pupils", HEAD + row + row.replace("Nữ,class", "Nữ,saturday_class"))
    assert numbers(outcome) == (1, 0, 0, 1)
    assert said(outcome) == ["This pupil stands in the file already, in row 2."]


def test_the_same_code_at_another_school_hides_nobody_who_is_missing_in_the_file(known: CastInstallation) -> None:
    with known.store.writing("test") as session:
        session.execute(update(t.Pupil).where(t.Pupil.code == "outsider_pupil").values(code="classmate"))
    rows = f"pupil,A Thử,03/04/2013,Nam,{HERE}\n"
    rows += "classmate,A Khác,03/04/2013,Nam,outsider_class,outsider_school,outsider_village,outsider_commune\n"
    outcome = bring_in(known.store, "pupils", HEAD + rows)
    assert outcome.report["vanished"] == ["boarder", "classmate"]


def counted(installed: CastInstallation, work: Callable[[], object]) -> list[str]:
    """The statements that something takes."""
    seen: list[str] = []

    def note(*args: Any) -> None:
        seen.append(args[2])

    event.listen(installed.store.engine, "before_cursor_execute", note)
    work()
    event.remove(installed.store.engine, "before_cursor_execute", note)
    return seen


@TWO_WAYS
def test_a_child_known_elsewhere_takes_the_statements_of_an_unknown_one_and_gets_the_same_answer(
    known: CastInstallation, row: str
) -> None:
    unknown = f"HS{'9' * 12}"[:14] + ",Lạ Hoàn Toàn,31/12/2013"
    reach, context = reach_of(known.viewer("head"), "pupils"), Context(known.store, definitions(), aliases=ALIASES)
    answers, statements = [], []
    for asked in (unknown, row):
        data = f"{HEAD}{asked},Nam,{HERE}\n".encode()
        found: list[ImportOutcome] = []

        def try_it(data: bytes = data, found: list[ImportOutcome] = found) -> None:
            found.append(importing.dry_run(context, "pupils", data, Options(), NOW, reach=reach))

        statements.append(counted(known, try_it))
        answers.append((found[0].summary(), found[0].report, said(found[0])))
    assert answers[0] == answers[1]
    assert statements[0] == statements[1]


# --- within the school ------------------------------------------------------------------------------------------------


def test_a_changed_name_is_held_and_the_rest_of_the_row_is_taken(known: CastInstallation) -> None:
    text = "Mã HS,Họ và tên,Ngày sinh,SĐT,Lớp,Trường,Thôn,Xã\n"
    text += "pupil,A Thừ,03/04/2013,0905000222,saturday_class,school,outsider_village,outsider_commune\n"
    outcome = by_head(known, text)
    assert numbers(outcome) == (0, 1, 0, 1)
    assert said(outcome)[0].startswith("The name under this code is another one here.")
    change = {"field": "name", "old": "A Thử", "new": "A Thừ"}
    assert outcome.report["held"] == [{"key": "pupil", "code": "pupil", "name": "A Thử", "changes": [change]}]
    now, units = pupil(known.store, "pupil"), known.cast.units
    assert (now.name, now.search_key, now.guardian_phone) == ("A Thử", "a thu", "0905000222")
    assert (now.class_id, now.village_id) == (units["saturday_class"], units["outsider_village"])


def test_a_changed_birth_date_is_held_and_the_rest_of_the_row_is_taken(known: CastInstallation) -> None:
    outcome = by_head(known, f"{HEAD}pupil,A Thử,03/04/2012,Nam,{HERE}\n")
    assert numbers(outcome) == (0, 1, 0, 1)
    assert (pupil(known.store, "pupil").birth_date, pupil(known.store, "pupil").sex) == (BORN, "m")
    again = by_head(known, f"{HEAD}pupil,A Thử,03/04/2012,Nam,{HERE}\n")
    assert numbers(again) == (0, 0, 0, 1)


def test_nothing_of_a_row_is_taken_that_may_be_about_another_child(known: CastInstallation) -> None:
    code = known.open()
    row = f"pupil,Trần Văn Khác,01/01/2012,Nữ,{HERE}\n".replace(",class", ",saturday_class")
    outcome = by_head(known, HEAD + row)
    assert numbers(outcome) == (0, 0, 0, 1)
    assert said(outcome)[0].startswith("Name and birth date under this code are others here")
    assert pupil(known.store, "pupil").sex is None
    assert known.case(code).class_id == known.cast.units["class"]
    assert numbers(by_head(known, HEAD + row, {"pupil": KEEP})) == (0, 0, 1, 0)
    assert numbers(by_head(known, HEAD + row, {"pupil": TAKE})) == (0, 1, 0, 0)
    now = pupil(known.store, "pupil")
    assert (now.name, now.sort_key, now.birth_date) == ("Trần Văn Khác", sort_key("Trần Văn Khác"), dt.date(2012, 1, 1))


@pytest.mark.parametrize(("decision", "name", "taken"), [(TAKE, "A Thừ", True), (KEEP, "A Thử", False)])
def test_what_a_person_decides_is_done_and_kept_with_who_and_when(
    known: CastInstallation, decision: str, name: str, taken: bool
) -> None:
    outcome = by_head(known, f"{HEAD}pupil,A Thừ,03/04/2013,Nam,{HERE}\n", {"pupil": decision})
    assert numbers(outcome) == (0, 1, 0, 0)
    assert pupil(known.store, "pupil").name == name
    assert decided(known) == [(known.cast.pupils["pupil"], "name", "A Thử", "A Thừ", taken)]
    with known.store.reading("test") as session:
        [kept] = session.scalars(select(t.PupilChange))
        assert (kept.by_id, kept.at, kept.job_id) == (known.cast.people["head"], NOW, 1)


@pytest.mark.parametrize("wrong", [SAME, ADD, "", "yes"])
def test_a_decision_of_another_kind_decides_nothing(known: CastInstallation, wrong: str) -> None:
    assert numbers(by_head(known, f"{HEAD}pupil,A Thừ,03/04/2013,,{HERE}\n", {"pupil": wrong})) == (0, 0, 0, 1)
    assert pupil(known.store, "pupil").name == "A Thử"


def test_a_new_code_for_the_same_pupil_is_kept_as_a_decision_and_does_not_rename(known: CastInstallation) -> None:
    row = f"5100000001,A Thừ,03/04/2013,,{HERE}\n"
    assert numbers(by_head(known, HEAD + row)) == (0, 0, 0, 1)
    assert numbers(by_head(known, HEAD + row, {"5100000001": SAME})) == (0, 1, 0, 1)
    assert pupil(known.store, "5100000001").name == "A Thử"
    assert decided(known) == [(known.cast.pupils["pupil"], "code", "pupil", "5100000001", True)]


def test_brothers_and_sisters_born_on_one_day_are_no_doubles(known: CastInstallation) -> None:
    rows = f"HS31,A Sinh Đôi,01/09/2014,Nam,{HERE}\nHS32,Y Sinh Đôi,01/09/2014,Nữ,{HERE}\n"
    assert numbers(by_head(known, HEAD + rows)) == (2, 0, 0, 0)
    assert numbers(by_head(known, HEAD + rows)) == (0, 0, 2, 0)


def test_a_move_to_another_class_of_the_school_takes_the_case_along(known: CastInstallation) -> None:
    code = known.open()
    assert numbers(by_head(known, f"{HEAD}pupil,A Thử,03/04/2013,,saturday_class,school,,\n")) == (0, 1, 0, 0)
    assert known.case(code).class_id == known.cast.units["saturday_class"]


def test_in_a_file_of_two_schools_a_decision_names_the_school(known: CastInstallation) -> None:
    with known.store.writing("test") as session:
        session.execute(update(t.Pupil).where(t.Pupil.code == "outsider_pupil").values(code="pupil"))
    rows = f"pupil,A Thừ,03/04/2013,,{HERE}\n"
    rows += "pupil,A Khạc,03/04/2013,,outsider_class,outsider_school,,\n"
    held = bring_in(known.store, "pupils", HEAD + rows).report["held"]
    assert [it["key"] for it in held] == ["pupil@school", "pupil@outsider_school"]
    bring_in(known.store, "pupils", HEAD + rows, decisions={"pupil@outsider_school": TAKE})
    assert [one.name for one in records(known, "pupil")] == ["A Thử", "A Khạc"]


def test_a_code_is_once_in_a_school(known: CastInstallation) -> None:
    by_head(known, f"{HEAD}outsider_pupil,A Khác,03/04/2013,,{HERE}\n")
    by_head(known, f"{HEAD}outsider_pupil,A Khác,03/04/2013,,{HERE}\n")
    with known.store.reading("test") as session:
        assert session.scalar(select(func.count()).where(t.Pupil.code == "outsider_pupil")) == 2
