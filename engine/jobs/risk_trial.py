"""Tries the signals of the risk watch on past registers: how many alarms they give, and how many were real.

Too many alarms are a failure too. People who set the watch see here what each signal would have given in a week. The
marks are real. The cases and proposals of that time say whether an alarm was right:

- right, if the pupil had a case at that time or within two weeks that somebody worked on and that was no error;
- wrong, if such a case was ended as opened in error, or a proposal was dismissed;
- unknown, if nobody looked into it.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter

from engine.core.attendance.signals import History, Reached, Register, Rhythm, RiskRules, alarms, run_begin
from engine.core.cases.facts import Facts
from engine.core.people.access import SCHOOLS, Viewer
from engine.core.people.roles import ADMIN, OFFICE, SCHOOL
from engine.core.refusals import NotAllowed
from engine.core.words import Sentence
from engine.store.attendance import registers as register
from engine.store.attendance import risk_trials as stored
from engine.store.attendance import watch
from engine.store.attendance.risk_trials import PastCase, SignalCount
from engine.store.cases.cases import PupilPlace
from engine.store.cases.surroundings import SurroundingsReader
from engine.store.session import Session, now_utc
from engine.usecases.attendance.histories import SchoolDays, first_day, season_factor
from engine.usecases.attendance.risk_settings import check, chosen_in
from engine.usecases.cases.case_acts import new_case
from engine.usecases.context import Context

TERM = dt.timedelta(weeks=18)  # a term has 17 or 18 weeks of teaching
AROUND = dt.timedelta(weeks=2)  # a case or proposal within this time after an alarm is about the same absence
PIECE = 500  # pupils in one transaction
IN_ERROR = "opened_in_error"


@dataclass(frozen=True, slots=True)
class PupilPast:
    """What the trial knows of a pupil: register and days with class in order, cases of the pupil and of siblings."""

    register: Register
    school_days: Sequence[dt.date]
    begin: Callable[[dt.date], dt.date]  # first day of the school year of a day
    factor: Callable[[dt.date], float]  # factor of the season
    cases: Sequence[PastCase] = ()
    siblings: Sequence[PastCase] = ()
    dismissed: Sequence[dt.date] = ()
    rhythm: Rhythm | None = None


@dataclass(frozen=True, slots=True)
class Raised:
    """An alarm that would have been raised on a day; `led`: it would have been the first of that absence."""

    day: dt.date
    alarm: Reached
    led: bool


# --- one pupil, without a database ------------------------------------------------------------------------------------


def replay(rules: RiskRules, past: PupilPast, first: dt.date) -> Iterator[Raised]:
    """Returns the alarms from a day on, as if the register had been watched each day."""
    raised: dict[tuple[str, int], dt.date] = {}
    seen: set[dt.date] = set()  # stretches of absence, by their first day
    for day in sorted({day for day, _, mark in past.register if mark in "eu"}):
        history = _history(past, day)
        new = [
            alarm
            for alarm in alarms(rules, history)
            if raised.get((alarm.signal, alarm.threshold), dt.date.min) < alarm.since
        ]
        raised |= {(alarm.signal, alarm.threshold): day for alarm in new}
        stretch = run_begin(history, rules.untaken_bridged) if new else day
        if day >= first:
            yield from (Raised(day, alarm, alarm is new[0] and stretch not in seen) for alarm in new)
        if new:
            seen.add(stretch)


def _history(past: PupilPast, day: dt.date) -> History:
    begin = past.begin(day)
    of_day = itemgetter(0)
    low, high = bisect_left(past.register, begin, key=of_day), bisect_right(past.register, day, key=of_day)
    days = past.school_days[bisect_left(past.school_days, begin) : bisect_right(past.school_days, day)]
    sibling = any(case.first <= day and (case.last is None or case.last > day) for case in past.siblings)
    earlier = any(case.last is not None and case.last < day and case.state != IN_ERROR for case in past.cases)
    return History(day, past.register[low:high], days, past.factor(day), sibling, earlier, past.rhythm)


def verdict(past: PupilPast, day: dt.date) -> bool | None:
    """Returns whether the alarm of a day was right, from what people did about it; None if nobody looked into it."""
    about = [case for case in past.cases if case.first <= day + AROUND and (case.last is None or case.last >= day)]
    if any(case.entry > 1 and case.state != IN_ERROR for case in about):
        return True
    wrong = any(case.state == IN_ERROR for case in about) or any(abs(day - one) <= AROUND for one in past.dismissed)
    return False if wrong else None


def count(rules: RiskRules, past: PupilPast, first: dt.date) -> dict[str, SignalCount]:
    """Counts what each signal gave for one pupil."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for one in replay(rules, past, first):
        right = verdict(past, one.day)
        found[one.alarm.signal].update(
            {"alarms": 1, "led": one.led, "founded": right is True, "unfounded": right is False}
        )
    return {signal: SignalCount(*(numbers[name] for name in SignalCount._fields)) for signal, numbers in found.items()}


# --- the job ----------------------------------------------------------------------------------------------------------


def ask(context: Context, viewer: Viewer, now: dt.datetime) -> None:
    """Asks for a trial of the signals on the last term; only one trial runs at a time. Raises `NotAllowed`."""
    if not (viewer.holds(ADMIN) or viewer.holds(OFFICE)):
        raise NotAllowed(Sentence("A trial is asked for by an education office or an administrator."))
    today = context.definitions.calendar("").local(now).date()
    last = today - dt.timedelta(days=1)
    with context.store.writing("ask for a trial of the risk watch") as session:
        rules = chosen_in(session).rules(context.risk)
        values = {
            "state": "waiting",
            "first_day": today - TERM,
            "last_day": last,
            "person_id": viewer.person_id,
            "asked_at": now,
            "rules": {"version": rules.version, "count": rules.count},
        }
        stored.ask(session, values)


def work_on_trials(
    context: Context, now: dt.datetime, stop: Callable[[], bool] = lambda: False, *, piece: int = PIECE
) -> int:
    """Goes on with a waiting trial, piece by piece; returns how many pupils were looked at."""
    with context.store.writing("take up a trial of the risk watch") as session:
        trial = stored.take(session)
        if trial is None:
            return 0
        total = trial.total or stored.number_absent(session, trial.first_day, trial.last_day)
        stored.advance(session, trial.id, trial.next_pupil, total=total)
    after, done = trial.next_pupil, 0
    while not stop():
        with context.store.writing("trial of the risk watch") as session:
            ids = stored.absent_between(session, trial.first_day, trial.last_day, after, piece)
            if not ids:
                _end(session, trial.id, after)
                return done
            _TriedPupils(context, session, trial.first_day, trial.last_day, now).run(trial.id, ids)
            done += len(ids)
            if not stored.advance(session, trial.id, after, next_pupil=ids[-1], done=trial.done + done):
                session.rollback()  # another worker took it over
                return done
        after = ids[-1]
    with context.store.writing("let go of a trial") as session:
        stored.let_go(session, trial.id)
    return done


def _end(session: Session, trial_id: int, after: int) -> None:
    if stored.advance(session, trial_id, after, state="done", finished_at=now_utc()):
        stored.forget_before(session, trial_id)


class _TriedPupils:
    """Some pupils of a trial, handled in one transaction."""

    def __init__(self, context: Context, session: Session, first: dt.date, last: dt.date, now: dt.datetime) -> None:
        self.context, self.session, self.first, self.last = context, session, first, last
        self.rules = chosen_in(session).rules(context.risk)
        self.workflow = context.definitions.workflow(context.workflow)
        self.reader = SurroundingsReader(session, context.definitions, now)
        self.now = now
        self.begin = first_day(context, first)
        self.days = SchoolDays(self.begin, last)
        self._years: dict[dt.date, dt.date] = {}

    def run(self, trial_id: int, ids: Sequence[int]) -> None:
        """Counts the alarms of these pupils."""
        session, name = self.session, self.workflow.name
        drafts = {place.id: self._draft(place) for place in watch.places(session, ids)}
        self.reader.fetch(list(drafts.values()))
        marks = register.registers(session, list(drafts), self.begin, self.last)
        classes = {facts.class_id for facts in drafts.values()}
        rhythms = register.rhythms(session, classes, self.begin, self.last)
        cases, siblings = stored.cases_of(session, name, drafts), stored.sibling_cases(session, name, drafts)
        dismissed = stored.dismissed(session, drafts)
        found: dict[tuple[int, str], SignalCount] = {}
        for pupil, facts in drafts.items():
            surroundings = (cases.get(pupil, ()), siblings.get(pupil, ()), dismissed.get(pupil, ()))
            past = self._past(facts, marks.get(pupil, ()), *surroundings, rhythms.get(facts.class_id))
            for signal, more in count(self.rules, past, self.first).items():
                key = (facts.school_id, signal)
                found[key] = SignalCount(*map(sum, zip(found.get(key, (0, 0, 0, 0)), more, strict=True)))
        stored.add(session, trial_id, found)

    def _draft(self, place: PupilPlace) -> Facts:
        return new_case(self.context, self.workflow, place, self.last, self.now, "")

    def _past(
        self,
        facts: Facts,
        marks: Register,
        cases: Sequence[PastCase],
        siblings: Sequence[PastCase],
        dismissed: Sequence[dt.date],
        rhythm: Rhythm | None,
    ) -> PupilPast:
        situation = self.reader.situation(facts)
        days, taught = self.days.of(situation.clock)
        taken = [one for one in marks if one[0] in taught]

        def factor(day: dt.date) -> float:
            return season_factor(situation, day)

        return PupilPast(taken, days, self._year, factor, cases, siblings, dismissed, rhythm)

    def _year(self, day: dt.date) -> dt.date:
        if day not in self._years:
            self._years[day] = first_day(self.context, day)
        return self._years[day]


# --- what a page shows ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Trial:
    """The newest trial with its progress, and the counts of the newest finished one at the viewer's schools."""

    state: str = ""  # waiting, running, done; "" if nobody ever asked for one
    done: int = 0
    total: int = 0
    first_day: dt.date | None = None
    last_day: dt.date | None = None
    finished_at: dt.datetime | None = None
    weeks: int = 0
    counts: Mapping[str, SignalCount] = field(default_factory=dict)


def trial_of(context: Context, viewer: Viewer) -> Trial:
    """Returns the newest trial, as far as the viewer may see it. Raises `NotAllowed`."""
    check(viewer)
    with context.store.reading("a trial of the risk watch") as session:
        newest, ended = stored.latest(session), stored.latest(session, "done")
        if newest is None:
            return Trial()
        if ended is None:
            return Trial(newest.state, newest.done, newest.total)
        schools = None if viewer.holds(ADMIN) else sorted(viewer.seated(SCHOOL) | viewer.area(SCHOOLS))
        counts = stored.counted(session, ended.id, schools)
    return Trial(
        newest.state,
        newest.done,
        newest.total,
        ended.first_day,
        ended.last_day,
        ended.finished_at,
        _weeks(context, ended.first_day, ended.last_day),
        counts,
    )


def _weeks(context: Context, first: dt.date, last: dt.date) -> int:
    """Returns the number of weeks between two days that had at least one day of school."""
    clock = context.definitions.calendar("")
    days = (first + dt.timedelta(days=number) for number in range((last - first).days + 1))
    return len({day.isocalendar()[:2] for day in days if clock.why_no_school(day) is None})
