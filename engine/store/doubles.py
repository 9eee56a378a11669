"""Records of pupils at several schools that may be one child, for the office that reaches both: nobody else is told.

Imports look at one school only, so a child whom two schools have on their lists is two records. They are compared here,
when the office asks: the same name and birth date, or the same code and birth date.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Subquery, and_, func, select
from sqlalchemy.orm import Session, aliased

from engine.store import tables as t
from engine.store.bulk import among

_pupils = t.Base.metadata.tables["pupils"]
_School, _Class, _Village = aliased(t.Unit), aliased(t.Unit), aliased(t.Unit)


@dataclass(frozen=True, slots=True)
class Record:
    """A pupil as one school has them; `status` as on the school's list, `case` the code of an open case."""

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


def doubles(session: Session, schools: Collection[int]) -> list[Double]:
    """The possible doubles among the pupils of these schools, the latest first. In a session that sees all."""
    by_name = _groups(_records(session, schools, "search_key"), "search_key")
    by_code = _groups(_records(session, schools, "code"), "code")
    found = [Double(tuple(records), ids in by_name, ids in by_code) for ids, records in {**by_name, **by_code}.items()]
    return sorted(found, key=lambda double: max(record.id for record in double.records), reverse=True)


def _records(session: Session, schools: Collection[int], column: str) -> Iterable[Record]:
    """The records that share birth date and a column with one of another of these schools."""
    alike = _shared(schools, column)
    same = and_(
        t.Pupil.birth_date == alike.c.birth_date, getattr(t.Pupil, column) == alike.c[column],
        among(_pupils.c.school_id, schools),
    )  # fmt: skip
    open_case = select(func.min(t.Case.code)).where(t.Case.pupil_id == t.Pupil.id, t.OPEN).scalar_subquery()
    query = (
        select(t.Pupil.id, t.Pupil.school_id, t.Pupil.name, t.Pupil.search_key, t.Pupil.birth_date, t.Pupil.code,
               t.Pupil.status, _School.name, _Class.name, _Village.name, open_case)
        .join(alike, same)
        .join(_School, _School.id == t.Pupil.school_id)
        .join(_Class, _Class.id == t.Pupil.class_id)
        .outerjoin(_Village, _Village.id == t.Pupil.village_id)
        .order_by(t.Pupil.id)
    )  # fmt: skip
    rows: Any = session.connection().execute(query)
    return (Record(*row) for row in rows)


def _shared(schools: Collection[int], column: str) -> Subquery:
    pupils = _pupils.alias("shared")
    by = pupils.c.birth_date, pupils.c[column]
    several = func.min(pupils.c.school_id) < func.max(pupils.c.school_id)
    known = pupils.c.birth_date.is_not(None), among(pupils.c.school_id, schools)
    return select(*by).where(*known).group_by(*by).having(several).subquery()


def _groups(records: Iterable[Record], column: str) -> dict[frozenset[int], list[Record]]:
    """The records that share the column and the birth date, by their ids."""
    alike: dict[tuple[dt.date, str], list[Record]] = defaultdict(list)
    for record in records:
        alike[record.birth_date, getattr(record, column)].append(record)
    return {frozenset(record.id for record in group): group for group in alike.values()}
