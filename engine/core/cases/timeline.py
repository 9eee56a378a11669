"""Shows the history of a case as people read it: each event in words, who did it, what it changed, what they wrote."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from engine.core.cases.act_vocabulary import act_label
from engine.core.cases.casework import FOR
from engine.core.cases.changes import CHANGED
from engine.core.cases.definitions import Definitions, Surroundings
from engine.core.cases.explain import Why, why_of_event
from engine.core.cases.facts import Facts
from engine.core.cases.levels import level_words
from engine.core.cases.past import OF
from engine.core.cases.turn import asked
from engine.core.people.responsibility import acted
from engine.core.words import Label, Sentence
from engine.core.workflow.builtin_forms import COMPANY, FIELDS, field_named
from engine.core.workflow.model import Field, State, Workflow
from engine.core.workflow.requests import ACCEPT

Line = Label | Sentence
Answer = Label | dt.date | str | tuple[Label, ...]
YES, NO = Label("Có", "Yes"), Label("Không", "No")
LONG = frozenset({"text"})  # written in sentences: shown as a paragraph of its own


class TimelineEvent(Protocol):
    """The fields of an event that the timeline reads."""

    @property
    def kind(self) -> str: ...
    @property
    def at(self) -> dt.datetime: ...
    @property
    def person(self) -> str | None: ...
    @property
    def role(self) -> str | None: ...
    @property
    def data(self) -> Mapping[str, Any]: ...
    @property
    def text(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One entry of the timeline.

    `who` is None for a rule; `answers` is what a person filled in, `says` what they wrote.
    """

    what: Line
    at: dt.datetime
    who: Line | None
    by_rule: bool
    changes: tuple[Line, ...] = ()
    answers: tuple[tuple[Label, Answer], ...] = ()
    says: tuple[tuple[Label, str], ...] = ()
    why: Why | None = None
    seq: int = 0
    later: Line | None = None  # that it was corrected or withdrawn since
    fix: bool = False  # the reader may correct it


@dataclass(frozen=True, slots=True)
class Names:
    """The names of the units and people that events give by number."""

    units: Mapping[int, str]
    people: Mapping[int, str]
    company: Mapping[int, Label] = field(default_factory=dict)  # people around the case, by number


def tell(
    definitions: Definitions, facts: Facts, surroundings: Surroundings, event: TimelineEvent, names: Names
) -> TimelineEntry:
    """Puts one event into words."""
    workflow, labels = (
        definitions.workflow(facts.workflow, facts.workflow_version),
        definitions.role_labels(surroundings),
    )
    data, by_rule = event.data, "rule" in event.data
    why = why_of_event(definitions, facts, surroundings, data, event.text)
    what: Line = why.reason if why and by_rule else _capital(act_label(workflow, event.kind))
    answers, says = _written(workflow, event.text)
    return TimelineEntry(
        what,
        event.at,
        None if by_rule else _who(event, names, labels),
        by_rule or "late" in data,
        (*_about(definitions, facts, workflow, data), *_changes(workflow, data, names, labels)),
        answers,
        says,
        why,
    )


def _about(definitions: Definitions, facts: Facts, workflow: Workflow, data: Mapping[str, Any]) -> Iterator[Line]:
    """Says which earlier entry an event puts right."""
    if (kind := data.get(OF)) is not None:
        rule = definitions.rules(facts.workflow, facts.rules_version).rule(kind)
        yield Sentence("About the entry: {what}", what=rule.why if rule else act_label(workflow, kind))


CORRECTED_LATER = Sentence("Corrected later: what is right stands in the newer entry.")
WITHDRAWN_LATER = Sentence("Taken back later: this counts no more.")


def _capital(label: Label) -> Label:
    return Label(label.vi[:1].upper() + label.vi[1:], label.en[:1].upper() + label.en[1:])


def _who(event: TimelineEvent, names: Names, labels: Mapping[str, Label]) -> Line | None:
    role = labels.get(event.role or "")
    return acted(event.person, names.people.get(event.data.get(FOR, 0)), role) if event.person is not None else role


def _changes(workflow: Workflow, data: Mapping[str, Any], names: Names, labels: Mapping[str, Label]) -> Iterator[Line]:
    """What the event changed: the state, who is to act, the level, the flags."""
    if state := _entered(workflow, data):
        yield Sentence("Now: {state}", state=state.label)
    if role := data.get("offered_to"):
        unit = names.units.get(data.get("unit", 0), "")
        yield offered(labels[role], unit)
    elif (request := data.get("request")) and request != ACCEPT:
        yield asked(workflow, str(data.get("to", "")), request, data["requested_of"], labels)
    if "as" in data:
        yield Sentence("Assigned to: {person}", person=names.people.get(data.get("to", 0), ""))
    if "level" in data:
        yield level_words(data["level"])
    yield from _of_attendance(workflow, data)
    if flag := workflow.flags.get(str(data.get("flag"))):
        yield flag
    if decides := data.get("asked") or data.get("stays"):
        yield waits_for(labels[decides], names.units.get(data.get("unit", 0), ""))
    if with_them := [names.company[seq] for seq in data.get(COMPANY, ()) if seq in names.company]:
        yield Sentence("Together with: {people}", people=with_them)
    if label := names.company.get(data.get("companion", 0)):
        yield label


def _entered(workflow: Workflow, data: Mapping[str, Any]) -> State | None:
    """Returns the state that the event led to, or to which it took the case back; None if the state stayed."""
    if data.get(OF) and (back := workflow.states.get(str(data.get(CHANGED, {}).get("state", ["", ""])[1]))):
        return back
    return workflow.states.get(str(data.get("to"))) if data.get("to") != data.get("from") else None


def _of_attendance(workflow: Workflow, data: Mapping[str, Any]) -> Iterator[Line]:
    """What the register says of a case: days that nobody knows of, and what is proposed after a correction."""
    if untaken := data.get("untaken"):
        yield Sentence(
            "Between the absences, {days} school days have no register: nobody knows whether the pupil was there.",
            days=max(untaken.values()),
        )
    if proposed := workflow.transitions.get(str(data.get("proposed"))):
        yield Sentence("Proposed: {step}. The clock stands still until somebody decides.", step=proposed.label)


def waits_for(role: Label, unit: str) -> Sentence:
    """Says which post has to decide about a difficulty."""
    if unit:
        return Sentence("To be decided by: {role}, {unit}", role=role, unit=unit)
    return Sentence("To be decided by: {role}", role=role)


def around_label(role: str, name: str) -> Label:
    """Returns the words for a person around the case: their relation to the pupil, and their name unless it was
    erased.
    """
    label = choice_label(FIELDS["companion_role"], role)
    return Label(f"{name} ({label.vi})", f"{name} ({label.en})") if name else label


def offered(role: Label, unit: str) -> Sentence:
    """Says to which post a case is offered."""
    if unit:
        return Sentence("Waiting to be accepted by: {role}, {unit}", role=role, unit=unit)
    return Sentence("Waiting to be accepted by: {role}", role=role)


def _written(
    workflow: Workflow, values: Mapping[str, Any]
) -> tuple[tuple[tuple[Label, Answer], ...], tuple[tuple[Label, str], ...]]:
    answers, says = [], []
    for name, value in values.items():
        field = field_named(workflow, name)
        if field is None:
            continue
        if field.type in LONG:
            says.append((field.label, str(value)))
        else:
            answers.append((field.label, answer(field, value)))
    return tuple(answers), tuple(says)


def answer(field: Field, value: Any) -> Answer:
    """Returns a filled-in value in words: a choice as its label, a date in local form, a number with grouped digits."""
    match field.type:
        case "yes_no":
            return YES if value else NO
        case "date":
            return dt.date.fromisoformat(value)
        case "choice":
            return choice_label(field, value)
        case "choices":
            return tuple(choice_label(field, code) for code in value)
        case "whole" | "money" | "decimal":
            return number(value)
        case _:
            return str(value)


def choice_label(field: Field, code: str) -> Label:
    """Returns the words of a choice; its code if the workflow does not have it any more."""
    found = field.choice(code)
    return found.label if found else Label(code, code)


def unit_label(field: Field, code: str, kept: str) -> Label:
    """Returns the words of a choice's unit of measure.

    `kept` is the unit that was stored with a gift; it counts if the workflow has another unit by now.
    """
    found = field.choice(code)
    return found.unit if found and found.unit and found.unit.vi == kept else Label(kept, kept)


def number(value: Any) -> Label:
    """A number with its thousands grouped: 1.250.000,5 in Vietnamese, 1,250,000.5 in English."""
    whole, _, rest = str(value).partition(".")
    grouped = f"{int(whole):,}"
    english = f"{grouped}.{rest}" if rest else grouped
    return Label(english.translate(str.maketrans(",.", ".,")), english)
