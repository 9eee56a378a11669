"""Closures as rows: where they hold, and which open cases they touch."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import ColumnElement, insert, select, update
from sqlalchemy.orm import Session

from engine.access import Viewer
from engine.facts import Facts
from engine.store import tables as t
from engine.store.cases import pupil_place
from engine.store.world import cases, closures, links, read_facts, units

BATCH = 1_000


@dataclass(frozen=True, slots=True)
class Scope:
    """Whom a closure holds: a pupil, or all who learn in a unit. `line` are the units above it, itself among them."""

    kind: str
    line: frozenset[int]
    unit_id: int | None = None
    pupil_id: int | None = None
    class_id: int | None = None  # of the pupil


@dataclass(frozen=True, slots=True)
class Closed:
    """A stored closure."""

    id: int
    unit_id: int | None
    pupil_id: int | None
    first_day: dt.date
    last_day: dt.date


def scope_of(session: Session, unit_id: int | None, pupil_id: int | None) -> Scope | None:
    """The scope that a unit or a pupil is; None if there is no such one."""
    if pupil_id is not None:
        place = pupil_place(session, pupil_id)
        return Scope("pupil", _line(session, place.class_id), None, pupil_id, place.class_id) if place else None
    kind = session.connection().execute(select(units.c.kind).where(units.c.id == unit_id)).scalar()
    return Scope(kind, _line(session, unit_id), unit_id) if kind and unit_id is not None else None


def _line(session: Session, unit_id: int) -> frozenset[int]:
    query = select(links.c.ancestor_id).where(links.c.descendant_id == unit_id)
    return frozenset(session.connection().execute(query).scalars())


def has_post_below(session: Session, viewer: Viewer, scope: Scope) -> bool:
    """Whether the viewer holds any post in a unit that lies in this one."""
    held = {unit for found in viewer.units.values() for unit in found}
    query = select(links.c.ancestor_id).where(links.c.ancestor_id == scope.unit_id, links.c.descendant_id.in_(held))
    return session.connection().execute(query.limit(1)).first() is not None


def add_closure(
    session: Session, scope: Scope, days: tuple[dt.date, dt.date], reason: str, study_mode: str | None,
    by_id: int | None, now: dt.datetime,
) -> int:  # fmt: skip
    """Store a closure and return its id."""
    row = {
        "unit_id": scope.unit_id, "pupil_id": scope.pupil_id, "first_day": days[0], "last_day": days[1],
        "reason": reason, "study_mode": study_mode, "announced_by_id": by_id, "announced_at": now,
    }  # fmt: skip
    return int(session.connection().execute(insert(closures).values(row).returning(closures.c.id)).scalar_one())


def closure_by_id(session: Session, closure_id: int) -> Closed | None:
    """A stored closure, kept from others until the transaction ends."""
    c = closures.c
    query = select(c.id, c.unit_id, c.pupil_id, c.first_day, c.last_day).where(c.id == closure_id).with_for_update()
    row = session.connection().execute(query).one_or_none()
    return Closed(*row) if row else None


def end_closure(session: Session, closure_id: int, last_day: dt.date, now: dt.datetime) -> None:
    """Let a closure end on an earlier day."""
    statement = update(closures).where(closures.c.id == closure_id).values(last_day=last_day, lifted_at=now)
    session.connection().execute(statement)


def touched(session: Session, scope: Scope) -> Iterator[list[Facts]]:
    """The open cases of the pupils a closure holds, in batches, kept from others until the transaction ends."""
    seen = 0
    while found := read_facts(
        session, t.OPEN, _held(scope), cases.c.id > seen, lock=True, order=cases.c.id, limit=BATCH
    ):
        yield found
        seen = found[-1].id


def _held(scope: Scope) -> ColumnElement[bool]:
    if scope.pupil_id is not None:
        return cases.c.pupil_id == scope.pupil_id
    return cases.c.class_id.in_(select(links.c.descendant_id).where(links.c.ancestor_id == scope.unit_id))
