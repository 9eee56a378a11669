"""Where sessions are made: the database as it must be set up, and who a session speaks for.

A `Store` gives two kinds of session. `store.scoped(viewer, now)` belongs to one signed-in person: every query on it is
narrowed to what `engine.access` lets that person see, so a page that forgets a filter shows nothing, not everything.
`store.reading("why")` sees all and says so in its name: it is for the worker and the command line. `writing` keeps what
was done in it, `trying` does not.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.orm import ORMExecuteState, Session

from engine import access
from engine.store.scopes import protected, scope_of

__all__ = ["ScopedSession", "Session", "Store", "UnscopedSession", "make_engine", "now_utc", "open_store"]

BUSY_MS = 15_000
# For PostgreSQL: a page's lists take 10 ms and more to plan, and 1 ms to read. Not for work on many cases: a plan for
# any values may read a whole table where few rows are meant.
PLANNED_ONCE = "SET LOCAL plan_cache_mode = force_generic_plan"


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves: pysqlite would begin too late
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={BUSY_MS}")
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")  # what was acknowledged survives a power cut
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA cache_size=-65536")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # A writer takes its place in the queue at once: a read that turns into a write cannot wait, only fail.
    immediate = connection.get_execution_options().get("writes", True)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def make_engine(url: str | URL) -> Engine:
    """An engine with the guarantees we rely on: durable commits, enforced keys, and writers that queue."""
    url = make_url(url)
    if url.get_backend_name() == "sqlite":
        engine = create_engine(url, connect_args={"timeout": BUSY_MS / 1000, "check_same_thread": False}, pool_size=20)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    # A connection that speaks UTC hands out moments five times as fast as one that names a zone.
    options = f"{url.query.get('options', '')} -c timezone=UTC".strip()
    return create_engine(url, connect_args={"options": options}, pool_pre_ping=True, pool_size=10, max_overflow=20)


class ScopedSession(Session):
    """A session for one person; see `engine.store.scopes` for what it adds to every query."""


class UnscopedSession(Session):
    """A session that sees everything: for the worker, the command line and the use cases after access was decided."""


@event.listens_for(ScopedSession, "do_orm_execute")
def _narrow(state: ORMExecuteState) -> None:
    if state.is_column_load or state.is_relationship_load:
        return
    if not state.is_orm_statement:
        if names := protected(state.statement):
            raise PermissionError(f"A scoped session was asked for {names} past the ORM, where nothing narrows it.")
        return
    state.statement = state.session.info["scope"].narrowed(state.statement)


class Store:
    """One database. Cheap to keep for the life of a process; safe to share between threads."""

    def __init__(self, url: str | URL) -> None:
        self.url = make_url(url)
        self.engine = make_engine(self.url)
        read_only = {} if self.is_sqlite else {"postgresql_readonly": True}
        self._trying = self.engine.execution_options(writes=False)
        self._reading = self.engine.execution_options(writes=False, **read_only)

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def scoped(self, viewer: access.Viewer) -> Iterator[Session]:
        """A session to read with, narrowed to what `viewer` may see; nothing done in it is kept."""
        info = {"viewer": viewer, "scope": scope_of(viewer)}
        with ScopedSession(self._reading, info=info, expire_on_commit=False) as session:
            if not self.is_sqlite:
                session.connection().exec_driver_sql(PLANNED_ONCE)
            yield session
            self._end(session)

    @contextmanager
    def reading(self, why: str) -> Iterator[Session]:
        """A session that reads everything. `why` names the job that needs it."""
        with UnscopedSession(self._reading, info={"why": why}, expire_on_commit=False) as session:
            yield session
            self._end(session)

    @contextmanager
    def trying(self, why: str) -> Iterator[Session]:
        """A transaction to try something out in: it may change everything, and nothing of it is kept."""
        with UnscopedSession(self._trying, info={"why": why}) as session:
            yield session

    def _end(self, session: Session) -> None:
        if not self.is_sqlite:
            session.commit()  # read-only; after a rollback psycopg would forget every statement it has prepared

    @contextmanager
    def writing(self, why: str) -> Iterator[Session]:
        """A transaction that sees and may change everything: kept as a whole when the block ends, or not at all."""
        with UnscopedSession(self.engine, info={"why": why}, autoflush=False) as session, session.begin():
            yield session

    def close(self) -> None:
        self.engine.dispose()


def open_store(url: str | URL) -> Store:
    """The store at a database URL such as `sqlite:///instance/ralop.db` or `postgresql://user@host/ralop`."""
    url = make_url(url)
    if url.drivername in {"postgresql", "postgres"}:
        url = url.set(drivername="postgresql+psycopg")
    return Store(url)


def now_utc() -> dt.datetime:
    """The moment, for the outermost shell only."""
    return dt.datetime.now(dt.UTC)
