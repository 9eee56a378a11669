"""Reads and writes roll calls, except the marks themselves (`engine.store.attendance.marks`)."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Executable, and_, bindparam, func, or_, select, union_all
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from engine.store import tables as t
from engine.store.attendance.registers import Member
from engine.store.bulk import among
from engine.store.scopes import beyond_scope
from engine.store.tables.types import FAR_DAY

PAST_NAMES = "the register of a day names who was in the class then; the caller may take the register of that class"


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


_taken, _member = t.SessionTaken, t.ClassMembership


def _own_mark(pupil: Any) -> ColumnElement[bool]:
    return and_(t.Mark.pupil_id == pupil, t.Mark.day == _taken.day, t.Mark.session == _taken.session)


def _implied() -> tuple[ColumnElement[bool], ...]:
    """A member whom the list of a session names: who has no mark was present."""
    return (
        _member.class_id == _taken.class_id,
        _member.voided_at.is_(None),
        _member.valid_from <= _taken.day,
        _member.valid_to > _taken.day,
        _member.recorded_at <= _taken.as_of,
    )


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
        union_all(
            select(t.Pupil.class_id, t.Mark.session, func.count())
            .join(t.Mark, t.Mark.pupil_id == t.Pupil.id)
            .where(*there, t.Mark.day == bindparam("day"))
            .group_by(t.Pupil.class_id, t.Mark.session),
            select(t.Pupil.class_id, _taken.session, func.count())
            .join(_taken, _taken.class_id == t.Pupil.class_id)
            .join(_member, _member.pupil_id == t.Pupil.id)
            .outerjoin(t.Mark, _own_mark(t.Pupil.id))
            .where(*there, _taken.day == bindparam("day"), *_implied(), t.Mark.mark.is_(None))
            .group_by(t.Pupil.class_id, _taken.session),
        ),
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
        taken[class_id][half] = taken[class_id].get(half, 0) + number
    found = session.execute(asked[0], ours).all()
    return [ClassRow(id, name, school, number, taken[id]) for id, name, school, number in found]


def _on_list(class_id: int, day: dt.date) -> tuple[ColumnElement[bool], ...]:
    """A member of a class on a day. The end of an open membership is the pupil's own leaving."""
    still = or_(_member.valid_to < FAR_DAY, t.Pupil.status == "enrolled")
    member = (_member.pupil_id == t.Pupil.id, _member.class_id == class_id, _member.voided_at.is_(None))
    return (*member, _member.valid_from <= day, _member.valid_to > day, still)


def pupils(session: Session, class_id: int, day: dt.date, half: str = "") -> list[tuple[int, str, str | None]]:
    """Returns who was on a class's list on a day, in the order of a register: id, name, village.

    Of a session (`half`) that was taken, it leaves out who nobody knew of then. That a pupil was in the class before
    anybody knew it is an assumption; a list that was made meanwhile knows better.
    """
    query = (
        select(t.Pupil.id, t.Pupil.name, t.Unit.name, _member.assumed, _member.recorded_at)
        .join(_member, _member.pupil_id == t.Pupil.id)
        .outerjoin(t.Unit, t.Unit.id == t.Pupil.village_id)
        .where(*_on_list(class_id, day))
        .order_by(t.Pupil.sort_key, t.Pupil.id)
    )
    found: list[Any] = list(session.execute(beyond_scope(query, ("pupils", "class_memberships"), PAST_NAMES)))
    made = _made(session, class_id, day, half) if half and any(row[3] for row in found) else None
    unknown = set()
    if made is not None:
        marked = _marks(session, class_id, day, half)
        unknown = {row[0] for row in found if row[3] and row[4] > made and row[0] not in marked}
    return [(row[0], row[1], row[2]) for row in found if row[0] not in unknown]


def _made(session: Session, class_id: int, day: dt.date, half: str) -> dt.datetime | None:
    """Returns since when a session is taken; None if it is not."""
    query = select(_taken.as_of, _taken.at)
    row = session.execute(query.where(*_of_session(class_id, day, half))).one_or_none()
    return (row[0] or row[1]) if row else None


def _of_session(class_id: int, day: dt.date, half: str) -> tuple[ColumnElement[bool], ...]:
    return _taken.class_id == class_id, _taken.day == day, _taken.session == half


def hold(session: Session, class_id: int) -> None:
    """Locks the attendance of this class until the transaction ends (SQLite allows only one writer anyway)."""
    session.execute(select(t.Unit.id).where(t.Unit.id == class_id).with_for_update(key_share=True))


def last_marked(
    session: Session, class_id: int, pupils: Collection[int], day: dt.date, half: str
) -> tuple[str | None, dt.datetime]:
    """Returns who last said something of these pupils in a session (None: an import without a person), and when."""
    query = (
        select(t.Person.name, t.Mark.at)
        .select_from(t.Mark)
        .outerjoin(t.Person, t.Person.id == t.Mark.by_id)
        .where(t.Mark.pupil_id.in_(pupils), t.Mark.day == day, t.Mark.session == half)
        .order_by(t.Mark.at.desc())
    )
    row = session.execute(query.limit(1)).one_or_none()
    if row is None:
        taken = select(t.Person.name, _taken.at).select_from(_taken).outerjoin(t.Person, t.Person.id == _taken.by_id)
        row = session.execute(taken.where(*_of_session(class_id, day, half))).one()
    return row[0], row[1]


def marks(session: Session, class_id: int, day: dt.date, half: str) -> dict[int, tuple[str, str | None]]:
    """Returns the mark and reason of each pupil of whom the register of a session says something."""
    query = (
        select(_member.pupil_id)
        .select_from(_taken)
        .join(_member, _member.class_id == _taken.class_id)
        .join(t.Pupil, t.Pupil.id == _member.pupil_id)
        .where(*_of_session(class_id, day, half), *_implied(), *_on_list(class_id, day))
    )
    named = session.execute(beyond_scope(query, ("pupils", "class_memberships"), PAST_NAMES)).scalars()
    return dict.fromkeys(named, ("p", None)) | _marks(session, class_id, day, half)


def _marks(session: Session, class_id: int, day: dt.date, half: str) -> dict[int, tuple[str, str | None]]:
    """Returns the marks that differ from what the list of a session says."""
    query = (
        select(t.Mark.pupil_id, t.Mark.mark, t.Mark.reason)
        .join(_member, _member.pupil_id == t.Mark.pupil_id)
        .join(t.Pupil, t.Pupil.id == _member.pupil_id)
        .where(*_on_list(class_id, day), t.Mark.day == day, t.Mark.session == half)
    )
    found: Any = session.execute(beyond_scope(query, ("marks", "pupils", "class_memberships"), PAST_NAMES))
    return {pupil: (mark, reason) for pupil, mark, reason in found}


def marked(session: Session, pupils: Collection[int], day: dt.date, half: str) -> set[int]:
    """Returns those of the pupils who have a mark for a session."""
    query = select(t.Mark.pupil_id).where(among(t.Mark.pupil_id, pupils), t.Mark.day == day, t.Mark.session == half)
    return set(session.execute(query).scalars())


def list_of(session: Session, class_id: int, day: dt.date) -> list[Member]:
    """Returns who was on a class's list on a day, known then or not."""
    columns = _member.pupil_id, _member.class_id, _member.valid_from, _member.valid_to, _member.recorded_at
    query = select(*columns).join(t.Pupil, t.Pupil.id == _member.pupil_id).where(*_on_list(class_id, day))
    return [Member(*row) for row in session.execute(query)]


def corrections(session: Session, class_id: int, day: dt.date) -> list[Correction]:
    """Returns the corrections in the register of a class on a day, the newest first."""
    change = t.MarkChange
    query = (
        select(t.Pupil.name, change.session, change.old_mark, change.new_mark, t.Person.name, change.at)
        .join(t.Pupil, t.Pupil.id == change.pupil_id)
        .join(_member, _member.pupil_id == t.Pupil.id)
        .outerjoin(t.Person, t.Person.id == change.by_id)
        .where(*_on_list(class_id, day), change.day == day)
        .order_by(change.id.desc())
    )
    found: Any = session.execute(beyond_scope(query, ("mark_changes", "pupils", "class_memberships"), PAST_NAMES))
    return [Correction(*row) for row in found]


def sender(session: Session, key: str) -> int | None:
    """Returns who sent a roll call with this key; None if the key is new."""
    return session.execute(select(t.RollCall.by_id).where(t.RollCall.key == key)).scalar()


def note_sent(session: Session, key: str, class_id: int, day: dt.date, half: str, at: dt.datetime, by_id: int) -> bool:
    """Notes that a roll call was sent; False if a request with this key came before."""
    dialect: Any = sqlite if session.connection().dialect.name == "sqlite" else postgresql
    row = {"key": key, "class_id": class_id, "day": day, "session": half, "at": at, "by_id": by_id}
    statement = dialect.insert(t.RollCall).values(row).on_conflict_do_nothing().returning(t.RollCall.key)
    return session.execute(statement).scalar() is not None
