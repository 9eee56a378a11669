"""Stores the companions of a case. Only the text of the event that added a companion says who it is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import and_, bindparam, or_, select, update
from sqlalchemy.orm import Session

from engine.core.cases.facts import Facts
from engine.core.people.roles import INVITED, KNOWS, RoleBook
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


class Guest(NamedTuple):
    """Somebody who can be invited to a case, and the role of their post."""

    id: int
    name: str
    role: str


def invitable(session: Session, facts: Facts, today: dt.date, roles: RoleBook) -> list[Guest]:
    """Returns the people who can be invited to a case: in an invited post of the pupil's class, school, village or
    commune, or of an organisation of the commune.
    """
    post, unit = t.Appointment, t.Unit
    near = [it for it in (facts.class_id, facts.school_id, facts.village_id, facts.commune_id) if it is not None]
    organised = and_(unit.kind == "organisation", unit.parent_id == facts.commune_id)
    query = (
        select(t.Person.id, t.Person.name, post.role)
        .join(post, post.person_id == t.Person.id)
        .join(unit, unit.id == post.unit_id)
        .where(
            post.role.in_(roles.seated(INVITED, sight=KNOWS)),
            post.valid_from <= today,
            post.valid_to > today,
            t.Person.disabled_at.is_(None),
            or_(unit.id.in_(near), organised),
        )
        .order_by(t.Person.name, t.Person.id)
    )
    return [Guest(*row) for row in session.execute(query)]


def on_list(session: Session, case_id: int, seqs: Iterable[int]) -> set[int]:
    """Returns those of these numbers that are on the list of the case."""
    c = t.Companion
    query = select(c.seq).where(c.case_id == case_id, c.seq.in_(sorted(seqs)), c.removed_seq.is_(None))
    return set(session.execute(query).scalars())


def take_off(session: Session, case_id: int, seq: int, by: int) -> None:
    """Takes a companion off the list of a case, by the event numbered `by`."""
    c = t.Companion
    session.execute(update(c).where(c.case_id == case_id, c.seq == seq).values(removed_seq=by))
