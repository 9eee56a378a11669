"""Finds the seats that may have nobody in the coming days, and people whom no message reaches: a few statements,
whatever the size of the area.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, literal, or_, select, union_all
from sqlalchemy.orm import Session, aliased

from engine.core.notices.planning import EMAIL, PUSH, Recipient
from engine.core.people.gaps import DAY, DAYS, Gap, Span, absences_by_day, gaps
from engine.store import tables as t
from engine.store.bulk import among
from engine.store.notices.notices import read_readers
from engine.store.tables.types import FAR_DAY, at_most

MOST = 200  # seats, and people, on one page


@dataclass(frozen=True, slots=True)
class SeatGap:
    """A seat in which nobody acts on some of the coming days: its role, its unit, the unit above, and the days."""

    role: str
    unit_id: int
    kind: str
    unit: str
    inside: str | None
    gaps: tuple[Gap, ...]


@dataclass(frozen=True, slots=True)
class Unreached:
    """Somebody in a post whom no channel of this installation reaches: only who opens the pages sees the notices."""

    person_id: int
    name: str
    role: str
    unit: str


Roots = Mapping[str, frozenset[int]]  # by role: the units whose posts a viewer may fill, and those of all units below


def seat_gaps(session: Session, wanted: Mapping[str, str], roots: Roots | None, today: dt.date) -> list[SeatGap]:
    """Returns the seats with gaps from today on, for `DAYS` days, by the first day of a gap; at most MOST.

    `wanted`: the roles that every place needs, each with its kind of unit (`engine.store.units.unit_lists.sought`).
    `roots`: for each role, where to look, None: everywhere.
    """
    last = today + (DAYS - 1) * DAY
    seats = _candidates(session, wanted, roots, today, last)
    ids = sorted({unit for _, unit, *_ in seats})
    posts: dict[tuple[str, int], list[Span]] = defaultdict(list)
    post, away, person = t.Appointment, t.Delegation, t.Person
    held = select(post.role, post.unit_id, post.person_id, post.valid_from, post.valid_to).where(
        among(post.unit_id), post.valid_from <= last, post.valid_to > today
    )
    for role, unit, holder, first, end in session.connection().execute(held, {"ids": ids}) if ids else ():
        posts[role, unit].append(Span(holder, first, (end or FAR_DAY) - DAY))
    columns = away.person_id, away.first_day, away.last_day, away.delegate_id
    absent = session.execute(select(*columns).where(away.first_day <= last, away.last_day >= today)).all()
    closed = set(session.execute(select(person.id).where(person.disabled_at.is_not(None))).scalars())
    days = [today + number * DAY for number in range(DAYS)]
    by_day = absences_by_day([Span(*row) for row in absent], closed, days)
    found = [
        SeatGap(role, unit, kind, name, inside, tuple(gaps(posts[role, unit], by_day, closed, days)))
        for role, unit, kind, name, inside in seats
    ]
    return sorted((it for it in found if it.gaps), key=lambda it: (it.gaps[0].first, it.inside or "", it.unit))


def _candidates(
    session: Session, wanted: Mapping[str, str], roots: Roots | None, today: dt.date, last: dt.date
) -> list[tuple[str, int, str, str, str | None]]:
    """Returns seats that nobody holds all these days without being away: their role, unit, kind, name, unit above."""
    unit, above = t.Unit, aliased(t.Unit)
    arms = []
    for role, kind in wanted.items():
        where = [unit.kind == kind, unit.valid_from <= today, unit.valid_to > today, ~_covered(role, today, last)]
        if roots is not None:
            if not roots.get(role):
                continue
            link = t.UnitLink
            where.append(unit.id.in_(select(link.descendant_id).where(link.ancestor_id.in_(sorted(roots[role])))))
        if kind == "class":  # a class of last year has no pupils and needs no teacher
            where.append(exists().where(t.Pupil.class_id == unit.id))
        columns = literal(role).label("role"), unit.id, unit.kind, unit.name, above.name
        arms.append(
            select(*columns).outerjoin(above, above.id == unit.parent_id).where(*where).limit(at_most(MOST)).subquery()
        )
    if not arms:
        return []
    rows: Any = session.execute(union_all(*(select(arm) for arm in arms)).limit(at_most(MOST))).all()
    return [(role, id, kind, name, inside) for role, id, kind, name, inside in rows]


def _covered(role: str, today: dt.date, last: dt.date) -> ColumnElement[bool]:
    """Whether one person holds the post of this role in the unit all these days, with an open account, and is there."""
    post, away, person = aliased(t.Appointment), aliased(t.Delegation), aliased(t.Person)
    absent = exists().where(away.person_id == post.person_id, away.first_day <= last, away.last_day >= today)
    return exists(
        select(post.id)
        .join(person, and_(person.id == post.person_id, person.disabled_at.is_(None)))
        .where(
            post.unit_id == t.Unit.id,
            post.role == role,
            post.valid_from <= today,
            post.valid_to > last,
            ~absent.correlate(post),
        )
        .correlate(t.Unit)
    )


def unreached(
    session: Session, wanted: Collection[str], roots: Roots | None, available: Collection[str], today: dt.date
) -> list[Unreached]:
    """Returns people in a post of these roles in the area whom no such channel reaches, by name; at most MOST."""
    person, post, unit, choice = t.Person, t.Appointment, t.Unit, t.ChannelChoice
    where = [post.valid_from <= today, post.valid_to > today, person.disabled_at.is_(None), post.role.in_(wanted)]
    if roots is not None:
        link = t.UnitLink
        places = [
            and_(
                post.role == role, post.unit_id.in_(select(link.descendant_id).where(link.ancestor_id.in_(sorted(ids))))
            )
            for role, ids in roots.items()
            if ids
        ]
        where.append(or_(*places))
    mailed = and_(person.email.is_not(None), person.email != "")
    changed = exists().where(choice.person_id == person.id)
    browser = exists().where(t.PushSubscription.person_id == person.id)
    # Whom the usual way surely reaches is left out here; the others are looked at one by one.
    sure = [and_(mailed, ~changed)] if EMAIL in available else []
    query = (
        select(person.id, person.name, post.role, unit.name)
        .join(post, post.person_id == person.id)
        .join(unit, unit.id == post.unit_id)
        .where(*where, *(~way for way in sure))
        .order_by(browser, person.name, person.id)
        .limit(at_most(4 * MOST))
    )
    rows = session.execute(query).all()
    readers = read_readers(session, {row[0] for row in rows})
    alone = {id for id, reader in readers.items() if not _reached(reader, available)}
    once = {row[0]: Unreached(*row) for row in reversed(rows) if row[0] in alone}
    return sorted(once.values(), key=lambda it: (it.name, it.person_id))[:MOST]


def _reached(reader: Recipient, available: Collection[str]) -> bool:
    return bool(reader.choices(available)) or (PUSH in available and reader.devices > 0)
