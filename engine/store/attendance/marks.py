"""Stores marks in the register, thousands at a time: adds new ones, corrects others and keeps what they were.

It works with sets: one statement adds the new rows. Only if some rows existed, it compares the two. The page for a roll
call and the imports both use this module.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from engine.core.invariants import given

Mark = tuple[int, dt.date, str, str, str | None]  # pupil id, day, session (m, a), mark (p, e, u, l), reason

_COLUMNS = "pupil_id, day, session, mark, reason"
_TEMPORARY_TABLE = (
    "CREATE TEMPORARY TABLE IF NOT EXISTS staged_marks "
    "(pupil_id BIGINT, day DATE, session VARCHAR(1), mark VARCHAR(1), reason VARCHAR(200))"
)
_BOTH = "staged_marks s JOIN marks m ON m.pupil_id = s.pupil_id AND m.day = s.day AND m.session = s.session"
# A file without a reason does not delete a reason; another mark deletes the reason of the old one.
_DIFFERS = "(m.mark <> s.mark OR (s.reason IS NOT NULL AND COALESCE(m.reason, '') <> s.reason))"
_BY = "CAST(:by AS BIGINT)"
_ADD = (
    f"INSERT INTO marks ({_COLUMNS}, at, by_id) "  # noqa: S608 - constants
    f"SELECT {_COLUMNS}, :at, {_BY} FROM staged_marks WHERE TRUE ORDER BY 1, 2, 3 ON CONFLICT DO NOTHING"
)
_ON_LIST = (
    "JOIN class_memberships c ON c.pupil_id = s.pupil_id AND c.voided_at IS NULL AND c.valid_from <= s.day "
    "AND c.valid_to > s.day JOIN sessions_taken t ON t.class_id = c.class_id AND t.day = s.day "
    "AND t.session = s.session AND c.recorded_at <= t.as_of"
)
# Present by the list of a session, and now marked: the presence is written out, to be corrected like any mark.
_WRITE_OUT = (
    "INSERT INTO marks (pupil_id, day, session, mark, at, by_id) "  # noqa: S608 - constants
    f"SELECT s.pupil_id, s.day, s.session, 'p', t.at, t.by_id FROM staged_marks s {_ON_LIST} WHERE TRUE "
    "ON CONFLICT DO NOTHING"
)
_SAME = "m.pupil_id = s.pupil_id AND m.day = s.day AND m.session = s.session"
_SAID_BEFORE = (
    "DELETE FROM staged_marks WHERE mark = 'p' AND reason IS NULL AND (pupil_id, day, session) IN "  # noqa: S608
    f"(SELECT s.pupil_id, s.day, s.session FROM staged_marks s {_ON_LIST} "
    f"WHERE NOT EXISTS (SELECT 1 FROM marks m WHERE {_SAME}))"
)
_KEEP = (
    "INSERT INTO mark_changes (pupil_id, day, session, old_mark, old_reason, old_at, old_by_id, new_mark, at, by_id, job_id) "  # noqa: S608, E501
    f"SELECT m.pupil_id, m.day, m.session, m.mark, m.reason, m.at, m.by_id, s.mark, :at, {_BY}, CAST(:job AS BIGINT) "
    f"FROM {_BOTH} WHERE {_DIFFERS}"
)
_CORRECT = (
    "UPDATE marks AS m SET mark = s.mark, reason = COALESCE(s.reason, CASE WHEN m.mark = s.mark THEN m.reason END), "  # noqa: S608
    f"at = :at, by_id = {_BY} FROM staged_marks s "
    f"WHERE m.pupil_id = s.pupil_id AND m.day = s.day AND m.session = s.session AND {_DIFFERS}"
)


@dataclass(slots=True)
class Counts:
    """How many marks of a file were new, changed, or the same as before.

    `noted`: what was taken note of and changed nothing. `cases`: open cases whose marks were corrected.
    """

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    noted: int = 0
    cases: int = 0

    def add(self, other: Counts) -> None:
        self.new += other.new
        self.changed += other.changed
        self.unchanged += other.unchanged
        self.noted += other.noted
        self.cases += other.cases


def put_marks(
    session: Session,
    marks: Sequence[Mark],
    at: dt.datetime,
    by_id: int | None,
    job_id: int | None = None,
    *,
    on_lists: bool = False,
) -> Counts:
    """Stores marks; the argument contains each pupil's session at most once.

    `on_lists`: a list that was taken may say of some of them that they were present. Their other mark is a correction,
    which keeps what the list said; call it before the new list is stored.
    """
    if not marks:
        return Counts()
    connection = session.connection()
    sqlite = connection.dialect.name == "sqlite"
    values = {"at": _sqlite_instant(at) if sqlite else at, "by": by_id}
    if on_lists:
        _fill_temporary_table(connection, marks)
        connection.execute(text(_SAID_BEFORE))
        connection.execute(text(_WRITE_OUT))
        new = connection.execute(text(_ADD), values).rowcount
    elif sqlite:
        new = _insert_sqlite(connection, marks, values)
    else:
        _fill_temporary_table(connection, marks)
        new = connection.execute(text(_ADD), values).rowcount
    if new == len(marks):
        return Counts(new)
    if sqlite and not on_lists:
        _fill_temporary_table(connection, marks)
    changed = connection.execute(text(_KEEP), values | {"job": job_id}).rowcount
    if changed:
        connection.execute(text(_CORRECT), values)
    return Counts(new, changed, len(marks) - new - changed)


def count_marks(session: Session, marks: Sequence[Mark], *, on_lists: bool = False) -> Counts:
    """Counts what `put_marks` would do; call it in a transaction that is not kept."""
    connection = session.connection()
    if not marks:
        return Counts()
    _fill_temporary_table(connection, marks)
    if on_lists:
        connection.execute(text(_WRITE_OUT))  # what it says of those who were there is the same, and is not counted
    there = _count(connection, f"SELECT COUNT(*) FROM {_BOTH}")  # noqa: S608 - constants
    changed = _count(connection, f"SELECT COUNT(*) FROM {_BOTH} WHERE {_DIFFERS}") if there else 0  # noqa: S608
    return Counts(len(marks) - there, changed, there - changed)


def _count(connection: Connection, query: str) -> int:
    return int(connection.execute(text(query)).scalar_one())


def _sqlite_instant(at: dt.datetime) -> str:
    """A moment as `engine.store.tables.types.Instant` stores it."""
    return at.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


def _insert_sqlite(connection: Connection, marks: Sequence[Mark], values: dict[str, Any]) -> int:
    who = (values["at"], values["by"])
    rows = [(pupil, day.isoformat(), session, mark, reason, *who) for pupil, day, session, mark, reason in marks]
    rows.sort(key=itemgetter(0, 1, 2))
    statement = f"INSERT INTO marks ({_COLUMNS}, at, by_id) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"  # noqa: S608
    return connection.exec_driver_sql(statement, rows).rowcount


def _fill_temporary_table(connection: Connection, marks: Sequence[Mark]) -> None:
    """Puts the marks into a temporary table of this transaction."""
    connection.exec_driver_sql(_TEMPORARY_TABLE)
    connection.exec_driver_sql("DELETE FROM staged_marks")
    if connection.dialect.name == "sqlite":
        rows = [(pupil, day.isoformat(), session, mark, reason) for pupil, day, session, mark, reason in marks]
        connection.exec_driver_sql(f"INSERT INTO staged_marks ({_COLUMNS}) VALUES (?, ?, ?, ?, ?)", rows)  # noqa: S608
        return
    # The new table has no statistics. Without this the planner would read all marks to find a few.
    connection.exec_driver_sql("SET LOCAL enable_hashjoin = off")
    connection.exec_driver_sql("SET LOCAL enable_mergejoin = off")
    driver = given(connection.connection.driver_connection, "the connection is open")
    with driver.cursor() as cursor, cursor.copy(f"COPY staged_marks ({_COLUMNS}) FROM STDIN") as copy:
        copy.write("".join(map(_copied, marks)))


def _copied(mark: Mark) -> str:
    pupil, day, session, what, reason = mark
    return f"{pupil}\t{day}\t{session}\t{what}\t{_escaped(reason) if reason else _NULL}\n"


_NULL = "\\N"


def _escaped(reason: str) -> str:
    return reason.replace("\\", "\\\\").replace("\t", " ").replace("\n", " ").replace("\r", " ").replace("\0", "")
