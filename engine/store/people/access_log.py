"""The access log: who read which pupil's case history, and what was known before that."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import bindparam, insert, null, select, union_all, update

from engine.store import tables as t
from engine.store.scopes import beyond_scope
from engine.store.session import Session

ONE_READING = dt.timedelta(minutes=10)
_log, _notices = t.Base.metadata.tables["access_log"], t.Base.metadata.tables["notices"]


@dataclass(frozen=True, slots=True)
class Before:
    """What the log knows of a person and a case: whether a recent reading was `noted`, and the notices `unread`."""

    noted: bool
    unread: tuple[int, ...]


# Notices are found by case: their unique key begins with it. A notice about a closure is about more than this case.
_OWN = "whether one read a case a moment ago, and one's own unread notices about it"
_BEFORE = union_all(
    beyond_scope(
        select(_log.c.id.label("noted"), null().label("unread")).where(
            _log.c.case_id == bindparam("case"),
            _log.c.person_id == bindparam("person"),
            _log.c.at > bindparam("since"),
            _log.c.at <= bindparam("now"),
        ),
        ("access_log",),
        _OWN,
    ),
    beyond_scope(
        select(null(), _notices.c.id).where(
            _notices.c.case_id == bindparam("case"),
            _notices.c.person_id == bindparam("person"),
            _notices.c.read_at.is_(None),
            _notices.c.closure_id.is_(None),
        ),
        ("notices",),
        _OWN,
    ),
)


def before_reading(session: Session, person_id: int, case_id: int, now: dt.datetime) -> Before:
    """Returns what is known of a person and a case before they read it.

    Any session will do: it is only about themselves.
    """
    given = {"person": person_id, "case": case_id, "since": now - ONE_READING, "now": now}
    rows = session.execute(_BEFORE, given).all()
    return Before(
        any(row.noted is not None for row in rows), tuple(row.unread for row in rows if row.unread is not None)
    )


def add(session: Session, row: Mapping[str, object]) -> None:
    """Add a row to the access log."""
    session.connection().execute(insert(_log), row)


def mark_read(session: Session, notice_ids: Collection[int], now: dt.datetime) -> None:
    """These notices are read."""
    session.connection().execute(update(_notices).where(_notices.c.id.in_(notice_ids)).values(read_at=now))


def add_listed(session: Session, person_id: int, what: str, pupil_ids: Collection[int], now: dt.datetime) -> None:
    """Add a row for each pupil on a list that was not noted for this person a moment ago."""
    lately = select(_log.c.pupil_id).where(
        _log.c.person_id == person_id, _log.c.what == what, _log.c.at > now - ONE_READING, _log.c.at <= now
    )
    noted = set(session.connection().execute(lately).scalars())
    rows = [
        {"at": now, "person_id": person_id, "what": what, "pupil_id": pupil_id}
        for pupil_id in sorted({*pupil_ids} - noted)
    ]
    if rows:
        session.connection().execute(insert(_log), rows)
