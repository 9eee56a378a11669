"""The needs that an association is asked for, what waits longest, and what it gave this month."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial

from flask import Blueprint, g, render_template

from engine.core.cases.timeline import unit_label
from engine.core.refusals import NotAllowed
from engine.core.support.catalogue import Kind
from engine.core.units.kinds import KINDS
from engine.core.words import Label, Sentence
from engine.core.workflow.model import Workflow
from engine.store.session import Session
from engine.store.support import ledger, waiting
from web.site.request_context import deployment, today

MOST_GIFTS, MOST_NEEDS, MOST_PLACES = 30, 50, 10
FEW = 5  # a smaller number of cases of one place is not told: it would show who they are

pages = Blueprint("needs", __name__)


@dataclass(frozen=True, slots=True)
class Rest:
    """What of a need is still open: how much of what, by when; `partly`: some of it was given.

    `elsewhere`: another association gave the same kind lately; nothing more of that is known.
    """

    amount: Decimal
    kind: Kind
    by: dt.date | None
    partly: bool
    elsewhere: bool


@dataclass(frozen=True, slots=True)
class NeedLine:
    """A need in the list."""

    code: str
    need: str
    handover: str
    due_at: dt.datetime | None
    state: Label
    waiting: bool
    assignee: str | None
    rests: tuple[Rest, ...] = ()


@pages.get("/needs")
def index() -> str:
    """Shows what is needed, what waits longest, and what was given this month."""
    require_association()
    associations, first = associations_of(), today().replace(day=1)
    with deployment().context.store.scoped(g.viewer) as scoped:
        lines = needed(scoped)
        given = waiting.gifts(scoped, associations, first, MOST_GIFTS)
    with deployment().context.store.reading("what waits longest in an association's own cases, by place") as reading:
        places = waiting.longest(reading, g.viewer.of("association"), MOST_PLACES)
    field = workflow().fields["support_kind"]
    return render_template(
        "needs.html",
        needs=lines[:MOST_NEEDS],
        more=len(lines) > MOST_NEEDS,
        gifts=given[:MOST_GIFTS],
        more_gifts=len(given) > MOST_GIFTS,
        kind=field.choice,
        month=first,
        unit=partial(unit_label, field),
        value=sum(gift.value or 0 for gift in given[:MOST_GIFTS]),
        places=places,
        kinds=KINDS,
        few=FEW,
    )


def require_association() -> None:
    """Raises `NotAllowed` for who is in no association."""
    if not (g.viewer.holds("association") or g.viewer.holds("volunteer")):
        raise NotAllowed(Sentence("This page is for associations and their members."))


def associations_of() -> list[int]:
    """Returns the associations of the reader, those they lead first."""
    return list(dict.fromkeys([*sorted(g.viewer.of("association")), *sorted(g.viewer.of("volunteer"))]))


def workflow() -> Workflow:
    """Returns the workflow with which new cases begin."""
    return deployment().context.definitions.workflow(deployment().context.workflow)


def needed(scoped: Session) -> list[NeedLine]:
    """Returns the open cases of the reader's associations with what is needed; never who it is for."""
    definitions = deployment().context.definitions
    rows = waiting.needs(scoped, g.viewer, MOST_NEEDS)
    wanted = waiting.wanted(scoped, [row.id for row, _ in rows])
    kinds = ledger.kinds(scoped, deployment().context.support) if wanted else {}
    elsewhere = _elsewhere(list(wanted))
    return [
        NeedLine(
            row.code,
            need.need if need else "",
            (need.handover if need else None) or "",
            row.due_at,
            definitions.workflow(row.workflow, row.workflow_version).states[row.state].label,
            row.waiting,
            row.assignee,
            tuple(_rest(it, kinds, elsewhere) for it in wanted.get(row.id, ())),
        )
        for row, need in rows
    ]


def _elsewhere(case_ids: list[int]) -> set[tuple[int, str]]:
    """Returns the cases and kinds of which another association gave something lately."""
    days = deployment().context.support.double_aid_days
    if not days or not case_ids:
        return set()
    with deployment().context.store.reading("whether others gave the same kind lately: yes or no") as reading:
        return waiting.given_elsewhere(reading, case_ids, associations_of(), today() - dt.timedelta(days=days))


def _rest(it: waiting.Wanted, kinds: Mapping[str, Kind], elsewhere: set[tuple[int, str]]) -> Rest:
    kind = kinds.get(it.kind) or deployment().context.support.kind(it.kind)
    return Rest(kind.amount(it.rest), kind, it.needed_by, it.met > 0, (it.case_id, it.kind) in elsewhere)
