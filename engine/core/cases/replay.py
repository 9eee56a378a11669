"""Plays the history of one case again, in memory: as it was, or with other rules between the acts of people.

People act as they did, at the same time and in the same role. Before the trial begins, rules fire when they really
fired. From then on the rules on trial fire at the moment they are due, as if a worker were never late. The posts are
filled as they are today.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from engine.core.cases.casework import Actor, Casework, Entry
from engine.core.cases.changes import STORED
from engine.core.cases.corrections import asked_again, follow, restore, withdrawable
from engine.core.cases.definitions import Definitions, Situation, Surroundings
from engine.core.cases.escalation import Due
from engine.core.cases.facts import Facts
from engine.core.cases.past import (
    ABOUT_ENTRIES,
    ENTRY,
    FIRING_KEPT,
    FIRING_UNDONE,
    UNDONE,
    VOIDS,
    PastEvent,
    closing,
    sums,
)
from engine.core.people.responsibility import Directory
from engine.core.refusals import NotAllowed, NotFound, Refused
from engine.core.words import Sentence

TRIAL = 0  # the version of the rules on trial; no file can have it
LASTING = frozenset({"disability", "first_time"})  # flags that a case has from its first moment on
AROUND = frozenset({"recounted", "placed", "rerouted", "reseated", "adopted"})  # not acts on the case itself
# What an act that was taken back gives back; its stay keeps its number.
RESTORED = (*(name for name in STORED if name not in {"last_entry", "rules_version", "workflow_version"}), "flags")
MOST_LOOKS = 10_000  # looks at one case; a checked rule set needs far fewer


@dataclass(frozen=True, slots=True)
class Lost:
    """An act that was not possible in the trial. Nobody knows what that person would have done instead."""

    code: str
    at: dt.datetime
    kind: str
    why: Sentence


@dataclass
class Run:
    """The result of the trial for one case."""

    entries: list[Entry] = field(default_factory=list)
    lost: Lost | None = None


class Replay:
    """Plays one case, from its first event on."""

    def __init__(
        self,
        facts: Facts,
        events: Sequence[PastEvent],
        marks: Sequence[tuple[dt.date, str]],
        definitions: Definitions,
        surroundings: Surroundings,
        directory: Directory,
    ) -> None:
        self.code, self.events, self.definitions, self.surroundings = facts.code, events, definitions, surroundings
        self.marks, self._days = tuple(marks), [day for day, _ in marks]
        self.facts = _newborn(facts, events[0].at, definitions)
        self.facts.workflow_version, self.facts.rules_version = _versions(facts, events)
        self.work = Casework(self.facts, self._situation(), directory, events[0].at)
        self._offered: tuple[str, int] | None = None  # the offer as it really was
        self._declined: set[tuple[str, int]] = set()
        # The last act, the case before it, the offer and the posts that returned it; and the entries after it.
        self._before: tuple[int, dict[str, Any], tuple[str, int] | None, frozenset[tuple[str, int]]] | None = None
        self._entries = 0

    def run(self, first: dt.datetime, end: dt.datetime) -> Run:
        """Plays from `first` up to `end`, with the rules on trial in force from `first` on."""
        run, begun, past = Run(), 0, self.events[0]
        try:
            for past in self.events:
                if past.at >= first:
                    begun = begun or self._begin(first)
                    if "rule" in past.data:
                        self._note(past)
                        continue
                    self._pass(past.at)
                self._redo(past)
            begun = begun or self._begin(first)
            self._pass(end - dt.timedelta(microseconds=1))
        except Refused as refused:
            run.lost = Lost(self.code, past.at, past.kind, refused.sentence)
        run.entries = self.work.entries[begun - 1 :] if begun else []
        return run

    def _begin(self, first: dt.datetime) -> int:
        """Puts the rules on trial in force; returns the number of entries so far, plus one."""
        begun = len(self.work.entries) + 1
        self.facts.rules_version = TRIAL
        if self.facts.version and self.facts.is_open:
            self._at(first)
            self.work.escalate()
        return begun

    def _pass(self, until: dt.datetime) -> None:
        for _ in range(MOST_LOOKS):
            due = self.facts.next_look_at
            if due is None or due > until:
                return
            self._at(max(due, self.work.now))
            self.work.escalate()

    def _at(self, moment: dt.datetime) -> None:
        self.work.now = moment
        self.work.situation = self._situation()
        known = bisect_right(self._days, self.work.situation.calendar.local(moment).date())
        self.facts.marks = self.marks[:known]

    def _situation(self) -> Situation:
        return self.definitions.situation(self.facts, self.surroundings)

    # --- one thing that happened ----------------------------------------------------------------------------------

    def _redo(self, past: PastEvent) -> None:
        self._at(past.at)
        if "rule" in past.data:
            self._refire(past)
        elif past.kind == "migrated":
            self._migrated(past)
        elif past.kind in ABOUT_ENTRIES:
            self._put_right(past)
        elif past.kind not in AROUND:
            self._remember(past)
            self._act(past, Actor(past.person_id, frozenset({past.role or ""})))
            self._entries = len(self.work.entries)
        if self._note(past) and self.facts.waiting and self._offered:
            self.facts.offered_role, self.facts.offered_unit_id = self._offered  # as the posts were filled then
        self._ask_as_then(past)
        self.facts.version += 1

    def _ask_as_then(self, past: PastEvent) -> None:
        """What an answer led to stands in the event: what was written with it may be erased by now."""
        facts, request = self.facts, past.data.get("request")
        state = self.work.situation.workflow.states[facts.state]
        if request not in (state.asks, *state.requests) or facts.request is None or facts.waiting:
            return
        facts.request, facts.asked_at = request, past.at
        counted = past.data.get("counts_from")
        facts.asked_from = dt.datetime.fromisoformat(counted) if counted else past.at
        facts.asked_role, facts.asked_unit_id = past.data["requested_of"], past.data["requested_unit"]
        facts.put_off = past.data.get("put_off", facts.put_off)

    def _note(self, past: PastEvent) -> bool:
        """Remembers the real offer; returns whether this event offered it."""
        if "offered_to" not in past.data:
            return False
        self._offered = past.data["offered_to"], past.data["unit"]
        return True

    def _refire(self, past: PastEvent) -> None:
        rule = self.work.situation.rules.rule(past.data["rule"])
        if rule is None:
            raise NotFound(Sentence("There is no rule {rule} in these rules.", rule=past.data["rule"]))
        moment = dt.datetime.fromisoformat
        due = Due(moment(past.data["due"]), rule, past.data["repetition"], moment(past.data["start"]), None)
        self.work.fire(due)

    def _act(self, past: PastEvent, actor: Actor) -> None:
        seats = {self._offered} if self._offered else set()
        match past.kind:
            case "opened":
                self.work.open(actor, past.values)
            case "accepted":
                self.work.accept(actor, seats, past.values)
            case "declined":
                has_it = self.facts.accepted_at is not None
                self.work.decline(actor, seats, self._declined, past.values, has_it=has_it)
                self._declined |= seats
            case "assigned":
                self._assigned(past, actor)
            case "held":
                self._held(past, actor)
            case _:
                self._step_or_write(past, actor)

    def _assigned(self, past: PastEvent, actor: Actor) -> None:
        if past.data.get("to") is None:
            return
        if self.facts.offered_role:
            self.facts.accepted_at = self.facts.accepted_at or past.at
        self.facts.assignee_id = past.data["to"]
        self.work.write("assigned", actor, past.values)

    def _held(self, past: PastEvent, actor: Actor) -> None:
        until = past.data.get("until")
        end = dt.datetime.fromisoformat(until) if until else None
        self.work.hold(actor, end, "", past.values)
        self.facts.holds += ((past.at, end, ""),)
        self._at(past.at)
        self.work.recount("recounted", actor, {})

    def _step_or_write(self, past: PastEvent, actor: Actor) -> None:
        if past.kind in self.work.situation.workflow.transitions:
            entry = self.facts.entry
            self.work.step(past.kind, actor, past.values)
            self._declined = set() if self.facts.entry != entry else self._declined
            return
        self.work.write(past.kind, actor, past.values)
        if past.data.get("flag"):
            self.facts.flags = sorted({*self.facts.flags, past.data["flag"]})

    def _put_right(self, past: PastEvent) -> None:
        """The facts follow what was put right. A move that was taken back is taken back here too, if nothing came after
        it here.
        """
        if past.kind == FIRING_KEPT:
            return
        facts, workflow, seq = self.facts, self.work.situation.workflow, past.data[ENTRY]
        event = next(one for one in self.events if one.seq == seq)
        earlier = [one for one in self.events if one.seq < past.seq]
        entry = self.work.record(past.kind, Actor(past.person_id, frozenset({past.role or ""})), values=past.values)
        if past.kind == FIRING_UNDONE:
            if event.moved or "offered_to" in event.data or facts.rules_version == TRIAL:
                raise NotAllowed(Sentence("A rule's step was taken back: what would have happened then, nobody knows."))
            restore(self.work, event)
        elif past.kind == UNDONE and not withdrawable(workflow, event):
            self._back_to_before(seq)
        else:
            self._change_answer(past, event)
        follow(self.work, entry, sums(workflow, earlier), sums(workflow, [*earlier, past]), LASTING)
        calendar = self.work.situation.calendar
        self.work.ask_again(asked_again(facts, workflow, calendar, [*earlier, past]), entry)
        self._at(past.at)
        self.work.settle()

    def _remember(self, past: PastEvent) -> None:
        """Keeps the case as it is before an act, because the act may be taken back."""
        facts = self.facts
        kept = {name: getattr(facts, name) for name in (*RESTORED, "answers", "causes")}
        self._before = past.seq, {**kept, "fired": dict(facts.fired)}, self._offered, frozenset(self._declined)

    def _back_to_before(self, seq: int) -> None:
        if self._before is None or self._before[0] != seq or len(self.work.entries) != self._entries + 1:
            raise NotAllowed(Sentence("An act was taken back; under these rules the case has gone on after it."))
        _, kept, self._offered, declined = self._before
        self._declined = set(declined)
        for name, value in kept.items():
            setattr(self.facts, name, value)

    def _change_answer(self, past: PastEvent, event: PastEvent) -> None:
        """A contact or a visit of this stay has another next date, or counts no more."""
        calendar, next_on = self.work.situation.calendar, past.values.get("next_on")
        until = closing(calendar, next_on) if next_on else None
        void = past.kind in VOIDS
        self.facts.answers = tuple(
            answer._replace(next_at=until) if answer.at == event.at else answer
            for answer in self.facts.answers
            if not (void and answer.at == event.at)
        )

    def _migrated(self, past: PastEvent) -> None:
        facts = self.facts
        facts.workflow_version = past.data["workflow_versions"][1]
        if facts.rules_version != TRIAL:
            facts.rules_version = past.data["rules_versions"][1]
        if facts.state == past.data.get("from"):
            facts.state = past.data["to"]
        self._at(past.at)


def _newborn(facts: Facts, at: dt.datetime, definitions: Definitions) -> Facts:
    """Returns the case as it was before its first event."""
    initial = definitions.workflow(facts.workflow, facts.workflow_version).initial
    return replace(
        facts,
        state=initial,
        entry=0,
        last_entry=0,
        stay=0,
        beside_until=None,
        put_off=0,
        since=at,
        level=0,
        opened_at=at,
        closed_at=None,
        assignee_id=None,
        offered_role=None,
        offered_unit_id=None,
        offered_at=None,
        accepted_at=None,
        due_at=None,
        next_look_at=None,
        flags=sorted(LASTING & set(facts.flags)),
        unreached=0,
        association_id=None,
        version=0,
        causes=(),
        fired={},
        holds=(),
        marks=(),
        answers=(),
    )


def _versions(facts: Facts, events: Sequence[PastEvent]) -> tuple[int, int]:
    """The versions that the case began with."""
    for past in events:
        if past.kind == "migrated":
            return past.data["workflow_versions"][0], past.data["rules_versions"][0]
    return facts.workflow_version, facts.rules_version
