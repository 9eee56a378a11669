"""The risk watch on a database: cases opened once, what it adds to open ones, returns proved, and nothing doubled."""

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

import rules
from engine.core.attendance.signal_reader import load_risk
from engine.core.cases.act import Act
from engine.core.refusals import NotFound
from engine.jobs.risk_watch import watch, watch_if_due
from engine.store import tables as t
from engine.store.cases import verify
from engine.store.simulation import seed
from engine.usecases.cases import case_acts
from tests.installation import HERE, CastInstallation, at, installed

__all__ = ["installed"]

RULES = load_risk((Path(str(rules.__file__)).parent / "risk.toml").read_text(encoding="utf-8"), "risk.toml")
MON, TUE, WED, THU, FRI = (dt.date(2026, 3, day) for day in (9, 10, 11, 12, 13))
EVENING = at("2026-03-10 18:00")
RETURN = {"returned_on": "2026-03-02", "catch_up_lessons": "2"}


@pytest.fixture
def watched(installed: CastInstallation) -> CastInstallation:
    """The stage, with the shipped signals."""
    return CastInstallation(replace(installed.context, risk=RULES), installed.cast)


def mark(installed: CastInstallation, what: str, *days: dt.date, pupil: str = "pupil", halves: str = "ma") -> None:
    with installed.store.writing("test") as session:
        for day in days:
            seed.mark(session, installed.cast.pupils[pupil], day, halves, what, at("2026-03-01 08:00"))


def code_of(installed: CastInstallation, pupil: str = "pupil") -> str:
    with installed.store.reading("test") as session:
        query = select(t.Case.code).where(t.Case.pupil_id == installed.cast.pupils[pupil]).order_by(t.Case.id.desc())
        return session.scalars(query).first() or ""


def events(installed: CastInstallation, kind: str) -> list[t.Event]:
    query = select(t.Event).where(t.Event.kind == kind).order_by(t.Event.case_id, t.Event.seq)
    with installed.store.reading("test") as session:
        found = list(session.scalars(query))
        session.expunge_all()
        return found


def returned(installed: CastInstallation, when: str = "2026-03-02 09:00") -> str:
    code = installed.open(at("2026-03-02 08:00"))
    case_acts.step(installed.context, Act(installed.viewer("teacher"), code, RETURN, at(when)), "return_to_class")
    return code


def test_a_case_is_opened_by_rule_and_its_teacher_is_told(watched: CastInstallation) -> None:
    mark(watched, "u", MON, TUE)
    assert watch(watched.context, TUE, EVENING).summary() == {
        "looked": 1,
        "opened": 1,
        "proposed": 0,
        "added": 0,
        "relapsed": 0,
        "confirmed": 0,
        "signals": {"unexcused-in-a-row": 1},
    }
    case, (opened,) = watched.case(code_of(watched)), events(watched, "opened")
    assert (case.state, case.absent_since, case.assignee_id) == ("absent", MON, watched.cast.people["teacher"])
    assert (opened.person_id, opened.role, opened.data["signals"]) == (None, "rule", [["unexcused-in-a-row", 3, 4]])
    with watched.store.reading("test") as session:
        assert session.execute(select(t.Notice.person_id, t.Notice.role, t.Notice.kind)).all() == [
            (watched.cast.people["teacher"], "teacher", "opened_by_watch")
        ]
        assert session.scalars(select(t.CaseCause.cause)).all() == ["unknown"]
    assert list(verify.breaks(watched.store)) == []


def test_the_same_day_again_changes_nothing(watched: CastInstallation) -> None:
    mark(watched, "u", MON, TUE)
    watch(watched.context, TUE, EVENING)
    again = watch(watched.context, TUE, EVENING)
    assert (again.looked, again.opened, again.added) == (1, 0, 0)
    assert watched.kinds(code_of(watched)) == ["opened"]


def test_a_dry_run_only_counts(watched: CastInstallation) -> None:
    mark(watched, "u", MON, TUE)
    assert watch(watched.context, TUE, EVENING, dry_run=True).opened == 1
    assert code_of(watched) == ""


def test_a_higher_threshold_is_added_to_the_open_case_once(watched: CastInstallation) -> None:
    mark(watched, "u", MON, TUE, WED)
    watch(watched.context, TUE, EVENING)
    later = at("2026-03-11 18:00")
    assert [watch(watched.context, WED, later).added for _ in range(2)] == [1, 0]
    assert [event.data["signals"] for event in events(watched, "signal")] == [[["unexcused-in-a-row", 5, 6]]]


def test_a_case_that_people_opened_is_added_to_and_no_second_one_opened(watched: CastInstallation) -> None:
    code = watched.open(at("2026-03-09 08:00"))
    mark(watched, "u", MON, TUE)
    result = watch(watched.context, TUE, EVENING)
    assert (result.opened, result.added) == (0, 1)
    assert watched.kinds(code) == ["opened", "signal"]


def test_after_a_case_has_ended_the_same_absence_opens_no_other(watched: CastInstallation) -> None:
    mark(watched, "u", MON, TUE, WED)
    watch(watched.context, MON, at("2026-03-09 18:00"))
    watch(watched.context, TUE, EVENING)
    head, code = watched.viewer("head"), code_of(watched)
    case_acts.step(watched.context, Act(head, code, {"reason": "Ở viện, đã báo"}, at("2026-03-10 19:00")), "mark_error")
    assert watch(watched.context, TUE, at("2026-03-10 20:00")).opened == 0
    assert watch(watched.context, WED, at("2026-03-11 18:00")).opened == 1  # five in a row is worse than three


def test_what_was_not_taken_is_no_absence_and_a_day_without_class_does_not_count(watched: CastInstallation) -> None:
    mark(watched, "u", MON, halves="m")
    mark(watched, "u", TUE, halves="m")
    mark(watched, "u", dt.date(2026, 3, 8), dt.date(2026, 3, 7))  # a weekend
    with watched.store.writing("test") as session:
        session.add(
            t.Closure(
                unit_id=watched.cast.units["school"], first_day=WED, last_day=WED, reason="Bão", announced_at=EVENING
            )
        )
    mark(watched, "u", WED)
    assert watch(watched.context, WED, at("2026-03-11 18:00")).opened == 0
    mark(watched, "u", THU)
    assert watch(watched.context, THU, at("2026-03-12 18:00")).opened == 1
    assert watched.case(code_of(watched)).absent_since == MON


def test_after_tet_less_is_enough(watched: CastInstallation) -> None:
    day = dt.date(2026, 2, 25)  # in the season of the shipped rules: three sessions become two
    mark(watched, "u", day)
    assert watch(watched.context, day, at("2026-02-25 18:00")).opened == 1


def test_pupils_who_have_left_are_not_watched(watched: CastInstallation) -> None:
    mark(watched, "u", MON, TUE)
    with watched.store.writing("test") as session:
        session.get_one(t.Pupil, watched.cast.pupils["pupil"]).status = "transferred"
    assert watch(watched.context, TUE, EVENING).opened == 0


def test_a_sibling_is_one_with_the_same_telephone_and_an_earlier_case_counts_too(watched: CastInstallation) -> None:
    for pupil in ("pupil", "classmate"):
        with watched.store.writing("test") as session:
            session.get_one(t.Pupil, watched.cast.pupils[pupil]).guardian_phone = "0912 000 001"
    watched.open(at("2026-03-09 08:00"), pupil="classmate")
    mark(watched, "u", TUE)
    assert watch(watched.context, TUE, EVENING).signals == {"sibling": 1}
    returned_and_closed(watched)
    mark(watched, "u", TUE, pupil="boarder")
    assert watch(watched.context, TUE, EVENING).signals == {"earlier-case": 1}


def returned_and_closed(installed: CastInstallation) -> str:
    teacher, code = installed.viewer("teacher"), installed.open(at("2026-03-02 08:00"), pupil="boarder")
    case_acts.step(installed.context, Act(teacher, code, RETURN, at("2026-03-02 09:00")), "return_to_class")
    case_acts.step(installed.context, Act(teacher, code, {"end_anyway": True}, at("2026-03-03 09:00")), "close")
    return code


# --- returns ----------------------------------------------------------------------------------------------------------


def test_five_days_attended_confirm_a_return_once(watched: CastInstallation) -> None:
    code = returned(watched)
    week = [dt.date(2026, 3, day) for day in (2, 3, 4, 5, 6)]
    mark(watched, "p", *week)
    assert watch(watched.context, week[3], at("2026-03-05 18:00")).confirmed == 0
    assert [watch(watched.context, week[4], at("2026-03-06 18:00")).confirmed for _ in range(2)] == [1, 0]
    assert watched.kinds(code) == ["opened", "return_to_class", "return_confirmed"]


def test_absent_again_the_same_case_goes_on_and_the_teacher_is_told(watched: CastInstallation) -> None:
    code = returned(watched)
    mark(watched, "p", dt.date(2026, 3, 3))
    mark(watched, "u", MON)
    assert watch(watched.context, MON, at("2026-03-09 18:00")).relapsed == 1
    case = watched.case(code)
    assert (case.state, case.absent_since, case.closed_at) == ("absent", MON, None)
    assert watched.kinds(code)[-1] == "relapse"
    with watched.store.reading("test") as session:
        assert session.scalars(select(t.Notice.kind)).all()[-1] == "relapsed_by_watch"
    assert list(verify.breaks(watched.store)) == []


def test_after_twenty_days_attended_a_return_is_no_longer_fresh(watched: CastInstallation) -> None:
    days = [dt.date(2026, 3, 2) + dt.timedelta(days=n) for n in range(30)]
    school = [day for day in days if day.weekday() < 5]
    code = returned(watched)
    mark(watched, "p", *school[:20])
    mark(watched, "u", school[20], halves="ma")  # two sessions, which would undo a fresh return
    day = at(f"{school[20].isoformat()} 18:00")
    assert watch(watched.context, school[20], day).relapsed == 0
    assert watched.case(code).state == "returned"
    with watched.store.writing("one day was not attended after all") as session:
        session.execute(t.Mark.__table__.delete().where(t.Mark.day == school[5]))  # type: ignore[attr-defined]
    assert watch(watched.context, school[20], day).relapsed == 1
    assert watched.case(code).state == "absent"


def test_catch_up_lessons_are_planned_a_week_of_school_apart_and_checked_off(watched: CastInstallation) -> None:
    code = returned(watched)
    with watched.store.reading("test") as session:
        planned = session.execute(select(t.Planned.due_at, t.Planned.done_seq).where(t.Planned.kind == "lesson")).all()
    assert [(due.astimezone(HERE).date(), done) for due, done in planned] == [(MON, None), (dt.date(2026, 3, 16), None)]
    teacher = watched.viewer("teacher")
    for day in (9, 16):
        case_acts.hold_lesson(watched.context, Act(teacher, code, {"note": "Ôn toán"}, at(f"2026-03-{day:02} 16:00")))
    with watched.store.reading("test") as session:
        done = session.scalars(select(t.Planned.done_seq).where(t.Planned.kind == "lesson").order_by(t.Planned.due_at))
        assert list(done) == [3, 4]
    with pytest.raises(NotFound):
        case_acts.hold_lesson(watched.context, Act(teacher, code, {"note": "Ôn toán"}, at("2026-03-17 16:00")))


# --- the worker and the settings --------------------------------------------------------------------------------------


def test_the_worker_watches_a_day_once_after_closing_time(watched: CastInstallation) -> None:
    mark(watched, "u", MON, TUE)
    assert watch_if_due(watched.context, at("2026-03-10 09:00")) is None
    first = watch_if_due(watched.context, EVENING)
    assert first is not None
    assert first.opened == 1
    assert watch_if_due(watched.context, EVENING) is None
