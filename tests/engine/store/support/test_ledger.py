"""The database guards the ledger: nothing below zero, nothing changed, nothing twice, answers to what they name."""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from engine.core.refusals import Conflict, NotEnough
from engine.core.support.catalogue import Kind
from engine.core.support.ledger import (
    DONOR,
    FUND,
    GAVE,
    GIVEN,
    RECEIVED,
    REVERSED,
    STOCK,
    TRANSFERRED,
    Account,
    Transfer,
)
from engine.core.words import Label
from engine.store.session import Session, Store
from engine.store.support import ledger

NOW = dt.datetime(2026, 3, 2, 1, tzinfo=dt.UTC)
DAY = dt.date(2026, 3, 2)
CASH = Kind("cash", Label("Tiền mặt", "Cash"), Label("đồng", "VND"), money=True)
RICE = Kind("rice", Label("Gạo", "Rice"), Label("kg", "kg"), 1000)


def opened(session: Session, *kinds: str) -> list[Account]:
    for kind in (CASH, RICE):
        ledger.begin_counting(session, kind)
    return [ledger.open_account(session, kind, f"{kind} {number}", None, NOW) for number, kind in enumerate(kinds)]


def test_what_is_received_and_given_stands_in_the_balance_and_no_more_can_be_given(store: Store) -> None:
    with store.writing("test") as session:
        donor, fund, given = opened(session, DONOR, FUND, GIVEN)
        received = Transfer(RECEIVED, donor, fund, CASH, 500_000, DAY)
        ledger.write(session, [received, Transfer(GAVE, fund, given, CASH, 200_000, DAY)], NOW, by=None, role=None)
    with pytest.raises(NotEnough), store.writing("test") as session:
        ledger.write(session, [Transfer(GAVE, fund, given, CASH, 300_001, DAY)], NOW, by=None, role=None)
    with store.reading("test") as session:
        assert [ledger.balance(session, it, "cash") for it in (donor, fund, given)] == [-500_000, 300_000, 200_000]


def test_a_stock_that_never_held_a_kind_gives_none_of_it(store: Store) -> None:
    with store.writing("test") as session:
        stock, given = opened(session, STOCK, GIVEN)
    with pytest.raises(NotEnough), store.writing("test") as session:
        ledger.write(session, [Transfer(GAVE, stock, given, RICE, 1, DAY)], NOW, by=None, role=None)


def test_one_entry_of_several_that_is_refused_takes_all_back(store: Store) -> None:
    with store.writing("test") as session:
        donor, one, other = opened(session, DONOR, FUND, FUND)
        ledger.write(session, [Transfer(RECEIVED, donor, one, CASH, 100, DAY)], NOW, by=None, role=None)
    moves = [Transfer(TRANSFERRED, one, other, CASH, 60, DAY)] * 2
    with pytest.raises(NotEnough), store.writing("test") as session:
        ledger.write(session, moves, NOW, by=None, role=None)
    with store.reading("test") as session:
        assert [ledger.balance(session, it, "cash") for it in (one, other)] == [100, 0]


def _entry(session: Session, **values: object) -> None:
    """Writes an entry past the program."""
    row = {"key": "x", "kind": "receive", "commodity": "cash", "quantity": 5, "happened_on": "2026-03-02"}
    row |= {"entered_at": "2026-03-02 01:00:00"} | values
    names = ", ".join(row)
    session.execute(text(f"INSERT INTO ledger_entries ({names}) VALUES ({', '.join(f':{it}' for it in row)})"), row)


Attack = Callable[[Session, Account, Account, int], object]
ATTACKS: dict[str, Attack] = {
    "an entry is changed": lambda s, donor, fund, id: s.execute(text("UPDATE ledger_entries SET quantity = 1")),
    "an entry is deleted": lambda s, donor, fund, id: s.execute(text("DELETE FROM ledger_entries")),
    "the same key twice": lambda s, donor, fund, id: _entry(s, key="first", from_id=donor.id, to_id=fund.id),
    "nothing is moved": lambda s, donor, fund, id: _entry(s, quantity=0, from_id=donor.id, to_id=fund.id),
    "less than nothing is moved": lambda s, donor, fund, id: _entry(s, quantity=-5, from_id=donor.id, to_id=fund.id),
    "more than fits is moved": lambda s, donor, fund, id: _entry(s, quantity=2**60, from_id=donor.id, to_id=fund.id),
    "it goes where it came from": lambda s, donor, fund, id: _entry(s, from_id=donor.id, to_id=donor.id),
    "a balance below zero": lambda s, donor, fund, id: s.execute(text("UPDATE ledger_balances SET balance = -1")),
    "a balance is deleted": lambda s, donor, fund, id: s.execute(text("DELETE FROM ledger_balances")),
    "an account becomes unbounded": lambda s, donor, fund, id: s.execute(
        text("UPDATE ledger_accounts SET bounded = :no WHERE id = :id"), {"no": False, "id": fund.id}
    ),
    "a step changes": lambda s, donor, fund, id: s.execute(text("UPDATE ledger_commodities SET steps = 10")),
    "a reversal without a reason": lambda s, donor, fund, id: _entry(
        s, kind="reverse", of_id=id, from_id=fund.id, to_id=donor.id
    ),
    "a reversal of another quantity": lambda s, donor, fund, id: _entry(
        s, kind="reverse", of_id=id, from_id=fund.id, to_id=donor.id, reason="sai", quantity=4
    ),
    "a second person that nobody asked": lambda s, donor, fund, id: _entry(
        s, kind="give", of_id=id, from_id=donor.id, to_id=fund.id
    ),
}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS.keys())
def test_the_database_refuses_what_no_program_may_do(attack: Attack, store: Store) -> None:
    with store.writing("test") as session:
        donor, fund = opened(session, DONOR, FUND)
        receipt = Transfer(RECEIVED, donor, fund, CASH, 5, DAY)
        (id,) = ledger.write(session, [receipt], NOW, by=None, role=None, key="first")
    with pytest.raises(DBAPIError), store.writing("test") as session:
        attack(session, donor, fund, id)
    with store.reading("test") as session:
        assert ledger.balance(session, fund, "cash") == 5


def test_sqlite_replaces_no_entry_account_or_kind(sqlite_url: str) -> None:
    from engine.store.session import open_store

    store = open_store(sqlite_url)
    with store.writing("test") as session:
        donor, fund = opened(session, DONOR, FUND)
        ledger.write(session, [Transfer(RECEIVED, donor, fund, CASH, 5, DAY)], NOW, by=None, role=None, key="first")
    for table, column in (("ledger_entries", "id"), ("ledger_accounts", "id"), ("ledger_commodities", "code")):
        with pytest.raises(IntegrityError), store.writing("test") as session:
            session.execute(text(f"INSERT OR REPLACE INTO {table} SELECT * FROM {table} ORDER BY {column} LIMIT 1"))
    columns = "key, kind, from_id, to_id, commodity, happened_on, entered_at"
    less = f"INSERT OR REPLACE INTO ledger_entries (quantity, {columns}) SELECT 1, {columns} FROM ledger_entries"
    with pytest.raises(IntegrityError, match="append-only"), store.writing("test") as session:
        session.execute(text(less))
    with pytest.raises(IntegrityError, match="whole number"), store.writing("test") as session:
        _entry(session, from_id=donor.id, to_id=fund.id, quantity=1.5)
    store.close()


def test_a_reversal_restores_and_comes_once(store: Store) -> None:
    with store.writing("test") as session:
        donor, fund = opened(session, DONOR, FUND)
        receipt = Transfer(RECEIVED, donor, fund, CASH, 5, DAY)
        (id,) = ledger.write(session, [receipt], NOW, by=None, role=None)
        back = replace(receipt, what=REVERSED, source=fund, target=donor, reason="Ghi nhầm quỹ", of=id)
        ledger.write(session, [back], NOW, by=None, role=None)
        made = ledger.made(session, id)
        assert made is not None
        assert made.answered
        assert [ledger.balance(session, it, "cash") for it in (donor, fund)] == [0, 0]
    with pytest.raises((IntegrityError, Conflict)), store.writing("test") as session:
        ledger.write(session, [back], NOW, by=None, role=None)


def test_a_fund_takes_no_more_than_63_bits_hold(store: Store) -> None:
    with store.writing("test") as session:
        donor, fund = opened(session, DONOR, FUND)
        session.execute(
            text("INSERT INTO ledger_balances (account_id, commodity, balance) VALUES (:id, 'cash', :most)"),
            {"id": fund.id, "most": 2**62},
        )
    with pytest.raises(IntegrityError), store.writing("test") as session:
        _entry(session, from_id=donor.id, to_id=fund.id, quantity=1)
