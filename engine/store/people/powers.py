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
Held = tuple[str, int, int]  # kind of the power (with the absences that lend it), and the numbers of its rows

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
    """Returns the posts of those for whom a person stands in, also at the end of a chain, on the days on which all
    hold.
    """
    post, away = t.Appointment, t.Delegation
    found: dict[Held, Span] = {}
    everything = dt.date.min, dt.date.max
    links: list[tuple[str, tuple[int, ...], Span]] = [("lent", (person,), everything)]  # people from the end on
    for way, chain, (begin, end) in links:
        columns = away.id, away.person_id, away.first_day, away.last_day
        for absence, absent, first, last in session.execute(select(*columns).where(away.delegate_id == chain[-1])):
            span = max(begin, first), min(end, last + DAY)
            if span[0] < span[1] and absent not in chain:
                links.append((f"{way} {absence}", (*chain, absent), span))
    for way, chain, (begin, end) in links[1:]:
        posts = select(post.id, post.valid_from, post.valid_to).join(t.Person, t.Person.id == post.person_id)
        for id, begins, ends in session.execute(
            posts.where(post.person_id == chain[-1], t.Person.disabled_at.is_(None))
        ):
            found[way, len(chain), id] = max(begin, begins), min(end, ends or FAR_DAY)
    return found


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
