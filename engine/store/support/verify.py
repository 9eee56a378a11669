"""Checks the ledger: every balance is the sum of its entries, every line of support is an entry, every need is met as
far as its case was given something.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from sqlalchemy import func, literal, select, union_all
from sqlalchemy.orm import Session

from engine.core.support import needs as core
from engine.core.support.ledger import ASKED, BOUNDED, GAVE, REVERSED
from engine.core.words import Sentence
from engine.store.session import Store
from engine.store.support import ledger
from engine.store.tables import Base

_TABLES = Base.metadata.tables
_accounts, _balances, _entries = (_TABLES[name] for name in ("ledger_accounts", "ledger_balances", "ledger_entries"))
_commodities, _support, _needs = (_TABLES[name] for name in ("ledger_commodities", "support", "needs"))
FETCH = 2_000


def breaks(store: Store) -> Iterator[Sentence]:
    """Yields a sentence for each place where the ledger is wrong; nothing if it adds up."""
    with store.reading("verify") as session:
        yield from _balances_off(session)
        yield from _accounts_off(session)
        yield from _alone(session)
        yield from _lines_off(session)
        yield from _needs_off(session)


def count(store: Store) -> int:
    """Returns how many entries there are to check."""
    with store.reading("verify") as session:
        return session.connection().execute(select(func.count()).select_from(_entries)).scalar_one()


def _balances_off(session: Session) -> Iterator[Sentence]:
    """Compares what is kept with what the entries sum up to; an entry that has no balance counts as zero kept."""
    sides = union_all(
        select(_entries.c.to_id.label("account"), _entries.c.commodity, _entries.c.quantity.label("steps")),
        select(_entries.c.from_id, _entries.c.commodity, -_entries.c.quantity),
        select(_balances.c.account_id, _balances.c.commodity, literal(0)),
    ).subquery()
    summed = (
        select(sides.c.account, sides.c.commodity, func.sum(sides.c.steps).label("steps"))
        .join(_accounts, _accounts.c.id == sides.c.account)
        .where(_accounts.c.bounded)
        .group_by(sides.c.account, sides.c.commodity)
        .subquery()
    )
    kept = func.coalesce(_balances.c.balance, 0)
    query = (
        select(summed.c.account, summed.c.commodity, summed.c.steps, kept)
        .outerjoin(
            _balances, (_balances.c.account_id == summed.c.account) & (_balances.c.commodity == summed.c.commodity)
        )
        .where(summed.c.steps != kept)
        .order_by(summed.c.account, summed.c.commodity)
    )
    for account, commodity, steps, balance in session.connection().execute(query):
        yield Sentence(
            "Account {account}: {balance} steps of {kind} are kept, but its entries sum up to {steps}.",
            account=account,
            kind=commodity,
            balance=balance,
            steps=int(steps),
        )


def _accounts_off(session: Session) -> Iterator[Sentence]:
    wrong = (_accounts.c.kind.in_(sorted(BOUNDED))) != _accounts.c.bounded
    for id in session.connection().execute(select(_accounts.c.id).where(wrong).order_by(_accounts.c.id)).scalars():
        yield Sentence("Account {account}: whether it is bounded does not go with its kind.", account=id)


def _alone(session: Session) -> Iterator[Sentence]:
    """Finds a large gift that one person alone let happen."""
    asked = _entries.alias("asked")
    query = (
        select(_entries.c.id)
        .join(asked, asked.c.id == _entries.c.of_id)
        .where(_entries.c.kind == GAVE)
        .where((asked.c.kind != ASKED) | (asked.c.entered_by_id == _entries.c.entered_by_id))
        .order_by(_entries.c.id)
    )
    for id in session.connection().execute(query).scalars():
        yield Sentence("Entry {entry}: no second person agreed.", entry=id)


def _lines_off(session: Session) -> Iterator[Sentence]:
    """Each line of support on a case is one entry of the same kind and quantity; one that was struck is reversed."""
    back = _entries.alias("back")
    query = (
        select(
            _support.c.case_id,
            _support.c.seq,
            _support.c.kind,
            _support.c.quantity,
            _support.c.reversed_seq,
            _entries.c.commodity,
            _entries.c.quantity.label("steps"),
            _commodities.c.steps.label("in_a_unit"),
            back.c.id.label("back"),
        )
        .outerjoin(_entries, (_entries.c.case_id == _support.c.case_id) & (_entries.c.case_seq == _support.c.seq))
        .outerjoin(_commodities, _commodities.c.code == _entries.c.commodity)
        .outerjoin(back, (back.c.of_id == _entries.c.id) & (back.c.kind == REVERSED))
        .order_by(_support.c.case_id, _support.c.seq)
    )
    for row in session.connection().execution_options(yield_per=FETCH).execute(query):
        same = row.steps is not None and row.commodity == row.kind
        if not same or abs(Decimal(row.quantity) * row.in_a_unit - row.steps) >= 1:
            yield Sentence("Case {case}: support {seq} is not in the ledger as it was given.", case=row[0], seq=row[1])
        elif (row.back is None) != (row.reversed_seq is None):
            yield Sentence("Case {case}: support {seq} is reversed in one place only.", case=row[0], seq=row[1])


def _needs_off(session: Session) -> Iterator[Sentence]:
    counted = _needs.c.quantity.is_not(None)
    cases = session.connection().execute(select(_needs.c.case_id).where(counted).distinct()).scalars().all()
    for case in sorted(cases):
        query = select(_needs).where(_needs.c.case_id == case, counted).order_by(_needs.c.seq)
        rows = session.connection().execute(query).all()
        met = core.met([(row.seq, row.kind, row.quantity) for row in rows], ledger.gifts_to(session, case))
        for row, now in zip(rows, met, strict=True):
            if row.met != now:
                yield Sentence("Case {case}: need {seq} is not met as its gifts say.", case=case, seq=row.seq)
