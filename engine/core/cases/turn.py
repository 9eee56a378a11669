"""Says whose turn it is: what a case asks, of whom, and who is asked next if it is not done.

The page, a card, the text for Zalo, the timeline and `ralop explain` use the same words. Nothing here names a person.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

from engine.core.cases import escalation
from engine.core.cases.definitions import Situation
from engine.core.cases.escalation import Due
from engine.core.cases.facts import Facts
from engine.core.rules.model import Ask, Fire, Notify, OfferTo, Rule
from engine.core.words import Label, Sentence
from engine.core.workflow.model import Workflow
from engine.core.workflow.requests import ACCEPT

Labels = Mapping[str, Label]  # what each role is called where the case lies


class Asked(Protocol):
    """What `turn` needs to know of a case."""

    @property
    def state(self) -> str: ...
    @property
    def request(self) -> str | None: ...
    @property
    def asked_role(self) -> str | None: ...


def turn(workflow: Workflow, case: Asked, labels: Labels) -> Sentence | None:
    """Returns what the case asks, and of which role; None for a case that has ended."""
    if case.request is None or case.asked_role is None:
        return None
    if case.request == ACCEPT:
        return Sentence("Asked to accept: {role}", role=labels[case.asked_role])
    return asked(workflow, case.state, case.request, case.asked_role, labels)


def asked(workflow: Workflow, state: str, request: str, role: str, labels: Labels) -> Sentence:
    """Says that a role is asked for something."""
    return Sentence(
        "It is the turn of: {role} – {request}",
        role=labels.get(role, role),
        request=workflow.request_label(state, request),
    )


def asks_elsewhere(workflow: Workflow, case: Asked) -> bool:
    """Returns whether somebody else is asked than who has the case or is offered it."""
    state = workflow.states[case.state]
    request = state.requests.get(case.request or "")
    return request is not None and request.of != state.owner


def afterwards(situation: Situation, facts: Facts, now: dt.datetime, labels: Labels) -> Sentence | None:
    """Returns who is asked next, and when, if nobody does what the case asks; None if nothing follows for certain."""
    expected = escalation.expected(facts, situation, now)
    coming = [due for due in expected if not escalation.waits(due.rule) and not _tells_of_the_pupil(due.rule)]
    moving = (due for due in coming if any(isinstance(it, Ask | Fire | OfferTo) for it in due.rule.then))
    due = next(moving, None) or next(_telling(coming, facts), None)
    return _said(due, situation, facts, labels) if due else None


def _tells_of_the_pupil(rule: Rule) -> bool:
    """Returns whether the rule waits for what not every reader of the case may know."""
    return any(condition.name in {"flags", "cause"} for condition in rule.when.conditions)


def _telling(coming: Iterable[Due], facts: Facts) -> Iterator[Due]:
    """Returns the rules that tell others of the deadline: those at it and after it."""
    return (due for due in coming if facts.due_at is None or due.at >= facts.due_at)


def _said(due: Due, situation: Situation, facts: Facts, labels: Labels) -> Sentence | None:
    workflow, at = situation.workflow, situation.calendar.local(due.at)
    for action in due.rule.then:
        match action:
            case Ask(name):
                state = workflow.states[facts.state]
                other = state.requests.get(name)
                role = other.of if other else (facts.offered_role or state.owner or "")
                return Sentence(
                    "If not, from {at} it is the turn of: {role} – {request}",
                    at=at,
                    role=labels[role],
                    request=workflow.request_label(facts.state, name),
                )
            case Fire(name):
                state = workflow.states[workflow.transitions[name].to]
                if state.owner is None:
                    return Sentence("After {at} the case goes to “{state}”", at=at, state=state.label)
                return Sentence(
                    "If not, at {at} the case goes to “{state}”: {role}",
                    at=at,
                    state=state.label,
                    role=labels[state.owner],
                )
            case OfferTo(role, _):
                return Sentence(
                    "If not, from {at} it is the turn of: {role} – {request}",
                    at=at,
                    role=labels[role],
                    request=workflow.request_label(facts.state, ACCEPT),
                )
            case _:
                continue
    roles = [role for action in due.rule.then if isinstance(action, Notify) for role in action.roles]
    told = [labels[role] for role in dict.fromkeys(roles)]
    return Sentence("If not, at {at} these are told: {roles}", at=at, roles=told) if told else None
