"""Stores absences, and finds people with similar duties nearby, for `engine.usecases.people.absences`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from engine.store import stand_ins
from engine.store import tables as t

MOST = 200  # colleagues in one group

Absence = tuple[int, int | None, dt.date, dt.date]  # id, delegate, first and last day


@dataclass(frozen=True, slots=True)
class Colleague:
    """A person who may stand in, and one of their posts: role and unit."""

    id: int
    name: str
    role: str
    unit: str


def own_posts(session: Session, person_id: int, today: dt.date) -> list[tuple[str, int]]:
    """Returns the posts that a person holds on a day, without those they stand in for."""
    post = t.Appointment
    own = post.person_id == person_id, post.valid_from <= today, post.valid_to > today
    return [(role, unit) for role, unit in session.execute(select(post.role, post.unit_id).where(*own))]


def beside(session: Session, unit: int, within: str, roles: Collection[str], today: dt.date) -> list[Colleague]:
    """Returns the holders of these roles in the unit above of the kind `within`; "": in the same unit."""
    above = (
        select(t.Unit.id)
        .join(t.UnitLink, t.UnitLink.ancestor_id == t.Unit.id)
        .where(t.UnitLink.descendant_id == unit, t.Unit.kind == within)
    )
    circle = select(t.UnitLink.descendant_id).where(t.UnitLink.ancestor_id.in_(above))
    post = t.Appointment
    query = (
        select(t.Person.id, t.Person.name, post.role, t.Unit.name)
        .join(post, post.person_id == t.Person.id)
        .join(t.Unit, t.Unit.id == post.unit_id)
        .where(
            post.unit_id.in_(circle) if within else post.unit_id == unit,
            post.role.in_(sorted(roles)),
            post.valid_from <= today,
            post.valid_to > today,
            t.Person.disabled_at.is_(None),
        )
        .order_by(t.Person.name, t.Person.id)
        .limit(MOST)
    )
    return [Colleague(*row) for row in session.execute(query)]


def absences(session: Session, person_id: int, first: dt.date, last: dt.date) -> list[Absence]:
    """Returns the absences of a person that touch these days, locked until the transaction ends."""
    away = t.Delegation
    touching = away.person_id == person_id, away.first_day <= last, away.last_day >= first
    session.execute(select(t.Person.id).where(t.Person.id == person_id).with_for_update())
    query = select(away.id, away.delegate_id, away.first_day, away.last_day).where(*touching).order_by(away.id)
    return [(id, delegate, begin, end) for id, delegate, begin, end in session.execute(query)]


def add(
    session: Session, person_id: int, delegate_id: int | None, first: dt.date, last: dt.date, reason: str | None
) -> None:
    """Notes that the person is away."""
    row = {"person_id": person_id, "delegate_id": delegate_id, "first_day": first, "last_day": last, "reason": reason}
    session.execute(insert(t.Delegation).values(row))


def end(session: Session, person_id: int, absence_id: int, today: dt.date) -> Absence | None:
    """Ends an absence yesterday, or deletes one that has not begun.

    Returns the absence as it was; None if it is not the person's, or is over.
    """
    away = t.Delegation
    own = away.id == absence_id, away.person_id == person_id, away.last_day >= today
    query = select(away.id, away.delegate_id, away.first_day, away.last_day).where(*own).with_for_update()
    found = session.execute(query).one_or_none()
    if found is None:
        return None
    if found.first_day > today:
        session.execute(delete(away).where(away.id == absence_id))
    else:
        session.execute(update(away).where(away.id == absence_id).values(last_day=today - dt.timedelta(days=1)))
    return found.id, found.delegate_id, found.first_day, found.last_day


def acting_on(session: Session, person_id: int, day: dt.date) -> tuple[int, ...]:
    """Returns who acts for a person who is away on a day; () for nobody."""
    rows = session.connection().execute(stand_ins.ACTING, {"ids": [person_id], "today": day})
    return tuple(acts for _, acts in rows if acts is not None)
