"""Stores which sessions classes took, and says of whom a list speaks that marks only who was absent."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from engine.store.attendance.registers import Member, sessions
from engine.store.bulk import among, read_columns

Key = tuple[int, dt.date, str]  # class, day, session
MOMENT = dt.timedelta(microseconds=1)
ROLL, SHEET, LIST, SUMMARY, MARKS = "roll", "sheet", "list", "summary", "marks"  # where a row comes from


class Taken(NamedTuple):
    """A session that a class took; see `engine.store.tables.SessionTaken`."""

    class_id: int
    day: dt.date
    session: str
    as_of: dt.datetime | None
    source: str


def as_of(members: Iterable[Member], day: dt.date, listed: Collection[int], at: dt.datetime) -> dt.datetime | None:
    """Returns when a list of a day was made that names these pupils; None if it leaves out a pupil known since always.

    A list leaves out who came to the class after it was made: it is as old as the newest pupil whom it lacks.
    """
    missing = [one.recorded_at for one in members if one.pupil not in listed and one.on(day)]
    if not missing:
        return at
    made = min(missing) - MOMENT
    return made if any(one.recorded_at <= made for one in members if one.pupil in listed and one.on(day)) else None


def stored(
    session: Session, class_ids: Collection[int], first: dt.date, last: dt.date
) -> dict[Key, dt.datetime | None]:
    """Returns the sessions that some classes took between two days, each with the moment of its list."""
    s = sessions.c
    query: Any = select(s.class_id, s.day, s.session, s.as_of).where(
        among(s.class_id, class_ids), s.day >= first, s.day <= last
    )
    columns = read_columns(session.connection(), query)
    return {(klass, day, half): made for klass, day, half, made in zip(*columns, strict=True)}


def any_list(session: Session, class_ids: Collection[int], first: dt.date, last: dt.date) -> bool:
    """Returns whether a list of one of these classes implies presence between two days."""
    s = sessions.c
    where = (among(s.class_id, class_ids), s.day >= first, s.day <= last, s.as_of.is_not(None))
    return session.connection().execute(select(s.day).where(*where).limit(1)).first() is not None


def put(session: Session, rows: Sequence[Taken], at: dt.datetime, by_id: int | None, job_id: int | None = None) -> None:
    """Stores sessions, each at most once; a list that says more of the class takes the place of one that says less."""
    if not rows:
        return
    dialect: Any = sqlite if session.connection().dialect.name == "sqlite" else postgresql
    statement = dialect.insert(sessions)
    new, old = statement.excluded, sessions.c
    newer = new.as_of.is_not(None) & (func.coalesce(old.as_of, new.as_of) <= new.as_of)
    changes = {name: new[name] for name in ("as_of", "source", "at", "by_id", "job_id")}
    statement = statement.on_conflict_do_update(index_elements=list(sessions.primary_key), set_=changes, where=newer)
    who = {"at": at, "by_id": by_id, "job_id": job_id}
    session.connection().execute(statement, [row._asdict() | who for row in rows])


def later(there: Mapping[Key, dt.datetime | None], key: Key, made: dt.datetime | None) -> dt.datetime | None:
    """Returns the moment that holds for a session after a list of this moment came in."""
    old = there.get(key)
    return max(filter(None, (old, made)), default=None)
