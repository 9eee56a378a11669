"""Decides which step is allowed from which state, and for whom. Only this module imports `transitions`.

Each workflow has one machine, which never changes. `auto_transitions` is off: it would add `to_<state>()` methods that
skip every guard. Models are never added to the machine, because it would keep them all in a list. A step that is not
allowed raises an exception; it does not return False.
"""

from __future__ import annotations

from dataclasses import dataclass

from transitions import Machine, MachineError

from engine.core.refusals import NotAllowed, NotFound
from engine.core.words import Sentence
from engine.core.workflow.model import Transition, Workflow


@dataclass(slots=True)
class _Subject:
    state: str


# By digest: one workflow text has one machine, and the target of a step from a state never changes.
_MACHINES: dict[str, Machine] = {}
_LEADS: dict[tuple[str, str, str], str] = {}


def _machine(workflow: Workflow) -> Machine:
    if workflow.digest not in _MACHINES:
        machine = Machine(
            model=None, states=list(workflow.states), initial=workflow.initial, auto_transitions=False, queued=False
        )
        for step in workflow.transitions.values():
            machine.add_transition(step.name, list(step.from_), step.to)
        _MACHINES[workflow.digest] = machine
    return _MACHINES[workflow.digest]


def follow(workflow: Workflow, state: str, name: str, roles: frozenset[str]) -> tuple[Transition, str]:
    """Returns the transition `name` and the state it leads to, for somebody with these roles.

    Raises `NotFound` for a step the workflow does not know, `NotAllowed` for one that does not start from this state
    or that none of the roles may take.
    """
    step = workflow.transitions.get(name)
    if step is None:
        raise NotFound(Sentence("There is no step “{step}” in this workflow.", step=name))
    if not roles & set(step.by):
        raise NotAllowed(Sentence("Your role does not allow the step “{step}”.", step=step.label))
    asked = workflow.digest, state, name
    if asked not in _LEADS:
        _LEADS[asked] = _trigger(workflow, state, step)
    return step, _LEADS[asked]


def _trigger(workflow: Workflow, state: str, step: Transition) -> str:
    subject = _Subject(state)
    try:
        _machine(workflow).events[step.name].trigger(subject)
    except MachineError:
        here = workflow.states[state].label
        raise NotAllowed(
            Sentence("The step “{step}” is not possible while the case is “{state}”.", step=step.label, state=here)
        ) from None
    return subject.state
