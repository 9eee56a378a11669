"""Where sessions are made: the database as it must be set up, and who a session speaks for.

A `Store` gives two kinds of session. `store.scoped(viewer)` belongs to one signed-in person: every query on it is
narrowed to what `engine.core.people.access` lets that person see, so a page that forgets a filter shows nothing, not
everything.
`store.reading("why")` sees all and says why: it is for the worker, the command line, and what a page must know of more
than its reader may see. `writing` keeps what was done in it, `trying` does not.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, Executable, create_engine, event, inspect, make_url, select
from sqlalchemy.engine import URL, ExecutionContext
from sqlalchemy.exc import DBAPIError, NoResultFound
from sqlalchemy.orm import Session

from engine.core.people import access
from engine.store.database.installation import Installation
from engine.store.database.refusals import must_be_there, read_url
from engine.store.scopes import Scope, Shape, is_select, shape_of, unnarrowed, values

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
    url = make_url(url)
    if url.get_backend_name() == "sqlite":
        waits = {"timeout": BUSY_MS / 1000, "check_same_thread": False}
        engine = create_engine(url, connect_args=waits, pool_size=20)
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
    )
    event.listen(engine, "begin", _begin_postgresql)
    return engine


class Narrowing:
    """Statements as they are narrowed for the viewers of one shape; each is narrowed once and remembered.

    What asks for columns alone goes to the connection as it was narrowed: it needs nothing more of the ORM.
    """

    def __init__(self, shape: Shape) -> None:
        self._scope = Scope(shape)
        self._made: WeakKeyDictionary[Executable, tuple[Any, bool]] = WeakKeyDictionary()

    def narrowed(self, statement: Any) -> tuple[Any, bool]:
        """The statement with what narrows it, and whether it asks for columns alone. Raises PermissionError."""
        if statement not in self._made:
            self._made[statement] = self._scope.narrowed(statement), _asks_columns(statement)
        return self._made[statement]


def _asks_columns(statement: Any) -> bool:
    told = getattr(statement, "column_descriptions", ())
    return bool(told) and not any(isinstance(column["type"], type) for column in told)


_narrowing = lru_cache(maxsize=256)(Narrowing)  # the shapes of viewers: a few dozen in a country


class ScopedSession(Session):
    """A session that reads for one person, and takes SELECTs of models only; `engine.store.scopes` narrows them."""

    def __init__(self, connection: Connection, viewer: access.Viewer) -> None:
        super().__init__(connection, expire_on_commit=False, autoflush=False)
        self._connection, self._viewers = connection, values(viewer)
        self._narrowing = _narrowing(shape_of(viewer))

    def execute(self, statement: Any, params: Any = None, **options: Any) -> Any:
        """The rows that the viewer may see. Raises PermissionError for a statement that nothing would narrow."""
        if params is not None and not isinstance(params, Mapping):
            raise PermissionError("A scoped session takes one set of parameters.")
        given = {**(params or {}), **self._viewers}
        narrowed, columns = self._narrowing.narrowed(statement)
        if columns and not options:
            return self._connection.execute(narrowed, given)
        return super().execute(narrowed, given, **options)

    def scalars(self, statement: Any, params: Any = None, **options: Any) -> Any:
        return self.execute(statement, params, **options).scalars()

    def scalar(self, statement: Any, params: Any = None, **options: Any) -> Any:
        return self.execute(statement, params, **options).scalar()

    def get(self, entity: Any, ident: Any, **_options: Any) -> Any:
        """The row of a model with one column as its key, or None."""
        (column,) = inspect(entity).primary_key
        key = inspect(entity).get_property_by_column(column).key
        return self.execute(select(entity).where(getattr(entity, key) == ident)).scalar_one_or_none()

    def get_one(self, entity: Any, ident: Any, **_options: Any) -> Any:
        """The row of a model with one column as its key; raises NoResultFound."""
        if (found := self.get(entity, ident)) is None:
            raise NoResultFound
        return found

    def rollback(self) -> None:
        """Give up what was begun on the connection: what is read from here on is of another moment."""
        super().rollback()
        self._connection.rollback()

    def connection(self, *_given: Any, **_named: Any) -> Connection:
        """Refused: what goes to the connection is narrowed by nothing."""
        raise PermissionError("A scoped session gives nobody its connection.")


class UnscopedSession(Session):
    """A session that sees everything: for the worker, the command line and the use cases after access was decided."""


def _refuse_unnarrowed(
    _connection: Connection, _cursor: Any, sql: str, _given: Any, context: ExecutionContext | None, _many: bool
) -> None:
    if sql == OF_A_PAGE:
        return
    if context is None or not is_select(context.invoked_statement):
        raise PermissionError("A scoped connection takes a SELECT of models, and nothing else.")
    if names := unnarrowed(sql):
        raise PermissionError(f"A scoped connection was asked for {names}, which nothing narrows.")


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


class _Page:
    """The lines that one page reads on: one for what is narrowed to its reader, one for what is not."""

    def __init__(self) -> None:
        self.lines: dict[bool, _Line] = {}

    def let_go(self) -> None:
        """Read what follows on other lines."""
        lines, self.lines = self.lines, {}
        for line in lines.values():
            line.done = True
            line.give_back()


class Store:
    """One database. Cheap to keep for the life of a process; safe to share between threads."""

    def __init__(self, url: str | URL) -> None:
        self.url = make_url(url)
        self.engine = make_engine(self.url)
        self.installation = Installation(self.engine)
        self._trying = self._reading = self._paging = self.engine.execution_options(writes=False)
        self._beating = self.engine.execution_options(busy_ms=BEAT_MS, begin=f"SET LOCAL statement_timeout={BEAT_MS}")
        if not self.is_sqlite:
            self._reading = self.engine.execution_options(postgresql_readonly=True)
            self._paging = self.engine.execution_options(isolation_level="AUTOCOMMIT", begin=OF_A_PAGE)
        self._scoped = self._paging.execution_options()
        event.listen(self._scoped, "before_cursor_execute", _refuse_unnarrowed)
        self._page: ContextVar[_Page | None] = ContextVar("page", default=None)

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def scoped(self, viewer: access.Viewer) -> Iterator[Session]:
        """A session to read with, narrowed to what `viewer` may see; nothing done in it is kept."""
        with self._line(scoped=True).used() as connection, ScopedSession(connection, viewer) as session:
            yield session

    @contextmanager
    def reading(self, why: str) -> Iterator[Session]:
        """A session that reads everything. `why` names the job that needs it."""
        line = self._line(scoped=False)
        with (
            line.used() as connection,
            UnscopedSession(connection, expire_on_commit=False, info={"why": why}) as session,
        ):
            yield session

    @contextmanager
    def one_page(self) -> Iterator[None]:
        """What is read meanwhile is read on two lines, one narrowed to the reader and one not, each of one moment until
        something is written. A page signs its reader in and reads some times more; each new line costs a statement."""
        page = _Page()
        before = self._page.set(page)
        try:
            yield
        finally:
            self._page.reset(before)
            page.let_go()

    def _line(self, *, scoped: bool) -> _Line:
        """The line of the page; where there is no page, one for this reading alone."""
        page = self._page.get()
        if page and scoped in page.lines:
            return page.lines[scoped]
        line = _Line((self._scoped if scoped else self._paging if page else self._reading).connect())
        if page:
            page.lines[scoped] = line
        else:
            line.done = True
        return line

    @contextmanager
    def _apart(self) -> Iterator[None]:
        """Something may be written meanwhile: neither a line from before nor one from within is read on afterwards."""
        page = self._page.get() or _Page()
        page.let_go()
        try:
            yield
        finally:
            page.let_go()

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
    """The moment, for the outermost layer only."""
    return dt.datetime.now(dt.UTC)
