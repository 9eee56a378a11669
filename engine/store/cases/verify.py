"""Checks that what is stored is what happened: every case against its events, marks against their changes, and all of
it against the checkpoints.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sqlalchemy import Connection, func, select

from engine.core.proof.history import faults
from engine.core.words import Sentence
from engine.store.proof import checkpoints
from engine.store.proof.case_records import case_records
from engine.store.proof.marks import wrong_marks
from engine.store.session import Store
from engine.store.tables import Base

_events = Base.metadata.tables["events"]
Progress = Callable[[int], object]  # gets the number of events that were checked since the last call


def breaks(store: Store, progress: Progress = lambda _events: None) -> Iterator[Sentence]:
    """Yields a sentence for each place where what is stored is not what happened; nothing if all is whole."""
    with store.reading("verify") as session:
        connection = session.connection()
        as_of_one_moment(connection)
        yield from broken(connection, progress)


def broken(connection: Connection, progress: Progress = lambda _events: None) -> Iterator[Sentence]:
    """The same, on a connection."""
    for case in case_records(connection):
        yield from faults(case)
        progress(len(case.events))
    yield from wrong_marks(connection)
    yield from checkpoints.wrong(connection)


def as_of_one_moment(connection: Connection) -> None:
    """Lets all statements of this transaction read the same moment, as SQLite does by itself; call it first."""
    if connection.dialect.name != "sqlite":
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")


def count(store: Store) -> int:
    """Returns how many events there are to check."""
    with store.reading("verify") as session:
        return session.connection().execute(select(func.count()).select_from(_events)).scalar_one()
