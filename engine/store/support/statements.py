"""Reads what places hold and what moved, for the members of an association; the sessions must be scoped."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Select, bindparam, func, select
from sqlalchemy.orm import Session

from engine.core.support.ledger import FUND, STOCK, Account
from engine.store import tables as t
from engine.store.bulk import among
from engine.store.tables.types import at_most

_entry, _account, _balance = t.LedgerEntry, t.LedgerAccount, t.LedgerBalance
_referral: Any = t.Referral
_ACCOUNT = (_account.id, _account.kind, _account.name, _account.association_id, _account.donor_id, _account.until)
_ENTRIES: Any = select(
    _entry.id,
    _entry.happened_on,
    _entry.entered_at,
    _entry.kind,
    _entry.from_id,
    _entry.to_id,
    _entry.commodity,
    _entry.quantity,
    _entry.value,
    _entry.reason,
    _referral.code,
).outerjoin(_referral, _referral.id == _entry.case_id)

_NAMED = select(*_ACCOUNT).where(among(_account.id, name="ids"))
_ANSWERS = select(_entry.of_id).where(among(_entry.of_id, name="ids"))
_TIME = (_entry.happened_on >= bindparam("first"), _entry.happened_on <= bindparam("last"))
SIDES = (("to_id", 1), ("from_id", -1))
# Made once: a scoped session narrows each statement that it meets for the first time.
_SUMS = {
    side: select(_entry.commodity, func.sum(_entry.quantity))
    .where(among(getattr(_entry, side), name="ids"), *_TIME)
    .group_by(_entry.commodity)
    for side, _sign in SIDES
}


@lru_cache(maxsize=16)
def _newest(side: str, limit: int) -> Select[Any]:
    """Selects the newest entries on one side of some accounts."""
    mine = among(getattr(_entry, side), name="ids")
    newest: Select[Any] = _ENTRIES.where(mine, *_TIME).order_by(_entry.happened_on.desc(), _entry.id.desc())
    return newest.limit(at_most(limit))


@dataclass(frozen=True, slots=True)
class PlaceHeld:
    """An account, what it is for, and what it holds: steps by kind; for a pledge, whose it is."""

    account: Account
    purpose: str | None
    held: dict[str, int]
    donor: str | None = None


@dataclass(frozen=True, slots=True)
class StatementLine:
    """An entry in a statement. `code` is None for a case that has gone on, or an entry without one.

    `sign` is 1 for what came into the account of the statement, -1 for what left it.
    """

    id: int
    day: dt.date
    entered_at: dt.datetime
    what: str
    source_kind: str
    source: str
    target_kind: str
    target: str
    commodity: str
    quantity: int
    value: int | None
    code: str | None
    reason: str | None
    answered: bool
    sign: int


def places(session: Session, associations: Collection[int], kinds: Iterable[str]) -> list[PlaceHeld]:
    """Returns the accounts of some associations with what they hold; of an unbounded one nothing is kept."""
    query = (
        select(*_ACCOUNT, _account.purpose)
        .where(_account.association_id.in_(sorted(associations)), _account.kind.in_(sorted(kinds)))
        .order_by(_account.kind, _account.name, _account.id)
    )
    rows = session.execute(query).all()
    held: dict[int, dict[str, int]] = defaultdict(dict)
    kept = select(_balance.account_id, _balance.commodity, _balance.balance).where(
        _balance.account_id.in_([row[0] for row in rows]), _balance.balance > 0
    )
    for account, commodity, steps in session.execute(kept.order_by(_balance.account_id, _balance.commodity)):
        held[account][commodity] = steps
    donors = _accounts(session, (row.donor_id for row in rows if row.donor_id is not None))
    return [
        PlaceHeld(Account(*row[:-1]), row[-1], held[row[0]], donors[row.donor_id].name if row.donor_id else None)
        for row in rows
    ]


def _accounts(session: Session, ids: Iterable[int]) -> dict[int, Account]:
    wanted = sorted(set(ids))
    rows = session.execute(_NAMED, {"ids": wanted}) if wanted else ()
    return {row[0]: Account(*row) for row in rows}


def lines(
    session: Session,
    associations: Collection[int],
    first: dt.date,
    last: dt.date,
    limit: int,
    *,
    account: int | None = None,
) -> list[StatementLine]:
    """Returns what moved from the first day to the last, the newest first; one more than `limit` if there are more.

    `account`: a donor, a fund, a stock …; without one, all that came into or left the funds and stocks.
    """
    asked = {"ids": _sides(session, associations, account), "first": first, "last": last}
    found: list[tuple[Any, int]] = []
    for side, sign in SIDES:  # each has an index of its own
        found += [(row, sign) for row in session.execute(_newest(side, limit + 1), asked)]
    found.sort(key=lambda it: (it[0].happened_on, it[0].id, -it[1]), reverse=True)
    return _lines(session, found[: limit + 1])


def line(session: Session, id: int) -> StatementLine | None:
    """Returns one entry of the viewer's associations."""
    row = session.execute(_ENTRIES.where(_entry.id == id)).one_or_none()
    return _lines(session, [(row, 1)])[0] if row else None


def _lines(session: Session, rows: list[tuple[Any, int]]) -> list[StatementLine]:
    accounts = _accounts(session, (id for row, _ in rows for id in (row.from_id, row.to_id)))
    asked = {"ids": [row.id for row, _ in rows]}
    answered = set(session.execute(_ANSWERS, asked).scalars()) if rows else set()
    unknown = Account(0, "", "", None)
    found = []
    for row, sign in rows:
        source, target = (accounts.get(id, unknown) for id in (row.from_id, row.to_id))
        found.append(
            StatementLine(
                row.id,
                row.happened_on,
                row.entered_at,
                row.kind,
                source.kind,
                source.name,
                target.kind,
                target.name,
                row.commodity,
                row.quantity,
                row.value,
                row.code,
                row.reason,
                row.id in answered,
                sign,
            )
        )
    return found


def _sides(session: Session, associations: Collection[int], account: int | None) -> list[int]:
    if account is not None:
        return [account]
    mine = _account.association_id.in_(sorted(associations))
    return list(session.execute(select(_account.id).where(mine, _account.kind.in_((FUND, STOCK)))).scalars())


def totals(
    session: Session,
    associations: Collection[int],
    first: dt.date,
    last: dt.date,
    *,
    account: int | None = None,
) -> list[tuple[str, int, int]]:
    """Returns, by kind of support, the steps that came in and the steps that left from the first day to the last."""
    asked = {"ids": _sides(session, associations, account), "first": first, "last": last}
    found: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for at, (side, _sign) in enumerate(SIDES):
        for commodity, steps in session.execute(_SUMS[side], asked):
            found[commodity][at] += int(steps)
    return [(commodity, *both) for commodity, both in sorted(found.items())]  # type: ignore[misc]


def before(session: Session, account: int, day: dt.date) -> dict[str, int]:
    """Returns what an account held before a day, in steps by kind; of a donor, less than nothing: what was given."""
    found: dict[str, int] = defaultdict(int)
    asked = {"ids": [account], "first": dt.date.min, "last": day - dt.timedelta(days=1)}
    for side, sign in SIDES:
        for commodity, steps in session.execute(_SUMS[side], asked):
            found[commodity] += sign * int(steps)
    return dict(found)
