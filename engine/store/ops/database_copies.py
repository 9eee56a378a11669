"""Copies a whole database into one file while people work on it, and restores it to an empty place.

SQLite copies itself by `VACUUM INTO`: one transaction that reads, so it ends even if people write much meanwhile.
PostgreSQL has its own programs for it (`engine.store.ops.postgresql_copies`). Both copies show one moment.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from engine.core.refusals import Refused
from engine.core.words import Sentence
from engine.store.ops import postgresql_copies as postgresql
from engine.store.ops.schema import MIGRATIONS

SQLITE, POSTGRESQL = "sqlite", "postgresql"
SIDE_FILES = ("-wal", "-shm", "-journal")
WAIT_S = 15


@dataclass(frozen=True, slots=True)
class Copied:
    """What was copied: the kind of database, the major version of its server (0: none) and its schema."""

    kind: str
    server: int
    revision: str


def kind_of(url: str) -> str:
    """Returns SQLITE or POSTGRESQL. Raises Refused for anything else."""
    backend = _read(url).get_backend_name()
    if backend not in {SQLITE, POSTGRESQL, "postgres"}:
        raise _no_database(url)
    return SQLITE if backend == SQLITE else POSTGRESQL


def _read(url: str) -> URL:
    try:
        return make_url(url)
    except (ArgumentError, ValueError) as error:
        raise _no_database(url) from error


def _no_database(url: str) -> Refused:
    kind = url.partition(":")[0] if ":" in url else url  # the rest may contain a password
    return Refused(
        Sentence(
            "This names no database of a kind known here: {kind}. Write sqlite:////path/to/file.db or "
            "postgresql://user@host/name.",
            kind=kind,
        )
    )


def file_of(url: str) -> Path | None:
    """Returns the file of a SQLite database; None for any other. Raises Refused like `kind_of`."""
    name = _read(url).database
    if kind_of(url) != SQLITE or name in {None, "", ":memory:"}:
        return None
    return Path(str(name)).absolute()


def same_place(one: str, other: str) -> bool:
    """Returns whether two URLs lead to the same database."""
    first, second = _read(one), _read(other)
    if kind_of(one) == kind_of(other) == SQLITE:
        return file_of(one) == file_of(other)
    return (first.host, first.port or 5432, first.database, first.query.get("host")) == (
        second.host,
        second.port or 5432,
        second.database,
        second.query.get("host"),
    )


def without_password(url: str) -> str:
    """Returns the URL in a form that may be shown."""
    return _read(url).render_as_string(hide_password=True)


def copy(url: str, target: Path) -> Copied:
    """Copies the database at `url` into the new file `target`. Raises Refused if that is impossible."""
    if kind_of(url) == POSTGRESQL:
        server, revision = postgresql.dump(url, target)
        return Copied(POSTGRESQL, server, revision)
    return Copied(SQLITE, 0, _copy_sqlite(file_of(url), target))


def _copy_sqlite(source: Path | None, target: Path) -> str:
    if source is None or not source.is_file():
        raise Refused(Sentence("There is no database at {place}.", place=str(source or ":memory:")))
    try:
        with closing(_opened(source)) as connection:
            connection.execute("VACUUM INTO ?", (str(target),))
        with closing(_opened(target)) as connection:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.Error as error:
        raise Refused(
            Sentence("The database {place} cannot be copied: {why}", place=str(source), why=str(error))
        ) from error
    return str(row[0]) if row else ""


def _opened(path: Path) -> sqlite3.Connection:
    """Opens a connection to an existing database; it does not create one."""
    return sqlite3.connect(f"file:{quote(str(path))}?mode=rw", uri=True, timeout=WAIT_S, isolation_level=None)


def is_known(revision: str) -> bool:
    """Returns whether this program knows the schema of a copy; it does not know those of newer programs."""
    try:
        return ScriptDirectory(str(MIGRATIONS)).get_revision(revision) is not None
    except CommandError:
        return False


def is_open_elsewhere(path: Path) -> bool:
    """Returns whether a program has this SQLite database open. It also writes the log into the file."""
    if not path.is_file():
        return False
    try:
        with closing(_opened(path)) as connection:
            connection.execute("PRAGMA busy_timeout = 0")
            connection.execute("PRAGMA journal_mode = DELETE")  # needs to be alone with the file
    except sqlite3.OperationalError:
        return True
    except sqlite3.DatabaseError:  # not a database, so nobody works with it
        return False
    return False


def check_target(url: str, made: Copied) -> None:
    """Checks that a copy of a PostgreSQL database can be restored to `url`. Raises Refused if not, without changes."""
    postgresql.check_target(url, made.server)


def put_back(copied: Path, url: str) -> None:
    """Restores into the empty PostgreSQL database at `url`, completely or not at all. Raises Refused."""
    postgresql.restore(copied, url)
