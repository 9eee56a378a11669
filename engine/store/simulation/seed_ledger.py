"""Opens the places of a scenario's ledger, and reads what they hold."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.core.support.catalogue import Catalogue
from engine.store import tables as t
from engine.store.support import ledger


def place(session: Session, kind: str, name: str, association_id: int, now: dt.datetime) -> int:
    """Returns the fund or stock of this name; opens it if it is not there yet."""
    found = ledger.named(session, kind, name, association_id)
    return (found or ledger.open_account(session, kind, name, association_id, now)).id


def newest(session: Session, kind: str | None = None) -> int | None:
    """Returns the newest entry, of a kind if one is given."""
    query = select(t.LedgerEntry.id).order_by(t.LedgerEntry.id.desc()).limit(1)
    return session.execute(query if kind is None else query.where(t.LedgerEntry.kind == kind)).scalar()


def held(session: Session, name: str, catalogue: Catalogue) -> dict[str, Decimal]:
    """Returns what all places of a name hold, in units, by kind."""
    query = (
        select(t.LedgerBalance.commodity, t.LedgerBalance.balance)
        .join(t.LedgerAccount, t.LedgerAccount.id == t.LedgerBalance.account_id)
        .where(t.LedgerAccount.name == name)
    )
    found: dict[str, Decimal] = {}
    for code, balance in session.execute(query):
        kind = ledger.as_counted(session, catalogue.kind(code))
        found[code] = found.get(code, Decimal(0)) + kind.amount(balance)
    return found
