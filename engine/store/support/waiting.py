"""What an association is asked for and what it gave: the needs of its cases, what waits longest, gifts of a time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.core.people.access import Viewer
from engine.core.support.ledger import GAVE
from engine.store import tables as t
from engine.store.bulk import among
from engine.store.cases.rows import CaseRow, by_arms, read_referred, referred_arms
from engine.store.cases.work_list import NeedRow, needs_of
from engine.store.tables.types import at_most

_TABLES = t.Base.metadata.tables
_cases, _needs, _units = (_TABLES[name] for name in ("cases", "needs", "units"))
_entries, _accounts = _TABLES["ledger_entries"], _TABLES["ledger_accounts"]
_others, _back = _cases.alias("other_case"), _entries.alias("back")
_referral: Any = t.Referral  # mapped from the columns of cases, which type checkers do not see
_gifts: Any = t.Support
PLACES = {"village": "village_id", "school": "school_id"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A need of a case that is counted and not met yet: `rest` steps of its kind are still open."""

    case_id: int
    kind: str
    quantity: int
    met: int
    needed_by: dt.date | None

    @property
    def rest(self) -> int:
        """Returns how many steps are still to be given."""
        return self.quantity - self.met


@dataclass(frozen=True, slots=True)
class Gift:
    """Support that was given. `value` is in đồng; `code` is None if somebody else has the case since."""

    code: str | None
    kind: str
    quantity: str
    unit: str
    value: int | None
    giver: str | None
    given_on: dt.date


@dataclass(frozen=True, slots=True)
class WaitingPlace:
    """A village or a school: how many cases there need something still, and since when the first one waits."""

    kind: str
    name: str
    cases: int
    since: dt.datetime | None


_WANTED = (
    select(t.Need.case_id, t.Need.kind, t.Need.quantity, t.Need.met, t.Need.needed_by)
    .where(among(t.Need.case_id, name="cases"), t.Need.quantity.is_not(None), t.Need.met < t.Need.quantity)
    .where(t.Need.replaced_seq.is_(None))
    .order_by(t.Need.case_id, t.Need.seq)
)


def needs(session: Session, viewer: Viewer, limit: int) -> list[tuple[CaseRow, NeedRow | None]]:
    """Returns open cases that were referred to the viewer's associations, the next due first, each with its last need.

    The result has one more than `limit` if there are more. The session must be scoped.
    """
    picks = by_arms(referred_arms(viewer), [t.OPEN], limit + 1)
    rows = read_referred(session, picks, limit + 1)
    found = needs_of(session, [row.id for row in rows])
    return [(row, found.get(row.id)) for row in rows]


def wanted(session: Session, case_ids: Sequence[int]) -> dict[int, list[Wanted]]:
    """Returns what of the counted needs of some cases is still open."""
    if not case_ids:
        return {}
    found: dict[int, list[Wanted]] = {}
    rows: Any = session.execute(_WANTED, {"cases": case_ids})
    for row in rows:
        found.setdefault(row[0], []).append(Wanted(*row))
    return found


def given_elsewhere(
    session: Session, case_ids: Sequence[int], associations: Collection[int], since: dt.date
) -> set[tuple[int, str]]:
    """Returns the cases, each with the kinds that another association gave the same pupil since a day.

    The session is unscoped, and this one bit is all that leaves it: no donor, no amount, no name, no day.
    """
    if not case_ids:
        return set()
    query = (
        select(_cases.c.id, _entries.c.commodity)
        .join(_others, _others.c.pupil_id == _cases.c.pupil_id)
        .join(_entries, _entries.c.case_id == _others.c.id)
        .join(_accounts, _accounts.c.id == _entries.c.to_id)
        .where(among(_cases.c.id, case_ids), _entries.c.kind == GAVE, _entries.c.happened_on >= since)
        .where(_accounts.c.association_id.not_in(sorted(associations)))
        .where(~select(_back.c.id).where(_back.c.of_id == _entries.c.id).exists())
        .distinct()
    )
    return {(case, kind) for case, kind in session.connection().execute(query)}


def longest(session: Session, associations: Collection[int], limit: int) -> list[WaitingPlace]:
    """Returns the villages and schools whose open needs wait longest, by the oldest of them; no child is told apart.

    The session is unscoped: an association counts its own cases by place, which it sees of no single one.
    """
    rows: list[WaitingPlace] = []
    for kind, column in PLACES.items():
        query = (
            select(_units.c.name, func.count(_cases.c.id.distinct()), func.min(_needs.c.raised_at).label("since"))
            .join(_needs, _needs.c.case_id == _cases.c.id)
            .join(_units, _units.c.id == _cases.c[column])
            .where(_cases.c.association_id.in_(sorted(associations)), t.OPEN)
            .where(_needs.c.quantity.is_not(None), _needs.c.met < _needs.c.quantity, _needs.c.replaced_seq.is_(None))
            .group_by(_units.c.id, _units.c.name)
            .order_by("since", _units.c.name)
            .limit(at_most(limit))
        )
        rows += [WaitingPlace(kind, *row) for row in session.connection().execute(query)]
    return rows


def gifts(session: Session, associations: Collection[int], since: dt.date, limit: int) -> list[Gift]:
    """Returns what some associations gave since a day, the last first; one more than `limit` if there are more."""
    query = (
        select(_referral.code, _gifts.kind, _gifts.quantity, _gifts.unit, _gifts.value, _gifts.giver, _gifts.given_on)
        .outerjoin(_referral, _referral.id == _gifts.case_id)
        .where(_gifts.association_id.in_(sorted(associations)), _gifts.given_on >= since)
        .where(_gifts.replaced_seq.is_(None))
        .order_by(_gifts.given_on.desc(), _gifts.case_id.desc(), _gifts.seq.desc())
        .limit(at_most(limit + 1))
    )
    return [Gift(*row) for row in session.execute(query)]
