"""Reads what a workflow file of format 2 says of requests: what a state asks, and what each answer leads to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from engine.core.calendar.values import Duration
from engine.core.toml_reader import Reader
from engine.core.words import Sentence
from engine.core.workflow.model import Field, Lead, Request, State, Transition, Workflow
from engine.core.workflow.requests import ACCEPT, REQUESTS

REQUEST, ROLE, FIELD, CHOICE = Sentence("request"), Sentence("role"), Sentence("field"), Sentence("choice")
DURATION = Sentence('a duration such as "3 school days"')
ASKED = tuple(name for name in REQUESTS if name != ACCEPT)
YES, NO = "yes", "no"


def own_request(reader: Reader, *, final: bool) -> str:
    """Returns what a state asks by itself; each state needs it that is not final."""
    if final:
        return ""
    if "asks" not in reader:
        reader.fault("asks", Sentence("A state that is not final asks something: one of {requests}.", requests=ASKED))
    return reader.one_of("asks", ASKED, REQUEST, default="")


def requests_of(reader: Reader, roles: tuple[str, ...]) -> dict[str, Request]:
    """Returns what a state can ask beside its own request, by name."""
    return {name: _request(name, table, roles) for name, table in reader.named("requests").items()}


def _request(name: str, reader: Reader, roles: tuple[str, ...]) -> Request:
    if name == ACCEPT:
        reader.fault("", Sentence("An offer is accepted by itself: “accept” is not written here."))
    words = reader.maybe_label("label") or REQUESTS.get(name)
    if words is None:
        reader.fault(
            "label", Sentence("“{name}” is not one of {known}: say with `label` what it asks.", name=name, known=ASKED)
        )
    within = reader.parsed("within", Duration.parse, DURATION)
    else_ = reader.text("else", "")
    if ("within" in reader) != ("else" in reader):
        reader.fault("", Sentence("`within` and `else` stand together: until when, and what is asked then."))
    return Request(name, reader.one_of("of", roles, ROLE), words or REQUESTS[ACCEPT], within, else_)


def answers_of(
    reader: Reader, step: Transition, fields: Mapping[str, Field], states: Mapping[str, State]
) -> Transition:
    """Returns a step with what its answers lead to, read from its table."""
    target = states.get(step.to)
    asked = _asked(target) if target else ()
    known = [name for state in states.values() for name in _asked(state)]
    table = reader.table("answers")
    answers = {}
    for name in table.data:
        inner = table.table(name)
        if name not in (*step.needs, *step.may):
            table.fault(name, Sentence("The step does not ask for “{field}”.", field=name))
        elif name in fields and table.known(name, name, fields, FIELD):
            answers[name] = dict(_of_field(inner, step, fields[name], asked, fields))
        for key in inner.data:
            inner.raw(key)
    leads = _lead(reader.table("leads"), step, asked, fields) if "leads" in reader else None
    return replace(step, answers=answers, leads=leads, answers_to=reader.some_of("answers_to", known, REQUEST))


def _of_field(
    reader: Reader, step: Transition, field: Field, asked: tuple[str, ...], fields: Mapping[str, Field]
) -> Iterator[tuple[str, Lead]]:
    choices = (YES, NO) if field.type == "yes_no" else tuple(choice.code for choice in field.choices)
    if not choices or field.type == "choices":
        reader.fault(
            "", Sentence("Only a choice or a yes or no leads somewhere; “{field}” is neither.", field=field.name)
        )
        return
    for code in reader.data:
        if reader.known(code, code, choices, CHOICE):
            yield code, _lead(reader.table(code), step, asked, fields)
    if missing := [code for code in choices if code not in reader.data]:
        reader.fault("", Sentence("Say for each answer where it leads; missing: {missing}.", missing=missing))


def _lead(reader: Reader, step: Transition, asked: tuple[str, ...], fields: Mapping[str, Field]) -> Lead:
    dates = [name for name in (*step.needs, *step.may) if name in fields and fields[name].type == "date"]
    lead = Lead(
        ask=reader.one_of("ask", asked, REQUEST),
        until=reader.one_of("until", dates, FIELD, default=""),
        at_most=reader.whole("at_most", default=0, least=1) if "at_most" in reader else 0,
        without=reader.one_of("without", asked, REQUEST, default=""),
    )
    if lead.until and not lead.at_most:
        reader.fault("at_most", Sentence("Say with `at_most` how often a date puts it off in one stay."))
    return lead


def _asked(state: State) -> tuple[str, ...]:
    return (*([state.asks] if state.asks else []), *state.requests)


# --- the whole --------------------------------------------------------------------------------------------------------


def check_requests(workflow: Workflow, reader: Reader) -> None:
    """Notes every fault between the requests and the answers of a workflow."""
    for state in workflow.states.values():
        for request in state.requests.values():
            key = f"states.{state.name}.requests.{request.name}"
            if state.final:
                reader.fault(key, Sentence("A final state asks nothing."))
            elif request.name == state.asks:
                reader.fault(key, Sentence("The state asks “{name}” by itself already.", name=request.name))
            elif request.else_ and request.else_ not in _asked(state):
                reader.fault(f"{key}.else", Sentence("This state does not ask “{name}”.", name=request.else_))
            if request.name not in _reached(workflow, state):
                reader.fault(key, Sentence("No answer and no `else` leads to this request."))
        _check_rounds(state, workflow, reader)


def _reached(workflow: Workflow, state: State) -> set[str]:
    """Returns the requests of a state to which an answer or an `else` leads."""
    leads = [lead for step in workflow.transitions.values() if step.to == state.name for lead in _leads(step)]
    asked = {name for lead in leads for name in (lead.ask, lead.without) if name}
    return asked | {request.else_ for request in state.requests.values() if request.else_}


def _leads(step: Transition) -> list[Lead]:
    found = [lead for answers in step.answers.values() for lead in answers.values()]
    return [*found, step.leads] if step.leads else found


def _check_rounds(state: State, workflow: Workflow, reader: Reader) -> None:
    """Notes answers that ask the same again without a bound: the case would never be anybody else's.

    An answer bounds by `at_most`; what goes back by `else` has let its time pass.
    """
    for step in workflow.transitions.values():
        if step.to != state.name or state.name not in step.from_:
            continue
        for field, answers in step.answers.items():
            for code, lead in answers.items():
                if lead.ask == state.asks and not lead.at_most:
                    reader.fault(
                        f"transitions.{step.name}.answers.{field}.{code}",
                        Sentence(
                            "This answer asks “{name}” again without end: bound it with `until` and `at_most`.",
                            name=lead.ask,
                        ),
                    )
