"""A case as a list shows it: whose it is, where it stands, why it is here, until when, and the one thing to do next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.access import Viewer, knows, reach
from engine.duties import Act, choices
from engine.handbook import Handbook
from engine.people import ROLE_LABELS
from engine.store.reading import Handed, NeedRow, seats_of
from engine.store.rows import CaseRow
from engine.words import Label, Sentence
from engine.workflow import State
from web.shell import local

Line = Label | Sentence


@dataclass(frozen=True, slots=True)
class Card:
    """A case for a list. `need` and `contact` stand in for the pupil where that is all one may know."""

    row: CaseRow
    state: Label
    shape: str
    next: Act | None
    offered_here: bool
    owner: Line
    why: Line | None = None
    since: Line | None = None
    flags: tuple[Label, ...] = ()
    need: NeedRow | None = None
    contact: tuple[str, str | None] | None = None


def shape(state: State, waiting: bool) -> str:
    """The shape that goes with a state's word; see the macro `status`."""
    if state.final:
        return "ended"
    return "waiting" if waiting else "done" if state.name == "returned" else "going"


def make_cards(
    handbook: Handbook, viewer: Viewer, rows: Sequence[CaseRow], *, handed: Mapping[int, Handed] | None = None,
    needs: Mapping[int, NeedRow] | None = None, contacts: Mapping[int, tuple[str, str | None]] | None = None,
) -> list[Card]:  # fmt: skip
    """The cards of some rows, in their order."""
    seats = set(seats_of(viewer))
    return [_card(handbook, viewer, row, seats, handed or {}, needs or {}, contacts or {}) for row in rows]


def _card(
    handbook: Handbook, viewer: Viewer, row: CaseRow, seats: set[tuple[str, int]], handed: Mapping[int, Handed],
    needs: Mapping[int, NeedRow], contacts: Mapping[int, tuple[str, str | None]],
) -> Card:  # fmt: skip
    workflow = handbook.workflow(row.workflow, row.workflow_version)
    state = workflow.states[row.state]
    here = row.waiting and (row.offered_role, row.offered_unit_id) in seats
    return Card(
        row, state.label, shape(state, row.waiting),
        choices(workflow, row, _roles(viewer, row), offered_here=here).primary, here, _owner(row, state),
        why=_why(handbook, row, handed.get(row.id)),
        since=Sentence("Absent since {day}", day=row.absent_since) if row.absent_since else None,
        flags=tuple(workflow.flags[name] for name in row.flags if name in workflow.flags),
        need=needs.get(row.id), contact=contacts.get(row.id),
    )  # fmt: skip


def _roles(viewer: Viewer, row: CaseRow) -> frozenset[str]:
    """In which roles the viewer reaches the case; a row without a pupil was reached through an association."""
    if row.pupil is None:
        return frozenset(role for role in ("volunteer", "association") if viewer.holds(role))
    roles = reach(viewer, row)  # type: ignore[arg-type]
    assert knows(roles)
    return roles


def _owner(row: CaseRow, state: State) -> Line:
    """Who has it, or who is asked to take it."""
    if row.assignee:
        return Label(row.assignee, row.assignee)
    if row.waiting and row.offered_role:
        return Sentence("Waiting: {role}", role=ROLE_LABELS[row.offered_role])
    return ROLE_LABELS[state.owner] if state.owner else Sentence("Ended")


def _why(handbook: Handbook, row: CaseRow, handed: Handed | None) -> Line | None:
    """Why it is here: the rule that moved it, or who handed it over and when."""
    if handed is None:
        return None
    if handed.person:
        role = ROLE_LABELS.get(handed.role or "")
        who = Sentence("{person}, {role}", person=handed.person, role=role) if role else handed.person
        return Sentence("Handed over by {who}, {at}", who=who, at=local(handed.at))
    rule = handbook.rules(row.workflow, row.rules_version).rule(handed.kind)
    return rule.why if rule else None
