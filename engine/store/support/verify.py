"""Checks the ledger: every balance is the sum of its entries, every line of support is an entry, every need is met as
far as its case was given something.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from sqlalchemy import func, literal, select, union_all
from sqlalchemy.orm import Session

from engine.core.support.ledger import ASKED, BOUNDED, GAVE, REVERSED
from engine.core.words import Sentence
from engine.store.cases.verify import as_of_one_moment
from engine.store.session import Store
from engine.store.support import needs
from engine.store.tables import Base

_TABLES = Base.metadata.tables
_accounts, _balances, _entries = (_TABLES[name] for name in ("ledger_accounts", "ledger_balances", "ledger_entries"))
_commodities, _support, _needs, _corrections = (
    _TABLES[name] for name in ("ledger_commodities", "support", "needs", "corrections")
)
_back = _entries.alias("back")
FETCH = 2_000


def breaks(store: Store) -> Iterator[Sentence]:
    """Yields a sentence for each place where the ledger is wrong; nothing if it adds up."""
    with store.reading("verify") as session:
        as_of_one_moment(session.connection())
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
    """Each gift that counts on a case is one entry that was not reversed, of the same kind, quantity and day; and each
    such entry is a gift that counts. A gift that was corrected is the one of its first version.
    """
    first, second = _corrections.alias("first"), _corrections.alias("second")
    back = select(_back.c.id).where(_back.c.of_id == _entries.c.id, _back.c.kind == REVERSED).exists()
    lines = (
        select(_support, func.coalesce(first.c.entry_seq, _support.c.seq).label("root"))
        .outerjoin(first, (first.c.case_id == _support.c.case_id) & (first.c.seq == _support.c.seq))
        .where(_support.c.replaced_seq.is_(None))
        .subquery("lines")
    )
    gifts = (
        select(_entries, func.coalesce(second.c.entry_seq, _entries.c.case_seq).label("root"))
        .outerjoin(second, (second.c.case_id == _entries.c.case_id) & (second.c.seq == _entries.c.case_seq))
        .where(_entries.c.kind == GAVE, ~back)
        .subquery("gifts")
    )
    same = (lines.c.case_id == gifts.c.case_id) & (lines.c.root == gifts.c.root)
    query = (
        select(
            lines.c.case_id,
            lines.c.seq,
            lines.c.kind,
            lines.c.quantity,
            lines.c.given_on,
            gifts.c.commodity,
            gifts.c.quantity.label("steps"),
            gifts.c.happened_on,
            _commodities.c.steps.label("in_a_unit"),
        )
        .select_from(lines)
        .outerjoin(gifts, same)
        .outerjoin(_commodities, _commodities.c.code == gifts.c.commodity)
        .order_by(lines.c.case_id, lines.c.seq)
    )
    for row in session.connection().execution_options(yield_per=FETCH).execute(query):
        alike = row.steps is not None and (row.commodity, row.happened_on) == (row.kind, row.given_on)
        if not alike or abs(Decimal(row.quantity) * row.in_a_unit - row.steps) >= 1:
            yield Sentence("Case {case}: support {seq} is not in the ledger as it was given.", case=row[0], seq=row[1])
    alone = (
        select(gifts.c.case_id, gifts.c.case_seq)
        .select_from(gifts)
        .outerjoin(lines, same)
        .where(gifts.c.case_id.is_not(None), lines.c.seq.is_(None))
        .order_by(gifts.c.case_id, gifts.c.case_seq)
    )
    for case, seq in session.connection().execute(alone):
        yield Sentence("Case {case}: support {seq} is reversed in one place only.", case=case, seq=seq)


def _needs_off(session: Session) -> Iterator[Sentence]:
    counted = _needs.c.quantity.is_not(None)
    cases = session.connection().execute(select(_needs.c.case_id).where(counted).distinct()).scalars().all()
    for case in sorted(cases):
        for seq, kept, met in needs.derived(session, case):
            if kept != met:
                yield Sentence("Case {case}: need {seq} is not met as its gifts say.", case=case, seq=seq)
