"""Reads the books of a year in the order of their days, however many entries there are."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.core.support import beancount
from engine.core.support.beancount import BookEntry, Held
from engine.core.support.catalogue import Catalogue, Kind
from engine.core.support.ledger import BOUNDED
from engine.store.support import ledger
from engine.store.tables import Base

_TABLES = Base.metadata.tables
_accounts, _entries, _commodities = (
    _TABLES[name] for name in ("ledger_accounts", "ledger_entries", "ledger_commodities")
)
FETCH = 5_000
Place = tuple[int, str]  # an account and a commodity


def lines(session: Session, catalogue: Catalogue, year: int, title: str, zone: ZoneInfo) -> Iterator[str]:
    """Yields the books of a year as lines of plain text; days are those of `zone`."""
    line = session.connection()
    kinds = {code: ledger.as_counted(session, catalogue.kind(code)) for code in _codes(session)}
    rows = line.execute(select(_accounts.c.id, _accounts.c.kind, _accounts.c.name).order_by(_accounts.c.id)).all()
    names = {row.id: beancount.name_of(row.kind, row.id) for row in rows}
    bounded = {row.id for row in rows if row.kind in BOUNDED}
    yield from beancount.header(year, title)
    yield from beancount.opened(year, ((names[row.id], row.name) for row in rows), kinds.values())
    held = _before(session, bounded, dt.date(year, 1, 1))
    yield from beancount.brought_forward(year, _held(held, names, kinds))
    for first, after in pairwise([*(dt.date(year, month, 1) for month in range(1, 13)), dt.date(year + 1, 1, 1)]):
        for row in _between(session, first, after):
            it = BookEntry(
                row.id,
                row.happened_on,
                row.kind,
                names[row.from_id],
                names[row.to_id],
                kinds[row.commodity],
                row.quantity,
                row.entered_at.astimezone(zone).date(),
                row.of_id,
            )
            for account, steps in ((row.from_id, -row.quantity), (row.to_id, row.quantity)):
                if account in bounded:
                    held[account, row.commodity] += steps
            yield beancount.entry(it)
        yield from beancount.asserted(after, _held(held, names, kinds))


def _codes(session: Session) -> list[str]:
    query = select(_commodities.c.code).order_by(_commodities.c.code)
    return list(session.connection().execute(query).scalars())


def _before(session: Session, bounded: set[int], day: dt.date) -> dict[Place, int]:
    """Returns what each bounded account held before a day."""
    held: dict[Place, int] = defaultdict(int)
    for side, sign in ((_entries.c.to_id, 1), (_entries.c.from_id, -1)):
        query = (
            select(side, _entries.c.commodity, func.sum(_entries.c.quantity))
            .where(_entries.c.happened_on < day)
            .group_by(side, _entries.c.commodity)
        )
        for account, code, steps in session.connection().execute(query):
            if account in bounded:
                held[account, code] += sign * int(steps)
    return held


def _between(session: Session, first: dt.date, after: dt.date) -> Iterator[Any]:
    query = (
        select(_entries)
        .where(_entries.c.happened_on >= first, _entries.c.happened_on < after)
        .order_by(_entries.c.happened_on, _entries.c.id)
    )
    yield from session.connection().execution_options(yield_per=FETCH).execute(query)


def _held(held: dict[Place, int], names: dict[int, str], kinds: dict[str, Kind]) -> Iterator[Held]:
    for (account, code), steps in sorted(held.items()):
        yield Held(names[account], kinds[code], steps)
