"""Finds records of pupils at several schools that may be one child, for the office that reaches both schools.

Nobody else sees them. An import looks at one school only, so a child on the lists of two schools has two records. This
module compares them when the office asks: the same name and birth date, or the same code and birth date.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, select
from sqlalchemy.orm import Session

from engine.store import tables as t
from engine.store.bulk import among

_pupils, _cases, _units, _links = (t.Base.metadata.tables[name] for name in ("pupils", "cases", "units", "unit_links"))
_school, _class, _village = (_units.alias(name) for name in ("school", "class", "village"))


@dataclass(frozen=True, slots=True)
class Record:
    """A pupil in the list of one school; `status` as on that list, `case` is the code of an open case."""

    id: int
    school_id: int
    name: str
    search_key: str
    birth_date: dt.date
    code: str
    status: str
    school: str
    klass: str
    village: str | None
    case: str | None


@dataclass(frozen=True, slots=True)
class Double:
    """Records of different schools that may be one child: which of name and code they share, beside the birth date."""

    records: tuple[Record, ...]
    same_name: bool
    same_code: bool


def schools_below(session: Session, offices: Collection[int]) -> set[int]:
    """Returns the schools in these units; schools of a province's office lie directly in the province."""
    query = select(_links.c.descendant_id).join(_units, _units.c.id == _links.c.descendant_id)
    below = query.where(_links.c.ancestor_id.in_(offices), _units.c.kind == "school")
    return set(session.connection().execute(below).scalars())


def doubles(session: Session, schools: Collection[int]) -> list[Double]:
    """Returns the possible doubles among the pupils of these schools, the latest first.

    The session must be unscoped.
    """
    by_name = _groups(_records(session, schools, _SAME_NAME), "search_key")
    by_code = _groups(_records(session, schools, _SAME_CODE), "code")
    found = [Double(tuple(records), ids in by_name, ids in by_code) for ids, records in {**by_name, **by_code}.items()]
    return sorted(found, key=lambda double: max(record.id for record in double.records), reverse=True)


def _several(*columns: str) -> Select[Any]:
    """Selects the values of these columns that pupils of several schools share.

    It reads all schools, from an index alone and in its order. The caller then asks which of the few results the office
    reaches. Reading only the schools of a large office takes five times as long.
    """
    pupils = _pupils.alias()
    by = [pupils.c[column] for column in columns]
    return select(*by).group_by(*by).having(func.min(pupils.c.school_id) < func.max(pupils.c.school_id))


_NAMES, _BOTH = _several("birth_date", "search_key").subquery(), _pupils.alias()
_CODES = (
    select(_BOTH.c.birth_date, _BOTH.c.code)
    .where(_BOTH.c.code.in_(_several("code")))
    .group_by(_BOTH.c.birth_date, _BOTH.c.code)
    .having(func.min(_BOTH.c.school_id) < func.max(_BOTH.c.school_id))
    .subquery()
)
# An unknown birth date equals no other.
_SAME_NAME = and_(_pupils.c.birth_date == _NAMES.c.birth_date, _pupils.c.search_key == _NAMES.c.search_key)
_SAME_CODE = and_(_pupils.c.birth_date == _CODES.c.birth_date, _pupils.c.code == _CODES.c.code)


def _records(session: Session, schools: Collection[int], same: ColumnElement[bool]) -> Iterable[Record]:
    """Returns the records of these schools that equal one of any other school."""
    open_case = select(func.min(_cases.c.code)).where(_cases.c.pupil_id == _pupils.c.id, t.OPEN).scalar_subquery()
    columns = (_pupils.c[name] for name in ("id", "school_id", "name", "search_key", "birth_date", "code", "status"))
    query = (
        select(*columns, _school.c.name, _class.c.name, _village.c.name, open_case)
        .where(same, among(_pupils.c.school_id, schools))
        .join(_school, _school.c.id == _pupils.c.school_id)
        .join(_class, _class.c.id == _pupils.c.class_id)
        .outerjoin(_village, _village.c.id == _pupils.c.village_id)
        .order_by(_pupils.c.id)
    )
    return (Record(*row) for row in session.connection().execute(query))


def _groups(records: Iterable[Record], column: str) -> dict[frozenset[int], list[Record]]:
    """Groups the records of several schools that share the column and the birth date, by their ids."""
    alike: dict[tuple[dt.date, str], list[Record]] = defaultdict(list)
    for record in records:
        alike[record.birth_date, getattr(record, column)].append(record)
    several = (group for group in alike.values() if len({record.school_id for record in group}) > 1)
    return {frozenset(record.id for record in group): group for group in several}
