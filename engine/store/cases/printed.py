"""What a printed sheet needs beside the lists."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.store import tables as t


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
