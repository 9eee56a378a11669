"""Reads the tree of units by pages, the posts in a unit, and what needs a decision, for administrators.

Decisions are needed for vacant posts, and for ended units that still have something. The sessions are unscoped.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, or_, select, tuple_
from sqlalchemy.orm import Session, aliased

from engine.core.people.roles import ACCEPT, RoleBook
from engine.store import tables as t
from engine.store.cases import search
from engine.store.tables.types import FAR_DAY, at_most

PAGE = 50
MOST = 99  # vacant posts are counted up to this

Cursor = tuple[str, int]  # search key and id of the last unit of a page


@dataclass(frozen=True, slots=True)
class UnitRow:
    """A unit, its parent, and its days; `ended` is its last day, if any."""

    id: int
    kind: str
    code: str
    name: str
    search_key: str
    inside: str | None
    first: dt.date
    ended: dt.date | None
    successor_id: int | None


@dataclass(frozen=True, slots=True)
class HolderRow:
    """Somebody in a post of a unit."""

    person_id: int
    name: str
    login: str
    role: str
    disabled: bool


_parent = aliased(t.Unit)
_UNITS = select(
    t.Unit.id,
    t.Unit.kind,
    t.Unit.code,
    t.Unit.name,
    t.Unit.search_key,
    _parent.name,
    t.Unit.valid_from,
    t.Unit.valid_to,
    t.Unit.successor_id,
).outerjoin(_parent, _parent.id == t.Unit.parent_id)
_BY_NAME = (t.Unit.search_key, t.Unit.id)


def _row(row: Any) -> UnitRow:
    id, kind, code, name, key, above, first, end, successor = row
    return UnitRow(id, kind, code, name, key, above, first, end - dt.timedelta(days=1) if end else None, successor)


def _holding(day: dt.date) -> tuple[ColumnElement[bool], ...]:
    return t.Unit.valid_from <= day, t.Unit.valid_to > day


def _beyond(after: Cursor | None) -> list[ColumnElement[bool]]:
    return [tuple_(*_BY_NAME) > tuple_(*after)] if after else []


def unit(session: Session, unit_id: int) -> UnitRow | None:
    """Returns one unit, ended or not."""
    row = session.execute(_UNITS.where(t.Unit.id == unit_id)).one_or_none()
    return _row(row) if row else None


def line_of(session: Session, unit_id: int) -> list[UnitRow]:
    """Returns the units above a unit, the largest first."""
    query = _UNITS.join(t.UnitLink, t.UnitLink.ancestor_id == t.Unit.id)
    above = query.where(t.UnitLink.descendant_id == unit_id, t.UnitLink.depth > 0)
    return [_row(row) for row in session.execute(above.order_by(t.UnitLink.depth.desc()))]


def roots(session: Session, today: dt.date) -> list[UnitRow]:
    """Returns the units without a parent."""
    return [_row(row) for row in session.execute(_UNITS.where(t.Unit.parent_id.is_(None), *_holding(today)))]


def inside(session: Session, unit_id: int, today: dt.date, after: Cursor | None = None) -> list[UnitRow]:
    """Returns the units directly in one, by name; one more than PAGE if there are more."""
    query = _UNITS.where(t.Unit.parent_id == unit_id, *_holding(today), *_beyond(after))
    return [_row(row) for row in session.execute(query.order_by(*_BY_NAME).limit(at_most(PAGE + 1)))]


def units_named(
    session: Session, query: str, today: dt.date, after: Cursor | None = None, kinds: Collection[str] = ()
) -> list[UnitRow]:
    """Returns units by name or code, of these kinds or any; one more than PAGE if there are more."""
    words = [t.Unit.search_key.contains(word, autoescape=True) for word in search.words(query)]
    named = or_(t.Unit.code == query.strip(), and_(*words)) if words else t.Unit.code == query.strip()
    of = [t.Unit.kind.in_(sorted(kinds))] if kinds else []
    found = _UNITS.where(named, *of, *_holding(today), *_beyond(after)).order_by(*_BY_NAME).limit(at_most(PAGE + 1))
    return [_row(row) for row in session.execute(found)]


def holders(session: Session, unit_id: int, today: dt.date) -> list[HolderRow]:
    """Who holds a post in a unit today."""
    post = t.Appointment
    query = (
        select(t.Person.id, t.Person.name, t.Person.login, post.role, t.Person.disabled_at.is_not(None))
        .join(t.Person, t.Person.id == post.person_id)
        .where(post.unit_id == unit_id, post.valid_from <= today, post.valid_to > today)
        .order_by(post.role, t.Person.name)
    )
    return [HolderRow(*row) for row in session.execute(query)]


# --- vacant posts -----------------------------------------------------------------------------------------------------


def sought(roles: RoleBook) -> Mapping[str, str]:
    """Returns the roles whose empty post every place misses, each with its kind of unit."""
    found = (role for role in roles.roles.values() if ACCEPT in role.can and role.column and not role.optional)
    return {role.code: role.held_in[0] for role in found}


def _vacant(role: str, kind: str, today: dt.date) -> list[ColumnElement[bool]]:
    post = t.Appointment
    filled = exists().where(
        post.unit_id == t.Unit.id,
        post.role == role,
        post.valid_from <= today,
        post.valid_to > today,
        post.person_id == t.Person.id,
        t.Person.disabled_at.is_(None),
    )
    found = [t.Unit.kind == kind, *_holding(today), ~filled]
    if kind == "class":  # a class of last year has no pupils and needs no teacher
        found.append(exists().where(t.Pupil.class_id == t.Unit.id))
    return found


def vacant(session: Session, role: str, kind: str, today: dt.date, after: Cursor | None = None) -> list[UnitRow]:
    """Returns units of a kind without a holder of a role that gets cases; one more than PAGE if there are more."""
    query = _UNITS.where(*_vacant(role, kind, today), *_beyond(after)).order_by(*_BY_NAME).limit(at_most(PAGE + 1))
    return [_row(row) for row in session.execute(query)]


def vacancies(session: Session, wanted: Mapping[str, str], today: dt.date) -> dict[str, int]:
    """Returns how many posts of each role (`sought`) are vacant, counted up to MOST + 1."""
    found = {}
    for role, kind in wanted.items():
        some = select(t.Unit.id).where(*_vacant(role, kind, today)).limit(at_most(MOST + 1)).subquery()
        found[role] = session.execute(select(func.count()).select_from(some)).scalar_one()
    return found


# --- what wants a decision --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Left:
    """A unit that ended without a successor, and what still belongs to it."""

    unit: UnitRow
    units: bool
    posts: bool
    cases: bool


def undecided(session: Session, today: dt.date, limit: int = PAGE) -> list[Left]:
    """Returns ended units without a successor that still have units, posts or open cases; a person must decide about
    them.
    """
    below = aliased(t.Unit)
    units = exists().where(below.parent_id == t.Unit.id, below.valid_to > today)
    posts = exists().where(t.Appointment.unit_id == t.Unit.id, t.Appointment.valid_to > today)
    case = t.Case
    places = (case.class_id, case.school_id, case.village_id, case.commune_id)
    cases = or_(*(exists().where(place == t.Unit.id, t.OPEN) for place in places))
    query = _UNITS.add_columns(units, posts, cases).where(
        t.Unit.valid_to <= today, t.Unit.valid_to < FAR_DAY, t.Unit.successor_id.is_(None), or_(units, posts, cases)
    )
    found = session.execute(query.order_by(*_BY_NAME).limit(at_most(limit)))
    return [Left(_row(row[:-3]), bool(row[-3]), bool(row[-2]), bool(row[-1])) for row in found]
