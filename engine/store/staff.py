"""What a person may reach today, from their appointments and from those whose absence they cover."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict

from sqlalchemy import literal, select, union_all
from sqlalchemy.orm import Session

from engine.access import OFFICE, Viewer
from engine.store import tables as t
from engine.store.types import Id


def viewer_of(session: Session, person_id: int, today: dt.date) -> Viewer:
    """The person as `engine.access` sees them: own appointments and delegated ones, office areas spelt out."""
    covered = select(t.Delegation.person_id).where(
        t.Delegation.delegate_id == person_id, t.Delegation.first_day <= today, t.Delegation.last_day >= today
    )
    acting_for = union_all(select(literal(person_id, Id)), covered)  # one probe each; an OR would read every post
    query = (
        select(t.Appointment.role, t.Appointment.unit_id)
        .join(t.Person, t.Person.id == t.Appointment.person_id)
        .where(
            t.Appointment.person_id.in_(acting_for),
            t.Appointment.valid_from <= today,
            t.Appointment.valid_to > today,
            t.Person.disabled_at.is_(None),
        )
    )
    held: dict[str, set[int]] = defaultdict(set)
    for role, unit in session.execute(query):
        held[role].add(unit)
    areas = _areas(session, held[OFFICE]) if held[OFFICE] else {}
    return Viewer(
        person_id,
        {role: frozenset(ids) for role, ids in held.items() if ids},
        office_communes=frozenset(areas.get("commune", ())),
        office_provinces=frozenset(areas.get("province", ())),
        office_schools=frozenset(areas.get("school", ())),
    )


def _areas(session: Session, offices: set[int]) -> dict[str, set[int]]:
    """Whole provinces by themselves; below that, the communes and the schools that lie in the offices' units."""
    kinds = dict(session.execute(select(t.Unit.id, t.Unit.kind).where(t.Unit.id.in_(offices))).all())
    found: dict[str, set[int]] = defaultdict(set)
    found["province"] |= {unit for unit, kind in kinds.items() if kind == "province"}
    if smaller := [unit for unit, kind in kinds.items() if kind not in {"province", "root"}]:
        found_below = _below(session, smaller, ("commune", "school"))
        found["commune"] |= found_below["commune"]
        found["school"] |= found_below["school"]
    if roots := [unit for unit, kind in kinds.items() if kind == "root"]:
        found["province"] |= _below(session, roots, ("province",))["province"]
    return found


def _below(session: Session, units: list[int], kinds: tuple[str, ...]) -> dict[str, set[int]]:
    query = (
        select(t.Unit.kind, t.Unit.id)
        .join(t.UnitLink, t.UnitLink.descendant_id == t.Unit.id)
        .where(t.UnitLink.ancestor_id.in_(units), t.Unit.kind.in_(kinds))
    )
    found: dict[str, set[int]] = defaultdict(set)
    for kind, unit in session.execute(query):
        found[kind].add(unit)
    return found
