"""Counts what the overviews show: one class, one school, the villages or communes of a post.

Each number is counted up to MOST, unit by unit, through an index that begins with the unit. So an overview costs the
same with a hundred cases and with a million. The units belong to the viewer's own posts, so the sessions may be
unscoped; pupils are read in scoped ones.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, distinct, func, literal, select
from sqlalchemy.orm import Session

from engine.store import tables as t
from engine.store.bulk import among
from engine.store.tables.types import at_most

cases = t.Base.metadata.tables["cases"]
_units, _links = t.Base.metadata.tables["units"], t.Base.metadata.tables["unit_links"]
_unit = _units.alias("counted_unit")

MOST = 99  # larger numbers are shown as "99+"


@dataclass(frozen=True, slots=True)
class UnitName:
    """A unit by its id, code and name."""

    id: int
    code: str
    name: str


def province_of(session: Session, unit_ids: Collection[int]) -> UnitName | None:
    """Returns the province of the units; the first by code if there are several."""
    query = (
        select(t.Unit.id, t.Unit.code, t.Unit.name)
        .join(t.UnitLink, t.UnitLink.ancestor_id == t.Unit.id)
        .where(t.UnitLink.descendant_id.in_(sorted(unit_ids)), t.Unit.kind == "province")
        .order_by(t.Unit.code)
        .limit(1)
    )
    row = session.execute(query).first()
    return UnitName(*row) if row else None


@dataclass(frozen=True, slots=True)
class Numbers:
    """Open cases of a unit: all, late, on a higher level than at first, waiting for somebody to accept them."""

    open: int
    late: int
    urgent: int
    waiting: int

    @property
    def heat(self) -> tuple[int, int, int, int]:
        """The sort key: the most urgent units come first."""
        return (-self.late, -self.urgent, -self.waiting, -self.open)


@dataclass(frozen=True, slots=True)
class UnitNumbers:
    """A unit and its numbers."""

    id: int
    kind: str
    name: str
    numbers: Numbers


# The kinds of units by which cases are counted, and the column of a case for each.
COLUMNS: Mapping[str, str] = {
    "class": "class_id",
    "village": "village_id",
    "school": "school_id",
    "commune": "commune_id",
    "province": "province_id",
}


def counted(
    session: Session, unit_ids: Collection[int], now: dt.datetime, today: dt.date, *, most: int = MOST
) -> list[UnitNumbers]:
    """The numbers of some units, what burns most first; all units of one kind, and those that hold today.

    Nothing is counted farther than one more than `most`.
    """
    query = select(_units.c.kind).where(among(_units.c.id, unit_ids)).distinct()
    kinds = set(session.connection().execute(query).scalars())
    found = [
        row for kind in sorted(kinds & COLUMNS.keys()) for row in _counted(session, kind, unit_ids, now, today, most)
    ]
    return sorted(found, key=lambda it: (it.numbers.heat, it.name, it.id))


def _counted(
    session: Session, kind: str, unit_ids: Collection[int], now: dt.datetime, today: dt.date, most: int
) -> list[UnitNumbers]:
    here = few = cases.c[COLUMNS[kind]] == _unit.c.id
    if kind == "province":  # few cases of a province are urgent, so they are found commune by commune
        few = cases.c.commune_id.in_(select(_links.c.descendant_id).where(_links.c.ancestor_id == _unit.c.id))
    query = select(
        _unit.c.id,
        _unit.c.kind,
        _unit.c.name,
        _some(most, here, t.OPEN),
        _some(most, here, t.OPEN, cases.c.due_at <= now),
        _some(most, few, t.URGENT),
        _some(most, few, t.WAITING),
    ).where(among(_unit.c.id, unit_ids), _unit.c.kind == kind, _unit.c.valid_from <= today, _unit.c.valid_to > today)
    return [UnitNumbers(id, of, name, Numbers(*found)) for id, of, name, *found in session.connection().execute(query)]


def _some(most: int, *where: Any) -> Any:
    """How many cases of the unit in the row at hand, counted no farther than one more than `most`."""
    some = select(literal(1)).select_from(cases).where(*where).limit(at_most(most + 1)).correlate(_unit).subquery()
    return select(func.count()).select_from(some).correlate(_unit).scalar_subquery()


def below(session: Session, unit_ids: Collection[int], kinds: Collection[str], today: dt.date, most: int) -> list[int]:
    """Returns units of some kinds that lie in others, by kind and name."""
    query = (
        select(t.Unit.id)
        .join(t.UnitLink, t.UnitLink.descendant_id == t.Unit.id)
        .where(
            t.UnitLink.ancestor_id.in_(sorted(unit_ids)),
            t.Unit.kind.in_(sorted(kinds)),
            t.Unit.valid_from <= today,
            t.Unit.valid_to > today,
        )
        .distinct()
        .limit(at_most(most))
    )
    return list(session.execute(query).scalars())


def kinds_of(session: Session, unit_ids: Collection[int]) -> dict[int, str]:
    """Returns the kind of each unit."""
    query = select(t.Unit.id, t.Unit.kind).where(t.Unit.id.in_(sorted(unit_ids)))
    return dict(session.execute(query).all())


def is_below(session: Session, unit_id: int, unit_ids: Collection[int]) -> bool:
    """Returns whether a unit is one of others or lies in one."""
    query = select(t.UnitLink.descendant_id).where(
        t.UnitLink.descendant_id == unit_id, t.UnitLink.ancestor_id.in_(sorted(unit_ids))
    )
    return session.execute(query.limit(1)).first() is not None


def unit_name(session: Session, unit_id: int) -> UnitName | None:
    """A unit by its id."""
    row = session.execute(select(t.Unit.id, t.Unit.code, t.Unit.name).where(t.Unit.id == unit_id)).one_or_none()
    return UnitName(*row) if row else None


def unit_names(session: Session, ids: Collection[int]) -> dict[int, str]:
    """The names of some units by id."""
    if not ids:
        return {}
    found = session.execute(select(t.Unit.id, t.Unit.name).where(t.Unit.id.in_(sorted(ids))))
    return {row.id: row.name for row in found}


# --- a class ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ClassListRow:
    """A pupil on the list of a class: the open case, if any, and recent days absent, with and without excuse."""

    id: int
    name: str
    village: str | None
    code: str | None
    state: str | None
    workflow: tuple[str, int] | None
    due_at: dt.datetime | None
    excused: int = 0
    unexcused: int = 0


def pupils_of(session: Session, class_id: int, since: dt.date, until: dt.date) -> list[ClassListRow]:
    """Returns the pupils of a class in the order of a register; absences are days from `since` to `until`, both
    included.

    The session must be scoped.
    """
    query = (
        select(
            t.Pupil.id,
            t.Pupil.name,
            t.Unit.name,
            t.Case.code,
            t.Case.state,
            t.Case.workflow,
            t.Case.workflow_version,
            t.Case.due_at,
        )
        .outerjoin(t.Unit, t.Unit.id == t.Pupil.village_id)
        .outerjoin(t.Case, and_(t.Case.pupil_id == t.Pupil.id, t.OPEN))
        .where(t.Pupil.class_id == class_id, t.Pupil.status == "enrolled")
        .order_by(t.Pupil.sort_key, t.Pupil.id)
    )
    away = _absent_days(session, class_id, since, until)
    return [
        ClassListRow(
            id,
            name,
            village,
            code,
            state,
            (flow, version) if flow else None,
            due,
            away.get((id, "e"), 0),
            away.get((id, "u"), 0),
        )
        for id, name, village, code, state, flow, version, due in session.execute(query)
    ]


def _absent_days(session: Session, class_id: int, since: dt.date, until: dt.date) -> dict[tuple[int, str], int]:
    query = (
        select(t.Mark.pupil_id, t.Mark.mark, func.count(distinct(t.Mark.day)))
        .join(t.Pupil, t.Pupil.id == t.Mark.pupil_id)
        .where(t.Pupil.class_id == class_id, t.Mark.day >= since, t.Mark.day <= until, t.Mark.mark.in_(("e", "u")))
        .group_by(t.Mark.pupil_id, t.Mark.mark)
    )
    return {(pupil, mark): days for pupil, mark, days in session.execute(query)}
