"""A case as a list shows it: whose it is, where it stands, why it is here, until when, and the one thing to do next.

A list has dozens of cards, so what a card says is put into words here, once; the template only sets it down.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import url_for

from engine.access import Viewer, reach
from engine.cases import act_label
from engine.duties import choices
from engine.handbook import Handbook
from engine.nudge import NUDGERS
from engine.people import ROLE_LABELS
from engine.store.news import News
from engine.store.reading import Handed, NeedRow, seats_of
from engine.store.rows import CaseRow
from engine.words import Label, Sentence
from engine.workflow import State, Workflow
from web.languages import said
from web.parts import ago, due
from web.shell import local

CODE = "CODE"  # stands where the code comes in an address
Line = Label | Sentence


@dataclass(frozen=True, slots=True)
class Card:
    """A case for a list, in words. `need` and `contact` stand in for the pupil where that is all one may know.

    `new` says what others did to it lately; `whose` who has it, if that is not the reader.
    """

    row: CaseRow
    address: str
    name: str
    where: str
    urgency: str
    due: str
    exact: str
    state: str
    shape: str
    owner: str
    flags: tuple[str, ...]
    offered_here: bool
    next: tuple[str, str] | None = None  # address and words
    why: str = ""
    new: str = ""
    whose: str = ""
    can_assign: bool = False
    can_urge: bool = False
    need: NeedRow | None = None
    contact: tuple[str, str | None] | None = None

    @property
    def choosable(self) -> bool:
        """Whether something can be done to it together with others."""
        return self.can_assign or self.offered_here


def shape(state: State, waiting: bool) -> str:
    """The shape that goes with a state's word; see the macro `status`."""
    if state.final:
        return "ended"
    return "waiting" if waiting else "done" if state.name == "returned" else "going"


@dataclass(frozen=True)
class _Table:
    """What all cards of a list share."""

    handbook: Handbook
    viewer: Viewer
    seats: frozenset[tuple[str, int]]
    address: str
    handed: Mapping[int, Handed]
    needs: Mapping[int, NeedRow]
    contacts: Mapping[int, tuple[str, str | None]]
    news: Mapping[int, News]


def make_cards(
    handbook: Handbook, viewer: Viewer, rows: Sequence[CaseRow], *, handed: Mapping[int, Handed] | None = None,
    needs: Mapping[int, NeedRow] | None = None, contacts: Mapping[int, tuple[str, str | None]] | None = None,
    news: Mapping[int, News] | None = None,
) -> list[Card]:  # fmt: skip
    """The cards of some rows, in their order."""
    table = _Table(handbook, viewer, frozenset(seats_of(viewer)), url_for("case.show", code=CODE), handed or {},
                   needs or {}, contacts or {}, news or {})  # fmt: skip
    return [_card(table, row) for row in rows]


def _card(table: _Table, row: CaseRow) -> Card:
    workflow = table.handbook.workflow(row.workflow, row.workflow_version)
    state, address = workflow.states[row.state], table.address.replace(CODE, row.code)
    here = row.waiting and (row.offered_role, row.offered_unit_id) in table.seats
    mine, roles = row.assignee_id == table.viewer.person_id, roles_of(table.viewer, row)
    can = choices(workflow, row, roles, offered_here=here)
    act, owner, until = can.primary, said(_owner(row, state)), due(row.due_at)
    flags = [workflow.flags[name] for name in row.flags if name in workflow.flags]
    level = [Sentence("Urgency level {level}", level=row.level)] if row.level else []
    return Card(
        row, address, row.pupil or said(Sentence("Case {code}", code=row.code)),
        ", ".join(filter(None, (row.klass, row.village))),
        until.urgency, said(until.words), until.exact if until.urgency == "late" else "",
        said(state.label), shape(state, row.waiting), owner,
        tuple(said(line) for line in (*flags, *level)), here,
        next=(f"{address}/{act.name}", said(act.label)) if act else None,
        why=_why(table, row), new=_new(table, row, workflow), whose="" if mine or here else owner,
        can_assign="assign" in can, can_urge=bool(roles & NUDGERS) and not (mine or here or state.final),
        need=table.needs.get(row.id), contact=table.contacts.get(row.id),
    )  # fmt: skip


def _new(table: _Table, row: CaseRow, workflow: Workflow) -> str:
    """What others did last, and when. Who may not know the pupil is told only that something was done."""
    news = table.news.get(row.id)
    if news is None:
        return ""
    when = said(ago(news.at))
    if row.pupil is None:
        return when
    rule = table.handbook.rules(row.workflow, row.rules_version).rule(news.kind) if news.by_rule else None
    what = said(rule.why if rule else act_label(workflow, news.kind))
    return f"{what[:1].upper()}{what[1:]}, {when}"


def roles_of(viewer: Viewer, row: CaseRow) -> frozenset[str]:
    """In which roles the viewer reaches the case; a row without a pupil was reached through an association."""
    if row.pupil is None:
        return frozenset(role for role in ("volunteer", "association") if viewer.holds(role))
    return reach(viewer, row)  # type: ignore[arg-type]  # a pupil's row has all places


def _owner(row: CaseRow, state: State) -> Line:
    """Who has it, or who is asked to take it."""
    if row.assignee:
        return Label(row.assignee, row.assignee)
    if row.waiting and row.offered_role:
        return Sentence("Waiting: {role}", role=ROLE_LABELS[row.offered_role])
    return ROLE_LABELS[state.owner] if state.owner else Sentence("Ended")


def _why(table: _Table, row: CaseRow) -> str:
    """Why it is here: the rule that moved it, or who handed it over and when; and since when the pupil is absent."""
    handed = table.handed.get(row.id)
    lines: list[Line] = []
    if handed and handed.person:
        role = ROLE_LABELS.get(handed.role or "")
        who = Sentence("{person}, {role}", person=handed.person, role=role) if role else handed.person
        lines.append(Sentence("Handed over by {who}, {at}", who=who, at=local(handed.at)))
    elif handed and (rule := table.handbook.rules(row.workflow, row.rules_version).rule(handed.kind)):
        lines.append(rule.why)
    if row.absent_since:
        lines.append(Sentence("Absent since {day}", day=row.absent_since))
    return "".join(f"{said(line)}. " for line in lines).rstrip()
