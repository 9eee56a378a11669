"""What opening a case page leaves behind: who read which pupil's story, and that their notices of it are read.

NĐ 356/2025 Art. 4: reading sensitive personal data is recorded. A row is written whenever a person opens a case page
that names the pupil. Opening it again within ten minutes, to go on with the same piece of work, is one reading: one
row. The row is written before the page is sent, in a transaction of its own: no page without its row.
"""

from __future__ import annotations

import datetime as dt

from sqlalchemy import insert, select, update

from engine.store import tables as t
from engine.store.session import Session, Store

ONE_READING = dt.timedelta(minutes=10)
_log, _notices = t.Base.metadata.tables["access_log"], t.Base.metadata.tables["notices"]


def note_reading(
    store: Store, person_id: int, case_id: int, pupil_id: int | None, now: dt.datetime, *, copied: bool = False
) -> None:
    """Note that a person reads a case, and that their notices of it are read. `pupil_id`: None if it stays unnamed.

    `copied`: the page went to the person's device, to be read without a line perhaps; its notices are new still.
    """
    with store.reading("is there anything to note of this reading") as session:
        new = pupil_id is not None and not _noted(session, person_id, case_id, now)
        unread = [] if copied else _unread(session, person_id, case_id)
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


def _noted(session: Session, person_id: int, case_id: int, now: dt.datetime) -> bool:
    recent = _log.c.at > now - ONE_READING, _log.c.at <= now
    query = select(_log.c.id).where(_log.c.case_id == case_id, _log.c.person_id == person_id, *recent)
    return session.connection().execute(query.limit(1)).scalar() is not None


def _unread(session: Session, person_id: int, case_id: int) -> list[int]:
    """Found by the case: the unique key of notices begins with it. One about a closure tells of more than this case."""
    own = _notices.c.case_id == case_id, _notices.c.person_id == person_id, _notices.c.read_at.is_(None)
    query = select(_notices.c.id).where(*own, _notices.c.closure_id.is_(None))
    return list(session.connection().execute(query).scalars())


def note_export(store: Store, person_id: int, what: str, now: dt.datetime) -> None:
    """Note that a person takes a list away as a file; `what` names the list."""
    with store.writing("note an export") as session:
        session.connection().execute(insert(_log), {"at": now, "person_id": person_id, "what": f"export: {what}"[:40]})
