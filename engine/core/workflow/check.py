"""Checks a workflow as a whole: can every state be reached, can every case end, does every state have an owner."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import combinations

from engine.core.toml_reader import Reader, unknown
from engine.core.words import Sentence
from engine.core.workflow.model import ActFields, State, Transition, Workflow

FLAG = Sentence("flag")


def check(workflow: Workflow, reader: Reader) -> None:
    """Notes in `reader`, the reader of the whole file, every fault between the parts of the workflow."""
    _check_final(workflow, reader)
    _check_reach(workflow, reader)
    _check_steps(workflow, reader)
    _check_words(workflow, reader)
    _check_flags(workflow, reader)


def reachable(starts: Iterable[str], arrows: Mapping[str, set[str]]) -> set[str]:
    """Returns the nodes that can be reached from `starts` along `arrows`, the starts included."""
    found, waiting = set(starts), list(starts)
    while waiting:
        new = arrows.get(waiting.pop(), set()) - found
        found |= new
        waiting.extend(new)
    return found


def _arrows(steps: Iterable[Transition], back: bool = False) -> dict[str, set[str]]:
    arrows: dict[str, set[str]] = {}
    for step in steps:
        for from_ in step.from_:
            start, end = (step.to, from_) if back else (from_, step.to)
            arrows.setdefault(start, set()).add(end)
    return arrows


def _check_final(workflow: Workflow, reader: Reader) -> None:
    for state in workflow.states.values():
        if state.final and state.offered:
            reader.fault(f"states.{state.name}.offered", Sentence("A final state has nobody to be offered to."))
    if workflow.initial and workflow.states[workflow.initial].final:
        reader.fault("initial", Sentence("A case cannot begin in a final state."))
    if workflow.states and not workflow.final_states:
        reader.fault("states", Sentence("No state is final: a case could never end."))


def _check_reach(workflow: Workflow, reader: Reader) -> None:
    steps = workflow.transitions.values()
    found = reachable([workflow.initial], _arrows(steps))
    ending = reachable(workflow.final_states, _arrows(steps, back=True))
    for name in workflow.states:
        if workflow.initial and name not in found:
            reader.fault(
                f"states.{name}", Sentence("No case can come to this state from “{initial}”.", initial=workflow.initial)
            )
        if workflow.final_states and name not in ending:
            reader.fault(f"states.{name}", Sentence("This is a dead end: no way leads from here to a final state."))


def _check_steps(workflow: Workflow, reader: Reader) -> None:
    for step in workflow.transitions.values():
        finals = [name for name in step.from_ if workflow.states[name].final]
        if finals and step.to and workflow.states[step.to].final:
            sentence = Sentence("From a final state ({states}) a case can only be reopened.", states=finals)
            reader.fault(f"transitions.{step.name}.from", sentence)
        _check_asked(f"transitions.{step.name}", step, reader)
    for form in workflow.forms.values():
        _check_asked(f"forms.{form.name}", form, reader)


def _check_asked(key: str, act: Transition | ActFields, reader: Reader) -> None:
    for name in set(act.needs) & set(act.may):
        reader.fault(f"{key}.may", Sentence("“{name}” is needed already.", name=name))


def _check_words(workflow: Workflow, reader: Reader) -> None:
    """Notes two things with the same words: people could not tell them apart on screen."""
    for first, second in combinations(workflow.states.values(), 2):
        if _alike(first, second):
            reader.fault(f"states.{second.name}.label", _same(first.name))
    for one, other in combinations(workflow.transitions.values(), 2):
        if _alike(one, other) and set(one.from_) & set(other.from_) and set(one.by) & set(other.by):
            reader.fault(f"transitions.{other.name}.label", _same(one.name))


def _alike(one: State | Transition, other: State | Transition) -> bool:
    return one.label.vi == other.label.vi != "" or one.label.en == other.label.en != ""


def _same(name: str) -> Sentence:
    return Sentence("“{name}” has the same words; people could not tell them apart.", name=name)


def _check_flags(workflow: Workflow, reader: Reader) -> None:
    for field in workflow.fields.values():
        for choice in field.choices:
            if choice.flag and choice.flag not in workflow.flags:
                key = f"fields.{field.name}.choices “{choice.code}”.flag"
                reader.fault(key, unknown(choice.flag, workflow.flags, FLAG))
