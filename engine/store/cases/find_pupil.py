"""Finds the pupil for a new case, among the viewer's own classes or school."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, starmap

from sqlalchemy import ColumnElement, and_, false, or_, select
from sqlalchemy.orm import Session, aliased

from engine.core.people.access import Viewer
from engine.core.people.roles import CLASS, SCHOOL
from engine.store import tables as t
from engine.store.bulk import among
from engine.store.cases import search
from engine.store.tables.types import at_most

MOST = 30  # pupils on one page; a person who gets more types another word
LOOKED_BACK = 120  # sessions of the register that are read back
BRIDGED = dt.timedelta(days=10)  # absences with a longer time without a register between them are two absences


@dataclass(frozen=True, slots=True)
class Candidate:
    """A pupil to choose, with enough to tell namesakes apart. `case` is the code of the open case, if any."""

    id: int
    name: str
    birth_date: dt.date | None
    klass: str
    village: str | None
    case: str | None


_class, _village = aliased(t.Unit), aliased(t.Unit)
_CANDIDATES = (
    select(t.Pupil.id, t.Pupil.name, t.Pupil.birth_date, _class.name, _village.name, t.Case.code)
    .join(_class, _class.id == t.Pupil.class_id)
    .outerjoin(_village, _village.id == t.Pupil.village_id)
    .outerjoin(t.Case, and_(t.Case.pupil_id == t.Pupil.id, t.OPEN))
)
_FIRST = _CANDIDATES.where(t.Pupil.status == "enrolled").order_by(t.Pupil.sort_key, t.Pupil.id).limit(at_most(MOST + 1))
_OF_CLASSES = _FIRST.where(among(t.Pupil.class_id, name="classes"))  # what the page shows first


def candidates(session: Session, viewer: Viewer, query: str) -> list[Candidate]:
    """Returns pupils of the viewer's classes and schools whose names have these words; without words, those of the
    classes.
    """
    if words := search.words(query):
        named = _FIRST.where(_own(viewer), t.Pupil.id.in_(search.pupils_named(session, words)))
        return list(starmap(Candidate, session.execute(named).all()))
    return list(starmap(Candidate, session.execute(_OF_CLASSES, {"classes": sorted(viewer.seated(CLASS))}).all()))


def of_classes(session: Session, viewer: Viewer) -> list[Candidate]:
    """Returns all pupils of the classes whose homeroom teacher is the viewer, class by class."""
    own = t.Pupil.status == "enrolled", t.Pupil.class_id.in_(sorted(viewer.seated(CLASS)))
    found = session.execute(_CANDIDATES.where(*own).order_by(_class.name, t.Pupil.sort_key, t.Pupil.id))
    return [Candidate(*row) for row in found]


def candidate(session: Session, viewer: Viewer, pupil_id: int) -> Candidate | None:
    """Returns one pupil of the viewer's classes or schools; None for any other."""
    row = session.execute(_CANDIDATES.where(t.Pupil.id == pupil_id, _own(viewer))).first()
    return Candidate(*row) if row else None


def _own(viewer: Viewer) -> ColumnElement[bool]:
    arms = [
        column.in_(sorted(units))
        for column, units in ((t.Pupil.class_id, viewer.seated(CLASS)), (t.Pupil.school_id, viewer.seated(SCHOOL)))
        if units
    ]
    return or_(false(), *arms)


def absent_since(session: Session, pupil_id: int, today: dt.date) -> dt.date | None:
    """Returns the first day of the absence that still lasts, according to the register; None if it has none."""
    query = (
        select(t.Mark.day, t.Mark.session, t.Mark.mark)
        .where(t.Mark.pupil_id == pupil_id, t.Mark.day <= today)
        .order_by(t.Mark.day.desc())
        .limit(LOOKED_BACK)
    )
    taken = t.SessionTaken
    lists = (
        select(taken.day, taken.session)
        .join(t.Pupil, t.Pupil.class_id == taken.class_id)
        .where(t.Pupil.id == pupil_id, taken.as_of.is_not(None), taken.day <= today)
        .order_by(taken.day.desc())
        .limit(LOOKED_BACK)
    )
    there: dict[tuple[dt.date, str], str] = {}
    for day, half in session.execute(lists):
        there[day, half] = "p"
    there |= {(day, half): mark for day, half, mark in session.execute(query)}
    newest = sorted(there, reverse=True)
    days = [day for day, _ in newest]
    marks = [(day, there[day, half]) for day, half in newest]
    gap = next((at for at, (later, day) in enumerate(pairwise(days), 1) if later - day > BRIDGED), len(marks))
    return first_absent(marks[:gap])


def first_absent(marks: Sequence[tuple[dt.date, str]]) -> dt.date | None:
    """Returns the first day of the last run of absences; `marks` are (day, mark), the newest first."""
    first = None
    for day, mark in marks:
        if mark not in {"e", "u"}:
            break
        first = day
    return first
