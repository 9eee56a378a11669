"""The streams of the checkpoints: tables whose rows are only added, each with the columns that never change.

**A new book registers here**: one line in `STREAMS`. Its table has an `id` that only grows. Leave out columns that
change later and what people wrote, which may be erased by law. Rows of a case need no stream of their own: the chain of
the case says what they are, and "cases" is the stream of all chains.

A form is never changed: old checkpoints are checked by theirs. For new columns add a form with the next number.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, func, select

from engine.core.proof.beside import line
from engine.core.proof.merkle import hashed
from engine.store.tables import Base

CASES = "cases"  # the stream of the chains of all cases
CASES_FORM = 1
PIECE = 100  # rows in one part of a checkpoint: that near it can say where something was changed
FETCH = 2_000


@dataclass(frozen=True, slots=True)
class Stream:
    """A table and, by number, the formulas of its digests: the columns after `id`."""

    name: str
    forms: Mapping[int, tuple[str, ...]]

    @property
    def form(self) -> int:
        """Returns the newest form, which new checkpoints take."""
        return max(self.forms)


STREAMS = (
    Stream("access_log", {1: ("at", "person_id", "what", "case_id", "pupil_id")}),
    Stream("closure_acts", {1: ("closure_id", "kind", "at", "person_id", "first_day", "last_day", "key")}),
    Stream("ledger_accounts", {1: ("kind", "bounded", "donor_id", "until", "opened_at", "opened_by_id")}),
    Stream(
        "ledger_entries",
        {
            1: (
                "key",
                "kind",
                "from_id",
                "to_id",
                "commodity",
                "quantity",
                "value",
                "happened_on",
                "entered_at",
                "entered_by_id",
                "role",
                "case_id",
                "case_seq",
                "of_id",
            )
        },
    ),
    Stream(
        "mark_changes",
        {1: ("pupil_id", "day", "session", "old_mark", "old_at", "old_by_id", "new_mark", "at", "by_id", "job_id")},
    ),
    Stream(
        "notices",
        {1: ("case_id", "seq", "person_id", "role", "kind", "urgent", "at", "cases", "closure_id", "act_id")},
    ),
    Stream("pupil_changes", {1: ("pupil_id", "field", "taken", "at", "by_id", "job_id")}),
    Stream(
        "staff_acts",
        {
            1: (
                "kind",
                "at",
                "person_id",
                "by_id",
                "role",
                "unit_id",
                "first_day",
                "last_day",
                "other_id",
                "operator",
            )
        },
    ),
)
BY_NAME = {stream.name: stream for stream in STREAMS}


def leaves(connection: Connection, stream: Stream, form: int, after: int, last: int) -> Iterator[tuple[int, str]]:
    """Yields the number and the digest of each row with `after` < id <= `last`, in order."""
    table = Base.metadata.tables[stream.name]
    query: Select[Any] = (
        select(table.c.id, *(table.c[name] for name in stream.forms[form]))
        .where(table.c.id > after, table.c.id <= last)
        .order_by(table.c.id)
    )
    for row in connection.execution_options(yield_per=FETCH).execute(query):
        yield row[0], hashed(line(row))


def last_id(connection: Connection, stream: Stream) -> int:
    """Returns the number of the newest row that is stored; no lower number can still come after this transaction.

    On PostgreSQL it waits a moment for whoever is writing: a number is given out before its row can be seen.
    """
    table = Base.metadata.tables[stream.name]
    if connection.dialect.name != "sqlite":
        connection.exec_driver_sql("SET LOCAL lock_timeout = '2s'")
        connection.exec_driver_sql(f"LOCK TABLE {table.name} IN SHARE MODE")
    return connection.execute(select(func.max(table.c.id))).scalar() or 0
