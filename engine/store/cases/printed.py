"""Reads what a printed sheet shows beside the lists, and notes that it was printed.

NĐ 356/2025 Art. 4: reading sensitive personal data is recorded. A sheet of paper leaves the office, so each one is
noted.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from engine.store import tables as t
from engine.store.session import Store

_log = t.Base.metadata.tables["access_log"]


@dataclass(frozen=True, slots=True)
class Home:
    """The person to meet, and the address."""

    birth_date: dt.date | None
    guardian: str | None
    phone: str | None
    address: str | None


_HOMES = select(t.Case.id, t.Pupil.birth_date, t.Pupil.guardian, t.Pupil.guardian_phone, t.Pupil.address).join(
    t.Pupil, t.Pupil.id == t.Case.pupil_id
)


def homes(session: Session, case_ids: Sequence[int]) -> dict[int, Home]:
    """Returns the homes of the pupils of some cases, for viewers who may know them."""
    if not case_ids:
        return {}
    rows: Any = session.execute(_HOMES.where(t.Case.id.in_(case_ids)))
    return {case: Home(*rest) for case, *rest in rows}


def note_print(
    store: Store, person_id: int, what: str, now: dt.datetime, case_id: int | None = None, pupil_id: int | None = None
) -> None:
    """Notes that a person prints a sheet of a case, or a list; `what` names it."""
    row = {"at": now, "person_id": person_id, "what": f"print: {what}"[:40], "case_id": case_id, "pupil_id": pupil_id}
    with store.writing("note a print") as session:
        session.connection().execute(insert(_log), row)
