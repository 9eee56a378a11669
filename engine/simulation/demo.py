"""Builds the demo: a tree of units, people, pupils with a real register, and cases played through the real use cases.

It simulates past moments one after the other and fires the rules at every moment that is due. So the demo's histories
look as if people had used the program for two months. The same files and moment give the same demo. The caller then
sets the clock to the demo's moment.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from engine.core.cases.act import Act
from engine.core.invariants import given
from engine.core.people.access import Viewer
from engine.core.people.responsibility import acting, find
from engine.core.refusals import Conflict
from engine.core.words import Sentence
from engine.core.workflow.builtin_forms import END_ANYWAY
from engine.jobs.sweep import run_due
from engine.simulation.demo_names import read_namer
from engine.simulation.demo_people import PASSWORD, Enrolled, Town, add_accounts, add_pupils
from engine.simulation.demo_script import (
    PRESENT,
    UNEXCUSED,
    DemoAccount,
    DemoAct,
    DemoCase,
    DemoFiles,
    WorkingDaysBack,
    read_accounts,
    read_demo_cases,
    read_schools,
)
from engine.store.attendance import taken
from engine.store.attendance.marks import put_marks
from engine.store.cases import cases as stored
from engine.store.cases.surroundings import SurroundingsReader
from engine.store.ops.settings import DEMO, put_setting
from engine.store.people.staff import viewer_of
from engine.store.session import Session
from engine.store.simulation import demo as filled
from engine.store.simulation.seed import is_empty
from engine.usecases.calendar.closures import announce_closure
from engine.usecases.cases import case_acts
from engine.usecases.context import Context
from engine.usecases.support import gifts
from engine.usecases.units.import_units import import_units

__all__ = ["NOW", "PASSWORD", "DemoFiles", "DemoReport", "build_demo"]

NOW = dt.datetime(2026, 11, 25, 0, 30, tzinfo=dt.UTC)  # Wednesday, half past seven in the morning in Viet Nam
SEED = 611
REGISTER_MINUTE = 7 * 60 + 15  # when a register is taken


@dataclass(frozen=True, slots=True)
class DemoReport:
    """The contents of the demo: its accounts (all with `PASSWORD`) and the numbers of all other things."""

    accounts: tuple[DemoAccount, ...]
    units: int
    pupils: int
    marks: int
    states: Mapping[str, int]
    overdue: int
    raised: int

    @property
    def cases(self) -> int:
        """Returns the number of cases."""
        return sum(self.states.values())


def build_demo(context: Context, files: DemoFiles, now: dt.datetime = NOW) -> DemoReport:
    """Fills an empty, migrated database with the demo at the moment `now`.

    Raises `Conflict` if the database is not empty, `Faulty` for a faulty tree of units.
    """
    with context.store.reading("is there anything") as session:
        if not is_empty(session):
            raise Conflict(Sentence("There are units or people in this database already: a demo wants an empty one."))
    calendar = context.definitions.calendar("51")
    today = calendar.local(now).date()
    days = WorkingDaysBack(today, lambda day: calendar.why_no_work(day) is None)
    units = import_units(context.store, files.units, "rules/units/quang-ngai-2026.csv")
    chance = random.Random(SEED)  # noqa: S311 - the same people each time
    namer = read_namer(chance, files.surnames, files.given, files.local, files.refused)
    with context.store.writing("people the demo") as session:
        town = Town(session, today)
        accounts = add_accounts(town, read_accounts(files.people, days), namer, calendar.instant(days.back(60), 0))
        pupils = add_pupils(town, read_schools(files, today, days), namer)
    player = _DemoPlayer(context, days, pupils, calendar.instant)
    player.play(read_demo_cases(files.demo_cases, days), now)
    with context.store.writing("fill the demo's registers") as session:
        marks = _fill_registers(session, pupils, calendar.instant)
        put_setting(session, DEMO, {"on": True})
    return _report(context, accounts, units.added, pupils, marks, now)


class _DemoPlayer:
    """Plays the cases of the demo at their moments; in between, time passes and the rules fire."""

    def __init__(
        self,
        context: Context,
        days: WorkingDaysBack,
        pupils: list[Enrolled],
        instant: Callable[[dt.date, int], dt.datetime],
    ) -> None:
        self.context, self.days, self.pupils, self.instant = context, days, pupils, instant

    def play(self, demo_cases: list[DemoCase], until: dt.datetime) -> None:
        """Plays all cases side by side."""
        acts = [(self._moment(act), number, act) for number, it in enumerate(demo_cases) for act in it.acts]
        cast = {number: self._cast(it) for number, it in enumerate(demo_cases) if not _is_closure(it)}
        codes: dict[int, str] = {}
        for moment, number, act in sorted(acts, key=lambda item: item[:2]):
            self._pass(moment)
            if act.act == "closure":
                self._close(demo_cases[number].class_code, act, moment)
            elif act.act == "open":
                codes[number] = self._open(cast[number].id, act, moment)
            else:
                self._act(codes[number], act, moment)
        self._pass(until)

    def _moment(self, act: DemoAct) -> dt.datetime:
        return self.instant(act.day, act.time.hour * 60 + act.time.minute)

    def _pass(self, until: dt.datetime) -> None:
        while True:
            with self.context.store.reading("when to look") as session:
                look = stored.earliest_look(session)
            if look is None or look > until:
                return
            run_due(self.context, look)

    def _cast(self, demo_case: DemoCase) -> Enrolled:
        """Chooses the pupil whose real marks fit the case best; from now on the case sets their marks."""
        there = [pupil for pupil in self.pupils if pupil.class_code == demo_case.class_code and not pupil.in_demo_case]
        right = [pupil for pupil in there if demo_case.village in {None, pupil.village}]
        if not right:
            raise LookupError(f"No pupil is left for {demo_case.name} in {demo_case.class_code}, {demo_case.village}.")
        away = {day for first, end in demo_case.absent for day in self.days.between(first, end or self.days.back(0))}
        pupil = min(right, key=lambda one: (sum(one.marks.get(day) == PRESENT for day in away), one.id))
        pupil.in_demo_case = True
        pupil.marks |= dict.fromkeys(away, UNEXCUSED)
        return pupil

    # --- acts -----------------------------------------------------------------------------------------------------

    def _open(self, pupil_id: int, act: DemoAct, now: dt.datetime) -> str:
        with self.context.store.reading("who opens") as session:
            world = SurroundingsReader(session, self.context.definitions, now)
            place = given(stored.pupil_place(session, pupil_id), "the demo has just stored its pupils")
            viewer = self._viewer(session, find(act.who, place, world).people, world)
        return case_acts.open_case(self.context, viewer, pupil_id, act.values, now)

    def _act(self, code: str, act: DemoAct, now: dt.datetime) -> None:
        with self.context.store.reading("who acts") as session:
            world = SurroundingsReader(session, self.context.definitions, now)
            viewer = self._viewer(session, self._people(session, code, act.who, world), world)
        done = Act(viewer, code, act.values, now)
        if act.act in _STANDING_ACTS:
            _STANDING_ACTS[act.act](self.context, done)
        else:
            case_acts.step(self.context, replace(done, values={**done.values, END_ANYWAY: True}), act.act)

    def _people(self, session: Session, code: str, who: str, reader: SurroundingsReader) -> Iterable[int]:
        facts = filled.case_of(session, code)
        if who == "assignee":
            return reader.person(facts.assignee_id).acting if facts.assignee_id else ()
        if who == "offered" and facts.offered_role and facts.offered_unit_id:
            return acting(reader.holders(facts.offered_role, facts.offered_unit_id))
        return find(who, facts, reader).people

    def _viewer(self, session: Session, people: Iterable[int], reader: SurroundingsReader) -> Viewer:
        return viewer_of(session, next(iter(people)), reader.today, reader.definitions.roles)

    def _close(self, unit: str, act: DemoAct, now: dt.datetime) -> None:
        with self.context.store.reading("what closes") as session:
            unit_id = Town(session, act.day).unit(unit).id
        values: Mapping[str, Any] = act.values
        announce_closure(
            self.context,
            None,
            unit_id=unit_id,
            first_day=dt.date.fromisoformat(values["first"]),
            last_day=dt.date.fromisoformat(values["last"]),
            reason=values["reason"],
            study_mode=values["study_mode"],
            now=now,
        )


_STANDING_ACTS: Mapping[str, Callable[[Context, Act], None]] = {
    "accept": case_acts.accept,
    "decline": case_acts.decline,
    "note": case_acts.note,
    "support": gifts.give,
    "check_in": case_acts.check_in,
    "hold": case_acts.hold,
}


def _is_closure(demo_case: DemoCase) -> bool:
    return demo_case.acts[0].act == "closure"


def _fill_registers(session: Session, pupils: list[Enrolled], instant: Callable[[dt.date, int], dt.datetime]) -> int:
    """Stores all marks, day by day, as if taken in the morning."""
    by_day: dict[dt.date, list[tuple[int, dt.date, str, str, str | None]]] = {}
    for pupil in pupils:
        for day, mark in pupil.marks.items():
            by_day.setdefault(day, []).append((pupil.id, day, "m", mark, None))
    classes = {pupil.id: pupil.class_id for pupil in pupils}
    count = 0
    for day in sorted(by_day):
        at = instant(day, REGISTER_MINUTE)
        count += put_marks(session, by_day[day], at, None).new
        there = sorted({classes[pupil] for pupil, *_ in by_day[day]})
        # Who was not found on a visit has no mark, and was not there by that: no list names the whole class.
        taken.put(session, [taken.Taken(class_id, day, "m", None, taken.MARKS) for class_id in there], at, None)
    return count


def _report(
    context: Context, accounts: list[DemoAccount], units: int, pupils: list[Enrolled], marks: int, now: dt.datetime
) -> DemoReport:
    with context.store.reading("what the demo holds") as session:
        states, late, raised = filled.case_states(session), filled.overdue(session, now), filled.raised(session)
    return DemoReport(tuple(accounts), units, len(pupils), marks, states, late, raised)
