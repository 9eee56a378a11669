"""Reads and writes roll calls, except the marks themselves (`engine.store.attendance.marks`)."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Executable, bindparam, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from engine.store import tables as t
from engine.store.bulk import among


@dataclass(frozen=True, slots=True)
class ClassRow:
    """A class; `taken` has the number of pupils with a mark for each session, which is 0 if nobody took attendance."""

    id: int
    name: str
    school_id: int | None
    pupils: int
    taken: dict[str, int]


@dataclass(frozen=True, slots=True)
class Correction:
    """A changed mark: of whom, from what to what, by whom (None: an import without a person), when."""

    pupil: str
    session: str
    old: str
    new: str
    by: str | None
    at: dt.datetime


def school_of(session: Session, class_id: int) -> int | None:
    """Returns the school of a class from the units above it; None if the id is not a class."""
    links, unit = t.UnitLink, t.Unit
    kind = session.execute(select(unit.kind).where(unit.id == class_id)).scalar()
    query = select(unit.id).join(links, links.ancestor_id == unit.id)
    above = query.where(links.descendant_id == class_id, unit.kind == "school")
    return session.execute(above).scalar() if kind == "class" else None


_IN_CLASSES, _IN_SCHOOLS = among(t.Pupil.class_id, name="classes"), among(t.Pupil.school_id, name="schools")
_IN_EITHER = t.Pupil.class_id.in_(bindparam("classes", expanding=True)) | t.Pupil.school_id.in_(
    bindparam("schools", expanding=True)
)


def _statements(ours: ColumnElement[bool]) -> tuple[Executable, Executable]:
    """Selects the classes with the number of their pupils, and with what was taken on a day."""
    there = (t.Pupil.status == "enrolled", ours)
    return (
        select(t.Unit.id, t.Unit.name, t.Pupil.school_id, func.count())
        .join(t.Pupil, t.Pupil.class_id == t.Unit.id)
        .where(*there)
        .group_by(t.Unit.id, t.Unit.name, t.Pupil.school_id)
        .order_by(t.Unit.name),
        select(t.Pupil.class_id, t.Mark.session, func.count())
        .join(t.Mark, t.Mark.pupil_id == t.Pupil.id)
        .where(*there, t.Mark.day == bindparam("day"))
        .group_by(t.Pupil.class_id, t.Mark.session),
    )


# Made once, because everybody opens the page every morning. The keys are the arguments: classes, schools.
_ASKED = {
    (True, False): _statements(_IN_CLASSES),
    (False, True): _statements(_IN_SCHOOLS),
    (True, True): _statements(_IN_EITHER),
}


def classes(session: Session, class_ids: Collection[int], school_ids: Collection[int], day: dt.date) -> list[ClassRow]:
    """Returns these classes and those of these schools that have pupils, by name, with what was taken on a day."""
    asked = _ASKED.get((bool(class_ids), bool(school_ids)))
    if asked is None:
        return []
    ours = {name: sorted(ids) for name, ids in (("classes", class_ids), ("schools", school_ids)) if ids}
    taken: dict[int, dict[str, int]] = defaultdict(dict)
    for class_id, half, number in session.execute(asked[1], {**ours, "day": day}).all():
        taken[class_id][half] = number
    found = session.execute(asked[0], ours).all()
    return [ClassRow(id, name, school, number, taken[id]) for id, name, school, number in found]


def pupils(session: Session, class_id: int) -> list[tuple[int, str, str | None]]:
    """The pupils on a class's list in the order of a register: id, name, village."""
    query = (
        select(t.Pupil.id, t.Pupil.name, t.Unit.name)
        .outerjoin(t.Unit, t.Unit.id == t.Pupil.village_id)
        .where(t.Pupil.class_id == class_id, t.Pupil.status == "enrolled")
        .order_by(t.Pupil.sort_key, t.Pupil.id)
    )
    return [(row[0], row[1], row[2]) for row in session.execute(query)]


def hold(session: Session, class_id: int) -> None:
    """Locks the attendance of this class until the transaction ends (SQLite allows only one writer anyway)."""
    session.execute(select(t.Unit.id).where(t.Unit.id == class_id).with_for_update(key_share=True))


def last_marked(session: Session, pupils: Collection[int], day: dt.date, half: str) -> tuple[str | None, dt.datetime]:
    """Returns who gave the newest mark of these pupils in a session (None: an import without a person), and when."""
    query = (
        select(t.Person.name, t.Mark.at)
        .select_from(t.Mark)
        .outerjoin(t.Person, t.Person.id == t.Mark.by_id)
        .where(t.Mark.pupil_id.in_(pupils), t.Mark.day == day, t.Mark.session == half)
        .order_by(t.Mark.at.desc())
    )
    row = session.execute(query.limit(1)).one()
    return row[0], row[1]


def marks(session: Session, class_id: int, day: dt.date, half: str) -> dict[int, tuple[str, str | None]]:
    """Returns the mark and reason of each pupil of the class who has a mark for a session."""
    query = (
        select(t.Mark.pupil_id, t.Mark.mark, t.Mark.reason)
        .join(t.Pupil, t.Pupil.id == t.Mark.pupil_id)
        .where(t.Pupil.class_id == class_id, t.Pupil.status == "enrolled", t.Mark.day == day, t.Mark.session == half)
    )
    return {pupil: (mark, reason) for pupil, mark, reason in session.execute(query)}


def corrections(session: Session, class_id: int, day: dt.date) -> list[Correction]:
    """Returns the corrections in the register of a class on a day, the newest first."""
    change = t.MarkChange
    query = (
        select(t.Pupil.name, change.session, change.old_mark, change.new_mark, t.Person.name, change.at)
        .join(t.Pupil, t.Pupil.id == change.pupil_id)
        .outerjoin(t.Person, t.Person.id == change.by_id)
        .where(t.Pupil.class_id == class_id, change.day == day)
        .order_by(change.id.desc())
    )
    return [Correction(*row) for row in session.execute(query)]


def sender(session: Session, key: str) -> int | None:
    """Returns who sent a roll call with this key; None if the key is new."""
    return session.execute(select(t.RollCall.by_id).where(t.RollCall.key == key)).scalar()


def note_sent(session: Session, key: str, class_id: int, day: dt.date, half: str, at: dt.datetime, by_id: int) -> bool:
    """Notes that a roll call was sent; False if a request with this key came before."""
    dialect: Any = sqlite if session.connection().dialect.name == "sqlite" else postgresql
    row = {"key": key, "class_id": class_id, "day": day, "session": half, "at": at, "by_id": by_id}
    statement = dialect.insert(t.RollCall).values(row).on_conflict_do_nothing().returning(t.RollCall.key)
    return session.execute(statement).scalar() is not None
