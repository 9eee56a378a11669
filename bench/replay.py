"""What our code said to the database, said again by the raw driver: the same reads, the same writes, the same commits.

`heard` writes down every statement with its parameters; `Replay` says them again, on a copy of the database as it was
before if there were writes among them, and fetches the rows. What is left of ours is what our code costs.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import psycopg
from sqlalchemy import Connection, make_url
from sqlalchemy.event import contains, listen, remove

from engine.store import bulk
from engine.store.session import Store


@dataclass(frozen=True, slots=True)
class Said:
    """One statement as the driver got it, or COMMIT or ROLLBACK. `many`: `parameters` are those of many rows."""

    statement: str
    parameters: Any = None
    many: bool = False


@contextmanager
def heard(store: Store) -> Iterator[list[Said]]:
    """All that is said to the database meanwhile; rows that would go by COPY are heard as INSERTs of many rows."""
    said: list[Said] = []

    def listener(_connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool) -> None:
        said.append(Said(statement, parameters, many))

    def begun(connection: Connection) -> None:
        """A transaction that was begun past SQLAlchemy: SQLite's, for one who only reads."""
        driver = connection.connection.driver_connection
        told = bool(said) and said[-1].statement.startswith("BEGIN")
        if isinstance(driver, sqlite3.Connection) and driver.in_transaction and not told:
            said.append(Said("BEGIN"))

    ears: Sequence[tuple[str, Callable[..., None]]] = (
        ("before_cursor_execute", listener),
        ("begin", begun),
        ("commit", lambda _connection: said.append(Said("COMMIT"))),
        ("rollback", lambda _connection: said.append(Said("ROLLBACK"))),
    )
    many, bulk.MANY = bulk.MANY, 1_000_000
    for name, ear in ears:
        listen(store.engine, name, ear)
    try:
        yield said
    finally:
        bulk.MANY = many
        for name, ear in ears:
            if contains(store.engine, name, ear):
                remove(store.engine, name, ear)


class Replay(Protocol):
    """A connection of the raw driver."""

    def say(self, said: Sequence[Said]) -> None:
        """Say it all again and fetch what comes."""

    def close(self) -> None:
        """Let go of the database."""


class Sqlite:
    """The raw driver on a SQLite file, set up as the program's own connections are."""

    def __init__(self, url: str) -> None:
        self.connection = sqlite3.connect(str(make_url(url).database), isolation_level=None, cached_statements=500)
        for pragma in ("synchronous=FULL", "foreign_keys=ON", "cache_size=-65536", "busy_timeout=15000"):
            self.connection.execute(f"PRAGMA {pragma}")

    def say(self, said: Sequence[Said]) -> None:
        """Says it on one connection: of the lines that a page has side by side the first begins and the last ends."""
        lines = 0
        for one in said:
            begins, ends = one.statement.startswith("BEGIN"), one.statement in {"COMMIT", "ROLLBACK"}
            lines += begins - ends
            if (begins and lines > 1) or (ends and lines > 0):
                continue
            if one.many:
                self.connection.executemany(one.statement, one.parameters)
            else:
                self.connection.execute(one.statement, one.parameters or ()).fetchall()

    def close(self) -> None:
        self.connection.close()


class Postgresql:
    """The raw driver on PostgreSQL; many rows for one table go by COPY."""

    def __init__(self, url: str) -> None:
        plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self.connection = psycopg.connect(plain, options="-c timezone=UTC", prepare_threshold=1)

    def say(self, said: Sequence[Said]) -> None:
        for one in said:
            if one.statement == "COMMIT":
                self.connection.commit()
            elif one.statement == "ROLLBACK":
                self.connection.rollback()
            elif one.many:
                self._many(one)
            else:
                cursor = self.connection.execute(one.statement.encode(), one.parameters)
                if cursor.description:
                    cursor.fetchall()

    def _many(self, one: Said) -> None:
        insert = re.match(r"INSERT INTO (\w+ \([^)]*\)) VALUES", one.statement)
        with self.connection.cursor() as cursor:
            if insert and len(one.parameters) >= bulk.MANY and isinstance(one.parameters[0], tuple):
                with cursor.copy(f"COPY {insert[1]} FROM STDIN".encode()) as copy:
                    for row in one.parameters:
                        copy.write_row(row)
            else:
                cursor.executemany(one.statement.encode(), one.parameters)

    def close(self) -> None:
        self.connection.close()


def replay(url: str) -> Replay:
    """The raw driver on a database."""
    return Sqlite(url) if make_url(url).get_backend_name() == "sqlite" else Postgresql(url)
