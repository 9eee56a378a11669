"""Cases as cards of a list: the pupil, the state, why it is here, until when, and the next thing to do.

A list has dozens of cards, so this module makes the words of a card once; the template only prints them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from functools import cache
from typing import NamedTuple

from engine.core.cases.act_vocabulary import act_label
from engine.core.cases.available_acts import choices
from engine.core.cases.definitions import Definitions
from engine.core.cases.levels import level_words
from engine.core.cases.turn import turn
from engine.core.people.access import Viewer, reach
from engine.core.people.responsibility import acted
from engine.core.people.roles import NUDGE, Roles
from engine.core.words import Label, Sentence
from engine.core.workflow.model import State, Workflow
from engine.store.cases.news import News
from engine.store.cases.rows import CaseRow
from engine.store.cases.work_list import Handed, NeedRow, seats_of
from engine.usecases.cases.nudges import likely_holder, urges
from web.site.addresses import CODE, url_for
from web.site.languages import language, said
from web.site.request_context import local
from web.site.template_filters import ago, due

ENDED = Sentence("Ended")
MOST_STANDS = 4096  # kept; a workflow has some hundreds


class Card(NamedTuple):
    """A case for a list, in words. `need` and `contact` replace the pupil for readers who may not know more.

    `turn` says of whom something else is asked than what who has the case does.

    `new` says what others did to it lately, `whose` who has it if that is not the reader.
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
    turn: str
    flags: tuple[str, ...]
    offered_here: bool
    next: tuple[str, str] | None = None  # address and words
    why: str = ""
    new: str = ""
    whose: str = ""
    can_assign: bool = False
    urge_words: str = ""  # on the button that reminds whoever has it; "" for none
    need: NeedRow | None = None
    contact: tuple[str, str | None] | None = None

    @property
    def assigns(self) -> bool:
        """Returns whether the first thing to do is to give it to somebody: a leader does not go himself."""
        return self.next is not None and self.next[0].endswith("/assign")

    @property
    def choosable(self) -> bool:
        """Returns whether it can be chosen together with others."""
        return self.can_assign or self.offered_here


def shape(state: State, waiting: bool) -> str:
    """Returns the shape that goes with a state's word; see the macro `status`."""
    if state.final:
        return "ended"
    return "waiting" if waiting else "done" if state.name == "returned" else "going"


class _Until(NamedTuple):
    """A deadline in words."""

    urgency: str
    words: str
    exact: str


class _Standing(NamedTuple):
    """The part of a case, and of how the viewer reaches it, that decides what can be done."""

    workflow: str
    version: int
    state: str
    waiting: bool
    roles: frozenset[str]
    here: bool
    offered_role: str | None
    request: str | None
    asked_role: str | None
    district: bool


class _Stand(NamedTuple):
    """The words for a standing: the state's words and shape; the next act's name and words."""

    state: str
    shape: str
    owner: str
    turn: str
    act: tuple[str, str] | None
    can_assign: bool
    urge: str  # as a superior, or sideways and upward; "" for neither


class _Table:
    """What all cards of a list share. Most cases have the same standing, so its words are kept."""

    def __init__(
        self,
        definitions: Definitions,
        viewer: Viewer,
        handed: Mapping[int, Handed],
        needs: Mapping[int, NeedRow],
        contacts: Mapping[int, tuple[str, str | None]],
        news: Mapping[int, News],
    ) -> None:
        self.definitions, self.viewer = definitions, viewer
        self.handed, self.needs, self.contacts, self.news = handed, needs, contacts, news
        self.seats, self.address = frozenset(seats_of(viewer)), url_for("case.show", code=CODE)
        self.until, self.absent, self.language = cache(_until), cache(_absent), language()

    def labels(self, row: CaseRow) -> Mapping[str, Label]:
        """Returns what the roles are called where a case lies."""
        return self.definitions.roles.called(district=row.district)

    def stand(self, case: _Standing) -> _Stand:
        """Returns the words for a standing: the same for everyone, as long as the files of workflow and roles are."""
        workflow = self.definitions.workflow(case.workflow, case.version)
        tree = self.definitions.roles.tree(district=case.district)
        asked = workflow.digest, tree.digest, case, self.language
        found = _STANDS.get(asked)
        if found is None:
            if len(_STANDS) >= MOST_STANDS:
                _STANDS.clear()
            found = _STANDS[asked] = _stand(workflow, case, tree)
        return found


_STANDS: dict[tuple[str, str, _Standing, str], _Stand] = {}


def _stand(workflow: Workflow, case: _Standing, tree: Roles) -> _Stand:
    state, can = workflow.states[case.state], choices(workflow, case, case.roles, tree, offered_here=case.here)
    labels = {code: role.label for code, role in tree.roles.items()}
    return _Stand(
        said(state.label),
        shape(state, case.waiting),
        said(tree[state.owner].label if state.owner else ENDED),
        _turn(workflow, case, labels),
        (can.primary.name, said(can.primary.label)) if can.primary else None,
        "assign" in can,
        _urge(case, state, tree),
    )


def _turn(workflow: Workflow, case: _Standing, labels: Mapping[str, Label]) -> str:
    line = turn(workflow, case, labels) if case.request in workflow.states[case.state].requests else None
    return said(line) if line else ""


def _urge(case: _Standing, state: State, tree: Roles) -> str:
    if state.final or not case.roles & tree.able(NUDGE):
        return ""
    above = urges(case.roles, likely_holder(case.asked_role, state.owner), tree)
    return said(Sentence("Urge on") if above else Sentence("Ask for attention"))


def _until(at: dt.datetime | None) -> _Until:
    found = due(at)
    return _Until(found.urgency, said(found.words), found.exact if found.urgency == "late" else "")


def _absent(since: dt.date) -> str:
    return said(Sentence("Absent since {day}", day=since))


def make_cards(
    definitions: Definitions,
    viewer: Viewer,
    rows: Sequence[CaseRow],
    *,
    handed: Mapping[int, Handed] | None = None,
    needs: Mapping[int, NeedRow] | None = None,
    contacts: Mapping[int, tuple[str, str | None]] | None = None,
    news: Mapping[int, News] | None = None,
) -> list[Card]:
    """Returns the cards of some rows, in their order."""
    table = _Table(definitions, viewer, handed or {}, needs or {}, contacts or {}, news or {})
    return [_card(table, row) for row in rows]


def _card(table: _Table, row: CaseRow) -> Card:
    waiting = row.waiting
    here = waiting and (row.offered_role, row.offered_unit_id) in table.seats
    mine, roles = row.assignee_id == table.viewer.person_id, roles_of(table.viewer, row)
    standing = _Standing(
        row.workflow,
        row.workflow_version,
        row.state,
        waiting,
        roles,
        here,
        row.offered_role,
        row.request,
        row.asked_role,
        row.district,
    )
    stand = table.stand(standing)
    address, owner, until = table.address.replace(CODE, row.code), _owner(table, row, stand), table.until(row.due_at)
    return Card(
        row,
        address,
        row.pupil or said(Sentence("Case {code}", code=row.code)),
        ", ".join(filter(None, (row.klass, row.village))),
        until.urgency,
        until.words,
        until.exact,
        stand.state,
        stand.shape,
        owner,
        stand.turn,
        _flags(table, row) if row.flags or row.level else (),
        here,
        next=(f"{address}/{stand.act[0]}", stand.act[1]) if stand.act else None,
        why=_why(table, row),
        new=_new(table, row) if row.id in table.news else "",
        whose="" if mine or here else owner,
        can_assign=stand.can_assign,
        urge_words="" if mine or here else stand.urge,
        need=table.needs.get(row.id),
        contact=table.contacts.get(row.id),
    )


def _flags(table: _Table, row: CaseRow) -> tuple[str, ...]:
    known = table.definitions.workflow(row.workflow, row.workflow_version).flags
    level = [level_words(row.level)] if row.level else []
    return tuple(said(line) for line in (*(known[name] for name in row.flags if name in known), *level))


def _new(table: _Table, row: CaseRow) -> str:
    """Returns what others did last, and when. A reader who may not know the pupil sees only that something was done."""
    news = table.news[row.id]
    when = said(ago(news.at))
    if row.pupil is None:
        return when
    workflow = table.definitions.workflow(row.workflow, row.workflow_version)
    rule = table.definitions.rules(row.workflow, row.rules_version).rule(news.kind) if news.by_rule else None
    what = said(rule.why if rule else act_label(workflow, news.kind))
    return f"{what[:1].upper()}{what[1:]}, {when}"


def roles_of(viewer: Viewer, row: CaseRow) -> frozenset[str]:
    """Returns the roles in which the viewer reaches the case; a row without a pupil was reached through an
    association.
    """
    if row.pupil is None:
        return frozenset(role for role in viewer.roles.referred if viewer.holds(role))
    return reach(viewer, row, row.id)  # type: ignore[arg-type]  # a pupil's row has all places


def _owner(table: _Table, row: CaseRow, stand: _Stand) -> str:
    """Returns who has it, or who is asked to accept it."""
    if row.assignee:
        return row.assignee
    if row.waiting and row.offered_role:
        return said(Sentence("Waiting: {role}", role=table.labels(row)[row.offered_role]))
    return stand.owner


def _why(table: _Table, row: CaseRow) -> str:
    """Returns why it is here: the rule that moved it, or who handed it over and when; and since when the pupil is
    absent.
    """
    handed = table.handed.get(row.id)
    lines: list[str] = []
    if handed and handed.person:
        who = acted(handed.person, handed.absent, table.labels(row).get(handed.role or ""))
        lines.append(said(Sentence("Handed over by {who}, {at}", who=who, at=local(handed.at))))
    elif handed and (rule := table.definitions.rules(row.workflow, row.rules_version).rule(handed.kind)):
        lines.append(said(rule.why))
    if row.absent_since:
        lines.append(table.absent(row.absent_since))
    return "".join(f"{line}. " for line in lines).rstrip()
