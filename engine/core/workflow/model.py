"""A workflow as data: states, the transitions between them, and the fields that people fill in on the way.

The vocabulary is closed: a workflow file names states, roles and fields. It never holds an expression that runs.
`load_workflow` in engine/core/workflow/reader.py reads and checks a workflow; other code can trust the result.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from engine.core.calendar.values import Duration
from engine.core.people import roles
from engine.core.words import Label
from engine.core.workflow.requests import REQUESTS

RULE = "rule"  # the system itself, when a rule fires a transition
ASSIGNEE = roles.ASSIGNEE  # whoever has the case now

FIELD_TYPES = ("text", "line", "date", "choice", "choices", "yes_no", "whole", "decimal", "money")
FORM_NAMES = ("open", "note", "accept", "decline", "assign", "support", "check_in", "hold")
"""Acts on a case that move it to no other state; the `do` of a scenario knows them beside the transitions."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One value that a field of type `choice` or `choices` can take.

    `unit` is its unit of measure (kg of rice), `group` the code of its group in reports, `flag` a flag that this choice
    sets on the case. Few people see a `restricted` choice (law on children's private life). The person who chose it
    sees `help`.
    """

    code: str
    label: Label
    unit: Label | None = None
    restricted: bool = False
    group: str | None = None
    flag: str | None = None
    help: Label | None = None


@dataclass(frozen=True, slots=True)
class Field:
    """A value that a person fills in. The transition or form that asks for it says whether it is required.

    `max_length` counts characters (text, line); `least` and `most` bound numbers, both included; `when` is "past" or
    "future" for a date that may not lie on the other side of today; `groups` names the groups of the choices.
    """

    name: str
    type: str
    label: Label
    help: Label | None = None
    choices: tuple[Choice, ...] = ()
    groups: Mapping[str, Label] = field(default_factory=dict)
    restricted: bool = False
    max_length: int | None = None
    least: Decimal | None = None
    most: Decimal | None = None
    when: str | None = None

    def choice(self, code: str) -> Choice | None:
        """The choice with this code, or None."""
        return next((choice for choice in self.choices if choice.code == code), None)


@dataclass(frozen=True, slots=True)
class Request:
    """What a state can ask beside its own request: of a role, perhaps within a time, and else another request.

    While it is asked, who has the case keeps it, and gets its own request back without accepting it again.
    """

    name: str
    of: str
    label: Label
    within: Duration | None = None
    else_: str = ""


@dataclass(frozen=True, slots=True)
class Lead:
    """What an answer leads to: the request `ask`.

    `until` names a date field: the time of the request counts from the end of that day, if the form has one. A date
    puts off as long as the stay was put off less than `at_most` times. `without` is asked instead where no date counts.
    """

    ask: str
    until: str = ""
    at_most: int = 0
    without: str = ""


@dataclass(frozen=True, slots=True)
class State:
    """Where a case can be.

    `owner`: the role that has it there (None: final); `offered`: somebody must accept it first; `asks`: the request of
    the state itself (`engine.core.workflow.requests`), "" for a final one; `requests`: what else it can ask, by name.
    """

    name: str
    label: Label
    owner: str | None = None
    offered: bool = False
    final: bool = False
    help: Label | None = None
    asks: str = ""
    requests: Mapping[str, Request] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Transition:
    """A step from one of `from_` to `to`, done by one of the roles `by`.

    `needs` are the fields a person must fill in, `may` those they can; a rule that fires the step fills in none. A step
    from a state to itself does not start the state's clock again. `danger`: the page asks again before it does the
    step.

    `answers` say what follows from what was filled in: by field, then by choice ("yes" and "no" for a yes or no). The
    first field with a value that leads somewhere counts. `leads` follows from the step itself, whatever is filled in.
    `answers_to` are the requests that the step answers and that it is offered for; empty: whatever is asked.
    """

    name: str
    from_: tuple[str, ...]
    to: str
    by: tuple[str, ...]
    label: Label
    needs: tuple[str, ...] = ()
    may: tuple[str, ...] = ()
    help: Label | None = None
    danger: bool = False
    answers: Mapping[str, Mapping[str, Lead]] = field(default_factory=dict, hash=False)
    leads: Lead | None = None
    answers_to: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ActFields:
    """The fields of an act that is not a transition (one of FORM_NAMES)."""

    name: str
    needs: tuple[str, ...] = ()
    may: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Workflow:
    """A whole, checked workflow. `text` is the file as it was read, `digest` its SHA-256 in hex."""

    name: str
    version: int
    initial: str
    label: Label
    states: Mapping[str, State]
    transitions: Mapping[str, Transition]
    fields: Mapping[str, Field]
    forms: Mapping[str, ActFields]
    flags: Mapping[str, Label]
    text: str
    digest: str
    roles: tuple[str, ...] = ()  # those that it and its rules may name

    def leaving(self, state: str, role: str | None = None) -> tuple[Transition, ...]:
        """The transitions that start from `state`, in file order; only those that `role` may do, if one is given."""
        return tuple(
            step for step in self.transitions.values() if state in step.from_ and (role is None or role in step.by)
        )

    def asked(self, act: Transition | ActFields) -> tuple[Field, ...]:
        """Returns the fields of a transition or form in the order of the page: required ones first, then
        optional ones.
        """
        return tuple(self.fields[name] for name in (*act.needs, *act.may))

    def request_label(self, state: str, request: str) -> Label:
        """Returns what a request asks, in words."""
        own = self.states[state].requests.get(request) if state in self.states else None
        return own.label if own else REQUESTS.get(request) or Label(request, request)

    @property
    def final_states(self) -> tuple[str, ...]:
        """The names of the states in which a case has ended."""
        return tuple(state.name for state in self.states.values() if state.final)
