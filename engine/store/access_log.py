"""Who read which pupil's story, and when (NĐ 356/2025 Art. 4: reading sensitive personal data is recorded).

A row is written whenever a person opens a case page that names the pupil. Opening the same page again within ten
minutes, to go on with the same piece of work, is one reading: one row. A reading that leads to an act is in the events
besides. The row is written before the page is sent, in a transaction of its own: no page without its row.
"""

from __future__ import annotations

import datetime as dt

from sqlalchemy import insert, select

from engine.store import tables as t
from engine.store.session import Store

ONE_READING = dt.timedelta(minutes=10)
_log = t.Base.metadata.tables["access_log"]


def note_reading(store: Store, person_id: int, case_id: int, pupil_id: int, now: dt.datetime) -> None:
    """Note that a person reads a case, unless that was noted in the last ten minutes."""
    recent = select(_log.c.id).where(
        _log.c.case_id == case_id, _log.c.person_id == person_id, _log.c.at > now - ONE_READING, _log.c.at <= now
    )
    with store.reading("was this reading noted") as session:
        if session.connection().execute(recent.limit(1)).scalar() is not None:
            return
    row = {"at": now, "person_id": person_id, "what": "case", "case_id": case_id, "pupil_id": pupil_id}
    with store.writing("note a reading") as session:
        session.connection().execute(insert(_log), row)
