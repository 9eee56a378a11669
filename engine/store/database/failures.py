"""Tells errors of a database that end by themselves, or that an operator ends, from faults of the program.

A database that is missing, full, locked or broken takes nothing now, but may take it later: the caller tries again. A
statement that the database does not understand is a fault of the program; repeating it does not help.
"""

from __future__ import annotations

import sqlite3

from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoneLeft

from engine.core.words import Sentence

LOST: tuple[type[Exception], ...] = (SQLAlchemyError,)  # exceptions that may mean a missing database

_SQLITE = {
    sqlite3.SQLITE_BUSY: "locked",
    sqlite3.SQLITE_LOCKED: "locked",
    sqlite3.SQLITE_FULL: "full",
    sqlite3.SQLITE_READONLY: "read-only",
    sqlite3.SQLITE_IOERR: "failing",
    sqlite3.SQLITE_CORRUPT: "damaged",
    sqlite3.SQLITE_NOTADB: "damaged",
}
_OURS = {
    sqlite3.SQLITE_ERROR,
    sqlite3.SQLITE_CONSTRAINT,
    sqlite3.SQLITE_MISMATCH,
    sqlite3.SQLITE_MISUSE,
    sqlite3.SQLITE_RANGE,
    sqlite3.SQLITE_TOOBIG,
}
_POSTGRESQL = {
    "25006": "read-only",
    "53100": "full",
    "55P03": "locked",
    "57014": "locked",
    "XX001": "damaged",
    "XX002": "damaged",
    "58030": "failing",
}
# Classes of SQLSTATE: connection, transaction rolled back, no resources, not in the right state, operator, system.
_PASSING = ("08", "40", "53", "55", "57", "58", "25006", "3D", "28", "XX")


class Unavailable(SQLAlchemyError):
    """The database or the folder is not the one with which this process began; `word` says so for programs."""

    def __init__(self, word: str, why: Sentence) -> None:
        super().__init__(str(why))
        self.word, self.why = word, why


def word_for(error: BaseException | None) -> str | None:
    """Returns what is wrong with the database, in one word for programs; None if the error is a fault of the
    program.
    """
    if isinstance(error, Unavailable):
        return error.word
    if isinstance(error, NoneLeft):
        return "unreachable"  # all connections were in use for too long
    if not isinstance(error, DBAPIError):
        return None
    if isinstance(error.orig, sqlite3.Error):
        return _of_sqlite(error.orig)
    return _of_postgresql(error)


def _of_sqlite(error: sqlite3.Error) -> str | None:
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return None
    primary = code & 0xFF  # the other bits say what SQLite was doing
    return None if primary in _OURS else _SQLITE.get(primary, "unreachable")


def _of_postgresql(error: DBAPIError) -> str | None:
    state = getattr(error.orig, "sqlstate", None)
    if state is None:  # the server did not send it: there is no server
        return "unreachable" if error.connection_invalidated or _is_of_the_line(error) else None
    others = "locked" if state.startswith("40") else "unreachable"  # 40: another transaction was in the way
    return _POSTGRESQL.get(state, others) if state.startswith(_PASSING) else None


def _is_of_the_line(error: DBAPIError) -> bool:
    return type(error.orig).__name__ in {"OperationalError", "ConnectionTimeout", "InterfaceError"}
