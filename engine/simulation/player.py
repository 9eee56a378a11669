"""Plays a scenario in a separate database: the acts, the time between them, and the checks.

Between two steps the worker runs exactly at every moment at which a rule may be due, as if it were never late. A
stopped worker does not run. When it starts again, it runs once, however much is due.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from engine.core.calendar import TimeOff
from engine.core.cases.act import Act
from engine.core.cases.definitions import Definitions
from engine.core.cases.facts import Facts
from engine.core.people.access import Viewer
from engine.core.refusals import Refused
from engine.core.scenario.ledger_verbs import LEDGER_VERBS
from engine.core.scenario.reader import Scenario, ScenarioStep
from engine.core.scenario.verbs import ABOUT_ENTRIES, BY_ITSELF
from engine.core.toml_reader import digest_of
from engine.core.words import Label, Sentence
from engine.core.workflow.builtin_forms import DOUBT, WHY
from engine.jobs.risk_watch import watch
from engine.jobs.sweep import run_due
from engine.simulation.ledger_player import LedgerPlayer
from engine.store.attendance.corrected import proposed
from engine.store.attendance.marks import put_marks
from engine.store.cases.cases import earliest_look
from engine.store.cases.corrections import doubted
from engine.store.cases.difficulties import earliest_due
from engine.store.cases.history import entry_of
from engine.store.cases.reseating import concern
from engine.store.people.staff import viewer_of
from engine.store.session import Session, Store
from engine.store.simulation import seed
from engine.usecases.attendance.corrected_marks import judge_again
from engine.usecases.calendar.closures import announce_closure, lift_closure
from engine.usecases.calendar.recount import recount_changed
from engine.usecases.cases import case_acts, companions, corrections
from engine.usecases.cases.difficulties import answer, climb_due, raise_difficulty
from engine.usecases.cases.reseat import reseat, turn_of_day
from engine.usecases.context import Context
from engine.usecases.support import gifts
from engine.usecases.support.needs import raise_need

MISTAKEN = "Ghi nhầm"  # why an entry is put right, where a scenario does not say
NO_CASE = "RL-0000-000000"  # the code used for an act on a case that does not exist


@dataclass(frozen=True, slots=True)
class Check:
    """One expectation of one step: what was expected, what was found, and why the act was refused, if it was.

    An unexpected refusal is a check too, with the key "refused" and "" expected.
    """

    step: int
    at: dt.datetime
    key: str
    expected: Any
    found: Any
    ok: bool
    sentence: Sentence | None = None


def play(scenario: Scenario, store: Store) -> Iterator[Check]:
    """Plays a scenario on an empty store of the newest schema; yields each check as it is made."""
    player = Player(scenario, store)
    for step in scenario.steps:
        yield from player.take(step)


def context_of(scenario: Scenario, store: Store) -> Context:
    """Returns a context that runs on the scenario's own definitions."""
    workflow, rules = scenario.workflow, scenario.rules
    definitions = Definitions(
        {(workflow.name, workflow.version): workflow},
        {(workflow.name, rules.version): rules},
        {"": scenario.calendar},
        {workflow.name: (workflow.version, rules.version)},
        scenario.roles,
    )
    return Context(store, definitions, workflow.name, risk=scenario.risk, support=scenario.support)


STANDING_ACTS: Mapping[str, Callable[[Context, Act], None]] = {
    "accept": case_acts.accept,
    "decline": case_acts.decline,
    "note": case_acts.note,
    "support": gifts.give,
    "check_in": case_acts.check_in,
    "hold": case_acts.hold,
    "difficulty": raise_difficulty,
    "lesson": case_acts.hold_lesson,
    "undo": corrections.undo,
    "raise_need": raise_need,
}


COME_AND_GO = frozenset({"vacant", "appoint", "away", "back", "disable", "enable"})


class Player:
    """The state of a played scenario: the context, the cast, whether the worker runs, and the last notice that was
    read.
    """

    def __init__(self, scenario: Scenario, store: Store) -> None:
        self.context, self.calendar = context_of(scenario, store), scenario.calendar
        with store.writing("set the stage") as session:
            self.seeded = seed.add_cast(session, scenario.start, more=scenario.more, district=scenario.district)
        self.ledger = LedgerPlayer(self.context, self.seeded)
        self.workflow = scenario.workflow
        self.now, self.working = scenario.start, True
        self.notice, self.closure = 0, 0

    def take(self, step: ScenarioStep) -> Iterator[Check]:
        """Lets the time until a step pass, does the step, and compares."""
        self._pass(step.at)
        refused = self._attempt(step)
        self._pass(step.at)  # the rules that are due at once
        yield from self._compare(step, refused)

    # --- time -----------------------------------------------------------------------------------------------------

    def _pass(self, until: dt.datetime) -> None:
        while self.working and (due := self._next_look()) is not None and due <= until:
            self.now = max(self.now, due)
            self._work()
        self.now = until

    def _work(self) -> None:
        turn_of_day(self.context, self.now)
        run_due(self.context, self.now)
        climb_due(self.context, self.now)

    def _next_look(self) -> dt.datetime | None:
        with self.context.store.reading("when to look") as session:
            moments = earliest_look(session), earliest_due(session), self._turn(session)
            return min(filter(None, moments), default=None)

    def _turn(self, session: Session) -> dt.datetime | None:
        """Returns the next midnight with which a post or an absence begins or ends."""
        day = seed.next_turn(session, self._day())
        return self.calendar.instant(day, 0) if day else None

    def _day(self) -> dt.date:
        return self.calendar.local(self.now).date()

    # --- acts -----------------------------------------------------------------------------------------------------

    def _attempt(self, step: ScenarioStep) -> Refused | None:
        try:
            self._act(step)
        except Refused as refused:
            return refused
        return None

    def _act(self, step: ScenarioStep) -> None:
        match step.do:
            case None:
                return
            case "worker_down":
                self.working = False
            case "worker_up":
                self._work()
                self.working = True
            case "open":
                viewer = self._viewer(step.by) or Viewer(0)
                case_acts.open_case(self.context, viewer, self.seeded.pupils[step.pupil], step.values, self.now)
            case do if do in COME_AND_GO:
                self._people(do, step.values)
            case do if do in BY_ITSELF:
                self._by_itself(step, do)
            case do if do in LEDGER_VERBS and do not in self.workflow.transitions:
                viewer, case = self._viewer(step.by) or Viewer(0), self._case(step)
                self.ledger.act(do, viewer, step.values, self.now, case.code if case else NO_CASE)
            case _:
                self._on_case(step)

    def _by_itself(self, step: ScenarioStep, do: str) -> None:
        match do:
            case "watch":
                watch(self.context, step.values["day"], self.now)
            case "closure":
                self._announce(step)
            case "lift":
                lift_closure(self.context, self._viewer(step.by), self.closure, step.values["last_day"], self.now)
            case "calendar":
                self._change_calendar(step.values["first"], step.values["last"])
            case "correct_mark":
                self._correct(step.values, self.seeded.pupils[step.pupil])
            case "attendance":
                self._mark(step, step.values)

    def _viewer(self, member: str | None) -> Viewer | None:
        if member is None:
            return None
        with self.context.store.reading("who acts") as session:
            return viewer_of(session, self.seeded.people[member], self._day(), self.context.definitions.roles)

    def _on_case(self, step: ScenarioStep) -> None:
        do = step.do or ""
        viewer, case = self._viewer(step.by) or Viewer(0), self._case(step)
        code, version = (case.code, case.version - 1 if step.stale else None) if case else (NO_CASE, None)
        values = {name: value for name, value in step.values.items() if name not in {"to", "invites"}}
        act = Act(viewer, code, values, self.now, version)
        if do == "assign":
            case_acts.assign(self.context, act, self.seeded.people[step.values["to"]])
        elif do == "companion":
            companions.add(self.context, act, self.seeded.people.get(step.values.get("invites", "")))
        elif do in ABOUT_ENTRIES:
            self._put_right(step, act, case)
        elif do == DOUBT:
            corrections.decide(self.context, act, self._doubt(case))
        elif do == "difficulty_answer":
            answer(self.context, act, self._difficulty(case))
        elif do in STANDING_ACTS:
            STANDING_ACTS[do](self.context, act)
        else:
            case_acts.step(self.context, act, do)

    def _put_right(self, step: ScenarioStep, act: Act, case: Facts | None) -> None:
        """Corrects or withdraws an entry. A step gives only the values that change."""
        with self.context.store.reading("the entry") as session:
            entry = entry_of(session, case.id, step.entry) if case else None
        seq = entry.seq if entry else step.entry if isinstance(step.entry, int) else 0
        values = dict(act.values)
        why = values.pop(WHY, None) or step.reason or values.pop("reason", None) or MISTAKEN
        if step.do == "withdraw":
            corrections.withdraw(self.context, replace(act, values={WHY: why}), seq)
        else:
            before = entry.values if entry else {}
            corrections.correct(self.context, replace(act, values={**before, **values, WHY: why}), seq)

    def _doubt(self, case: Facts | None) -> int:
        """Returns the number of the newest firing that waits for a decision; 0 if none does."""
        with self.context.store.reading("what is in doubt") as session:
            found = doubted(session, case.id) if case else {}
        return max((fired for fired, decided in found.items() if decided is None), default=0)

    def _difficulty(self, case: Facts | None) -> int:
        """Returns the number of the newest difficulty that waits for an answer; 0 if none does."""
        with self.context.store.reading("the difficulty") as session:
            found = seed.waiting_difficulty(session, case.id) if case else None
            return found.seq if found else 0

    def _announce(self, step: ScenarioStep) -> None:
        values = dict(step.values)
        scope = values.pop("scope")
        if scope == "pupil":
            values["pupil_id"] = self.seeded.pupils[step.pupil]
        else:
            values["unit_id"] = self.seeded.units[scope]
        self.closure = announce_closure(self.context, self._viewer(step.by), now=self.now, **values)

    def _change_calendar(self, first: dt.date, last: dt.date) -> None:
        """Adds days off to the calendar file, as if another one had taken its place, and counts the deadlines again."""
        off = TimeOff(first, last, Label("nghỉ thêm", "a day off more"), "holiday", office=True, school=True)
        name = f"{self.calendar.name}, {first} to {last}"
        changed = replace(self.calendar, off=(*self.calendar.off, off), files=((name, digest_of(name)),))
        definitions = replace(self.context.definitions, calendars={"": changed})
        self.calendar, self.context = changed, replace(self.context, definitions=definitions)
        recount_changed(self.context, self.now)

    def _correct(self, values: Mapping[str, Any], pupil: int) -> None:
        with self.context.store.writing("correct a mark") as session:
            marks = [(pupil, values["day"], half, values["mark"], None) for half in values["sessions"]]
            there = seed.marked(session, pupil, values["day"])
            corrected = [mark for mark in marks if mark[2] in there]
            put_marks(session, corrected, self.now, None, on_lists=True)
            judge_again(session, self.context, [pupil], self.now)

    def _mark(self, step: ScenarioStep, values: Mapping[str, Any]) -> None:
        with self.context.store.writing("around the cases") as session:
            pupil = self.seeded.pupils[step.pupil]
            seed.mark(session, pupil, values["day"], values["sessions"], values["mark"], self.now)

    def _people(self, do: str, values: Mapping[str, Any]) -> None:
        """Lets people come and go, as the use cases do it: what they had goes on in the same transaction."""
        seeded, today = self.seeded, self._day()
        seats = seeded.seats(values["post"]) if "post" in values else ()
        who = seeded.people[values["who"]] if "who" in values else 0
        people = {who} if who else set[int]()
        with self.context.store.writing("people come and go") as session:
            match do:
                case "vacant":
                    people |= seed.vacate(session, seats, today)
                case "appoint":
                    seed.appoint(session, who, seats, today)
                case "away":
                    delegate = seeded.people.get(values["delegate"] or "")
                    seed.send_away(session, who, today, values["until"], delegate)
                case "back":
                    people |= seed.come_back(session, who, today)
                case "disable" | "enable":
                    seed.set_disabled(session, who, self.now if do == "disable" else None)
            reseat(session, self.context, concern(session, people, seats), self.now)

    # --- what must be true ----------------------------------------------------------------------------------------

    def _case(self, step: ScenarioStep) -> Facts | None:
        with self.context.store.reading("the case") as session:
            return seed.latest_case(session, self.seeded.pupils[step.pupil])

    def _compare(self, step: ScenarioStep, refused: Refused | None) -> Iterator[Check]:
        found = self._found(step, refused)
        expect = {**step.expect, **({} if refused is None or "refused" in step.expect else {"refused": ""})}
        for key, expected in expect.items():
            sentence = refused.sentence if refused and key == "refused" else None
            same = expected == found[key]
            yield Check(step.number, self.calendar.local(step.at), key, expected, found[key], same, sentence)

    def _found(self, step: ScenarioStep, refused: Refused | None) -> dict[str, Any]:
        case, pupil = self._case(step), self.seeded.pupils[step.pupil]
        with self.context.store.reading("what came of it") as session:
            found = {
                "refused": refused.code if refused else "",
                "count": seed.open_cases(session, pupil),
                "fired": seed.fired(session, case.id) if case else (),
                "asked": self._asked(session, case),
                "doubts": sum(1 for decided in doubted(session, case.id).values() if decided is None) if case else 0,
                "given": tuple(sorted(seed.given(session, case.id))) if case else (),
                "held": seed.is_held(session, case.id, self.now) if case else False,
                "proposed": proposed(session, case.id) if case and case.is_open else "",
                "notified": tuple(sorted(map(self.seeded.member, seed.told_since(session, pupil, self.notice)))),
            }
            if (
                step.do not in COME_AND_GO or step.expect
            ):  # what people coming and going brings, the next step sees, too
                self.notice = seed.last_notice(session)
        return found | self._of_case(case) | {"balance": self.ledger.balances(step.expect.get("balance", {}))}

    def _asked(self, session: Session, case: Facts | None) -> str:
        """Returns the post that has to decide about the newest difficulty of the case."""
        found = seed.waiting_difficulty(session, case.id) if case else None
        return self.seeded.post(found.role, found.unit_id) if found else ""

    def _of_case(self, case: Facts | None) -> dict[str, Any]:
        if case is None:
            nothing = dict.fromkeys(("state", "assignee", "offered_to", "request", "requested_of"), "")
            none = {"accepted": False, "overdue": False, "due": None, "level": 0, "unreached": 0, "flags": ()}
            return {**nothing, **none}
        return {
            "state": case.state,
            "assignee": self.seeded.member(case.assignee_id),
            "offered_to": self.seeded.post(case.offered_role, case.offered_unit_id),
            "request": case.request or "",
            "requested_of": self.seeded.post(case.asked_role, case.asked_unit_id),
            "accepted": bool(case.accepted),
            "overdue": case.due_at is not None and case.due_at <= self.now,
            "due": self.calendar.local(case.due_at) if case.due_at else None,
            "level": case.level,
            "unreached": case.unreached,
            "flags": tuple(sorted(case.flags)),
        }
