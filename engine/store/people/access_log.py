"""Notes who read which pupil's case, and that their notices of the case are read.

NĐ 356/2025 Art. 4: reading sensitive personal data is recorded. A row is written whenever a person opens a case page
that names the pupil. Opening it again within ten minutes counts as the same reading: one row. The row is written before
the page is sent, in a separate transaction, so no page is sent without its row.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import bindparam, insert, null, select, union_all, update

from engine.store import tables as t
from engine.store.session import Session, Store

ONE_READING = dt.timedelta(minutes=10)
_log, _notices = t.Base.metadata.tables["access_log"], t.Base.metadata.tables["notices"]


@dataclass(frozen=True, slots=True)
class Before:
    """What the log knows of a person and a case: whether a recent reading was `noted`, and the notices `unread`."""

    noted: bool
    unread: tuple[int, ...]


# Notices are found by case: their unique key begins with it. A notice about a closure is about more than this case.
_BEFORE = union_all(
    select(_log.c.id.label("noted"), null().label("unread")).where(
        _log.c.case_id == bindparam("case"),
        _log.c.person_id == bindparam("person"),
        _log.c.at > bindparam("since"),
        _log.c.at <= bindparam("now"),
    ),
    select(null(), _notices.c.id).where(
        _notices.c.case_id == bindparam("case"),
        _notices.c.person_id == bindparam("person"),
        _notices.c.read_at.is_(None),
        _notices.c.closure_id.is_(None),
    ),
)


def before_reading(session: Session, person_id: int, case_id: int, now: dt.datetime) -> Before:
    """Returns what is known of a person and a case before they read it.

    Any session will do: it is only about themselves.
    """
    given = {"person": person_id, "case": case_id, "since": now - ONE_READING, "now": now}
    rows = session.connection().execute(_BEFORE, given).all()
    return Before(
        any(row.noted is not None for row in rows), tuple(row.unread for row in rows if row.unread is not None)
    )


def note_reading(
    store: Store,
    person_id: int,
    case_id: int,
    pupil_id: int | None,
    now: dt.datetime,
    *,
    before: Before | None = None,
    copied: bool = False,
) -> None:
    """Notes that a person reads a case, and that their notices of it are read.

    `pupil_id`: None if the page hides the pupil.

    `before`: the result of `before_reading`, if the caller already has it. `copied`: the page was copied to the
    person's device, perhaps to be read offline, so its notices stay unread.
    """
    if before is None:
        with store.reading("is there anything to note of this reading") as session:
            before = before_reading(session, person_id, case_id, now)
    new = pupil_id is not None and not before.noted
    unread = () if copied else before.unread
    if not new and not unread:
        return
    with store.writing("note a reading") as session:
        if new:
            row = {
                "at": now,
                "person_id": person_id,
                "what": "copy" if copied else "case",
                "case_id": case_id,
                "pupil_id": pupil_id,
            }
            session.connection().execute(insert(_log), row)
        if unread:
            session.connection().execute(update(_notices).where(_notices.c.id.in_(unread)).values(read_at=now))


def note_export(store: Store, person_id: int, what: str, now: dt.datetime) -> None:
    """Notes that a person downloads a list as a file; `what` names the list."""
    with store.writing("note an export") as session:
        session.connection().execute(insert(_log), {"at": now, "person_id": person_id, "what": f"export: {what}"[:40]})


def note_listed(store: Store, person_id: int, what: str, pupil_ids: Collection[int], now: dt.datetime) -> None:
    """Notes that a person reads a list with the names of these pupils; `what` names it.

    Again within minutes counts once.
    """
    lately = select(_log.c.pupil_id).where(
        _log.c.person_id == person_id, _log.c.what == what, _log.c.at > now - ONE_READING, _log.c.at <= now
    )
    with store.writing("note a list that was read") as session:
        noted = set(session.connection().execute(lately).scalars())
        rows = [
            {"at": now, "person_id": person_id, "what": what, "pupil_id": pupil_id}
            for pupil_id in sorted({*pupil_ids} - noted)
        ]
        if rows:
            session.connection().execute(insert(_log), rows)
