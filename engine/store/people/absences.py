"""Absences as rows, and who has a like duty nearby, for `engine.usecases.people.absences`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from engine.store import tables as t

MOST = 200  # colleagues in one circle

Absence = tuple[int, int | None, dt.date, dt.date]  # id, delegate, first and last day


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody who may stand in, and one of their posts: role and unit."""

    id: int
    name: str
    role: str
    unit: str


def own_posts(session: Session, person_id: int, today: dt.date) -> list[tuple[str, int]]:
    """The posts that a person holds on a day, not those they stand in for."""
    post = t.Appointment
    own = post.person_id == person_id, post.valid_from <= today, post.valid_to > today
    return [(role, unit) for role, unit in session.execute(select(post.role, post.unit_id).where(*own))]


def beside(session: Session, unit: int, within: str, roles: Collection[str], today: dt.date) -> list[Colleague]:
    """Who holds one of these roles in the unit of a kind in which a unit lies; "": in the very unit."""
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
    """A person's absences that touch these days, kept from others until the transaction ends."""
    away = t.Delegation
    touching = away.person_id == person_id, away.first_day <= last, away.last_day >= first
    session.execute(select(t.Person.id).where(t.Person.id == person_id).with_for_update())
    query = select(away.id, away.delegate_id, away.first_day, away.last_day).where(*touching).order_by(away.id)
    return [(id, delegate, begin, end) for id, delegate, begin, end in session.execute(query)]


def add(
    session: Session, person_id: int, delegate_id: int | None, first: dt.date, last: dt.date, reason: str | None
) -> None:
    """The person is away."""
    row = {"person_id": person_id, "delegate_id": delegate_id, "first_day": first, "last_day": last, "reason": reason}
    session.execute(insert(t.Delegation).values(row))


def end(session: Session, person_id: int, absence_id: int, today: dt.date) -> Absence | None:
    """Let an absence end yesterday, or drop one that has not begun. It as it was; None if it is not the person's or is
    over."""
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
