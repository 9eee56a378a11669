"""Where sessions are made: the database as it must be set up, and who a session speaks for.

A `Store` gives two kinds of session. `store.scoped(viewer)` belongs to one signed-in person: every query on it is
narrowed to what `engine.core.people.access` lets that person see, so a page that forgets a filter shows nothing, not
everything.
`store.reading("why")` sees all and says why: it is for the worker, the command line, and what a page must know of more
than its reader may see. `writing` keeps what was done in it, `trying` does not.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, Executable, create_engine, event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import ORMExecuteState, Session
from sqlalchemy.util import LRUCache

from engine.core.people import access
from engine.store.database.installation import Installation
from engine.store.database.refusals import must_be_there, read_url
from engine.store.scopes import Scope, Shape, protected, shape_of, values

__all__ = ["ScopedSession", "Session", "Store", "UnscopedSession", "make_engine", "now_utc", "open_store"]

BUSY_MS = 15_000
BEAT_MS = 5_000  # a sign of life waits less: whoever asks for it wants to know
LINE_S = 10  # how long to wait for a line to PostgreSQL that others have taken
# A server that is not there any more, or whose network is gone, is noticed within half a minute, not within two hours.
PATIENCE = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
# For PostgreSQL: a page is read as of one moment, as SQLite does by itself; and its lists, which take 10 ms and more to
# plan and 1 ms to read, are planned once. Not for the worker and the command line: a plan for any values may read a
# whole table where few rows are meant.
OF_A_PAGE = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL plan_cache_mode = force_generic_plan"


class Compiled(LRUCache[Any, Any]):
    """What statements were compiled to, found by the very statement if it was met before.

    SQLAlchemy makes a key of each statement, of some hundred parts, and a dictionary hashes them all at every look.
    A statement that is made once has the same key, the same thing, each time.
    """

    MOST, LATELY = 1_000, 100  # of those that were met again, 7 KB each; of those that were met once

    __slots__ = ("_again", "_once")

    def __init__(self) -> None:
        super().__init__(500)
        self._again: dict[int, tuple[Any, Any]] = {}
        self._once: dict[int, Any] = {}

    @property
    def met(self) -> int:
        """How many are found by themselves."""
        return len(self._again)

    def get(self, key: Any, default: Any = None) -> Any:
        """What the statement of this key was compiled to. The key: dialect, parts, and what it is executed with."""
        parts = key[1]
        met = self._again.get(id(parts))
        if met is not None and met[0][1] is parts and met[0][0] is key[0] and met[0][2:] == key[2:]:
            return met[1]
        found = super().get(key, default)
        if found is not None:
            self._remember(key, found)
        return found

    def _remember(self, key: Any, found: Any) -> None:
        """Keep a statement that is met again: one that is put together each time would only take up the place."""
        parts = key[1]
        if self._once.pop(id(parts), None) is parts:
            if len(self._again) >= self.MOST:
                self._again.clear()
            self._again[id(parts)] = key, found
        else:
            if len(self._once) >= self.LATELY:
                self._once.clear()
            self._once[id(parts)] = parts

    def __delitem__(self, key: Any) -> None:
        super().__delitem__(key)
        self._again.clear()


def patience(url: URL) -> dict[str, int]:
    """How long to wait for PostgreSQL, as libpq names it: what the URL itself does not say."""
    return {name: value for name, value in PATIENCE.items() if name not in url.query}


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
    options = connection.get_execution_options()
    if options.get("writes", True):
        connection.connection.cursor().execute(f"PRAGMA busy_timeout={options.get('busy_ms', BUSY_MS)}")
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:  # waits for nobody, and cannot fail: past SQLAlchemy, which takes ten times as long over it
        connection.connection.cursor().execute("BEGIN")


def _begin_postgresql(connection: Connection) -> None:
    if begin := connection.get_execution_options().get("begin"):  # elsewhere the driver says BEGIN
        connection.exec_driver_sql(begin)


def make_engine(url: str | URL) -> Engine:
    """An engine with the guarantees we rely on: durable commits, enforced keys, and writers that queue."""
    url, known = make_url(url), {"compiled_cache": Compiled()}
    if url.get_backend_name() == "sqlite":
        waits = {"timeout": BUSY_MS / 1000, "check_same_thread": False}
        engine = create_engine(url, connect_args=waits, pool_size=20, execution_options=known)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    # A connection that speaks UTC hands out moments five times as fast as one that names a zone.
    options = f"{url.query.get('options', '')} -c timezone=UTC".strip()
    engine = create_engine(
        url,
        connect_args={**patience(url), "options": options},
        pool_pre_ping=True,
        pool_size=10,
        max_overflow=20,
        pool_timeout=LINE_S,
        execution_options=known,
    )
    event.listen(engine, "begin", _begin_postgresql)
    return engine


class Narrowing:
    """Statements as they are narrowed for the viewers of one shape; those that were met before are remembered.

    A page says a dozen statements that are made once and said often, and the ORM takes longer over one of them than
    the database does. It is needed for the first time only: for what asks for columns alone the connection will do.
    """

    def __init__(self, narrow: Callable[[Any], Any]) -> None:
        self._narrow = narrow
        self._met: WeakKeyDictionary[Executable, tuple[Any, bool]] = WeakKeyDictionary()

    def narrowed(self, statement: Any) -> Any:
        """The statement with what narrows it; the same each time for one that is made once and run often."""
        if statement not in self._met:
            self._met[statement] = self._narrow(statement), _asks_columns(statement)
        return self._met[statement][0]

    def met(self, statement: Executable) -> Any:
        """The statement as it was narrowed before, if it asks for columns alone; else None."""
        narrowed, columns = self._met.get(statement, (None, False))
        return narrowed if columns else None


def _asks_columns(statement: Any) -> bool:
    told = getattr(statement, "column_descriptions", ())
    return bool(told) and not any(isinstance(column["type"], type) for column in told)


@lru_cache(maxsize=256)
def _narrowing(shape: Shape | None) -> Narrowing:
    """For the viewers of a shape, a few dozen in a country; without one, for sessions that see everything."""
    # A statement is never its own narrowed form: kept by itself, it would be kept for good.
    return Narrowing((lambda statement: statement.options()) if shape is None else Scope(shape).narrowed)


class _Reading(Session):
    """A session that reads, on a line to the database that is open already.

    It is set up as one of the ORM when it first has to be: what most pages ask for was met before, and to set a session
    up and take it down again costs as much as to run a statement.
    """

    _is_set_up = False

    def __init__(self, line: Connection, narrowing: Narrowing, values: Mapping[str, Any]) -> None:
        self._line, self.narrowing, self._values = line, narrowing, values

    def __getattr__(self, name: str) -> Any:
        if self._is_set_up or "_line" not in vars(self):
            raise AttributeError(name)
        self._is_set_up = True
        try:
            super().__init__(self._line, expire_on_commit=False)
        except BaseException:
            self._is_set_up = False
            raise
        return getattr(self, name)

    def close(self) -> None:
        """Let go of what was read; the line stays as it is."""
        if self._is_set_up:
            super().close()

    def connection(self) -> Connection:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        """The line."""
        return self._line

    def rollback(self) -> None:
        """Give up what was begun on the line."""
        if self._is_set_up:
            super().rollback()
        self._line.rollback()

    def execute(self, statement: Any, params: Any = None, **options: Any) -> Any:
        """As any session; faster for a statement that was said before. Many rows at once are for who sees everything:
        they would go without the viewer's own values, which a narrowed statement is executed with."""
        rows = params is not None and not isinstance(params, Mapping)
        if rows and self._values:
            raise PermissionError("A scoped session takes one set of parameters.")
        given = params if rows else {**(params or {}), **self._values}
        met = None if options or rows else self.narrowing.met(statement)
        return super().execute(statement, given, **options) if met is None else self._line.execute(met, given)

    def scalars(self, statement: Any, params: Any = None, **options: Any) -> Any:
        return self.execute(statement, params, **options).scalars()

    def scalar(self, statement: Any, params: Any = None, **options: Any) -> Any:
        return self.execute(statement, params, **options).scalar()


class ScopedSession(_Reading):
    """A session for one person; see `engine.store.scopes` for what it adds to every query."""


class UnscopedSession(Session):
    """A session that sees everything: for the worker, the command line and the use cases after access was decided."""


class UnscopedReading(_Reading):
    """A session that sees everything and changes nothing."""


@event.listens_for(_Reading, "do_orm_execute", propagate=True)
def _narrow(state: ORMExecuteState) -> None:
    if state.is_column_load or state.is_relationship_load:
        return
    if state.is_orm_statement:
        assert isinstance(state.session, _Reading)
        state.statement = state.session.narrowing.narrowed(state.statement)
    elif isinstance(state.session, ScopedSession) and (names := protected(state.statement)):
        raise PermissionError(f"A scoped session was asked for {names} past the ORM, where nothing narrows it.")


class _Line:
    """A connection that is read with in one transaction: by one session, or by several that lie inside each other or
    come one after the other. It is given back when it is done and nobody uses it any more."""

    def __init__(self, connection: Connection) -> None:
        self.connection, self.done = connection, False
        self._uses = 0

    @contextmanager
    def used(self) -> Iterator[Connection]:
        """Somebody reads on it."""
        self._uses += 1
        try:
            if not self.connection.in_transaction():
                self.connection.begin()
            yield self.connection
        except BaseException as error:
            if self._uses == 1 or isinstance(error, DBAPIError):  # else others read on as of the same moment
                self.connection.rollback()
            raise
        finally:
            self._uses -= 1
            self.give_back()

    def give_back(self) -> None:
        """Give the connection back to the pool, if it is done and unused."""
        if self.done and not self._uses:
            with closing(self.connection), suppress(DBAPIError):  # a line that is lost now was read to the end
                if self.connection.dialect.name != "sqlite" and self.connection.in_transaction():
                    self.connection.commit()  # after a rollback psycopg would forget every statement it has prepared


class _Shared:
    """Where what is read for one page finds the line."""

    line: _Line | None = None

    def let_go(self) -> None:
        """Read what follows on another line."""
        if line := self.line:
            self.line, line.done = None, True
            line.give_back()


class Store:
    """One database. Cheap to keep for the life of a process; safe to share between threads."""

    def __init__(self, url: str | URL) -> None:
        self.url = make_url(url)
        self.engine = make_engine(self.url)
        self.installation = Installation(self.engine)
        self._trying = self.engine.execution_options(writes=False)
        self._reading = self._paging = self._trying
        self._beating = self.engine.execution_options(busy_ms=BEAT_MS, begin=f"SET LOCAL statement_timeout={BEAT_MS}")
        if not self.is_sqlite:
            self._reading = self.engine.execution_options(postgresql_readonly=True)
            self._paging = self.engine.execution_options(isolation_level="AUTOCOMMIT", begin=OF_A_PAGE)
        self._shared: ContextVar[_Shared | None] = ContextVar("shared line", default=None)

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def scoped(self, viewer: access.Viewer) -> Iterator[Session]:
        """A session to read with, narrowed to what `viewer` may see; nothing done in it is kept."""
        narrowing, given = _narrowing(shape_of(viewer)), values(viewer)
        with self._line(self._paging).used() as connection, ScopedSession(connection, narrowing, given) as session:
            yield session

    @contextmanager
    def reading(self, why: str) -> Iterator[Session]:
        """A session that reads everything. `why` names the job that needs it."""
        line = self._line(self._reading)
        with line.used() as connection, UnscopedReading(connection, _narrowing(None), {}) as session:
            yield session

    @contextmanager
    def one_line(self) -> Iterator[None]:
        """What is read meanwhile is read on one line and, until something is written, of one moment. A page signs its
        reader in, and reads some times more: each line taken up costs as much as a statement."""
        shared = _Shared()
        before = self._shared.set(shared)
        try:
            yield
        finally:
            self._shared.reset(before)
            shared.let_go()

    def _line(self, alone: Engine) -> _Line:
        """The shared line; where none is shared, one of `alone`."""
        shared = self._shared.get()
        if shared and shared.line:
            return shared.line
        line = _Line((self._paging if shared else alone).connect())
        if shared:
            shared.line = line
        else:
            line.done = True
        return line

    @contextmanager
    def _apart(self) -> Iterator[None]:
        """Something may be written meanwhile: neither a line from before nor one from within is read on afterwards."""
        shared = self._shared.get() or _Shared()
        shared.let_go()
        try:
            yield
        finally:
            shared.let_go()

    @contextmanager
    def trying(self, why: str) -> Iterator[Session]:
        """A transaction to try something out in: it may change everything, and nothing of it is kept."""
        with self._apart(), UnscopedSession(self._trying, info={"why": why}) as session:
            yield session

    @contextmanager
    def writing(self, why: str) -> Iterator[Session]:
        """A transaction that sees and may change everything: kept as a whole when the block ends, or not at all.

        Raises Unavailable if the database is not the one that was settled on, even if it went while this was written.
        """
        made = UnscopedSession(self.engine, info={"why": why}, autoflush=False)
        with self._apart(), made as session, session.begin():
            yield session
        self.installation.check()

    def settle(self, folders: Iterable[Path] = (), files: Iterable[Path] = ()) -> None:
        """From here on the database as it is now is the right one, and so are these folders; the files among `files`
        that are there must stay. Whatever happens to them, nothing is acknowledged any more until they are back."""
        with self.writing("settle") as session:
            beats = self.installation.settle(session.connection(), folders, files)
        self.installation.remember(beats)

    def beat(self) -> None:
        """Write a sign of life, which needs all that any entry needs, but waits less. Raises what is in the way."""
        with self._apart(), self._beating.begin() as connection:
            beats = self.installation.beat(connection)
        self.installation.check()
        self.installation.remember(beats)

    def close(self) -> None:
        self.engine.dispose()


def open_store(url: str | URL, *, make: bool = True) -> Store:
    """The store at a database URL such as `sqlite:///instance/ralop.db` or `postgresql://user@host/ralop`.

    `make`: whether a SQLite file may be made there. Raises `DatabaseRefused` for a URL that is none of a database, or
    for a file that is not there and may not be made.
    """
    known = read_url(url)
    if not make:
        must_be_there(known)
    return Store(known)


def now_utc() -> dt.datetime:
    """The moment, for the outermost shell only."""
    return dt.datetime.now(dt.UTC)
