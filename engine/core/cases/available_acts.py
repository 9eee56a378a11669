"""Finds what a person can do with a case now, and which of these acts comes first.

A page offers only what the use cases in `engine.usecases.cases.case_acts` allow. They decide again when the form is
sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from engine.core.cases.turn import asks_elsewhere
from engine.core.people.roles import ASSIGN, GIVE, HOLD, OFFICE, Roles
from engine.core.words import Label
from engine.core.workflow.builtin_forms import form_named
from engine.core.workflow.model import ActFields, Transition, Workflow

FORM_LABELS: Mapping[str, Label] = {
    "accept": Label("Tiếp nhận", "Accept"),
    "decline": Label("Trả lại (nêu lý do)", "Return it, with a reason"),
    "support": Label("Ghi hỗ trợ đã trao", "Log support given"),
    "check_in": Label("Ghi nhận theo dõi", "Record a check-in"),
    "note": Label("Thêm ghi chú nội bộ", "Add an internal note"),
    "assign": Label("Phân công người phụ trách", "Assign the case"),
    "hold": Label("Tạm dừng tính hạn", "Put the clock on hold"),
    "companion": Label("Thêm người cùng vận động", "Add somebody who helps"),
    "difficulty": Label("Báo khó khăn, vướng mắc", "Raise a difficulty"),
    "lesson": Label("Ghi nhận buổi phụ đạo", "Record a catch-up lesson"),
    "raise_need": Label("Ghi nhu cầu hỗ trợ", "Raise a need"),
}


class Standing(Protocol):
    """What `choices` needs to know of a case."""

    @property
    def state(self) -> str: ...
    @property
    def waiting(self) -> bool: ...
    @property
    def offered_role(self) -> str | None: ...
    @property
    def request(self) -> str | None: ...
    @property
    def asked_role(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class AvailableAct:
    """An act that a person can do: its name in the address of its page, and its words."""

    name: str
    label: Label
    danger: bool = False
    help: Label | None = None


@dataclass(frozen=True, slots=True)
class Choices:
    """The first thing to do (None: the case asks nothing of this person), the other acts, and acts that are hard to
    undo.
    """

    primary: AvailableAct | None
    others: tuple[AvailableAct, ...]
    dangerous: tuple[AvailableAct, ...]

    def __contains__(self, name: str) -> bool:
        return any(act.name == name for act in (self.primary, *self.others, *self.dangerous) if act)


def choices(
    workflow: Workflow,
    case: Standing,
    roles: frozenset[str],
    known: Roles,
    *,
    offered_here: bool,
    held_here: bool = False,
) -> Choices:
    """Returns what a person who reaches the case in these roles can do.

    `known` says what the roles may do here. `offered_here`: the case waits for one of their posts. `held_here`: they
    have accepted it.
    """
    forms = _forms(workflow, case, roles, known, offered_here=offered_here, held_here=held_here)
    acts = [*_steps(workflow, case, roles), *forms]
    primary = _primary(workflow, case, roles, known, acts, offered_here=offered_here)
    rest = [act for act in acts if act != primary]
    rest.sort(key=lambda act: act.name != "decline")
    return Choices(primary, tuple(act for act in rest if not act.danger), tuple(act for act in rest if act.danger))


def _steps(workflow: Workflow, case: Standing, roles: frozenset[str]) -> Iterator[AvailableAct]:
    """Returns the steps of these roles; one that only answers a request is left out while something else is asked."""
    for step in workflow.leaving(case.state):
        if roles & set(step.by) and (step.leads is None or case.request in (step.answers_to or (case.request,))):
            yield AvailableAct(step.name, step.label, step.danger, step.help)


def _forms(
    workflow: Workflow, case: Standing, roles: frozenset[str], known: Roles, *, offered_here: bool, held_here: bool
) -> Iterator[AvailableAct]:
    state, tends = workflow.states[case.state], known.tends(roles)
    allowed = {
        "accept": case.waiting and offered_here,
        "decline": (case.waiting and offered_here) or held_here,
        "support": bool(roles & known.able(GIVE)) and not state.final,
        "check_in": tends and not state.final,
        "note": True,
        "assign": bool(roles & assigners(state.owner, known)) and not state.final,
        "hold": bool(roles & known.able(HOLD)) and not state.final,
        "companion": tends and not state.final,
        "difficulty": not state.final,
        "raise_need": bool(roles & known.able(GIVE)) and not state.final,
    }
    return (AvailableAct(name, FORM_LABELS[name]) for name, may in allowed.items() if may)


def assigners(owner: str | None, known: Roles) -> frozenset[str]:
    """The roles that may give a case to somebody: those on the way up from who has it in its state, and the office."""
    above = {OFFICE, *known.ladder(owner)} - {owner} if owner else {OFFICE}
    return known.able(ASSIGN) & above


def _primary(
    workflow: Workflow,
    case: Standing,
    roles: frozenset[str],
    known: Roles,
    acts: list[AvailableAct],
    *,
    offered_here: bool,
) -> AvailableAct | None:
    """Returns the first act: accept an offer, or give it to somebody if a leader has it; else what answers the request;
    else the first step that leads on; else look after the pupil or give support. Who has the case while another is
    asked has nothing to do first.
    """
    by_name = {act.name: act for act in acts}
    leads = (asked := known.get(case.offered_role)) is not None and asked.assigns_first and asked.code in roles
    assigns = leads and "assign" in by_name  # a chairman assigns (phân công); he does not go himself
    if assigns or (case.waiting and offered_here):
        return by_name["assign" if assigns else "accept"]
    state, order = workflow.states[case.state], list(workflow.states)
    if roles <= known.referred and not state.final:
        return by_name.get("support")
    steps = [step for step in workflow.leaving(case.state) if step.name in by_name]
    if answering := next((step for step in steps if case.request in step.answers_to), None):
        return by_name[answering.name]
    if state.final or asks_elsewhere(workflow, case):
        return None
    for step in steps:
        if not step.danger and order.index(step.to) >= order.index(case.state):
            return by_name[step.name]
    return by_name.get("check_in" if state.owner in roles else "assign") or by_name.get("note")


def act_named(workflow: Workflow, name: str) -> tuple[Transition | ActFields, Label] | None:
    """The transition or form behind an act's name, and its words."""
    if step := workflow.transitions.get(name):
        return step, step.label
    if name in FORM_LABELS:
        return form_named(workflow, name), FORM_LABELS[name]
    return None
