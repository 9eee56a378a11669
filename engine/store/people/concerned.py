"""Finds who is told of an act on an account or a post beside the person: those who answer for the place."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.core.people.account_events import By
from engine.core.people.roles import ADMIN, OFFICE
from engine.store import tables as t

DAY = dt.timedelta(days=1)


def told_beside(session: Session, person: int, by: By, unit: int | None, day: dt.date) -> dict[int, str]:
    """Returns who is told of an act on a person, beside that person, and in which role.

    These are the holders of the nearest education office over the unit (or, without a unit, over the units of the
    person's posts). If that office has nobody but the person and whoever acts, the next one above is told too; at last
    the administrators.
    """
    found: dict[int, str] = {}
    for place in {unit} if unit is not None else _units_of(session, person, day):
        found |= dict.fromkeys(_nearest(_offices(session, place, day), {person, by}), OFFICE)
    if not found.keys() - {person, by}:
        found = dict.fromkeys(_administrators(session, day), ADMIN) | found
    found.pop(person, None)
    return found


def _units_of(session: Session, person: int, day: dt.date) -> set[int]:
    post = t.Appointment
    return set(session.scalars(select(post.unit_id).where(post.person_id == person, post.valid_to > day)))


def _offices(session: Session, unit: int, day: dt.date) -> list[tuple[int, int]]:
    """Returns who holds the office, and how far above the unit; the nearest first."""
    depth = t.UnitLink.depth
    query = _holders(OFFICE, day).join(t.UnitLink, t.UnitLink.ancestor_id == t.Appointment.unit_id).add_columns(depth)
    rows = session.execute(query.where(t.UnitLink.descendant_id == unit).order_by(depth, t.Appointment.person_id))
    return [(far, person) for person, far in map(tuple, rows)]


def _nearest(offices: Iterable[tuple[int, int]], concerned: Collection[By]) -> set[int]:
    """Returns the holders of the nearest office, and of farther ones until one of them is not concerned."""
    found: set[int] = set()
    for _far, people in groupby(offices, key=itemgetter(0)):
        found |= {person for _, person in people}
        if found - set(concerned):
            break
    return found


def _administrators(session: Session, day: dt.date) -> Iterable[int]:
    return session.scalars(_holders(ADMIN, day))


def _holders(role: str, day: dt.date) -> Any:
    """Selects who holds a role on the day or the next one, because the day is that of Greenwich."""
    post = t.Appointment
    return (
        select(post.person_id)
        .join(t.Person, t.Person.id == post.person_id)
        .where(post.role == role, post.valid_from <= day + DAY, post.valid_to > day, t.Person.disabled_at.is_(None))
    )
