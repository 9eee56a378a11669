"""Reads several cases that somebody chose, and the people to whom they can be given."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.core.people.access import Viewer
from engine.core.people.roles import ASSIGN
from engine.store import tables as t
from engine.store.cases.rows import CaseRow, cases, known_arms, pick, read_known, read_referred, referred_arms


@dataclass(slots=True)
class Taker:
    """A person to whom cases can be given: the role, and the codes of those cases."""

    id: int
    name: str
    role: str
    codes: list[str] = field(default_factory=list)


def chosen(session: Session, viewer: Viewer, codes: Sequence[str]) -> list[CaseRow]:
    """Returns the cases of these codes that the viewer reaches, in the order of the codes."""
    most = len(codes)
    picks = [pick([cases.c.code.in_(codes)], most)]
    rows = read_known(session, picks, most) if known_arms(viewer) else []
    rows += read_referred(session, picks, most) if referred_arms(viewer) else []
    once = {row.code: row for row in reversed(rows)}
    return [once[code] for code in dict.fromkeys(codes) if code in once]


def takers(
    session: Session, viewer: Viewer, rows: Sequence[CaseRow], ladders: Mapping[str, Sequence[str]], today: dt.date
) -> list[Taker]:
    """Returns the people to whom some cases can be given; those who can have most of them come first.

    Args:
        session: scoped to the viewer.
        viewer: who gives the cases. Of referred cases only those of the viewer's own association are known.
        rows: the cases.
        ladders: by code, the roles that may hold the case, the nearest first.
        today: the day on which they hold their posts.
    """
    seats = {row.code: _seats(row, viewer, ladders[row.code]) for row in rows}
    holders = _holders(session, {unit for found in seats.values() for _role, unit in found}, today)
    takers: dict[int, Taker] = {}
    for code, found in seats.items():
        for role, unit in found:
            for id, name in holders.get((role, unit), ()):
                taker = takers.setdefault(id, Taker(id, name, role))
                if code not in taker.codes:
                    taker.codes.append(code)
    return sorted(takers.values(), key=lambda taker: (-len(taker.codes), taker.name, taker.id))


def _seats(row: CaseRow, viewer: Viewer, roles: Sequence[str]) -> list[tuple[str, int]]:
    """Returns the posts (role and unit) that may hold a case."""
    if row.pupil is None:
        own = sorted(viewer.of(*(viewer.roles.referred & viewer.roles.able(ASSIGN))))
        return [(role, unit) for role in roles if role in viewer.roles.referred for unit in own]
    columns = ((role, found.column) for role in roles if (found := viewer.roles.get(role)) and found.column)
    return [(role, unit) for role, column in columns if (unit := getattr(row, column))]


def _holders(session: Session, units: set[int], today: dt.date) -> dict[tuple[str, int], list[tuple[int, str]]]:
    found: dict[tuple[str, int], list[tuple[int, str]]] = {}
    query = (
        select(t.Appointment.role, t.Appointment.unit_id, t.Person.id, t.Person.name)
        .join(t.Person, t.Person.id == t.Appointment.person_id)
        .where(
            t.Appointment.unit_id.in_(sorted(units)),
            t.Appointment.valid_from <= today,
            t.Appointment.valid_to > today,
            t.Person.disabled_at.is_(None),
        )
        .order_by(t.Person.name, t.Person.id)
    )
    rows: Any = session.execute(query) if units else ()
    for role, unit, id, name in rows:
        found.setdefault((role, unit), []).append((id, name))
    return found
