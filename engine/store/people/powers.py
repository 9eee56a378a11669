"""Who holds what from when to when, for `engine.usecases.people.powers`."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.core.people.access import ADMIN, SEATS, Viewer
from engine.store import tables as t
from engine.store.cases.surroundings import chunks
from engine.store.tables.types import FAR_DAY

DAY = dt.timedelta(days=1)

Span = tuple[dt.date, dt.date]  # the first day, and the one after the last
Held = tuple[str, int, int]  # what it is, and the numbers of its rows

_pupils = t.Base.metadata.tables["pupils"]


def lock(session: Session) -> None:
    """Let nobody else change powers until the transaction ends; in SQLite only one writes at a time anyway."""
    if session.get_bind().dialect.name == "postgresql":
        session.connection().exec_driver_sql("SELECT pg_advisory_xact_lock(hashtext('ralop-powers'))")


def administrators(session: Session) -> list[Span]:
    """From when to when there is somebody who may sign in and looks after the installation."""
    post = t.Appointment
    query = (
        select(post.valid_from, post.valid_to)
        .join(t.Person, t.Person.id == post.person_id)
        .where(post.role == ADMIN, t.Person.disabled_at.is_(None))
    )
    return [(first, end or FAR_DAY) for first, end in session.execute(query)]


def held_by(session: Session, person: int | None) -> dict[Held, Span]:
    """The posts of a person, the absences in which they stand in, and the posts that they have thereby; nothing for
    nobody."""
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
    """The posts of those for whom a person stands in, on the days on which both hold."""
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
    """The pupils whose names somebody may know by their posts."""
    areas = [(column, viewer.of(role)) for role, column in SEATS.items() if column in _pupils.c]
    areas += [("commune_id", viewer.office_communes), ("province_id", viewer.office_provinces)]
    areas += [("school_id", viewer.office_schools)]
    found: set[int] = set()
    for column, units in areas:
        for chunk in chunks(units):
            found.update(
                session.connection().execute(select(_pupils.c.id).where(_pupils.c[column].in_(chunk))).scalars()
            )
    return found
