"""Reads the `then` of a rule: what it does, one action for each table."""

from __future__ import annotations

from collections.abc import Callable

from engine.core.calendar.values import Duration
from engine.core.people.roles import PROVINCE_OFFICE
from engine.core.rules.model import OWN, Action, Ask, AskCheckIn, Fire, Notify, OfferTo, RaiseLevel, SetFlag
from engine.core.rules.read_when import DURATION, FLAG
from engine.core.toml_reader import Reader, unknown
from engine.core.words import Sentence
from engine.core.workflow.model import ASSIGNEE, RULE, Workflow

ACTION, ROLE, TRANSITION, REQUEST = Sentence("action"), Sentence("role"), Sentence("transition"), Sentence("request")


def actions_of(reader: Reader, workflow: Workflow, state: str) -> tuple[Action, ...]:
    """Returns the actions of a rule that waits in `state` ("" if the state in the file does not exist)."""
    tables = reader.tables("then", name_key="")
    if "then" not in reader or reader.data["then"] == []:
        reader.fault("then", Sentence("A rule does something: write at least one of {actions}.", actions=list(ACTIONS)))
    found = [action for table in tables if (action := _action(table, workflow, state))]
    if sum(isinstance(action, Fire) for action in found) > 1:
        reader.fault("then", Sentence("A rule can fire one transition only."))
    elif sum(isinstance(action, Fire | Ask) for action in found) > 1:
        reader.fault(
            "then", Sentence("A rule can ask for one thing only, and for nothing where it fires a transition.")
        )
    return tuple(found)


def _action(reader: Reader, workflow: Workflow, state: str) -> Action | None:
    kinds = [key for key in reader.data if key in ACTIONS]
    if len(kinds) == 1:
        return ACTIONS[kinds[0]](reader, workflow, state)
    if kinds or not reader.data:
        reader.fault("", Sentence("Each table holds one action: one of {actions}.", actions=list(ACTIONS)))
    for key in reader.data:
        reader.raw(key)
        if not kinds:
            reader.fault(key, unknown(key, ACTIONS, ACTION))
    return None


def _notify(reader: Reader, workflow: Workflow, _state: str) -> Action:
    return Notify(reader.some_of("notify", (*workflow.roles, ASSIGNEE, PROVINCE_OFFICE), ROLE, required=True))


def _offer(reader: Reader, workflow: Workflow, _state: str) -> Action:
    return OfferTo(reader.one_of("offer", workflow.roles, ROLE), reader.text("unit", OWN))


def _fire(reader: Reader, workflow: Workflow, state: str) -> Action | None:
    name = reader.one_of("fire", workflow.transitions, TRANSITION)
    if not name:
        return None
    step = workflow.transitions[name]
    if state and state not in step.from_:
        known = [step.name for step in workflow.leaving(state, RULE)]
        reader.fault(
            "fire",
            Sentence(
                "“{name}” does not start from “{state}”; rules can fire from there: {known}.",
                name=name,
                state=state,
                known=known,
            ),
        )
    if RULE not in step.by:
        reader.fault(
            "fire", Sentence("Rules may not fire “{name}”: the workflow's `by` does not name “rule”.", name=name)
        )
    return Fire(name)


def _ask(reader: Reader, workflow: Workflow, state: str) -> Action | None:
    here = workflow.states.get(state)
    if here is None or here.final:
        reader.raw("ask")
        return None
    name = reader.one_of("ask", (here.asks, *here.requests), REQUEST)
    return Ask(name) if name else None


def _raise_level(reader: Reader, _workflow: Workflow, _state: str) -> Action:
    return RaiseLevel(reader.whole("raise_level", least=1))


def _set_flag(reader: Reader, workflow: Workflow, _state: str) -> Action:
    return SetFlag(reader.one_of("set_flag", workflow.flags, FLAG))


def _ask_check_in(reader: Reader, _workflow: Workflow, _state: str) -> Action | None:
    within = reader.parsed("ask_check_in", Duration.parse, DURATION, required=True)
    return AskCheckIn(within) if within else None


ACTIONS: dict[str, Callable[[Reader, Workflow, str], Action | None]] = {
    "notify": _notify,
    "offer": _offer,
    "fire": _fire,
    "ask": _ask,
    "raise_level": _raise_level,
    "set_flag": _set_flag,
    "ask_check_in": _ask_check_in,
}
