"""Reads people for the administrators of accounts: pages of a list, and one person with posts and absences.

Sessions are those of an administrator, unscoped: the result has accounts and posts, nothing about a pupil.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, aliased

from engine.store import tables as t
from engine.store.cases import search
from engine.store.tables.types import at_most

PAGE = 50


@dataclass(frozen=True, slots=True)
class PostRow:
    """A role held in a unit, `until` with its last day; `current` on the day of the question."""

    id: int
    role: str
    unit_id: int
    code: str
    unit: str
    first: dt.date
    until: dt.date | None
    current: bool


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A person in a list, with the posts they hold today."""

    id: int
    login: str
    name: str
    phone: str | None
    email: str | None
    language: str
    disabled: bool
    must_change: bool
    posts: tuple[PostRow, ...] = ()


@dataclass(frozen=True, slots=True)
class AwayRow:
    """Days on which a person is away, first and last included, and who acts for them (None: the next post above)."""

    id: int
    person_id: int
    name: str
    delegate_id: int | None
    delegate: str | None
    first_day: dt.date
    last_day: dt.date
    reason: str | None


_PEOPLE = select(
    t.Person.id,
    t.Person.login,
    t.Person.name,
    t.Person.phone,
    t.Person.email,
    t.Person.language,
    t.Person.disabled_at,
    t.Person.must_change,
)


def people(session: Session, query: str, today: dt.date, after: str = "", limit: int = PAGE) -> list[PersonRow]:
    """Returns people by login, after the login `after`; those whose name or login has each word.

    The result has one more than `limit` if there are more.
    """
    found = _PEOPLE.where(t.Person.login > after).order_by(t.Person.login).limit(at_most(limit + 1))
    for word in search.words(query) or query.lower().split():
        named = t.Person.search_key.contains(word, autoescape=True), t.Person.login.contains(word, autoescape=True)
        found = found.where(or_(*named))
    rows = session.execute(found).all()
    held = posts_of(session, [row[0] for row in rows], today)
    return [_person(row, tuple(post for post in held[row[0]] if post.current)) for row in rows]


def person(session: Session, person_id: int, today: dt.date) -> PersonRow | None:
    """Returns one person with their present, future and past posts; None if nobody has this id."""
    row = session.execute(_PEOPLE.where(t.Person.id == person_id)).one_or_none()
    return _person(row, tuple(posts_of(session, [person_id], today)[person_id])) if row else None


def _person(row: Any, posts: tuple[PostRow, ...]) -> PersonRow:
    id, login, name, phone, email, language, disabled_at, must_change = row
    return PersonRow(id, login, name, phone, email, language, disabled_at is not None, must_change, posts)


def posts_of(session: Session, ids: Collection[int], today: dt.date) -> dict[int, list[PostRow]]:
    """Returns the posts of some people; those that end last come first."""
    held: dict[int, list[PostRow]] = defaultdict(list)
    post = t.Appointment
    query = (
        select(
            post.person_id, post.id, post.role, post.unit_id, t.Unit.code, t.Unit.name, post.valid_from, post.valid_to
        )
        .join(t.Unit, t.Unit.id == post.unit_id)
        .where(post.person_id.in_(sorted(ids)))
        .order_by(post.valid_to.desc(), post.role, t.Unit.name, post.id)
    )
    for owner, id, role, unit_id, code, unit, first, end in session.execute(query):
        until = end - dt.timedelta(days=1) if end else None
        current = first <= today and (end is None or end > today)
        held[owner].append(PostRow(id, role, unit_id, code, unit, first, until, current))
    return held


_delegate = aliased(t.Person)
_AWAY = (
    select(
        t.Delegation.id,
        t.Delegation.person_id,
        t.Person.name,
        t.Delegation.delegate_id,
        _delegate.name,
        t.Delegation.first_day,
        t.Delegation.last_day,
        t.Delegation.reason,
    )
    .join(t.Person, t.Person.id == t.Delegation.person_id)
    .outerjoin(_delegate, _delegate.id == t.Delegation.delegate_id)
    .order_by(t.Delegation.first_day, t.Delegation.id)
)


def absences_of(session: Session, person_id: int, today: dt.date) -> list[AwayRow]:
    """When a person is or will be away."""
    own = t.Delegation.person_id == person_id, t.Delegation.last_day >= today
    return [AwayRow(*row) for row in session.execute(_AWAY.where(*own))]


def stands_in(session: Session, person_id: int, today: dt.date) -> list[AwayRow]:
    """For whom a person acts or will act."""
    own = t.Delegation.delegate_id == person_id, t.Delegation.last_day >= today
    return [AwayRow(*row) for row in session.execute(_AWAY.where(*own))]


def away_alone(session: Session, today: dt.date, limit: int = PAGE) -> list[AwayRow]:
    """Returns who is away today without a stand-in."""
    alone = t.Delegation.delegate_id.is_(None), t.Delegation.first_day <= today, t.Delegation.last_day >= today
    return [AwayRow(*row) for row in session.execute(_AWAY.where(*alone).limit(at_most(limit)))]


def found_as(session: Session, typed: str) -> list[PersonRow]:
    """Returns who is meant by a typed text: the person of this login, else all people of this name who may sign in."""
    one = session.execute(_PEOPLE.where(t.Person.login == typed.strip().lower())).one_or_none()
    if one:
        return [_person(one, ())]
    words = search.words(typed)
    if not words:
        return []
    named = [t.Person.search_key.contains(word, autoescape=True) for word in words]
    rows = session.execute(
        _PEOPLE.where(t.Person.disabled_at.is_(None), *named).order_by(t.Person.login).limit(at_most(PAGE))
    )
    return [_person(row, ()) for row in rows]
