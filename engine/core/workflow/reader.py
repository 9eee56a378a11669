"""Reads workflow files. engine/core/workflow/model.py says what a workflow is; its names can be imported from
here too.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from engine.core.people.roles import RoleBook
from engine.core.toml_reader import Reader, digest_of, format_of, in_words, read_toml
from engine.core.words import Faulty, Label, Sentence
from engine.core.workflow.builtin_forms import BUILTIN_FORMS, NEED, NEED_BY, NEED_KIND, NEED_QUANTITY, counted_needs
from engine.core.workflow.check import check
from engine.core.workflow.defaults import STANDARD
from engine.core.workflow.field_reader import field_of
from engine.core.workflow.model import (
    ASSIGNEE,
    FORM_NAMES,
    RULE,
    ActFields,
    Choice,
    Field,
    State,
    Transition,
    Workflow,
)
from engine.core.workflow.read_requests import answers_of, check_requests, own_request, requests_of
from engine.core.workflow.requests import request_of

__all__ = [
    "ASSIGNEE",
    "FORM_NAMES",
    "RULE",
    "ActFields",
    "Choice",
    "Field",
    "State",
    "Transition",
    "Workflow",
    "load_workflow",
]

NEWEST, ASKS_FROM = 2, 2  # the newest format of a workflow file, and the first in which it says what is asked
SYSTEM = (RULE, ASSIGNEE)
AROUND = ("attendance", "closure", "lift", "vacant", "appoint", "away", "worker_down", "worker_up")
RESERVED = (*FORM_NAMES, *BUILTIN_FORMS, *AROUND, RULE, ASSIGNEE)
"""Names no transition can have: a scenario's `do` means something else by them."""

ROLE = Sentence("role")
STATE = Sentence("state")
FIELD = Sentence("field")
FORM = Sentence("form")


def load_workflow(text: str, file: str, roles: RoleBook) -> Workflow:
    """Returns the workflow of a TOML text.

    Args:
        text: the file's content.
        file: its name, for the faults.
        roles: those that it may name. Who acts beside a role may do the same steps.

    Raises:
        Faulty: lists every fault of the file.
    """
    reader = read_toml(text, file)
    asks = format_of(reader, NEWEST) >= ASKS_FROM
    workflow = _workflow(reader, text, roles, asks=asks)
    check(workflow, reader)
    if asks:
        check_requests(workflow, reader)
    reader.close()
    if reader.faults:
        raise Faulty(reader.faults)
    return workflow


def _workflow(reader: Reader, text: str, roles: RoleBook, *, asks: bool) -> Workflow:
    standard = _standard()
    name = reader.text("name")
    named = reader.named("states", required=True).items()
    states = {key: _state(key, table, roles.codes, asks=asks) for key, table in named}
    fields = {**standard.fields, **{key: field_of(key, table) for key, table in reader.named("fields").items()}}
    fields = {**counted_needs(fields), **fields}
    transitions = reader.named("transitions", required=True).items()
    return Workflow(
        name=name,
        version=reader.whole("version", least=1),
        initial=reader.one_of("initial", states, STATE),
        label=reader.label("label", in_words(name)),
        states=states,
        transitions={
            key: answers_of(table, step, fields, states) if asks else step
            for key, table in transitions
            for step in [_transition(key, table, tuple(states), tuple(fields), roles)]
        },
        fields=fields,
        forms={**standard.forms, **_forms(reader, tuple(fields))},
        flags={**standard.flags, **_flags(reader)},
        text=text,
        digest=digest_of(text),
        roles=roles.codes,
    )


@cache
def _standard() -> Workflow:
    """The standing fields, forms and flags, as a workflow without states."""
    reader = read_toml(STANDARD, "standard")
    fields = {key: field_of(key, table) for key, table in reader.named("fields").items()}
    forms, flags = _forms(reader, tuple(fields)), _flags(reader)
    reader.close()
    if reader.faults:
        raise Faulty(reader.faults)
    return Workflow("standard", 1, "", Label("", ""), {}, {}, fields, forms, flags, STANDARD, "")


def _state(name: str, reader: Reader, roles: tuple[str, ...], *, asks: bool) -> State:
    final = reader.flag("final")
    if not final and "owner" not in reader:
        reader.fault("owner", Sentence("A state that is not final needs an owner: one of {roles}.", roles=roles))
    owner = reader.one_of("owner", roles, ROLE, default="") or None
    return State(
        name=name,
        label=reader.label("label"),
        owner=owner,
        offered=reader.flag("offered"),
        final=final,
        help=reader.maybe_label("help"),
        asks=request_of(name, owner) if not asks else own_request(reader, final=final),
        requests=requests_of(reader, roles) if asks else {},
    )


def _transition(
    name: str, reader: Reader, states: tuple[str, ...], fields: tuple[str, ...], roles: RoleBook
) -> Transition:
    if name in RESERVED:
        reader.fault("", Sentence("The name “{name}” means something else already; choose another.", name=name))
    step = Transition(
        name=name,
        from_=reader.some_of("from", states, STATE, required=True),
        to=reader.one_of("to", states, STATE),
        by=roles.beside(reader.some_of("by", (*roles.codes, *SYSTEM), ROLE, required=True)),
        label=reader.label("label", in_words(name)),
        needs=reader.some_of("needs", fields, FIELD),
        may=reader.some_of("may", fields, FIELD),
        help=reader.maybe_label("help"),
        danger=reader.flag("danger"),
    )
    return _counting(step)


def _counting(step: Transition) -> Transition:
    """Adds to a step that asks for a need what counts it; nobody has to fill that in."""
    asked = {*step.needs, *step.may}
    more = tuple(it for it in (NEED_KIND, NEED_QUANTITY, NEED_BY) if it not in asked)
    return replace(step, may=(*more, *step.may)) if NEED in asked else step


def _forms(reader: Reader, fields: tuple[str, ...]) -> dict[str, ActFields]:
    outer = reader.table("forms")
    forms = {}
    for name in outer.data:
        inner = outer.table(name)
        if outer.known(name, name, FORM_NAMES, FORM):
            forms[name] = ActFields(name, inner.some_of("needs", fields, FIELD), inner.some_of("may", fields, FIELD))
    return forms


def _flags(reader: Reader) -> dict[str, Label]:
    outer = reader.table("flags")
    return {name: outer.label(name) for name in outer.data}
