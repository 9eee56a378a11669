"""What opening a case page leaves behind: who read which pupil's case history, and that their notices of it are read.

NĐ 356/2025 Art. 4: reading sensitive personal data is recorded. A row is written whenever a person opens a case page
that names the pupil. Opening it again within ten minutes, to go on with the same piece of work, is one reading: one
row. The row is written before the page is sent, in a transaction of its own: no page without its row.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from engine.store.people import access_log
from engine.store.people.access_log import Before, before_reading
from engine.store.session import Store


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
    """Note that a person reads a case, and that their notices of it are read. `pupil_id`: None if it stays unnamed.

    `before`: what `before_reading` told, where it was asked along with the case itself. `copied`: the page went to the
    person's device, to be read without a line perhaps; its notices are new still.
    """
    if before is None:
        with store.reading("is there anything to note of this reading") as session:
            before = before_reading(session, person_id, case_id, now)
    new = pupil_id is not None and not before.noted
    unread = () if copied else before.unread
    if not new and not unread:
        return
    row = {"at": now, "person_id": person_id, "what": "copy" if copied else "case", "case_id": case_id}
    with store.writing("note a reading") as session:
        if new:
            access_log.add(session, row | {"pupil_id": pupil_id})
        if unread:
            access_log.mark_read(session, unread, now)


def note_export(store: Store, person_id: int, what: str, now: dt.datetime) -> None:
    """Note that a person takes a list away as a file; `what` names the list."""
    with store.writing("note an export") as session:
        access_log.add(session, {"at": now, "person_id": person_id, "what": f"export: {what}"[:40]})


def note_print(
    store: Store, person_id: int, what: str, now: dt.datetime, case_id: int | None = None, pupil_id: int | None = None
) -> None:
    """Note that a person prints a sheet of a case, or a list; `what` names it.

    NĐ 356/2025 Art. 4: reading sensitive personal data is recorded. A sheet of paper leaves the program, so each is.
    """
    row = {"at": now, "person_id": person_id, "what": f"print: {what}"[:40], "case_id": case_id, "pupil_id": pupil_id}
    with store.writing("note a print") as session:
        access_log.add(session, row)


def note_listed(store: Store, person_id: int, what: str, pupil_ids: Collection[int], now: dt.datetime) -> None:
    """Note that a person reads a list that names these pupils; `what` names it. Soon again is one reading."""
    with store.writing("note a list that was read") as session:
        access_log.add_listed(session, person_id, what, pupil_ids, now)
