"""The risk watch: after the attendance of a day, looks at absent pupils and at recent returns.

It opens cases, or proposes them to the teachers, or adds what it found to an open case. It works in pieces, each one
transaction. It stores each result with its threshold, so that watching the same day again doubles nothing.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.core.attendance import signals as attendance_signals
from engine.core.attendance.signals import History, Reached, RiskRules
from engine.core.cases.casework import SYSTEM, Actor, Casework
from engine.core.cases.definitions import Situation
from engine.core.cases.facts import Facts
from engine.core.refusals import Refused
from engine.store.attendance import registers as register
from engine.store.attendance import watch as stored
from engine.store.cases import writer
from engine.store.cases.cases import PupilPlace, next_codes
from engine.store.cases.surroundings import SurroundingsReader
from engine.store.ops.settings import get_setting, put_setting
from engine.store.session import Session
from engine.usecases.attendance.histories import SchoolDays, first_day, lowest_factor, season_factor
from engine.usecases.attendance.risk_settings import chosen_in
from engine.usecases.cases.case_acts import new_case
from engine.usecases.context import Context

PIECE = 1_000  # pupils in one transaction
RETURNED, RELAPSE = "returned", "relapse"
DONE = "watch"  # name of a setting
RULE = Actor(None, SYSTEM)


@dataclass(slots=True)
class Watched:
    """The results of a watch.

    `signals` counts the cases that each signal opened or proposed (only the first named signal).
    """

    looked: int = 0
    opened: int = 0
    proposed: int = 0
    added: int = 0
    relapsed: int = 0
    confirmed: int = 0
    signals: Counter[str] = field(default_factory=Counter)

    def summary(self) -> dict[str, Any]:
        """Returns the numbers that the command line prints."""
        names = ("looked", "opened", "proposed", "added", "relapsed", "confirmed")
        return {name: getattr(self, name) for name in names} | {"signals": dict(sorted(self.signals.items()))}


def watch(
    context: Context, day: dt.date, now: dt.datetime, *, pupil_ids: Collection[int] | None = None, dry_run: bool = False
) -> Watched:
    """Looks at the attendance of all pupils on a day, or of some; `dry_run` only counts."""
    watched = Watched()
    with context.store.reading("whom to watch") as session:
        chosen = chosen_in(session)
        rules = chosen.rules(context.risk)
        absent = stored.absent_on(session, day, pupil_ids)
        least = attendance_signals.fewest(rules, lowest_factor(context))
        often = stored.absent_often(session, absent, first_day(context, day), day, least) if absent else []
    watched.looked = len(absent)
    _watch_returns(context, rules, day, now, pupil_ids, watched, dry=dry_run)
    for piece in stored.pieces(often, PIECE):
        transaction = context.store.reading if dry_run else context.store.writing
        with transaction("risk watch") as session:
            _WatchedPupils(context, rules, session, day, now, watched, dry=dry_run).run(piece)
    return watched


def watch_if_due(context: Context, now: dt.datetime) -> Watched | None:
    """Runs the watch for the worker, once a day after closing time; None if nothing is to do yet."""
    calendar = context.definitions.calendar("")
    today = calendar.local(now).date()
    if now < calendar.instant(today, calendar.closing_minute(today)):
        return None
    with context.store.reading("was today watched") as session:
        if get_setting(session, DONE).get("day", "") >= today.isoformat():
            return None
    watched = watch(context, today, now)
    with context.store.writing("today was watched") as session:
        put_setting(session, DONE, {"day": today.isoformat()})
    return watched


# --- absences ---------------------------------------------------------------------------------------------------------


class _WatchedPupils:
    """Some absent pupils of the day, handled in one transaction."""

    def __init__(
        self,
        context: Context,
        rules: RiskRules,
        session: Session,
        day: dt.date,
        now: dt.datetime,
        watched: Watched,
        *,
        dry: bool,
    ) -> None:
        self.context, self.rules, self.session, self.day, self.now, self.dry = context, rules, session, day, now, dry
        self.watched = watched
        self.workflow = context.definitions.workflow(context.workflow)
        self.reader = SurroundingsReader(session, context.definitions, now)
        self.first = first_day(context, day)
        self.days = SchoolDays(self.first, day)
        self._factors: dict[int, tuple[object, float]] = {}
        self.modes = chosen_in(session).modes(session, rules)

    def run(self, ids: Sequence[int]) -> None:
        """Finds the new alarms, and does what the mode says."""
        places = stored.places(self.session, ids)
        drafts = {place.id: self._draft(place) for place in places}
        cases = stored.open_cases(self.session, self.workflow.name, ids, lock=not self.dry)
        self.reader.fetch([*drafts.values(), *cases.values()])
        found = self._alarms(drafts)
        self._add([(cases[pupil], alarms) for pupil, alarms in found.items() if pupil in cases])
        new = [(drafts[pupil], alarms) for pupil, alarms in found.items() if pupil not in cases]
        self._open([one for one in new if self._mode(*one) == attendance_signals.OPEN])
        self._propose([one for one in new if self._mode(*one) == attendance_signals.PROPOSE])

    def _mode(self, facts: Facts, alarms: Sequence[Reached]) -> str:
        """Returns what to do; absences that are all excused are proposed at most, not opened."""
        mode = self.modes.of(facts.school_id, [alarm.signal for alarm in alarms])
        excused = mode == attendance_signals.OPEN and all(alarm.excused for alarm in alarms)
        return attendance_signals.PROPOSE if excused else mode

    def _draft(self, place: PupilPlace) -> Facts:
        return new_case(self.context, self.workflow, place, self.day, self.now, "")

    def _alarms(self, drafts: dict[int, Facts]) -> dict[int, list[Reached]]:
        """Returns the alarms of each pupil that were not raised before in the same stretch of absence."""
        registers = register.registers(self.session, list(drafts), self.first, self.day)
        classes = {facts.class_id for facts in drafts.values()}
        rhythms = register.rhythms(self.session, classes, self.first, self.day)
        before = stored.raised(self.session, list(drafts), self.first)
        earlier = stored.with_earlier_case(self.session, self.workflow.name, list(drafts))
        siblings = stored.with_sibling_case(self.session, self.workflow.name, list(drafts))
        found: dict[int, list[Reached]] = {}
        for pupil, facts in drafts.items():
            situation = self.reader.situation(facts)
            days, taught = self.days.of(situation.clock)
            taken = [one for one in registers.get(pupil, ()) if one[0] in taught]
            factor, rhythm = self._factor(situation), rhythms.get(facts.class_id)
            history = History(self.day, taken, days, factor, pupil in siblings, pupil in earlier, rhythm)
            raised = before.get(pupil, {})
            new = [
                alarm
                for alarm in attendance_signals.alarms(self.rules, history)
                if raised.get((alarm.signal, alarm.threshold), dt.date.min) < alarm.since
            ]
            if new:
                found[pupil] = new
        return found

    def _factor(self, situation: Situation) -> float:
        """Returns the season's factor; pupils of one place share it, so it is found once."""
        seasons = situation.seasons
        known = self._factors.get(id(seasons))
        if known is None or known[0] is not seasons:
            known = self._factors[id(seasons)] = (seasons, season_factor(situation, self.day))
        return known[1]

    def _add(self, found: Sequence[tuple[Facts, list[Reached]]]) -> None:
        self.watched.added += len(found)
        if self.dry or not found:
            return
        works = []
        for facts, alarms in found:
            work = self.reader.casework(facts)
            work.write("signal", RULE, {}, data=self._data(alarms))
            works.append(work)
        writer.store(self.session, works)
        self._keep(found, opened=False)

    def _open(self, found: Sequence[tuple[Facts, list[Reached]]]) -> None:
        self._count(found)
        if self.dry or not found:
            self.watched.opened += len(found)
            return
        by_pupil = {facts.pupil_id: alarms for facts, alarms in found}
        codes = next_codes(self.session, self.reader.today.year, len(found))
        for (facts, alarms), code in zip(found, codes, strict=True):
            facts.code, facts.absent_since = code, alarms[0].absent_since
        made = stored.insert_cases(self.session, [facts for facts, _ in found])
        works = []
        for facts in made:
            work = self.reader.casework(facts)
            values = {"absent_since": facts.absent_since.isoformat(), "causes": ["unknown"]}
            work.open(RULE, values)
            work.entries[0].data |= self._data(by_pupil[facts.pupil_id])
            work.tell_assignee("opened_by_watch")
            works.append(work)
        writer.store(self.session, works)
        self._keep([(facts, by_pupil[facts.pupil_id]) for facts in made], opened=True)
        self.watched.opened += len(made)

    def _propose(self, found: Sequence[tuple[Facts, list[Reached]]]) -> None:
        self._count(found)
        self.watched.proposed += len(found)
        if self.dry or not found:
            return
        rows = [
            {
                "pupil_id": facts.pupil_id,
                "day": self.day,
                "absent_since": alarms[0].absent_since,
                "signals": _said(alarms),
                "made_at": self.now,
            }
            for facts, alarms in found
        ]
        stored.propose(self.session, rows)
        self._keep(found, opened=False)

    def _data(self, alarms: Sequence[Reached]) -> dict[str, Any]:
        """Returns what an event keeps of the alarms; `untaken` has the school days without a register in a run."""
        data: dict[str, Any] = {"signals": _said(alarms), "day": self.day.isoformat()}
        if untaken := {alarm.signal: alarm.untaken for alarm in alarms if alarm.untaken}:
            data["untaken"] = untaken
        return data

    def _count(self, found: Iterable[tuple[Facts, list[Reached]]]) -> None:
        self.watched.signals.update(alarms[0].signal for _, alarms in found)

    def _keep(self, found: Iterable[tuple[Facts, list[Reached]]], *, opened: bool) -> None:
        rows = [
            {
                "pupil_id": facts.pupil_id,
                "signal": alarm.signal,
                "threshold": alarm.threshold,
                "day": self.day,
                "value": alarm.value,
                "case_id": facts.id or None,
                "opened": opened and alarm is alarms[0],
            }
            for facts, alarms in found
            for alarm in alarms
        ]
        stored.keep_alarms(self.session, rows)


def _said(alarms: Iterable[Reached]) -> list[list[Any]]:
    return [[alarm.signal, alarm.threshold, alarm.value] for alarm in alarms]


# --- returns on trial -------------------------------------------------------------------------------------------------


def _watch_returns(
    context: Context,
    rules: RiskRules,
    day: dt.date,
    now: dt.datetime,
    pupil_ids: Collection[int] | None,
    watched: Watched,
    *,
    dry: bool,
) -> None:
    workflow = context.definitions.workflow(context.workflow)
    if RETURNED not in workflow.states:
        return
    seen, transaction = 0, context.store.reading if dry else context.store.writing
    while True:
        with transaction("watch returns") as session:
            found = stored.returned_cases(session, workflow.name, RETURNED, day, seen, PIECE, pupil_ids, lock=not dry)
            if not found:
                return
            seen = found[-1].id
            _prove(context, rules, session, found, day, now, watched, dry=dry)


def _prove(
    context: Context,
    rules: RiskRules,
    session: Session,
    found: list[Facts],
    day: dt.date,
    now: dt.datetime,
    watched: Watched,
    *,
    dry: bool,
) -> None:
    reader, calendar = SurroundingsReader(session, context.definitions, now), context.definitions.calendar("")
    reader.fetch(found)
    since = {facts.id: calendar.local(facts.since).date() for facts in found}
    first = min(since.values())
    registers = register.registers(session, [facts.pupil_id for facts in found], first, day)
    rhythms = register.rhythms(session, {facts.class_id for facts in found}, first, day)
    school_days = SchoolDays(first, day)
    confirmed, works = stored.confirmed(session, found), []
    for facts in found:
        days, taught = school_days.of(reader.situation(facts).clock)
        taken = [one for one in registers.get(facts.pupil_id, ()) if one[0] in taught]
        by_day = facts.class_id in rhythms and rhythms[facts.class_id].two
        proof = attendance_signals.proof(rules, taken, day, since[facts.id], days, by_day=by_day)
        if proof is None or (proof[0] == attendance_signals.CONFIRMED and facts.id in confirmed):
            continue
        work = reader.casework(facts)
        if _act(work, proof, rules, watched):
            works.append(work)
    if not dry:
        writer.store(session, works)


def _act(work: Casework, proof: tuple[str, dt.date], rules: RiskRules, watched: Watched) -> bool:
    """Returns whether something was done: some workflows leave it to people to say that a pupil is absent again."""
    what, day = proof
    if what == attendance_signals.CONFIRMED:
        data = {"attended": rules.return_confirmed, "day": day.isoformat()}
        work.write("return_confirmed", RULE, {}, data=data)
        watched.confirmed += 1
        return True
    try:
        work.step(RELAPSE, RULE, {"absent_since": day.isoformat()})
    except Refused:
        return False
    work.tell_assignee("relapsed_by_watch")
    watched.relapsed += 1
    return True
