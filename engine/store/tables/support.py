"""The ledger of support: accounts, entries that move something from one to another, and what bounded accounts hold."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.tables.base import Base
from engine.store.tables.types import OpenDay

MOST_HELD = 2**62  # steps in one account: what is added stays within 63 bits
MOST_MOVED = 10**15  # steps of one entry


class LedgerCommodity(Base):
    """A kind of support that the ledger counts, and its smallest steps in one unit. Neither ever changes."""

    __tablename__ = "ledger_commodities"
    code: Mapped[str] = mapped_column(String(40), primary_key=True)
    steps: Mapped[int] = mapped_column(Integer)


class LedgerAccount(Base):
    """Where support is, comes from or goes to: a donor, a pledge, a fund, a stock …

    Its kind, and whether it is bounded, never change: the balance of a bounded one is kept from its first entry on.
    """

    __tablename__ = "ledger_accounts"
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(12))
    bounded: Mapped[bool]
    name: Mapped[str] = mapped_column(String(200), default="")
    association_id: Mapped[int | None] = mapped_column(ForeignKey("units.id"))
    donor_id: Mapped[int | None] = mapped_column(ForeignKey("ledger_accounts.id"))
    purpose: Mapped[str | None] = mapped_column(String(300))  # what a fund is for; where a stock lies
    until: Mapped[dt.date | None] = mapped_column(OpenDay, nullable=False)  # the last day of a pledge
    opened_at: Mapped[dt.datetime]
    opened_by_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    __table_args__ = (Index("ix_ledger_accounts_association_id", "association_id", "kind", "name"),)


class LedgerBalance(Base):
    """What a bounded account holds of a commodity, in steps. Only the trigger on entries moves it."""

    __tablename__ = "ledger_balances"
    account_id: Mapped[int] = mapped_column(ForeignKey("ledger_accounts.id"), primary_key=True)
    commodity: Mapped[str] = mapped_column(ForeignKey("ledger_commodities.code"), primary_key=True)
    balance: Mapped[int]
    __table_args__ = (CheckConstraint(f"balance BETWEEN 0 AND {MOST_HELD}", name="enough"),)


class LedgerEntry(Base):
    """One move of a quantity from one account to another; never changed, never deleted.

    `happened_on` is the day it happened, `entered_at` when it was entered. `of_id` is the entry that it answers: the
    one it reverses, or the request for a second person that it settles. A gift names its case and the event there.
    """

    __tablename__ = "ledger_entries"
    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(80), unique=True)
    kind: Mapped[str] = mapped_column(String(12))
    from_id: Mapped[int] = mapped_column(ForeignKey("ledger_accounts.id"))
    to_id: Mapped[int] = mapped_column(ForeignKey("ledger_accounts.id"))
    commodity: Mapped[str] = mapped_column(ForeignKey("ledger_commodities.code"))
    quantity: Mapped[int]
    value: Mapped[int | None]  # đồng, as estimated when it was entered
    happened_on: Mapped[dt.date]
    entered_at: Mapped[dt.datetime]
    entered_by_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    role: Mapped[str | None] = mapped_column(String(24))
    case_id: Mapped[int | None] = mapped_column(ForeignKey("cases.id"))
    case_seq: Mapped[int | None] = mapped_column(Integer)
    of_id: Mapped[int | None] = mapped_column(ForeignKey("ledger_entries.id"), unique=True)
    reason: Mapped[str | None] = mapped_column(String(300))
    __table_args__ = (
        CheckConstraint("from_id <> to_id", name="moves"),
        CheckConstraint(f"quantity BETWEEN 1 AND {MOST_MOVED}", name="quantity"),
        CheckConstraint("kind <> 'reverse' OR (of_id IS NOT NULL AND reason IS NOT NULL)", name="reversal"),
        CheckConstraint("of_id IS NULL OR kind IN ('reverse', 'give')", name="answer"),
        Index("ix_ledger_entries_from_id", "from_id", "happened_on", "id"),
        Index("ix_ledger_entries_to_id", "to_id", "happened_on", "id"),
        Index("uq_ledger_entries_case", "case_id", "case_seq", unique=True),
    )
