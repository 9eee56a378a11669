"""Which errors of a database pass by themselves or by an operator's hand, and which are faults of the program.

A database that is not there, is full, locked or broken takes nothing now and may later: whoever asked tries again. A
statement that it does not understand is our own fault, however often it is said.
"""

from __future__ import annotations

import sqlite3

from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoneLeft

from engine.core.words import Sentence

LOST: tuple[type[Exception], ...] = (SQLAlchemyError,)  # what may be raised where the database is not there

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
    """The database or the folder is not the one that this process began with; `word` is that for programs."""

    def __init__(self, word: str, why: Sentence) -> None:
        super().__init__(str(why))
        self.word, self.why = word, why


def word_for(error: BaseException | None) -> str | None:
    """What is the matter with the database, in a word for programs; None where the error is a fault of the program."""
    if isinstance(error, Unavailable):
        return error.word
    if isinstance(error, NoneLeft):
        return "unreachable"  # all lines to it were taken for too long
    if not isinstance(error, DBAPIError):
        return None
    if isinstance(error.orig, sqlite3.Error):
        return _of_sqlite(error.orig)
    return _of_postgresql(error)


def _of_sqlite(error: sqlite3.Error) -> str | None:
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return None
    primary = code & 0xFF  # the rest tells what it was at
    return None if primary in _OURS else _SQLITE.get(primary, "unreachable")


def _of_postgresql(error: DBAPIError) -> str | None:
    state = getattr(error.orig, "sqlstate", None)
    if state is None:  # the server did not say it: there is none
        return "unreachable" if error.connection_invalidated or _is_of_the_line(error) else None
    others = "locked" if state.startswith("40") else "unreachable"  # 40: somebody else was in the way
    return _POSTGRESQL.get(state, others) if state.startswith(_PASSING) else None


def _is_of_the_line(error: DBAPIError) -> bool:
    return type(error.orig).__name__ in {"OperationalError", "ConnectionTimeout", "InterfaceError"}
