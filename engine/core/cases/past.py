"""What the entries of a case say, with their corrections: the facts that are sums of entries follow from it.

Nothing that happened is changed. A later event says of an earlier one that it was wrong (`ENTRY` in its data is the
number of the earlier one): `corrected` has what is right, the others say that it counts no more.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from engine.core.calendar import Calendar
from engine.core.workflow.answers import Answer, is_answer
from engine.core.workflow.builtin_forms import WHY
from engine.core.workflow.model import Workflow

ENTRY = "entry"  # key in an event's data: the number of the earlier event that it is about
OF = "of"  # key in an event's data: the kind of that earlier event
CORRECTED, WITHDRAWN, UNDONE = "corrected", "withdrawn", "undone"
FIRING_UNDONE, FIRING_KEPT = "firing_undone", "firing_kept"
SUPPORT_REVERSED = "support_reversed"  # the books of an association took back what the entry gave
VOIDS = frozenset({WITHDRAWN, UNDONE, FIRING_UNDONE, SUPPORT_REVERSED})
ABOUT_ENTRIES = VOIDS | {CORRECTED, FIRING_KEPT}
# What is filled in with these changes no sum: nobody takes it in.
_SILENT = frozenset({"accepted", "declined", "assigned", "held"})
SAFETY = "safety"  # the flag that a check-in sets for a pupil who is not safe


@dataclass(frozen=True, slots=True)
class PastEvent:
    """A stored event; `values` is what a person filled in, if it still exists."""

    case_id: int
    seq: int
    kind: str
    at: dt.datetime
    person_id: int | None
    role: str | None
    data: Mapping[str, Any]
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def moved(self) -> bool:
        """Returns whether it brought the case to another state, or took it up for somebody."""
        if self.data.get("accepted"):
            return True
        return "to" in self.data and "from" in self.data and self.data["to"] != self.data["from"]


def as_it_counts(events: Iterable[PastEvent]) -> list[PastEvent]:
    """Returns the entries that count, each with what was said of it last; without the events that only say so."""
    events = list(events)
    void = {event.data.get(ENTRY) for event in events if event.kind in VOIDS}
    right = {event.data.get(ENTRY): event for event in events if event.kind == CORRECTED}
    return [
        replace(event, values=corrected_values(right[event.seq])) if event.seq in right else event
        for event in events
        if event.seq not in void and event.kind not in ABOUT_ENTRIES
    ]


def corrected_values(correction: PastEvent) -> dict[str, Any]:
    """Returns what a correction says is right, without its reason."""
    return {name: value for name, value in correction.values.items() if name != WHY}


class Sums(NamedTuple):
    """The facts that are sums of entries. `flags` without those that the pupil brought along."""

    absent_since: dt.date | None
    causes: tuple[str, ...]
    flags: frozenset[str]
    unreached: int


def sums(workflow: Workflow, events: Iterable[PastEvent]) -> Sums:
    """Counts the facts from the entries of a case, in their order."""
    absent_since: dt.date | None = None
    causes: tuple[str, ...] = ()
    flags: set[str] = set()
    unreached = 0
    for event in as_it_counts(events):
        said: Mapping[str, Any] = {} if event.kind in _SILENT or "rule" in event.data else event.values
        if "reached" in said:
            unreached = 0 if said["reached"] else unreached + 1
        if said.get("absent_since"):
            absent_since = dt.date.fromisoformat(said["absent_since"])
        if said.get("causes"):
            causes = tuple(said["causes"])
            flags |= flags_of(workflow, causes)
        flags |= _flags(event)
    return Sums(absent_since, causes, frozenset(flags), unreached)


def _flags(event: PastEvent) -> set[str]:
    """The flag that an event set beside the causes: a rule's, or that of a check-in."""
    if event.kind == "checked_in" and "safe" in event.values:
        return {SAFETY} if event.values["safe"] is False else set()
    return {event.data["flag"]} if event.data.get("flag") else set()


def flags_of(workflow: Workflow, causes: Iterable[str]) -> set[str]:
    """Returns the flags that causes bring along."""
    chosen = (workflow.fields["causes"].choice(code) for code in causes)
    return {choice.flag for choice in chosen if choice and choice.flag}


class Acted(NamedTuple):
    """What a person did in a stay. `entry` is the earlier event that it is about, `void`: that one counts no more."""

    seq: int
    kind: str
    at: dt.datetime
    next_at: dt.datetime | None
    entry: int | None = None
    void: bool = False


def answers_among(workflow: Workflow, acts: Iterable[Acted]) -> tuple[Answer, ...]:
    """Returns the contacts and visits among these acts as they count, the oldest first."""
    found: dict[int, Answer] = {}
    for act in acts:
        if act.entry is None:
            step = workflow.transitions.get(act.kind)
            if step is not None and is_answer(step):
                found[act.seq] = Answer(act.seq, act.at, act.next_at)
        elif act.void:
            found.pop(act.entry, None)
        elif act.entry in found:
            found[act.entry] = found[act.entry]._replace(next_at=act.next_at)
    return tuple(found.values())


def answers_since(
    workflow: Workflow, calendar: Calendar, events: Sequence[PastEvent], since: dt.datetime
) -> tuple[Answer, ...]:
    """Returns the contacts and visits of a stay that began at `since`, from the history of the case."""
    acts = []
    for event in events:
        if event.at >= since and event.person_id is not None:
            next_on = event.values.get("next_on")
            entry = event.data.get(ENTRY) if event.kind in ABOUT_ENTRIES else None
            until = closing(calendar, next_on) if next_on else None
            acts.append(Acted(event.seq, event.kind, event.at, until, entry, event.kind in VOIDS))
    return answers_among(workflow, acts)


def closing(calendar: Calendar, day: str) -> dt.datetime:
    """Returns when offices close on a day (ISO text)."""
    date = dt.date.fromisoformat(day)
    return calendar.instant(date, calendar.closing_minute(date))
