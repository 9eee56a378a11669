"""Stores units: reads them, imports those of a file, and keeps the links by which one look finds an area."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.orm import Session

from engine.core.text import fold
from engine.core.units.kinds import Key, KnownUnit, PlacedUnit
from engine.store import tables as t

_units, _links = t.Base.metadata.tables["units"], t.Base.metadata.tables["unit_links"]
_OWN = ("kind", "code", "name", "search_key", "valid_from", "valid_to", "grade", "teaching_days", "contact")
CHUNK = 5_000


@dataclass(frozen=True, slots=True)
class Imported:
    """The results of an import, in numbers of units."""

    added: int
    changed: int
    unchanged: int


@dataclass(frozen=True, slots=True)
class UnitHere:
    """A unit for those who look one up."""

    id: int
    code: str
    kind: str
    name: str
    grade: int | None = None


def known_units(session: Session) -> dict[Key, KnownUnit]:
    """Returns every unit."""
    rows = session.connection().execute(select(_units)).all()
    keys = {row.id: (row.code, row.valid_from) for row in rows}
    return {
        keys[row.id]: KnownUnit(row.kind, row.name, row.valid_to, keys.get(row.parent_id), keys.get(row.successor_id))
        for row in rows
    }


def store_units(session: Session, placed: Iterable[PlacedUnit]) -> Imported:
    """Adds what is new, changes what differs, deletes nothing; the links are right afterwards."""
    placed = list(placed)
    ids, before = _stored(session)
    new = [unit for unit in placed if unit.row.key not in ids]
    if new:
        statement = insert(_units).returning(_units.c.id, _units.c.code, _units.c.valid_from)
        for id, code, first in session.connection().execute(statement, [_values(unit) for unit in new]):
            ids[code, first] = id
    after = {ids[unit.row.key]: _values(unit) | _references(unit, ids) for unit in placed}
    changed = [{"of": id, **values} for id, values in after.items() if before.get(id) != values]
    if changed:
        columns: dict[str, Any] = {name: bindparam(name) for name in (*_OWN, "parent_id", "successor_id")}
        session.connection().execute(update(_units).where(_units.c.id == bindparam("of")).values(columns), changed)
        relink(session)
    return Imported(len(new), len(changed) - len(new), len(placed) - len(changed))


def _stored(session: Session) -> tuple[dict[Key, int], dict[int, dict[str, Any]]]:
    """Returns the ids of all units, with their columns."""
    rows = session.connection().execute(select(_units)).mappings().all()
    names = (*_OWN, "parent_id", "successor_id")
    return {(row["code"], row["valid_from"]): row["id"] for row in rows}, {
        row["id"]: {name: row[name] for name in names} for row in rows
    }


def _values(unit: PlacedUnit) -> dict[str, Any]:
    return {name: getattr(unit.row, name) for name in _OWN if name != "search_key"} | {
        "search_key": fold(unit.row.name)[:200]
    }


def _references(unit: PlacedUnit, ids: Mapping[Key, int]) -> dict[str, Any]:
    return {
        "parent_id": ids[unit.parent] if unit.parent else None,
        "successor_id": ids[unit.successor] if unit.successor else None,
    }


def relink(session: Session) -> None:
    """Brings the links in line with the parents; changes only those that differ."""
    connection = session.connection()
    parents: dict[int, int | None] = dict(connection.execute(select(_units.c.id, _units.c.parent_id)).all())
    wanted = {(above, unit): depth for unit in parents for depth, above in enumerate(_upwards(unit, parents))}
    there = {(row[0], row[1]): row[2] for row in connection.execute(select(_links))}
    gone = [{"a": above, "b": below} for above, below in there if wanted.get((above, below)) != there[above, below]]
    if gone:
        which = (_links.c.ancestor_id == bindparam("a"), _links.c.descendant_id == bindparam("b"))
        connection.execute(delete(_links).where(*which), gone)
    new = [
        {"ancestor_id": above, "descendant_id": below, "depth": depth}
        for (above, below), depth in wanted.items()
        if there.get((above, below)) != depth
    ]
    for start in range(0, len(new), CHUNK):
        connection.execute(insert(_links), new[start : start + CHUNK])


def _upwards(unit: int | None, parents: Mapping[int, int | None]) -> Iterable[int]:
    while unit is not None:
        yield unit
        unit = parents[unit]


# --- looking units up -------------------------------------------------------------------------------------------------


def _holding(day: dt.date) -> tuple[Any, ...]:
    return t.Unit.valid_from <= day, t.Unit.valid_to > day


def unit_at(session: Session, code: str, day: dt.date) -> UnitHere | None:
    """The unit that has this code on a day."""
    columns = (t.Unit.id, t.Unit.code, t.Unit.kind, t.Unit.name, t.Unit.grade)
    row = session.execute(select(*columns).where(t.Unit.code == code, *_holding(day))).one_or_none()
    return UnitHere(*row) if row else None


def units_below(session: Session, unit_id: int, kind: str, day: dt.date) -> list[UnitHere]:
    """Returns the units of a kind in a unit on a day, at any depth, by code."""
    query = (
        select(t.Unit.id, t.Unit.code, t.Unit.kind, t.Unit.name, t.Unit.grade)
        .join(t.UnitLink, t.UnitLink.descendant_id == t.Unit.id)
        .where(t.UnitLink.ancestor_id == unit_id, t.Unit.kind == kind, *_holding(day))
        .order_by(t.Unit.code)
    )
    return [UnitHere(*row) for row in session.execute(query)]


def unit_above(session: Session, unit_id: int, kind: str) -> int | None:
    """Returns the unit of a kind above a unit."""
    query = (
        select(t.Unit.id)
        .join(t.UnitLink, t.UnitLink.ancestor_id == t.Unit.id)
        .where(t.UnitLink.descendant_id == unit_id, t.Unit.kind == kind)
        .order_by(t.UnitLink.depth)
    )
    return session.execute(query).scalars().first()
