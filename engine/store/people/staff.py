"""Reads what a person may reach today, from their own posts and from those of absent people they stand in for.

Who stands in for a stand-in has what the first absent person has (`engine.core.people.stand_ins`).
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping

from sqlalchemy import and_, bindparam, select
from sqlalchemy.orm import Session

from engine.core.people.access import COMMUNES, NOBODY, PROVINCES, SCHOOLS, Viewer
from engine.core.people.roles import AREA, AREAS, INVITED, RoleBook
from engine.store import tables as t
from engine.store.stand_ins import TODAY, lenders

_acting_for = lenders()
_post = and_(
    t.Appointment.person_id == _acting_for.c.id, t.Appointment.valid_from <= TODAY, t.Appointment.valid_to > TODAY
)
# Made once: every page runs this. An absent person without a post gives a row of Nones, because they may still have
# cases.
_POSTS = (
    select(_acting_for.c.id, t.Appointment.role, t.Appointment.unit_id, t.Person.id)
    .outerjoin(t.Appointment, _post)
    .outerjoin(t.Person, and_(t.Person.id == t.Appointment.person_id, t.Person.disabled_at.is_(None)))
)


def viewer_of(session: Session, person_id: int, today: dt.date, roles: RoleBook) -> Viewer:
    """Returns the person for `engine.core.people.access`: own and delegated posts, what lies in the areas of offices,
    and the cases to which invited people were invited.
    """
    posts = session.execute(_POSTS, {"person_id": person_id, "today": today}).all()
    held: dict[int, dict[str, set[int]]] = {person_id: defaultdict(set)}
    for person, role, unit, holder in posts:
        own = held.setdefault(person, defaultdict(set))
        if holder is not None:
            own[role].add(unit)
    if len(held) == 1:
        return _viewer(session, person_id, held[person_id], roles)
    parts = tuple(
        _viewer(session, person, held[person], roles) for person in (person_id, *sorted(held.keys() - {person_id}))
    )
    return Viewer(
        person_id,
        {role: NOBODY.union(*(part.of(role) for part in parts)) for part in parts for role in part.units},
        areas={role: _together(role, parts) for part in parts for role in part.areas},
        invited=NOBODY.union(*(part.invited for part in parts)),
        parts=parts,
        roles=roles,
    )


def _together(role: str, parts: tuple[Viewer, ...]) -> dict[str, frozenset[int]]:
    """Returns the area of a role that several people lend."""
    return {name: NOBODY.union(*(part.areas.get(role, {}).get(name, NOBODY) for part in parts)) for name in AREAS}


def _viewer(session: Session, person_id: int, held: Mapping[str, set[int]], roles: RoleBook) -> Viewer:
    """Returns a viewer with exactly these posts."""
    return Viewer(
        person_id,
        {role: frozenset(ids) for role, ids in held.items() if ids},
        {role: _areas(session, held[role]) for role in roles.seated(AREA) if held.get(role)},
        _invited(session, person_id) if any(held.get(role) for role in roles.seated(INVITED)) else NOBODY,
        roles=roles,
    )


_KINDS = select(t.Unit.id, t.Unit.kind).where(t.Unit.id.in_(bindparam("offices", expanding=True)))
_BELOW = (
    select(t.Unit.kind, t.Unit.id)
    .join(t.UnitLink, t.UnitLink.descendant_id == t.Unit.id)
    .where(
        t.UnitLink.ancestor_id.in_(bindparam("units", expanding=True)),
        t.Unit.kind.in_(bindparam("kinds", expanding=True)),
    )
)


_INVITED = select(t.Companion.case_id).where(
    t.Companion.person_id == bindparam("person_id"), t.Companion.removed_seq.is_(None)
)


def _invited(session: Session, person_id: int) -> frozenset[int]:
    """Returns the cases on whose list of companions a person is by their account."""
    return frozenset(session.scalars(_INVITED, {"person_id": person_id}))


def _areas(session: Session, offices: set[int]) -> dict[str, frozenset[int]]:
    """Returns the areas of offices: a province by itself; below it, the communes and schools in the offices' units."""
    kinds = dict(session.execute(_KINDS, {"offices": sorted(offices)}).all())
    found: dict[str, set[int]] = defaultdict(set)
    found["province"] |= {unit for unit, kind in kinds.items() if kind == "province"}
    if smaller := [unit for unit, kind in kinds.items() if kind not in {"province", "root"}]:
        found_below = _below(session, smaller, ("commune", "school"))
        found["commune"] |= found_below["commune"]
        found["school"] |= found_below["school"]
    if roots := [unit for unit, kind in kinds.items() if kind == "root"]:
        found["province"] |= _below(session, roots, ("province",))["province"]
    names = {COMMUNES: "commune", PROVINCES: "province", SCHOOLS: "school"}
    return {name: frozenset(found[kind]) for name, kind in names.items()}


def _below(session: Session, units: list[int], kinds: tuple[str, ...]) -> dict[str, set[int]]:
    found: dict[str, set[int]] = defaultdict(set)
    for kind, unit in session.execute(_BELOW, {"units": units, "kinds": kinds}):
        found[kind].add(unit)
    return found
