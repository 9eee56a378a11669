"""The ledger of support: entries one by one, a balance, a donor's statement, what waits; beside a small ledger, too.

Each is measured with few entries and with many. What ours said to the database is said again by the raw driver on a
copy of the same database, triggers and commits included.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any, NamedTuple

from sqlalchemy import insert, text

from bench import DATABASES, Database, Measurement, copy_of, measured, migrated, seconds
from bench.replay import heard, replay
from engine.core.people.access import Viewer
from engine.core.support.catalogue import Kind
from engine.core.support.ledger import DONOR, FUND, GAVE, GIVEN, RECEIVED, Account, Transfer
from engine.core.text import fold, sort_key
from engine.core.words import Label
from engine.store import tables as t
from engine.store.session import Session, Store, open_store
from engine.store.simulation import seed
from engine.store.support import ledger, statements, waiting

BENCHES = ("ledger_write", "ledger_balance", "ledger_statement", "waiting_list")
NOW, DAY = dt.datetime(2026, 3, 2, 1, tzinfo=dt.UTC), dt.date(2026, 3, 2)
CASH = Kind("cash", Label("Tiền mặt", "Cash"), Label("đồng", "VND"), money=True)
FUNDS, EACH = 12, 40  # funds of an association; entries of one donor
TOGETHER = 5_000


class Size(NamedTuple):
    """The entries of a small and of a large ledger, how often each thing is done, and how many cases need something."""

    entries: tuple[int, int] = (10_000, 1_000_000)
    times: int = 200
    needs: int = 200


FULL, SMALL = Size(), Size((200, 400), 5, 10)


@dataclass
class Books:
    """A ledger that grows: an association with its funds, and donors who gave EACH times."""

    store: Store
    association: int
    funds: list[Account]
    given: Account
    donors: list[int]
    entries: int = 0

    @property
    def viewer(self) -> Viewer:
        return Viewer(1, {"association": frozenset({self.association})})

    def grow(self, entries: int) -> None:
        """Adds entries, a donor for each EACH of them."""
        table = t.Base.metadata.tables["ledger_entries"]
        while self.entries < entries:
            with self.store.writing("bench") as session:
                rows: list[dict[str, Any]] = []
                while len(rows) < min(TOGETHER, entries - self.entries):
                    name = f"Nhà hảo tâm {len(self.donors)}"
                    donor = ledger.open_account(session, DONOR, name, self.association, NOW)
                    self.donors.append(donor.id)
                    rows += [self._row(donor.id, self.entries + len(rows) + number) for number in range(EACH)]
                session.connection().execute(insert(table), rows)
            self.entries += len(rows)
        with self.store.writing("bench") as session:  # as PostgreSQL does by itself after a while
            session.execute(text("ANALYZE"))

    def _row(self, donor: int, number: int) -> dict[str, Any]:
        fund = self.funds[number % FUNDS].id
        return {
            "key": f"bench-{number}",
            "kind": RECEIVED,
            "from_id": donor,
            "to_id": fund,
            "commodity": CASH.id,
            "quantity": 100_000,
            "value": 100_000,
            "happened_on": DAY - dt.timedelta(days=number % 300),
            "entered_at": NOW,
        }


def run(size: Size = FULL) -> Iterator[Measurement]:
    """Entries a second; milliseconds for a balance, a statement, the waiting list."""
    for database in DATABASES:
        with migrated(database) as url, closing(open_store(url)) as store:
            books = _begin(store, size.needs)
            for entries in size.entries:
                books.grow(entries)
                store.close()  # a copy is made of a database that nobody holds
                yield from _measure(database, url, books, size.times)


def _begin(store: Store, needs: int) -> Books:
    with store.writing("bench") as session:
        cast = seed.add_cast(session, NOW)
        association = cast.units["association"]
        ledger.begin_counting(session, CASH)
        funds = [ledger.open_account(session, FUND, f"Quỹ {number}", association, NOW) for number in range(FUNDS)]
        given = ledger.open_account(session, GIVEN, "", association, NOW)
        _add_needs(session, cast, needs)
    return Books(store, association, funds, given, [])


def _add_needs(session: Session, cast: seed.Seeded, needs: int) -> None:
    """Cases that were referred to the association, each with a need that is partly met."""
    place = {f"{name}_id": cast.units[name] for name in ("class", "school", "village", "commune", "province")}
    for number in range(needs):
        name = f"A Mẫu {number}"
        pupil = t.Pupil(code=f"p{number}", name=name, search_key=fold(name), sort_key=sort_key(name), **place)
        session.add(pupil)
        session.flush()
        case = t.Case(
            code=f"RL-2026-9{number:05}",
            pupil_id=pupil.id,
            workflow="dropout",
            workflow_version=1,
            rules_version=1,
            state="support_referral",
            since=NOW,
            absent_since=DAY,
            opened_at=NOW,
            flags=[],
            grade=6,
            association_id=cast.units["association"],
            request="give_support",
            asked_role="association",
            asked_unit_id=cast.units["association"],
            asked_at=NOW,
            asked_from=NOW,
            last_hash="",
            **place,
        )
        session.add(case)
        session.flush()
        need = {"case_id": case.id, "seq": 1, "association_id": case.association_id, "need": "Gạo", "kind": "cash"}
        session.execute(insert(t.Need).values(**need, quantity=100, met=number % 90, raised_at=NOW))


def _measure(database: Database, url: str, books: Books, times: int) -> Iterator[Measurement]:
    donor = books.donors[len(books.donors) // 2]

    def write(number: int) -> None:
        move = Transfer(GAVE, books.funds[number % FUNDS], books.given, CASH, 1_000, DAY)
        with books.store.writing("bench") as session:
            ledger.write(session, [move], NOW, by=1, role="association", key=f"one-{books.entries}-{number}")

    def balance(number: int) -> None:
        with books.store.reading("bench") as session:
            ledger.balance(session, books.funds[number % FUNDS], CASH.id)

    def statement(_number: int) -> None:
        with books.store.scoped(books.viewer) as session:
            first = DAY - dt.timedelta(days=365)
            statements.lines(session, [books.association], first, DAY, 100, account=donor)
            statements.before(session, donor, first)

    def waits(_number: int) -> None:
        with books.store.reading("bench") as session:
            waiting.longest(session, [books.association], 10)

    works: dict[str, Callable[[int], None]] = {
        "ledger_balance": balance,
        "ledger_statement": statement,
        "waiting_list": waits,
        "ledger_write": write,
    }
    with _copied(database, url) as raw:
        for bench, work in works.items():
            ours, floor = [], []
            for number in range(times + max(2, times // 10)):
                with heard(books.store) as one:
                    ours.append(seconds(lambda: work(number)))  # noqa: B023 - called at once
                floor.append(seconds(lambda: raw.say(one)))
            warm = max(2, times // 10)
            mine, least = median(ours[warm:]), median(floor[warm:])
            if bench == "ledger_write":
                yield measured(bench, database, n=books.entries, value=1 / mine, unit="per_s", floor=1 / least)
            else:
                yield measured(bench, database, n=books.entries, value=mine * 1e3, unit="ms", floor=least * 1e3)


@contextmanager
def _copied(database: Database, url: str) -> Iterator[Any]:
    with copy_of(database, url) as before, closing(replay(before)) as raw:
        yield raw
