"""Finds what a merger changed, row by row, and restores those rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Column, Table, bindparam, delete, func, or_, select, update
from sqlalchemy.orm import Session

from engine.core.cases.facts import ASKED
from engine.store import tables as t
from engine.store.cases.surroundings import chunks
from engine.store.units.mergers import PLACES
from engine.store.units.units import relink

_TABLES = t.Base.metadata.tables
_units, _links, _cases, _offers = (_TABLES[name] for name in ("units", "unit_links", "cases", "offers"))
WHOLE = ("units", "appointments", "closures")  # these tables are small enough to compare whole
HAS = ("assignee_id", "offered_role", "offered_unit_id", "offered_at", "accepted_at")
# Who has a case, whose turn it is, and until when.
WHOSE = (*HAS, *ASKED, "beside_until", "entry", "due_at", "next_look_at")
PLACED: Mapping[str, tuple[str, ...]] = {
    "pupils": tuple(name for name in PLACES if name in _TABLES["pupils"].c),
    "cases": (*PLACES, *WHOSE, "version"),
    "difficulties": ("unit_id",),
    "ledger_accounts": ("association_id",),
}

MOST_CODE = 40  # characters of a unit's code
ADDED_TO = {"staff_acts"}  # what names a unit there names it for good: a row is never changed

Key = tuple[int, ...]
Rows = dict[str, dict[Key, dict[str, Any]]]  # by table and primary key


@dataclass(frozen=True, slots=True)
class ChangedRow:
    """A changed row: the values of its columns before and after."""

    key: Key
    before: Mapping[str, Any]
    after: Mapping[str, Any]


@dataclass
class MergerDifference:
    """What changed in each table, and the new rows."""

    changed: dict[str, list[ChangedRow]] = field(default_factory=dict)
    made: dict[str, list[tuple[Key, Mapping[str, Any]]]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return any(self.changed.values()) or any(self.made.values())


# --- before and after -------------------------------------------------------------------------------------------------


def whole(session: Session) -> Rows:
    """Returns every row of the small tables."""
    return {name: _read(session, _TABLES[name], tuple(_TABLES[name].c.keys())) for name in WHOLE}


def placed(session: Session, units: Collection[int]) -> Rows:
    """Returns what belongs to one of these units: pupils, cases with their owners, difficulties."""
    found: Rows = {}
    for name, columns in PLACED.items():
        table, rows = _TABLES[name], dict[Key, dict[str, Any]]()
        for place in (it for it in columns if it in {*PLACES, "unit_id", "offered_unit_id", "asked_unit_id"}):
            for chunk in chunks(units):
                rows |= _read(session, table, columns, table.c[place].in_(chunk))
        found[name] = rows
    return found


def again(session: Session, before: Rows) -> Rows:
    """Returns the same rows as they are now."""
    return {name: _by_keys(session, _TABLES[name], PLACED[name], rows) for name, rows in before.items()}


def difference(before: Rows, after: Rows) -> MergerDifference:
    """Returns how the rows changed; none of them was deleted."""
    found = MergerDifference()
    for name, rows in after.items():
        old = before[name]
        found.made[name] = [(key, row) for key, row in rows.items() if key not in old]
        found.changed[name] = [_changed(key, old[key], row) for key, row in rows.items() if old.get(key, row) != row]
    return found


def _changed(key: Key, before: Mapping[str, Any], after: Mapping[str, Any]) -> ChangedRow:
    names = [name for name in after if before[name] != after[name]]
    return ChangedRow(key, {name: before[name] for name in names}, {name: after[name] for name in names})


def _read(session: Session, table: Table, columns: Collection[str], *where: Any) -> dict[Key, dict[str, Any]]:
    key = tuple(table.primary_key.columns)
    query = select(*key, *(table.c[name] for name in columns)).where(*where)
    width = len(key)
    return {
        tuple(row[:width]): dict(zip(columns, row[width:], strict=True)) for row in session.connection().execute(query)
    }


def _by_keys(
    session: Session, table: Table, columns: Collection[str], keys: Iterable[Key]
) -> dict[Key, dict[str, Any]]:
    wanted, first = set(keys), next(iter(table.primary_key.columns))
    found: dict[Key, dict[str, Any]] = {}
    for chunk in chunks({key[0] for key in wanted}):
        found |= _read(session, table, columns, first.in_(chunk))
    return {key: row for key, row in found.items() if key in wanted}


# --- put back ---------------------------------------------------------------------------------------------------------


def rows_of(session: Session, name: str, keys: Iterable[Key]) -> dict[Key, dict[str, Any]]:
    """Returns rows of a table by their keys, as they are now."""
    return _by_keys(session, _TABLES[name], tuple(_TABLES[name].c.keys()), keys)


def revert(session: Session, name: str, changed: Iterable[ChangedRow], columns: Collection[str] | None = None) -> int:
    """Restores each column that still has the value from the merger; returns how many rows had one."""
    table, changes = _TABLES[name], list(changed)
    now = rows_of(session, name, [it.key for it in changes])
    groups: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    keys = [column.name for column in table.primary_key.columns]
    for it in changes:
        same = [col for col in it.before if (columns is None or col in columns) and now[it.key][col] == it.after[col]]
        if same:
            row = {f"key_{key}": value for key, value in zip(keys, it.key, strict=True)}
            groups.setdefault(tuple(same), []).append(row | {f"to_{col}": it.before[col] for col in same})
    for names, rows in groups.items():
        where = [table.c[key] == bindparam(f"key_{key}") for key in keys]
        values = {col: bindparam(f"to_{col}", type_=table.c[col].type) for col in names}
        session.connection().execute(update(table).where(*where).values(values), rows)
    return sum(map(len, groups.values()))


def referring() -> Iterator[tuple[Table, Column[Any]]]:
    """Returns every column that names a unit, except those of the tree itself."""
    for table in _TABLES.values():
        if table.name not in {"units", "unit_links"}:
            for column in table.c:
                if any(key.column is _units.c.id for key in column.foreign_keys):
                    yield table, column


def follow(session: Session, successors: Mapping[int, int]) -> None:
    """Makes everything that names one of these units name its successor."""
    pairs = [{"old": old, "new": new} for old, new in successors.items()]
    for table, column in referring() if pairs else ():
        if table.name in ADDED_TO:
            continue
        statement = update(table).where(column == bindparam("old")).values({column.name: bindparam("new")})
        session.connection().execute(statement, pairs)


def to_own_communes(session: Session, units: Collection[int]) -> None:
    """Moves offers to one of these units to the commune of the case now."""
    connection = session.connection()
    for chunk in chunks(units):
        own = select(_cases.c.commune_id).where(_cases.c.id == _offers.c.case_id).scalar_subquery()
        connection.execute(
            update(_offers).where(_offers.c.unit_id.in_(chunk)).values(unit_id=func.coalesce(own, _offers.c.unit_id))
        )
        connection.execute(
            update(_cases)
            .where(_cases.c.offered_unit_id.in_(chunk), _cases.c.commune_id.is_not(None))
            .values(offered_unit_id=_cases.c.commune_id)
        )
        connection.execute(
            update(_cases)
            .where(_cases.c.asked_unit_id.in_(chunk))
            .values(asked_unit_id=func.coalesce(_cases.c.commune_id, _cases.c.school_id))
        )


def still_named(session: Session, units: Collection[int]) -> dict[str, int]:
    """Returns how many rows of which tables name one of these units."""
    found: dict[str, int] = {}
    for table, column in referring():
        for chunk in chunks(units) if table.name not in ADDED_TO else ():
            query = select(func.count()).select_from(table).where(column.in_(chunk))
            if number := session.connection().execute(query).scalar_one():
                found[table.name] = found.get(table.name, 0) + number
    return found


def remove(session: Session, name: str, keys: Iterable[Key]) -> None:
    """Deletes rows that the merger made."""
    table = _TABLES[name]
    (key,) = table.primary_key.columns
    for chunk in chunks({it[0] for it in keys}):
        session.connection().execute(delete(table).where(key.in_(chunk)))


def remove_units(session: Session, units: Collection[int]) -> None:
    """Delete units that nothing names any more, and make the links say what the parents say.

    A unit that the history of accounts names stays as a unit that held on no day. Its code is free again.
    """
    connection = session.connection()
    for chunk in chunks(units):
        of_them = or_(_links.c.ancestor_id.in_(chunk), _links.c.descendant_id.in_(chunk))
        connection.execute(delete(_links).where(of_them))
        connection.execute(update(_units).where(_units.c.id.in_(chunk)).values(parent_id=None, successor_id=None))
    kept = _named_for_good(session, units)
    for unit in sorted(kept):
        row = connection.execute(select(_units.c.code, _units.c.valid_from).where(_units.c.id == unit)).one()
        values = {"code": f"{row.code[: MOST_CODE - 12]}~{unit}", "valid_to": row.valid_from}
        connection.execute(update(_units).where(_units.c.id == unit).values(values))
    remove(session, "units", [(unit,) for unit in units if unit not in kept])
    relink(session)


def _named_for_good(session: Session, units: Collection[int]) -> set[int]:
    """Those that a table names to which rows are only added."""
    found: set[int] = set()
    for table, column in referring():
        for chunk in chunks(units) if table.name in ADDED_TO else ():
            found |= set(session.connection().execute(select(column).where(column.in_(chunk)).distinct()).scalars())
    return found


# --- as a file has it -------------------------------------------------------------------------------------------------


def plain(value: object) -> Any:
    """Returns a value in the form of JSON."""
    if isinstance(value, dt.datetime):
        return {"at": value.isoformat()}
    return {"day": value.isoformat()} if isinstance(value, dt.date) else value


def read_value(value: object) -> Any:
    """Returns the value from which `plain` made this. Raises ValueError, TypeError or KeyError."""
    if isinstance(value, dict):
        return dt.date.fromisoformat(value["day"]) if "day" in value else dt.datetime.fromisoformat(value["at"])
    if value is None or isinstance(value, bool | int | str):
        return value
    raise ValueError("no value of a column")


def known(name: str, columns: Iterable[str]) -> bool:
    """Returns whether a table has these columns, and is one that a merger changes."""
    return name in {*WHOLE, *PLACED} and set(columns) <= set(_TABLES[name].c.keys())
