"""The filters of the history of a case: visits, hand-overs, escalations, notes, support."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from engine.core.cases.past import ABOUT_ENTRIES, SUPPORT_REVERSED
from engine.core.words import Sentence
from engine.core.workflow.answers import MET
from engine.core.workflow.model import Transition, Workflow

FILTERS: Mapping[str, Sentence] = {
    "visits": Sentence("Visits and contacts"),
    "handovers": Sentence("Hand-overs"),
    "escalations": Sentence("Escalations and difficulties"),
    "notes": Sentence("Notes"),
    "support": Sentence("Support"),
}


@dataclass(frozen=True, slots=True)
class Only:
    """The events that a filter keeps: events of these kinds, events with an offer, events made by a rule, or by
    moment.
    """

    kinds: frozenset[str] = frozenset()
    offers: bool = False
    firings: bool = False
    moments: tuple[dt.datetime, ...] = ()


_KINDS: Mapping[str, frozenset[str]] = {
    "visits": frozenset({"checked_in", "lesson_held"}),
    "handovers": frozenset({"accepted", "declined", "assigned", "rerouted", "reseated"}),
    "escalations": frozenset(
        {
            "nudged",
            "attention_asked",
            "difficulty_raised",
            "difficulty_decided",
            "difficulty_passed_on",
            "difficulty_returned",
            "difficulty_climbed",
        }
    ),
    "notes": frozenset({"opened", "noted", "companion_added", "companion_off", *ABOUT_ENTRIES}) - {SUPPORT_REVERSED},
    "support": frozenset({"support_given", "support_asked", SUPPORT_REVERSED, "need_raised"}),
}


def only(workflow: Workflow, name: str) -> Only | None:
    """Returns the events that a filter keeps in this workflow; None for an unknown filter."""
    if name not in FILTERS:
        return None
    steps = {step.name for step in workflow.transitions.values() if name in _subjects(workflow, step)}
    return Only(_KINDS[name] | steps, offers=name == "handovers", firings=name == "escalations")


def _subjects(workflow: Workflow, step: Transition) -> Iterator[str]:
    """What a step of the workflow is about, as far as a filter asks."""
    asked = {*step.needs, *step.may}
    owners = {workflow.states[state].owner for state in (*step.from_, step.to)}
    if MET in asked:
        yield "visits"
    if len(owners) > 1 and not workflow.states[step.to].final:
        yield "handovers"
    if asked & {"need", "support_result"}:
        yield "support"
