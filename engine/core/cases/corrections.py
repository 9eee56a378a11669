"""Puts right what was recorded wrongly: who may, what follows for the facts, and what must be decided again.

An *entry* (a contact, a visit, a note, a gift) is corrected or withdrawn by who wrote it or by those above; the facts
that are sums of entries follow. A *move* (a step to another state, an acceptance) is taken back only while it is the
last event, by who did it. Nothing that a rule did is taken back by itself: `doubtful` finds it, and somebody decides.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from engine.core.calendar import Calendar, Duration
from engine.core.cases import escalation
from engine.core.cases.casework import CHECK_IN, FOR, LESSON, LESSON_EVERY, Casework, Entry
from engine.core.cases.changes import CHANGED, told_of
from engine.core.cases.definitions import Definitions
from engine.core.cases.facts import Facts
from engine.core.cases.past import CORRECTED, ENTRY, VOIDS, PastEvent, Sums, answers_since, as_it_counts, closing, sums
from engine.core.cases.requests import following
from engine.core.people.roles import Roles
from engine.core.refusals import Conflict, NotFound
from engine.core.rules.model import Rule
from engine.core.words import Sentence
from engine.core.workflow.builtin_forms import form_named
from engine.core.workflow.model import ActFields, Transition, Workflow

REQUEST = "request"  # key in an event's data: what the case asks from then on
FORMS: Mapping[str, str] = {
    "opened": "open",
    "accepted": "accept",
    "declined": "decline",
    "assigned": "assign",
    "noted": "note",
    "support_given": "support",
    "checked_in": "check_in",
    "lesson_held": "lesson",
    "companion_added": "companion",
    "need_raised": "raise_need",
}
"""The form that was filled in, by the kind of the event; that of a step has its name."""

_FREE = frozenset({"noted", "support_given", "checked_in", "lesson_held", "companion_added", "need_raised"})
_WITHOUT_WORDS = frozenset({"lesson_held", "support_given"})  # they have a row of their own, too
_ANSWERS = frozenset({"accepted", "declined", "assigned"})
# What the pupil brought along, not the entries: no correction takes it away.
_LASTING = frozenset({"first_time"})
# An act that is taken back leaves the number of its stay unused.
_STAYS = frozenset({"last_entry"})
# What an answer opens.
_ASKED = ("request", "asked_role", "asked_unit_id", "asked_at", "asked_from", "put_off", "entry")
_WHO = ("state", "entry", "assignee_id", "offered_role", "offered_unit_id", "offered_at", "accepted_at", "closed_at")


@dataclass(frozen=True, slots=True)
class Limits:
    """How long people may put right what they did: entries for `days`, the last act for `minutes`."""

    days: int = 14
    minutes: int = 15


# --- who may ----------------------------------------------------------------------------------------------------------


def form_of(workflow: Workflow, kind: str) -> ActFields | Transition | None:
    """Returns the form that was filled in for an event; None if it has none that can be corrected."""
    if step := workflow.transitions.get(kind):
        return step
    return form_named(workflow, FORMS[kind]) if kind in FORMS else None


def withdrawable(workflow: Workflow, event: PastEvent) -> bool:
    """Returns whether the event is an entry that moved nothing, so that it can be withdrawn."""
    return event.kind in _FREE or (event.kind in workflow.transitions and not event.moved)


def above(event: PastEvent, roles: Collection[str], tree: Roles) -> set[str]:
    """Returns those of these roles that stand above the one in which the event was made; a deputy does not."""
    role = event.role or ""
    return ({*tree.ladder(role)[1:]} - {*tree.beside([role])}) & set(roles)


def wrote(event: PastEvent, person_id: int) -> bool:
    """Returns whether the person made this entry, or somebody else made it for them."""
    return person_id in {event.person_id, event.data.get(FOR)}


def why_not(
    workflow: Workflow,
    event: PastEvent,
    roles: frozenset[str],
    tree: Roles,
    person_id: int,
    now: dt.datetime,
    limits: Limits,
) -> Sentence | None:
    """Returns why somebody with these roles on the case may not put an entry right; None if they may.

    `tree` says who stands above whom where the case lies.
    """
    written = event.values or event.kind in _WITHOUT_WORDS
    if event.person_id is None or form_of(workflow, event.kind) is None or not written:
        return Sentence("Nothing in this entry can be corrected.")
    own, higher = wrote(event, person_id), above(event, roles, tree)
    if not (own or tree.knows(roles) or event.kind == "support_given"):
        return Sentence("You may not read this entry, so you cannot correct it.")
    if higher or (own and now - event.at <= dt.timedelta(days=limits.days)):
        return None
    if own:
        return Sentence(
            "What one wrote can be corrected for {days} days; after that those above correct it.", days=limits.days
        )
    return Sentence("An entry is corrected by who wrote it, or by those above.")


def why_not_undone(
    workflow: Workflow, event: PastEvent, version: int, person_id: int, now: dt.datetime, limits: Limits
) -> Sentence | None:
    """Returns why somebody may not take back an act; None if they may."""
    if event.seq != version:
        return Sentence("Something else has happened since: only the last act can be taken back.")
    if event.person_id != person_id:
        return Sentence("An act is taken back by who did it.")
    known = event.kind in _FREE | _ANSWERS or event.kind in workflow.transitions
    if not known or (event.kind not in _FREE and CHANGED not in event.data and not withdrawable(workflow, event)):
        return Sentence("This cannot be taken back.")
    if now - event.at > dt.timedelta(minutes=limits.minutes):
        return Sentence("An act can be taken back for {minutes} minutes.", minutes=limits.minutes)
    return None


# --- what follows -----------------------------------------------------------------------------------------------------


def follow(work: Casework, entry: Entry, before: Sums, after: Sums, lasting: Collection[str]) -> None:
    """Changes the facts as far as the sums of the entries changed.

    Only what differs is changed. So facts from words that were erased by law stay as they are.

    Args:
        work: the case.
        entry: the entry that puts something right.
        before: the sums without it.
        after: the sums with it.
        lasting: flags that do not come from entries.
    """
    facts = work.facts
    if after.absent_since and after.absent_since != before.absent_since:
        facts.absent_since = after.absent_since
    if after.unreached != before.unreached:
        facts.unreached = after.unreached
    if after.causes != before.causes:
        facts.causes = after.causes
        entry.rows.append(("causes", {"causes": list(after.causes)}))
    gone = before.flags - after.flags - _LASTING - set(lasting)
    flags = sorted((set(facts.flags) - gone) | (after.flags - before.flags))
    if flags != sorted(facts.flags):
        facts.flags = flags


def planned_anew(
    work: Casework, event: PastEvent, values: Mapping[str, Any], held: int, asked: int | None
) -> list[Any]:
    """Returns the dates that a corrected entry plans, as rows.

    Args:
        work: the case.
        event: the entry; its dates count from its own moment.
        values: what was filled in, as it is right.
        held: how many of its lessons were held: they stay.
        asked: the number of the event that kept its next date, if any did.
    """
    rows: list[tuple[str, dict[str, Any]]] = []
    for number in range(held + 1, int(values.get("catch_up_lessons") or 0) + 1):
        by = work.situation.clock.deadline(event.at, Duration(LESSON_EVERY * number, "school days"))
        rows.append(("planned", {"kind": LESSON, "due_at": by or event.at, "done_seq": None}))
    if values.get("next_on"):
        due = closing(work.situation.calendar, values["next_on"])
        rows.append(("planned", {"kind": CHECK_IN, "due_at": due, "done_seq": asked}))
    return rows


def asked_again(facts: Facts, workflow: Workflow, calendar: Calendar, events: Sequence[PastEvent]) -> Facts:
    """Returns the case as it asks now that an entry was put right, if that entry opened what it asks.

    Args:
        facts: the case.
        workflow: the workflow, which says what an answer leads to.
        calendar: says when a next date ends.
        events: the history up to now, the event that puts something right included.
    """
    event = _opener(workflow, events)
    if event is None or facts.request is None or facts.waiting:
        return facts
    if event.moved:
        before = replace(facts, request=workflow.states[facts.state].asks, asked_from=event.at, put_off=0)
    else:
        before = facts
        for one in reversed(events):  # the corrections of the entry, then the entry
            if one.data.get(ENTRY, one.seq) == event.seq:
                told = told_of(one.data)
                before = replace(before, **{name: old for name, (old, _new) in told.items() if name in _ASKED})
    right = next((one for one in as_it_counts(events) if one.seq == event.seq), None)
    if right is None or before.request is None:
        return before
    step = workflow.transitions[event.kind]
    found = following(step, right.values, before, event.at, calendar, lambda day: closing(calendar, day))
    if found is None:
        return before
    start, put_off = found.since or event.at, before.put_off + found.puts_off
    return replace(facts, request=found.request, asked_from=start, put_off=put_off)


def _opener(workflow: Workflow, events: Sequence[PastEvent]) -> PastEvent | None:
    """Returns the step that opened what the case asks, if it was corrected or counts no more from now on; else None."""
    by_seq = {event.seq: event for event in events}
    steps = {seq for seq, event in by_seq.items() if event.kind in workflow.transitions and "rule" not in event.data}
    void = {event.data.get(ENTRY) for event in events if event.kind in VOIDS}
    corrected = {event.data.get(ENTRY) for event in events if event.kind == CORRECTED}
    last = events[-1]
    withdrawn = last.data.get(ENTRY) if last.kind in VOIDS else None
    if withdrawn not in steps or by_seq[withdrawn].moved:
        withdrawn = None
    for event in reversed(events):
        entry = event.data.get(ENTRY, event.seq)
        if REQUEST in event.data and (entry == withdrawn or not {entry, event.seq} & void):
            return by_seq[entry] if entry in steps & (corrected | {withdrawn}) else None
    return None


# --- taking back ------------------------------------------------------------------------------------------------------


def restore(work: Casework, event: PastEvent) -> None:
    """Puts the case back to where it was before the event, as far as the event says what it changed.

    Raises `Conflict` if the case has gone on since.
    """
    facts, changed = work.facts, told_of(event.data)
    if any(name in _WHO and getattr(facts, name) != new for name, (_old, new) in changed.items()):
        raise Conflict(
            Sentence("The case has gone on since, so this cannot be taken back any more. A step can move the case.")
        )
    for name, (old, new) in changed.items():
        if name == "level":
            facts.level = max(0, facts.level - (new - old))
        elif name not in _STAYS and getattr(facts, name) == new:
            setattr(facts, name, old)


# --- what a wrong entry had caused ------------------------------------------------------------------------------------


def doubtful(
    definitions: Definitions,
    work: Casework,
    events: Sequence[PastEvent],
    correction: PastEvent,
    seq: int,
    lasting: Collection[str],
) -> list[int]:
    """Returns the firings after an entry that would not have happened without its fault, by number.

    Each rule that fired is asked again: with the entries as they counted, and with the correction. It is in doubt if
    it fires at that moment in the first case and not in the second. Events of before schema 0021 do not say what they
    changed: firings among them are judged by the case as it is now.

    Args:
        definitions: the workflows and rules.
        work: the case; its marks are those since the first day of absence, before and after the correction.
        events: its history.
        correction: the event that is about to be added.
        seq: the number of the entry that it is about.
        lasting: flags that do not come from entries.
    """
    found = []
    counted = {event.seq for event in as_it_counts(events)}
    for event in events:
        if "rule" not in event.data or event.seq < seq or event.seq not in counted:
            continue
        rule = _rule(definitions, work.facts.workflow, event)
        if rule is None:
            continue
        earlier = [one for one in events if one.seq < event.seq or one.kind in _ABOUT]
        then = _facts_then(work, events, event)
        as_it_was = _as_told(work, then, earlier, lasting)
        as_it_is = _as_told(work, then, [*earlier, correction], lasting)
        if _fires(definitions, work, as_it_was, rule, event) and not _fires(definitions, work, as_it_is, rule, event):
            found.append(event.seq)
    return found


_ABOUT = VOIDS | {CORRECTED}


def _rule(definitions: Definitions, workflow: str, event: PastEvent) -> Rule | None:
    try:
        return definitions.rules(workflow, event.data["rules"]).rule(event.data["rule"])
    except NotFound:
        return None


def _facts_then(work: Casework, events: Iterable[PastEvent], event: PastEvent) -> Facts:
    """Returns the case as it was before an event, rolled back by what each later event says that it changed."""
    facts, day = work.facts, work.situation.calendar.local(event.at).date()
    then = replace(facts, fired={}, answers=(), rules_version=event.data["rules"])
    for later in sorted(events, key=lambda one: one.seq, reverse=True):
        if later.seq < event.seq:
            break
        for name, (old, _new) in told_of(later.data).items():
            setattr(then, name, old)
    then.rules_version = event.data["rules"]
    then.holds = tuple(hold for hold in facts.holds if hold[0] <= event.at)
    then.marks = tuple(mark for mark in facts.marks if mark[0] <= day)
    return then


def _as_told(work: Casework, then: Facts, events: Sequence[PastEvent], lasting: Collection[str]) -> Facts:
    """Returns the case with the sums of these entries."""
    workflow, calendar = work.situation.workflow, work.situation.calendar
    said = sums(workflow, events)
    told = replace(
        then,
        absent_since=said.absent_since or then.absent_since,
        causes=said.causes,
        flags=sorted(said.flags | set(lasting)),
        unreached=said.unreached,
        answers=answers_since(workflow, calendar, events, then.since),
    )
    return asked_again(told, workflow, calendar, events)


def _fires(definitions: Definitions, work: Casework, facts: Facts, rule: Rule, event: PastEvent) -> bool:
    situation = definitions.situation(facts, work.situation.surroundings)
    return escalation.would_fire(facts, situation, rule, event.at)
