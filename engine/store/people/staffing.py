"""Stores people, their posts and their absences, for `engine.usecases.people.accounts`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import ColumnElement, delete, insert, or_, select, update
from sqlalchemy.orm import Session

from engine.core.cases.facts import Facts
from engine.store import tables as t
from engine.store.cases.surroundings import cases, read_facts
from engine.store.people.account_events import PostHeld
from engine.store.tables.types import FAR_DAY

DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Member:
    """A person in the list of accounts; `posts` are role, unit code and name on the day."""

    id: int
    login: str
    name: str
    disabled: bool
    must_change: bool
    posts: tuple[tuple[str, str, str], ...] = ()
    away_until: dt.date | None = None


class Away(NamedTuple):
    """An absence, and who stands in (None: the next post above), from the first day to the last."""

    person: int
    delegate: int | None
    first: dt.date
    last: dt.date


def person_id(session: Session, login: str, *, locked: bool = True) -> int | None:
    """Returns the id of a login, locked until the transaction ends."""
    query = select(t.Person.id).where(t.Person.login == login)
    return session.execute(query.with_for_update() if locked else query).scalar()


def add_person(
    session: Session,
    login: str,
    name: str,
    now: dt.datetime,
    *,
    phone: str | None,
    email: str | None,
    language: str,
    password_hash: str,
    must_change: bool,
) -> int:
    """Adds a person; returns their id."""
    statement = insert(t.Person).values(
        login=login,
        name=name,
        phone=phone,
        email=email,
        language=language,
        created_at=now,
        password_hash=password_hash,
        must_change=must_change,
    )
    return int(session.execute(statement.returning(t.Person.id)).scalar_one())


def set_one_time(session: Session, person: int, password_hash: str) -> None:
    """Sets a password that must be changed at first use; ends waiting times after wrong passwords."""
    login = select(t.Person.login).where(t.Person.id == person).scalar_subquery()
    session.execute(delete(t.SignInFailure).where(t.SignInFailure.login == login))
    session.execute(update(t.Person).where(t.Person.id == person).values(password_hash=password_hash, must_change=True))


def set_disabled(session: Session, person: int, at: dt.datetime | None) -> bool:
    """Sets from when on the person may not sign in; None: they may again. Returns False if nothing changes."""
    otherwise = t.Person.disabled_at.is_(None) if at else t.Person.disabled_at.is_not(None)
    changed = update(t.Person).where(t.Person.id == person, otherwise).values(disabled_at=at)
    return session.execute(changed.returning(t.Person.id)).first() is not None


# --- posts ------------------------------------------------------------------------------------------------------------


def posts(session: Session, person: int, today: dt.date) -> list[tuple[str, int]]:
    """The posts that a person holds today: role and unit."""
    query = select(t.Appointment.role, t.Appointment.unit_id).where(t.Appointment.person_id == person, *_holding(today))
    return [(role, unit) for role, unit in session.execute(query.order_by(t.Appointment.id))]


def _holding(day: dt.date) -> tuple[ColumnElement[bool], ...]:
    return t.Appointment.valid_from <= day, t.Appointment.valid_to > day


def has_post(session: Session, person: int, role: str, unit: int, first: dt.date, last: dt.date | None) -> bool:
    """Returns whether the person holds this post on any day from `first` to `last`."""
    query = select(t.Appointment.id).where(
        t.Appointment.person_id == person,
        t.Appointment.role == role,
        t.Appointment.unit_id == unit,
        t.Appointment.valid_from <= (last or FAR_DAY),
        t.Appointment.valid_to > first,
    )
    return session.execute(query).first() is not None


def add_post(session: Session, person: int, role: str, unit: int, first: dt.date, last: dt.date | None) -> None:
    """Gives the person the post from `first` to `last`, both included; None: without an end."""
    end = last + DAY if last else None
    session.execute(
        insert(t.Appointment).values(person_id=person, role=role, unit_id=unit, valid_from=first, valid_to=end)
    )


def end_posts(
    session: Session, person: int, end: dt.date, *, role: str | None = None, unit: int | None = None
) -> list[PostHeld]:
    """Ends posts of a person before `end`: all that hold on `end` or later, or only one. Returns them."""
    statement = update(t.Appointment).where(t.Appointment.person_id == person, t.Appointment.valid_to > end)
    if role is not None:
        statement = statement.where(t.Appointment.role == role, t.Appointment.unit_id == unit)
    columns = t.Appointment.role, t.Appointment.unit_id, t.Appointment.valid_from
    ended = session.execute(statement.values(valid_to=end).returning(*columns)).all()
    return [PostHeld(role, unit, first, end - DAY) for role, unit, first in ended]


def post_held(session: Session, person: int, appointment: int) -> PostHeld | None:
    """Returns one appointment of a person, locked until the transaction ends; None if they do not have it."""
    post = t.Appointment
    query = select(post.role, post.unit_id, post.valid_from, post.valid_to)
    row = session.execute(query.where(post.id == appointment, post.person_id == person).with_for_update()).one_or_none()
    if row is None:
        return None
    role, unit, first, end = row
    return PostHeld(role, unit, first, end - DAY if end else None)


def end_post(session: Session, appointment: int, end: dt.date) -> None:
    """Ends one appointment before `end`."""
    session.execute(update(t.Appointment).where(t.Appointment.id == appointment).values(valid_to=end))


def end_absences(session: Session, person: int, today: dt.date) -> list[Away]:
    """Ends absences from today on: those of the person, and those in which they stand in. Returns them as they were."""
    away = t.Delegation
    own = or_(away.person_id == person, away.delegate_id == person), away.last_day >= today
    query = select(away.person_id, away.delegate_id, away.first_day, away.last_day).where(*own).order_by(away.id)
    ended = [Away(*row) for row in session.execute(query)]
    session.execute(update(away).where(*own).values(last_day=today - DAY))
    return ended


# --- cases and lists --------------------------------------------------------------------------------------------------


def cases_of(session: Session, person: int) -> list[Facts]:
    """Returns the open cases that a person has, locked until the transaction ends."""
    return read_facts(session, t.OPEN, cases.c.assignee_id == person, lock=True, order=cases.c.id)


def members(session: Session, today: dt.date) -> list[Member]:
    """Returns everybody, by login, with the posts they hold today."""
    held: dict[int, list[tuple[str, str, str]]] = {}
    query = (
        select(t.Appointment.person_id, t.Appointment.role, t.Unit.code, t.Unit.name)
        .join(t.Unit, t.Unit.id == t.Appointment.unit_id)
        .where(*_holding(today))
        .order_by(t.Appointment.id)
    )
    for person, *post in session.execute(query):
        held.setdefault(person, []).append((post[0], post[1], post[2]))
    away = _away(
        session.execute(
            select(t.Delegation.person_id, t.Delegation.last_day).where(
                t.Delegation.first_day <= today, t.Delegation.last_day >= today
            )
        ).all()
    )
    return [
        Member(id, login, name, disabled is not None, must, tuple(held.get(id, ())), away.get(id))
        for id, login, name, disabled, must in session.execute(
            select(t.Person.id, t.Person.login, t.Person.name, t.Person.disabled_at, t.Person.must_change).order_by(
                t.Person.login
            )
        )
    ]


def _away(rows: Iterable[tuple[int, dt.date]]) -> dict[int, dt.date]:
    return dict(sorted(rows))
