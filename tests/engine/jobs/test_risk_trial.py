"""A trial of the risk watch: the alarms a past term would have given, and which of them were real."""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from engine.core.attendance.signals import DAY, OPEN, RiskRules, Signal
from engine.core.cases.act import Act
from engine.core.refusals import NotAllowed
from engine.core.words import Label
from engine.jobs import risk_trial
from engine.jobs.risk_trial import PupilPast, Raised, count, replay, trial_of, verdict, work_on_trials
from engine.jobs.risk_watch import watch
from engine.store import tables as t
from engine.store.attendance import risk_trials as stored
from engine.store.attendance.risk_trials import PastCase, SignalCount
from engine.store.session import now_utc
from engine.usecases.cases import case_acts
from tests.engine.jobs.test_risk_watch import EVENING, MON, RULES, TUE, WED, mark
from tests.installation import CastInstallation, at, installed

__all__ = ["installed"]

IN_A_ROW = Signal("row", Label("", ""), "unexcused_in_a_row", (3, 5))
EARLIER = Signal("earlier", Label("", ""), "earlier_case", (1,))
SIBLING = Signal("sibling", Label("", ""), "sibling_case", (1,))
TWO = RiskRules(1, OPEN, DAY, 5, 20, 2, 0, (IN_A_ROW, EARLIER, SIBLING))
WEEK = [dt.date(2026, 3, day) for day in (2, 3, 4, 5, 6, 9, 10, 11, 12, 13)]
LATER = at("2026-03-20 08:00")


def past(marks: str, **more: object) -> PupilPast:
    """One session a school day, a sign each: p, e, u, or a point where it was not taken."""
    register = [(day, "m", sign) for day, sign in zip(WEEK, marks, strict=False) if sign != "."]
    begin: Callable[[dt.date], dt.date] = lambda day: dt.date(2025, 9, 5)  # noqa: E731
    return PupilPast(register, WEEK, begin, lambda day: 1.0, **more)  # type: ignore[arg-type]


def found(raised: Raised) -> tuple[int, str, int, bool]:
    return raised.day.day, raised.alarm.signal, raised.alarm.threshold, raised.led


@pytest.mark.parametrize(
    ("marks", "expected"),
    [
        ("uuuuu", [(4, "row", 3, True), (6, "row", 5, False)]),  # the higher threshold sees no new absence
        ("uuupuuu", [(4, "row", 3, True), (10, "row", 3, True)]),  # a second stretch
        ("uu.u", [(5, "row", 3, True)]),  # what was not taken ends no run
        ("uupuu", []),
    ],
)
def test_a_replay_raises_what_daily_watches_would_have(marks: str, expected: list[tuple[int, str, int, bool]]) -> None:
    assert [found(one) for one in replay(TWO, past(marks), WEEK[0])] == expected


def test_alarms_before_the_period_are_known_and_not_counted() -> None:
    assert [found(one) for one in replay(TWO, past("uuuuu"), WEEK[3])] == [(6, "row", 5, False)]


def test_cases_count_from_the_day_there_were_any() -> None:
    ended = PastCase(WEEK[0], WEEK[1], "closed", 3)
    assert [found(one) for one in replay(TWO, past("uppup", cases=[ended]), WEEK[0])] == [(5, "earlier", 1, True)]
    siblings = [PastCase(WEEK[1], WEEK[4], "absent", 1)]
    assert [found(one) for one in replay(TWO, past("upupu", siblings=siblings), WEEK[0])] == [(4, "sibling", 1, True)]


@pytest.mark.parametrize(
    ("more", "right"),
    [
        ({}, None),
        ({"cases": [PastCase(WEEK[3], None, "absent", 1)]}, None),  # nobody has worked on it yet
        ({"cases": [PastCase(WEEK[3], None, "teacher_contact", 2)]}, True),
        ({"cases": [PastCase(WEEK[3], WEEK[9], "closed", 3)]}, True),
        ({"cases": [PastCase(WEEK[3], WEEK[4], "opened_in_error", 2)]}, False),
        ({"cases": [PastCase(WEEK[0], WEEK[1], "closed", 3)]}, None),  # an earlier one
        ({"cases": [PastCase(dt.date(2026, 4, 2), None, "closed", 3)]}, None),  # a later one
        ({"dismissed": [WEEK[2]]}, False),
        ({"dismissed": [dt.date(2026, 5, 1)]}, None),
    ],
)
def test_what_people_made_of_it_tells_whether_an_alarm_was_real(more: dict[str, object], right: bool | None) -> None:
    assert verdict(past("uuu", **more), WEEK[2]) is right


def test_the_numbers_of_a_pupil() -> None:
    worked_on = [PastCase(WEEK[3], None, "teacher_contact", 2)]
    assert count(TWO, past("uuuuu", cases=worked_on), WEEK[0]) == {"row": SignalCount(2, 1, 2, 0)}


# --- on a database ----------------------------------------------------------------------------------------------------


@pytest.fixture
def watched(installed: CastInstallation) -> CastInstallation:
    """The stage with the shipped signals: three absent for two days, of whom one's case was an error."""
    found = CastInstallation(replace(installed.context, risk=RULES), installed.cast)
    for pupil in ("pupil", "classmate", "boarder"):
        mark(found, "u", MON, TUE, pupil=pupil)
    watch(found.context, TUE, EVENING)
    return found


def judge(installed: CastInstallation) -> None:
    """The teacher reaches one family, the head takes back another case, nobody looks at the third."""
    with installed.store.reading("test") as session:
        codes = dict(session.execute(select(t.Case.pupil_id, t.Case.code)).all())
    contact = {"contact_way": "phone", "reached": True, "note": "Mẹ ốm"}
    of = installed.cast.pupils
    case_acts.step(
        installed.context,
        Act(installed.viewer("teacher"), codes[of["pupil"]], contact, at("2026-03-11 09:00")),
        "contact",
    )
    wrong = {"reason": "Ở viện, đã báo"}
    case_acts.step(
        installed.context,
        Act(installed.viewer("head"), codes[of["classmate"]], wrong, at("2026-03-11 09:00")),
        "mark_error",
    )


def test_a_trial_counts_for_each_signal_what_was_real(watched: CastInstallation) -> None:
    judge(watched)
    office = watched.viewer("education_office")
    risk_trial.ask(watched.context, office, LATER)
    assert trial_of(watched.context, office).state == "waiting"
    assert work_on_trials(watched.context, LATER) == 3
    trial = trial_of(watched.context, office)
    assert (trial.state, trial.done, trial.total) == ("done", 3, 3)
    assert trial.counts == {"unexcused-in-a-row": SignalCount(3, 3, 1, 1)}
    assert (trial.first_day, trial.last_day) == (dt.date(2025, 11, 14), dt.date(2026, 3, 19))
    assert 14 <= trial.weeks <= 18  # Tết lies in between


def test_a_trial_opens_nothing_and_tells_nobody(watched: CastInstallation) -> None:
    mark(watched, "u", WED)
    tables = (t.Case, t.Event, t.Notice, t.Alarm, t.Proposal)
    with watched.store.reading("test") as session:
        before = [session.scalar(select(func.count()).select_from(table)) for table in tables]
    risk_trial.ask(watched.context, watched.viewer("admin"), LATER)
    work_on_trials(watched.context, LATER)
    with watched.store.reading("test") as session:
        assert [session.scalar(select(func.count()).select_from(table)) for table in tables] == before


def test_each_sees_the_numbers_of_the_own_schools(watched: CastInstallation) -> None:
    risk_trial.ask(watched.context, watched.viewer("admin"), LATER)
    work_on_trials(watched.context, LATER)
    for member, alarms in (("head", 3), ("education_office", 3), ("admin", 3), ("outsider_head", 0)):
        counts = trial_of(watched.context, watched.viewer(member)).counts
        assert sum(count.alarms for count in counts.values()) == alarms, member
    with pytest.raises(NotAllowed):
        trial_of(watched.context, watched.viewer("teacher"))


def test_a_trial_whose_worker_was_killed_goes_on_and_counts_nobody_twice(watched: CastInstallation) -> None:
    risk_trial.ask(watched.context, watched.viewer("admin"), LATER)
    work_on_trials(watched.context, LATER, iter([False, False, True]).__next__, piece=1)
    assert trial_of(watched.context, watched.viewer("admin")).done == 2
    with watched.store.writing("a worker takes it up and is killed") as session:
        assert stored.take(session) is not None
    assert work_on_trials(watched.context, LATER) == 0  # it may still be alive
    with watched.store.writing("a minute passes") as session:
        session.execute(t.RiskTrial.__table__.update().values(seen_at=now_utc() - 2 * stored.DEAD_AFTER))  # type: ignore[attr-defined]
    assert work_on_trials(watched.context, LATER) == 1
    assert trial_of(watched.context, watched.viewer("admin")).counts == {"unexcused-in-a-row": SignalCount(3, 3, 0, 0)}


def test_while_one_trial_runs_there_is_no_second_one_and_the_newest_is_kept(watched: CastInstallation) -> None:
    for _ in range(2):
        risk_trial.ask(watched.context, watched.viewer("admin"), LATER)
    work_on_trials(watched.context, LATER)
    risk_trial.ask(watched.context, watched.viewer("admin"), LATER)
    assert trial_of(watched.context, watched.viewer("admin")).counts  # of the one that ended
    work_on_trials(watched.context, LATER)
    with watched.store.reading("test") as session:
        assert session.scalar(select(func.count()).select_from(t.RiskTrial)) == 1


def test_a_head_or_a_teacher_asks_for_none(watched: CastInstallation) -> None:
    for member in ("head", "teacher", "commune_leader"):
        with pytest.raises(NotAllowed):
            risk_trial.ask(watched.context, watched.viewer(member), LATER)
