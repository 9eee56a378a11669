"""Stores the companions of a case. Only the text of the event that added a companion says who it is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import and_, bindparam, select, update
from sqlalchemy.orm import Session

from engine.store import tables as t


@dataclass(frozen=True, slots=True)
class CompanionRow:
    """A companion; `name` is "" after it was erased. `off`: no longer on the list."""

    seq: int
    role: str
    name: str
    phone: str
    note: str
    off: bool


_COMPANIONS = (
    select(t.Companion.seq, t.Companion.role, t.Companion.removed_seq, t.EventText.values)
    .outerjoin(t.EventText, and_(t.EventText.case_id == t.Companion.case_id, t.EventText.seq == t.Companion.seq))
    .where(t.Companion.case_id == bindparam("case"))
    .order_by(t.Companion.seq)
)


def companions(session: Session, case_id: int) -> tuple[CompanionRow, ...]:
    """Returns everybody who is or was on the list of a case, in the order in which they were added."""
    found = []
    for seq, role, removed, values in session.execute(_COMPANIONS, {"case": case_id}):
        name, phone, note = ((values or {}).get(f"companion_{part}") or "" for part in ("name", "phone", "note"))
        found.append(CompanionRow(seq, role, name, phone, note, off=removed is not None))
    return tuple(found)


def on_list(session: Session, case_id: int, seqs: Iterable[int]) -> set[int]:
    """Returns those of these numbers that are on the list of the case."""
    c = t.Companion
    query = select(c.seq).where(c.case_id == case_id, c.seq.in_(sorted(seqs)), c.removed_seq.is_(None))
    return set(session.execute(query).scalars())


def take_off(session: Session, case_id: int, seq: int, by: int) -> None:
    """Takes a companion off the list of a case, by the event numbered `by`."""
    c = t.Companion
    session.execute(update(c).where(c.case_id == case_id, c.seq == seq).values(removed_seq=by))
