"""Reads lists of cases: filters, search, and pages that begin where the one before ended."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Executable, and_, bindparam, literal, or_, select, tuple_, union
from sqlalchemy.orm import Session, aliased

from engine.core.people.access import PROVINCES, Viewer
from engine.core.people.roles import AREA, CLASS, COMMUNE, SCHOOL, VILLAGE
from engine.store import tables as t
from engine.store.cases import search
from engine.store.cases.rows import (
    CaseRow,
    any_of,
    by_arms,
    cases,
    known,
    known_arms,
    next_due,
    pick,
    read,
    read_known,
    read_referred,
    referred,
    referred_arms,
)
from engine.store.cases.work_list import PAGE, seats_of
from engine.store.tables.types import FAR, OpenInstant

Cursor = tuple[dt.datetime | None, int]  # deadline and id of the last case of a page


@dataclass(frozen=True, slots=True)
class Filters:
    """The filters of a list of cases. `which`: "" open, "overdue", "offered", "mine", "closed", "all"."""

    q: str = ""
    state: str = ""
    which: str = ""
    level: int | None = None
    unit: int | None = None
    opened_from: dt.datetime | None = None
    opened_to: dt.datetime | None = None

    @property
    def newest_first(self) -> bool:
        """Open cases are sorted by deadline. A list with ended cases has the newest first."""
        return self.which in {"closed", "all"}


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list; `after` is where the next page begins, None at the end."""

    rows: tuple[CaseRow, ...]
    after: Cursor | None = None


def list_cases(
    session: Session,
    viewer: Viewer,
    filters: Filters,
    now: dt.datetime,
    after: Cursor | None = None,
    *,
    limit: int = PAGE,
) -> Page:
    """Returns one page of the cases that the viewer may see and the filters keep; it begins at `after`."""
    if filters == Filters() and after is None:  # the first look at the list
        return _page(_beginning(session, viewer, limit + 1), filters, limit)
    conditions = [*_conditions(session, viewer, filters, now), *_beyond(filters, after)]
    newest, most = filters.newest_first, limit + 1
    rows: list[CaseRow] = []
    if (arms := known_arms(viewer)) and (ways := _searched(session, filters.q, now)) is not None:
        if ways or filters.unit is not None:  # the filter is narrower than the area: one look for each way
            picks = [pick([*way, *conditions, any_of(arms)], most, newest=newest) for way in ways or [[]]]
        else:
            picks = by_arms(arms, conditions, most, newest=newest)
        rows += read_known(session, picks, most, newest=newest)
    code = search.case_code(filters.q, now.year)
    if (arms := referred_arms(viewer)) and (code or not filters.q):
        by_code = [cases.c.code == code] if code else []
        rows += read_referred(session, by_arms(arms, [*by_code, *conditions], most, newest=newest), most, newest=newest)
    return _page(rows, filters, limit)


def _beginning(session: Session, viewer: Viewer, most: int) -> list[CaseRow]:
    known_here, asked = tuple(known_arms(viewer)), tuple(referred_arms(viewer))
    rows = read(session, next_due(known, known_here, most)) if known_here else []
    return rows + (read(session, next_due(referred, asked, most)) if asked else [])


def _page(rows: Sequence[CaseRow], filters: Filters, limit: int) -> Page:
    once = list({row.id: row for row in reversed(rows)}.values())
    once.sort(key=lambda row: -row.id) if filters.newest_first else once.sort(
        key=lambda row: (row.due_at or FAR, row.id)
    )
    last = once[limit - 1] if len(once) > limit else None
    return Page(tuple(once[:limit]), (last.due_at, last.id) if last else None)


def _searched(session: Session, query: str, now: dt.datetime) -> list[list[ColumnElement[bool]]] | None:
    """Returns the ways in which a case can match a query: its code, the pupil's name, the village; none without a
    query.

    Returns None if the query contains nothing to look for.
    """
    if not query:
        return []
    if code := search.case_code(query, now.year):
        return [[cases.c.code == code]]
    if not (found := search.words(query)):
        return None
    villages = search.villages_named(session, found)
    ways: list[list[ColumnElement[bool]]] = [[cases.c.pupil_id.in_(search.pupils_named(session, found))]]
    return [*ways, [cases.c.village_id.in_(villages)]] if villages else ways


def _conditions(session: Session, viewer: Viewer, filters: Filters, now: dt.datetime) -> list[ColumnElement[bool]]:
    conditions = [*_which(viewer, filters.which, now)]
    if filters.state:
        conditions.append(cases.c.state == filters.state)
    if filters.level is not None:
        conditions.append(cases.c.level >= filters.level)
    if filters.opened_from is not None:
        conditions.append(cases.c.opened_at >= filters.opened_from)
    if filters.opened_to is not None:
        conditions.append(cases.c.opened_at < filters.opened_to)
    if filters.unit is not None:
        conditions.append(_in_unit(session, filters.unit))
    return conditions


def _which(viewer: Viewer, which: str, now: dt.datetime) -> Iterator[Any]:
    if which == "closed":
        yield cases.c.closed_at < FAR
    elif which != "all":
        yield t.OPEN  # with the words of the partial indexes, so that both databases use them
    if which == "overdue":
        yield cases.c.due_at <= now
    elif which == "offered":
        posts = [and_(cases.c.offered_role == role, cases.c.offered_unit_id == unit) for role, unit in seats_of(viewer)]
        yield from (cases.c.offered_at.is_not(None), cases.c.accepted_at.is_(None), or_(_NEVER, *posts))
    elif which == "waiting":
        yield from (cases.c.offered_at.is_not(None), cases.c.accepted_at.is_(None))
    elif which == "mine":
        yield cases.c.assignee_id.in_(viewer.people)


_NEVER = cases.c.id < 0  # no case; `false()` would take the whole condition with it, the mark of its scope too
_UNIT_COLUMNS = {
    "class": "class_id",
    "school": "school_id",
    "village": "village_id",
    "commune": "commune_id",
    "province": "province_id",
    "association": "association_id",
}


def _in_unit(session: Session, unit_id: int) -> ColumnElement[bool]:
    kind = session.execute(select(t.Unit.kind).where(t.Unit.id == unit_id)).scalar()
    column = _UNIT_COLUMNS.get(kind or "")
    return cases.c[column] == unit_id if column else _NEVER


def _beyond(filters: Filters, after: Cursor | None) -> list[ColumnElement[bool]]:
    if after is None:
        return []
    if filters.newest_first:
        return [cases.c.id < after[1]]
    return [tuple_(cases.c.due_at, cases.c.id) > tuple_(literal(after[0] or FAR, OpenInstant()), literal(after[1]))]


def filter_units(session: Session, viewer: Viewer, today: dt.date, most: int = 200) -> list[tuple[str, int, str]]:
    """Returns units (kind, id, name) for the filters of the viewer's lists: one step below each of the viewer's posts.

    Only heads get classes: for everybody above, a school is the smallest unit of learning.
    """
    own, above = viewer.seated(CLASS, VILLAGE), viewer.seated(COMMUNE, AREA)
    kinds = ("commune",) if viewer.area(PROVINCES) else ("commune", "village", "school")
    query = _units_of(own, above, kinds, viewer.seated(SCHOOL))
    if query is None:
        return []
    return [(kind, id, name) for kind, id, name in session.execute(query, {"today": today, "most": most}).all()]


@lru_cache(maxsize=256)
def _units_of(
    own: frozenset[int], above: frozenset[int], kinds: tuple[str, ...], schools: frozenset[int]
) -> Executable | None:
    """Returns the statement for the units that filter the lists of people in these posts; None for no units."""
    ways = [and_(t.Unit.parent_id.in_(above), t.Unit.kind.in_(kinds))] if above else []
    if schools:
        sites = select(_site.id).where(_site.parent_id.in_(schools), _site.kind == "site")
        ways += [and_(t.Unit.parent_id.in_(ids), t.Unit.kind == "class") for ids in (schools, sites)]
    if len(own) > 1 or (own and ways):
        ways.append(t.Unit.id.in_(own))
    if not ways:
        return None
    today: Any = bindparam("today")
    units = select(t.Unit.kind, t.Unit.id, t.Unit.name).where(t.Unit.valid_from <= today, t.Unit.valid_to > today)
    # One look into an index for each way; an OR of them would read every unit of these kinds.
    return union(*(units.where(way) for way in ways)).order_by("kind", "name", "id").limit(bindparam("most"))


_site = aliased(t.Unit)
