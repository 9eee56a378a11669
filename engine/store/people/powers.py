"""Reads who holds which power from when to when, for `engine.usecases.people.powers`."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.core.people.access import Viewer
from engine.core.people.roles import ADMIN, AREAS, INVITED, KNOWING
from engine.store import tables as t
from engine.store.cases.surroundings import chunks
from engine.store.tables.types import FAR_DAY

DAY = dt.timedelta(days=1)

Span = tuple[dt.date, dt.date]  # the first day, and the one after the last
Held = tuple[str, int, int]  # kind of the power, and the numbers of its rows

_pupils = t.Base.metadata.tables["pupils"]


def lock(session: Session) -> None:
    """Locks powers until the transaction ends; SQLite allows only one writer anyway."""
    if session.get_bind().dialect.name == "postgresql":
        session.connection().exec_driver_sql("SELECT pg_advisory_xact_lock(hashtext('ralop-powers'))")


def administrators(session: Session) -> list[Span]:
    """Returns from when to when there is an administrator who may sign in."""
    post = t.Appointment
    query = (
        select(post.valid_from, post.valid_to)
        .join(t.Person, t.Person.id == post.person_id)
        .where(post.role == ADMIN, t.Person.disabled_at.is_(None))
    )
    return [(first, end or FAR_DAY) for first, end in session.execute(query)]


def held_by(session: Session, person: int | None) -> dict[Held, Span]:
    """Returns a person's posts, the absences in which they stand in, and the posts they have thereby; nothing
    for None.
    """
    if person is None:
        return {}
    post, away = t.Appointment, t.Delegation
    posts = session.execute(select(post.id, post.valid_from, post.valid_to).where(post.person_id == person))
    aways = session.execute(select(away.id, away.first_day, away.last_day).where(away.delegate_id == person))
    return {
        **{("post", id, 0): (first, end or FAR_DAY) for id, first, end in posts},
        **{("stands in", id, 0): (first, last + DAY) for id, first, last in aways},
        **_lent(session, person),
    }


def _lent(session: Session, person: int) -> dict[Held, Span]:
    """Returns the posts of those for whom a person stands in, on the days on which both hold."""
    post, away = t.Appointment, t.Delegation
    query = (
        select(away.id, post.id, away.first_day, away.last_day, post.valid_from, post.valid_to)
        .join(post, post.person_id == away.person_id)
        .join(t.Person, t.Person.id == away.person_id)
        .where(away.delegate_id == person, t.Person.disabled_at.is_(None))
    )
    return {
        ("lent", absence, id): (max(first, begins), min(last + DAY, ends or FAR_DAY))
        for absence, id, first, last, begins, ends in session.execute(query)
    }


def pupils_seen(session: Session, viewer: Viewer) -> set[int]:
    """Returns the pupils whose names a person may know through their posts."""
    areas = [
        (column, viewer.area(name) if name in AREAS else viewer.seated(name))
        for name, column in KNOWING.items()
        if name != INVITED
    ]
    found: set[int] = set()
    for column, units in areas:
        for chunk in chunks(units):
            found.update(
                session.connection().execute(select(_pupils.c.id).where(_pupils.c[column].in_(chunk))).scalars()
            )
    return found
