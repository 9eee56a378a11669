"""Registers: whose a row is where several schools gave out one code, and that nobody learns of a child of elsewhere."""

from typing import Any

import pytest
from sqlalchemy import event, select, update

from engine.core.files.options import Options, reach_of
from engine.store import tables as t
from engine.store.attendance import imports as stored
from engine.store.simulation import seed
from engine.usecases.attendance import importing
from engine.usecases.attendance.importing import ImportOutcome
from engine.usecases.context import Context
from tests.engine.usecases.attendance.test_importing import ALIASES, NOW, bring_in, numbers, said
from tests.installation import CastInstallation, definitions, installed

__all__ = ["installed"]  # a fixture

UNKNOWN = "There is no pupil with this code."
BY_CODE = "pupil_code,date,session,mark\n"
BY_NAME = "Họ và tên,Lớp,Ngày,Buổi,Hình thức\n"


@pytest.fixture
def shared(installed: CastInstallation) -> CastInstallation:
    """Both schools gave the code 0012 to a child of theirs."""
    with installed.store.writing("test") as session:
        session.execute(update(t.Pupil).where(t.Pupil.code.in_(("pupil", "outsider_pupil"))).values(code="0012"))
    return installed


def by(installed: CastInstallation, member: str, text: str) -> tuple[ImportOutcome, list[str]]:
    """What a register comes to that a member brings in, kept nowhere; and the statements that it took."""
    context, reach = (
        Context(installed.store, definitions(), aliases=ALIASES),
        reach_of(installed.viewer(member), "attendance"),
    )
    seen: list[str] = []

    def note(*args: Any) -> None:
        seen.append(args[2])

    event.listen(installed.store.engine, "before_cursor_execute", note)
    outcome = importing.dry_run(context, "attendance", text.encode(), Options(), NOW, reach=reach)
    event.remove(installed.store.engine, "before_cursor_execute", note)
    return outcome, seen


def leave_saturday(installed: CastInstallation) -> None:
    """The teacher, who has both classes of the school, has one of them no more."""
    with installed.store.writing("test") as session:
        seed.vacate(session, [("teacher", installed.cast.units["saturday_class"])], NOW.date())


def marked(installed: CastInstallation) -> list[str]:
    """The names of the pupils of the cast who have a mark."""
    with installed.store.reading("test") as session:
        ids = set(session.scalars(select(t.Mark.pupil_id)))
    return [name for name, id in installed.cast.pupils.items() if id in ids]


@pytest.mark.parametrize("member", ["teacher", "head"])
def test_a_mark_for_a_child_elsewhere_and_for_no_child_is_the_same_wrong_row(
    installed: CastInstallation, member: str
) -> None:
    answers = [by(installed, member, f"{BY_CODE}{code},2026-02-26,m,u\n") for code in ("nobody", "outsider_pupil")]
    assert [(numbers(outcome), said(outcome), outcome.report) for outcome, _ in answers] == [
        ((0, 0, 0, 1), [UNKNOWN], answers[0][0].report)
    ] * 2
    assert answers[0][1] == answers[1][1]


def test_a_teacher_is_not_told_who_is_in_another_class_of_the_school(installed: CastInstallation) -> None:
    leave_saturday(installed)
    for code in ("saturday_pupil", "nobody"):
        outcome, _ = by(installed, "teacher", f"{BY_CODE}{code},2026-02-26,m,u\n")
        assert said(outcome) == [UNKNOWN]


@pytest.mark.parametrize("member", ["teacher", "head"])
@pytest.mark.parametrize("class_name", ["outsider_class", "saturday_class"])
def test_a_name_in_a_class_of_others_is_answered_as_any_name(
    installed: CastInstallation, member: str, class_name: str
) -> None:
    leave_saturday(installed)
    answers = [
        by(installed, member, f"{BY_NAME}{name},{class_name},26/02/2026,S,K\n") for name in ("A Khác", "Y Không Ai")
    ]
    answers += [by(installed, member, f"{BY_NAME}Y Bảy,{class_name},26/02/2026,S,K\n")]
    if class_name == "saturday_class" and member == "head":  # the head's own class
        assert [numbers(outcome) for outcome, _ in answers] == [(0, 0, 0, 1), (0, 0, 0, 1), (1, 0, 0, 0)]
        return
    assert len({tuple(said(outcome)) for outcome, _ in answers}) == 1
    assert answers[0][1] == answers[1][1] == answers[2][1]


@pytest.mark.parametrize(
    ("lost", "elsewhere"), [("12", "0012"), ("12", "000012")], ids=["the one of both", "one elsewhere only"]
)
def test_a_code_that_lost_its_zeros_is_looked_for_among_ones_own_only(
    installed: CastInstallation, lost: str, elsewhere: str
) -> None:
    with installed.store.writing("test") as session:
        for name, code in (("pupil", "0012"), ("outsider_pupil", elsewhere)):
            session.execute(update(t.Pupil).where(t.Pupil.id == installed.cast.pupils[name]).values(code=code))
    outcome, _ = by(installed, "teacher", f"{BY_CODE}{lost},2026-02-26,m,u\n")
    assert (numbers(outcome), said(outcome)) == ((1, 0, 0, 0), [])
    outcome, _ = by(installed, "teacher", f"{BY_CODE}000012,2026-02-26,m,u\n")
    assert said(outcome) == [UNKNOWN]


@pytest.mark.parametrize(("school", "whose"), [("school", "pupil"), ("outsider_school", "outsider_pupil")])
def test_with_the_school_named_a_shared_code_is_of_that_schools_pupil(
    shared: CastInstallation, school: str, whose: str
) -> None:
    text = f"{BY_CODE}0012,2026-02-26,m,u\n"
    assert numbers(bring_in(shared.store, "attendance", text, school_code=school)) == (1, 0, 0, 0)
    assert marked(shared) == [whose]


def test_with_the_school_named_nobody_of_another_school_gets_a_mark(installed: CastInstallation) -> None:
    outcome = bring_in(installed.store, "attendance", f"{BY_CODE}pupil,2026-02-26,m,u\n", school_code="outsider_school")
    assert (numbers(outcome), said(outcome)) == ((0, 0, 0, 1), [UNKNOWN])


@pytest.mark.parametrize(("member", "whose"), [("head", "pupil"), ("outsider_head", "outsider_pupil")])
def test_each_head_brings_in_the_own_pupil_of_a_shared_code(shared: CastInstallation, member: str, whose: str) -> None:
    context, reach = (
        Context(shared.store, definitions(), aliases=ALIASES),
        reach_of(shared.viewer(member), "attendance"),
    )
    data = f"{BY_CODE}0012,2026-02-26,m,u\n".encode()
    with shared.store.writing("test") as session:
        job = importing.new_job("attendance", "running", "", "", Options(), shared.cast.people[member], NOW)
        job_id = stored.add_job(session, job)
    assert numbers(importing.bring_in(context, job_id, data, reach, NOW)) == (1, 0, 0, 0)
    assert marked(shared) == [whose]


def test_a_file_of_several_schools_says_by_the_class_whose_a_shared_code_is(shared: CastInstallation) -> None:
    text = "pupil_code,class_code,date,session,mark\n"
    rows = "0012,class,2026-02-26,m,u\n0012,outsider_class,2026-02-26,m,e\nclassmate,,2026-02-26,m,p\n"
    assert numbers(bring_in(shared.store, "attendance", text + rows)) == (3, 0, 0, 0)
    assert marked(shared) == ["pupil", "classmate", "outsider_pupil"]


def test_a_shared_code_without_a_class_is_not_guessed(shared: CastInstallation) -> None:
    outcome = bring_in(shared.store, "attendance", f"{BY_CODE}0012,2026-02-26,m,u\n")
    assert numbers(outcome) == (0, 0, 0, 1)
    assert said(outcome)[0].startswith("Several schools gave out this code")


def test_with_the_class_named_a_shared_code_is_of_that_class(shared: CastInstallation) -> None:
    text = f"{BY_CODE}0012,2026-02-26,m,u\n"
    assert numbers(bring_in(shared.store, "attendance", text, class_code="outsider_class")) == (1, 0, 0, 0)
    assert marked(shared) == ["outsider_pupil"]
