"""`ralop verify` over a country, a checkpoint after some cases changed, and what the upgrade to 0022 adds to each case.

The floors: a plain scan of the events, and of the cases, by the raw driver.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import NamedTuple

from sqlalchemy import Connection

from bench import DATABASES, Database, Measurement, copy_of, measured, seconds, typical
from bench.country import NOW
from bench.data import HAMLETS, PROVINCES, CountrySize, Filled, filled
from engine.core.cases.casework import Actor
from engine.core.cases.definitions import Definitions
from engine.store.cases import verify, writer
from engine.store.cases.surroundings import cases, caseworks_of, read_facts
from engine.store.proof import checkpoints
from engine.store.proof.adopting import adopt
from engine.store.session import Session, Store, open_store

BENCHES = ("verify", "checkpoint", "adopt")
EVENTS = "SELECT * FROM events ORDER BY case_id, seq"
CASES = "SELECT * FROM cases ORDER BY id"


class Size(NamedTuple):
    """The country, and how many of its cases change before a checkpoint."""

    country: CountrySize = PROVINCES
    changed: int = 1_000


FULL, SMALL = Size(), Size(HAMLETS, 48)


def run(size: Size = FULL) -> Iterator[Measurement]:
    """How many events a second are verified, how long a checkpoint takes, how many cases a second are adopted."""
    for database in DATABASES:
        data = filled(database, size.country)
        with copy_of(database, data.url) as url, closing(open_store(url)) as store:
            yield _adopt(database, store)
            checkpoints.make(store, NOW)
            yield _verify(database, store)
            yield _checkpoint(database, data, store, size.changed)


def _scan(store: Store, statement: str) -> float:
    """How long the raw driver takes to read all rows, in seconds."""
    with store.reading("bench") as session:
        connection = session.connection()
        return typical(lambda: _fetch(connection, statement), 3)


def _fetch(connection: Connection, statement: str) -> None:
    connection.exec_driver_sql(statement).fetchall()


def _adopt(database: Database, store: Store) -> Measurement:
    with store.writing("bench") as session:
        took = seconds(lambda: adopt(session.connection(), NOW))
    number = verify.count(store) // 2
    scan = _scan(store, CASES)
    return measured("adopt", database, n=number, value=number / took, unit="per_s", floor=number / scan)


def _verify(database: Database, store: Store) -> Measurement:
    number, found = verify.count(store), list[object]()
    took = seconds(lambda: found.extend(verify.breaks(store)))
    assert not found, found[:3]
    scan = _scan(store, EVENTS)
    return measured("verify", database, n=number, value=number / took, unit="per_s", floor=number / scan)


def _checkpoint(database: Database, data: Filled, store: Store, changed: int) -> Measurement:
    with data.context() as context, store.writing("bench") as session:
        _note(session, context.definitions, changed)
    took = seconds(lambda: checkpoints.make(store, NOW))
    scan = _scan(store, CASES)
    return measured("checkpoint", database, n=changed, value=took * 1000, unit="ms", floor=scan * 1000)


def _note(session: Session, definitions: Definitions, changed: int) -> None:
    found = read_facts(session, cases.c.id <= changed)
    works = caseworks_of(session, definitions, found, NOW)
    for work in works:
        work.write("noted", Actor(None, frozenset({"rule"})), {"note": "x"})
    writer.store(session, works)
