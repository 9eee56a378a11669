"""Reads lists of closures, and the units and pupils for which a person may announce one.

All functions need a scoped session: it shows a pupil's closure only to a viewer who knows the pupil.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, case, or_, select, tuple_
from sqlalchemy.orm import Session, aliased

from engine.core.people.access import Viewer
from engine.core.people.roles import VILLAGE
from engine.store import tables as t
from engine.store.cases import search
from engine.store.tables.types import at_most

PAGE = 50
MOST = 40  # places to choose from on one page; a person with more types a name
CLOSABLE = ("class", "site", "village", "school", "commune", "district", "province")

Cursor = tuple[dt.date, int]  # last day and id of the last closure of a page


@dataclass(frozen=True, slots=True)
class ClosureRow:
    """A closure: of a unit of some kind, `inside` another one, or of a pupil of the class `inside`."""

    id: int
    kind: str
    name: str
    inside: str | None
    unit_id: int | None
    pupil_id: int | None
    first_day: dt.date
    last_day: dt.date
    reason: str
    study_mode: str | None
    by: str | None
    announced_at: dt.datetime
    lifted_at: dt.datetime | None
    what: str

    @property
    def withdrawn(self) -> bool:
        """Returns whether the whole closure was withdrawn: no day of it is left."""
        return self.last_day < self.first_day


@dataclass(frozen=True, slots=True)
class ClosureActRow:
    """What was done to a closure, by whom, its days after that, and how many cases it touched and moved."""

    kind: str
    at: dt.datetime
    by: str | None
    first_day: dt.date
    last_day: dt.date
    recounted: int
    moved: int


@dataclass(frozen=True, slots=True)
class PlaceRow:
    """A unit or a pupil for which a closure can be announced."""

    id: int
    kind: str
    name: str
    inside: str | None


_parent, _class = aliased(t.Unit), aliased(t.Unit)
_CLOSURES = (
    select(
        t.Closure.id,
        t.Unit.kind,
        t.Unit.name,
        _parent.name,
        t.Pupil.name,
        _class.name,
        t.Closure.unit_id,
        t.Closure.pupil_id,
        t.Closure.first_day,
        t.Closure.last_day,
        t.Closure.reason,
        t.Closure.study_mode,
        t.Person.name,
        t.Closure.announced_at,
        t.Closure.lifted_at,
        t.Closure.what,
    )
    .outerjoin(t.Unit, t.Unit.id == t.Closure.unit_id)
    .outerjoin(_parent, _parent.id == t.Unit.parent_id)
    .outerjoin(t.Pupil, t.Pupil.id == t.Closure.pupil_id)
    .outerjoin(_class, _class.id == t.Pupil.class_id)
    .outerjoin(t.Person, t.Person.id == t.Closure.announced_by_id)
)


def _row(row: Sequence[Any]) -> ClosureRow:
    id, kind, name, inside, pupil, klass, *rest = row
    return ClosureRow(id, *((kind, name, inside) if kind else ("pupil", pupil, klass)), *rest)


def _in_area(viewer: Viewer) -> ColumnElement[bool]:
    """Selects closures of the viewer's area: of the units above and below each of their posts.

    People who work outside the schools (an officer of a village, an association) see all closures in the commune.
    """
    held = sorted({unit for units in viewer.units.values() for unit in units})
    beside = sorted(viewer.seated(VILLAGE) | viewer.asked)
    communes = select(t.Unit.parent_id).where(t.Unit.id.in_(beside))
    below = select(t.UnitLink.descendant_id).where(
        or_(t.UnitLink.ancestor_id.in_(held), t.UnitLink.ancestor_id.in_(communes))
    )
    above = select(t.UnitLink.ancestor_id).where(t.UnitLink.descendant_id.in_(held))
    return or_(t.Closure.unit_id.in_(below.union(above)), t.Closure.pupil_id.is_not(None))


def lasting(session: Session, viewer: Viewer, today: dt.date, limit: int = PAGE) -> list[ClosureRow]:
    """Returns closures of the viewer's area that run today or begin later, the next to end first.

    The result has one more than `limit` if there are more.
    """
    kept = t.Closure.last_day >= today, t.Closure.last_day >= t.Closure.first_day, _in_area(viewer)
    query = _CLOSURES.where(*kept).order_by(t.Closure.last_day, t.Closure.id).limit(at_most(limit + 1))
    return [_row(row) for row in session.execute(query)]


def past(
    session: Session, viewer: Viewer, today: dt.date, after: Cursor | None = None, limit: int = PAGE
) -> list[ClosureRow]:
    """Returns closures of the viewer's area that are over or withdrawn, the last one first.

    The result has one more than `limit` if there are more.
    """
    over = or_(t.Closure.last_day < today, t.Closure.last_day < t.Closure.first_day)
    kept = [over, _in_area(viewer)]
    if after is not None:
        kept.append(tuple_(t.Closure.last_day, t.Closure.id) < tuple_(*after))
    query = _CLOSURES.where(*kept).order_by(t.Closure.last_day.desc(), t.Closure.id.desc()).limit(at_most(limit + 1))
    return [_row(row) for row in session.execute(query)]


def above(session: Session, viewer: Viewer, first: dt.date, last: dt.date) -> list[ClosureRow]:
    """Returns closures between two days that concern a whole unit of the viewer: of the unit itself or of those
    above.
    """
    held = sorted({unit for units in viewer.units.values() for unit in units})
    units = select(t.UnitLink.ancestor_id).where(t.UnitLink.descendant_id.in_(held))
    days = t.Closure.first_day <= last, t.Closure.last_day >= first, t.Closure.last_day >= t.Closure.first_day
    query = _CLOSURES.where(t.Closure.unit_id.in_(units), *days).order_by(t.Closure.first_day, t.Closure.id)
    return [_row(row) for row in session.execute(query.limit(at_most(PAGE)))]


def closure(session: Session, viewer: Viewer, closure_id: int) -> ClosureRow | None:
    """Returns a closure of the viewer's area, or of which the viewer was told; None for any other."""
    told = select(t.Notice.closure_id).where(t.Notice.person_id == viewer.person_id, t.Notice.closure_id == closure_id)
    row = session.execute(_CLOSURES.where(t.Closure.id == closure_id, or_(_in_area(viewer), told.exists()))).first()
    return _row(row) if row else None


def acts_on(session: Session, closure_id: int) -> list[ClosureActRow]:
    """What was done to a closure, the newest first."""
    act = t.ClosureAct
    columns = (act.kind, act.at, t.Person.name, act.first_day, act.last_day, act.recounted, act.moved)
    query = select(*columns).outerjoin(t.Person, t.Person.id == act.person_id).where(act.closure_id == closure_id)
    return [ClosureActRow(*row) for row in session.execute(query.order_by(act.id.desc()))]


# --- what a closure can be announced for ------------------------------------------------------------------------------

_UNITS = select(t.Unit.id, t.Unit.kind, t.Unit.name, _parent.name).outerjoin(_parent, _parent.id == t.Unit.parent_id)
_LARGEST_FIRST = case({kind: number for number, kind in enumerate(reversed(CLOSABLE))}, value=t.Unit.kind)


def _may(viewer: Viewer, today: dt.date) -> tuple[ColumnElement[bool], ...]:
    posts = sorted(viewer.of(*viewer.roles.announcers))
    below = select(t.UnitLink.descendant_id).where(t.UnitLink.ancestor_id.in_(posts))
    return (t.Unit.id.in_(below), t.Unit.kind.in_(CLOSABLE), t.Unit.valid_from <= today, t.Unit.valid_to > today)


def units_for(session: Session, viewer: Viewer, query: str, today: dt.date) -> list[PlaceRow]:
    """Returns units for which the viewer may announce a closure, the largest first; one more than MOST if there are
    more.
    """
    named = [t.Unit.search_key.contains(word, autoescape=True) for word in search.words(query)]
    found = _UNITS.where(*_may(viewer, today), *named).order_by(_LARGEST_FIRST, t.Unit.name, t.Unit.id)
    return [PlaceRow(*row) for row in session.execute(found.limit(at_most(MOST + 1)))]


def unit_for(session: Session, viewer: Viewer, unit_id: int, today: dt.date) -> PlaceRow | None:
    """Returns a unit for which the viewer may announce a closure; None for any other."""
    row = session.execute(_UNITS.where(t.Unit.id == unit_id, *_may(viewer, today))).first()
    return PlaceRow(*row) if row else None


_PUPILS = select(t.Pupil.id, t.Pupil.name, _class.name).join(_class, _class.id == t.Pupil.class_id)


def pupils_for(session: Session, query: str) -> list[PlaceRow]:
    """Returns pupils whom the viewer knows, by name."""
    words = search.words(query)
    if not words:
        return []
    named = and_(t.Pupil.status == "enrolled", t.Pupil.id.in_(search.pupils_named(session, words)))
    found = session.execute(_PUPILS.where(named).order_by(t.Pupil.sort_key, t.Pupil.id).limit(at_most(MOST)))
    return [PlaceRow(id, "pupil", name, klass) for id, name, klass in found]


def pupil_for(session: Session, pupil_id: int) -> PlaceRow | None:
    """Returns a pupil whom the viewer knows; None for any other."""
    row = session.execute(_PUPILS.where(t.Pupil.id == pupil_id)).first()
    return PlaceRow(row[0], "pupil", row[1], row[2]) if row else None
