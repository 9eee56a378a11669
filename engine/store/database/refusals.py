"""Says in words what is wrong with a database: its URL, its driver, its file, its server, its schema."""

from __future__ import annotations

from pathlib import Path

from alembic.util import CommandError
from sqlalchemy import make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from engine.core.refusals import Refused
from engine.core.words import Sentence

DRIVERS = {
    "sqlite": "sqlite",
    "sqlite+pysqlite": "sqlite",
    "postgresql": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}
NO_FILE = {"", ":memory:"}  # a database that would end with the program
LONGEST = 300  # characters of a message of the driver


class DatabaseRefused(Refused):
    """The URL has no database with which the program could work."""


def read_url(text: str | URL) -> URL:
    """Reads the URL of a database; sets the driver that this program includes. Raises `DatabaseRefused`."""
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise DatabaseRefused(
            Sentence(
                "This is no URL of a database; write for example sqlite:////srv/ralop/ralop.db or "
                "postgresql://user@host/ralop."
            )
        ) from None
    if url.drivername not in DRIVERS:
        raise DatabaseRefused(
            Sentence(
                "{driver} is no database for this program: it works on sqlite:/// and postgresql://.",
                driver=url.drivername,
            )
        )
    if url.get_backend_name() == "sqlite":
        _check_sqlite(url)
    return url.set(drivername=DRIVERS[url.drivername])


def _check_sqlite(url: URL) -> None:
    path = url.database or ""
    if url.host or url.query or "\x00" in path or path in NO_FILE:
        raise DatabaseRefused(
            Sentence(
                "This is no URL of a SQLite file: write sqlite:/// and the path, with a fourth slash if the path "
                "begins at the root."
            )
        )
    if Path(path).is_dir():
        raise DatabaseRefused(Sentence("{path} is a folder: name the file of the database.", path=path))


def must_be_there(url: URL) -> None:
    """Raises `DatabaseRefused` for a missing SQLite file, because connecting would create it."""
    if url.get_backend_name() != "sqlite":
        return
    path = url.database or ""
    if not Path(path).is_file():
        raise DatabaseRefused(
            Sentence(
                "There is no database {path}. Nothing was made: give the right one, or let `ralop serve` set one up.",
                path=path,
            )
        )


def not_current(found: str | None, newest: str | None) -> DatabaseRefused:
    """Returns the refusal of a database with the schema of another version."""
    if found is None:
        return DatabaseRefused(
            Sentence("This database holds nothing of this program: give the right one, or let `ralop serve` set it up.")
        )
    return DatabaseRefused(
        Sentence(
            "The database is not of this program's version: {found} instead of {newest}. `ralop serve` and `ralop "
            "worker` bring it up to date.",
            found=found,
            newest=newest,
        )
    )


def in_words(error: BaseException) -> Sentence | None:
    """Returns what a failure of the database means for the person who gave the command; None for another kind."""
    if isinstance(error, CommandError):
        return Sentence(
            "The database was brought to a version that this program does not know ({detail}): install the "
            "newer program again.",
            detail=_short(error),
        )
    if isinstance(error, DBAPIError):
        return Sentence("The database cannot be used: {detail}", detail=_short(error.orig or error))
    if isinstance(error, SQLAlchemyError):
        return Sentence("The database cannot be used: {detail}", detail=_short(error))
    return None


def _short(error: BaseException) -> str:
    return " ".join(str(error).split())[:LONGEST]
