"""Reads any list of cases: first the ids, from indexes that belong to the viewer's posts, then what the list shows.

Both are steps of one statement. The inner step takes at most one page from the index of each post. The outer step reads
the rows, narrowed by the scoped session. So the cost is that of a page, whatever the number of cases. A mistake in the
inner step could only show too little.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import starmap
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, exists, or_, select, union
from sqlalchemy.orm import Session, aliased

from engine.core.people.access import Viewer
from engine.core.people.roles import AREAS, INVITED, KNOWING
from engine.store import tables as t
from engine.store.scopes import beyond_scope
from engine.store.tables.types import at_most

MOST_ARMS = 60  # indexes read side by side; with more, reading all cases is not slower
cases = t.Base.metadata.tables["cases"]

Arm = tuple[str, int]  # a column of a case, and the unit it must be


class CaseRow(NamedTuple):
    """A case in a list; `pupil`, `klass` and `village` are None for viewers who may not know them."""

    id: int
    code: str
    workflow: str
    workflow_version: int
    rules_version: int
    state: str
    since: dt.datetime
    level: int
    due_at: dt.datetime | None
    closed_at: dt.datetime | None
    offered_role: str | None
    offered_unit_id: int | None
    offered_at: dt.datetime | None
    accepted_at: dt.datetime | None
    request: str | None
    asked_role: str | None
    assignee_id: int | None
    version: int
    assignee: str | None = None
    absent_since: dt.date | None = None
    flags: Sequence[str] = ()
    pupil: str | None = None
    klass: str | None = None
    village: str | None = None
    commune: str | None = None
    class_id: int | None = None
    school_id: int | None = None
    village_id: int | None = None
    commune_id: int | None = None
    province_id: int | None = None
    association_id: int | None = None
    asked_unit_id: int | None = None
    district: bool = False  # the commune lies in a district

    @property
    def waiting(self) -> bool:
        """Returns whether the case is on offer and nobody has accepted it yet."""
        return self.offered_at is not None and self.accepted_at is None


def known_arms(viewer: Viewer) -> list[Arm]:
    """Returns the units through which the viewer knows pupils by name."""
    found = {name: viewer.area(name) if name in AREAS else viewer.seated(name) for name in KNOWING}
    found[INVITED] = viewer.invited if found[INVITED] else frozenset()
    return sorted({(KNOWING[name], unit) for name, units in found.items() for unit in units})


def referred_arms(viewer: Viewer) -> list[Arm]:
    """Returns the associations through which cases are referred to the viewer."""
    return [("association_id", unit) for unit in sorted(viewer.asked)]


def pick(conditions: Sequence[Any], limit: int, *, newest: bool = False) -> Any:
    """The ids of the first cases that meet the conditions: the next due ones, or the newest ones."""
    by = (cases.c.id.desc(),) if newest else (cases.c.due_at, cases.c.id)
    found = select(cases.c.id).where(*conditions).order_by(*by).limit(at_most(limit))
    return beyond_scope(found, ("cases",), "ids of cases in an area of the viewer; the statement around it is narrowed")


def by_arms(arms: Sequence[Arm], conditions: Sequence[Any], limit: int, *, newest: bool = False) -> list[Select[Any]]:
    """Selects the first cases of an area, from the index of each of its units."""
    if len(arms) > MOST_ARMS:
        return [pick([any_of(arms), *conditions], limit, newest=newest)]
    return [pick([cases.c[column] == unit, *conditions], limit, newest=newest) for column, unit in arms]


def any_of(arms: Sequence[Arm]) -> ColumnElement[bool]:
    """Selects cases that belong to any of these units."""
    columns = dict.fromkeys(column for column, _ in arms)
    return or_(*(cases.c[name].in_([unit for column, unit in arms if column == name]) for name in columns))


def _ids(picks: Sequence[Select[Any]]) -> Any:
    if len(picks) == 1:
        return select(picks[0].subquery("picked").c.id)
    return union(*(select(one.subquery(f"arm_{number}").c.id) for number, one in enumerate(picks)))


_SHARED = (
    "id",
    "code",
    "workflow",
    "workflow_version",
    "rules_version",
    "state",
    "since",
    "level",
    "due_at",
    "closed_at",
    "offered_role",
    "offered_unit_id",
    "offered_at",
    "accepted_at",
    "request",
    "asked_role",
    "assignee_id",
    "version",
)
_OWN = ("class_id", "school_id", "village_id", "commune_id", "province_id", "association_id", "asked_unit_id")

# Made once: half the time of a list went into making its statement. The columns are in the order of CaseRow.
_class, _village, _commune, _tier = (aliased(t.Unit) for _ in range(4))
_KNOWN: Any = (
    select(
        *(getattr(t.Case, name) for name in _SHARED),
        t.Person.name,
        t.Case.absent_since,
        t.Case.flags,
        t.Pupil.name,
        _class.name,
        _village.name,
        _commune.name,
        *(getattr(t.Case, name) for name in _OWN),
        exists().where(_tier.id == _commune.parent_id, _tier.kind == "district"),
    )
    .join(t.Pupil, t.Pupil.id == t.Case.pupil_id)
    .join(_class, _class.id == t.Case.class_id)
    .outerjoin(_village, _village.id == t.Case.village_id)
    .outerjoin(_commune, _commune.id == t.Case.commune_id)
    .outerjoin(t.Person, t.Person.id == t.Case.assignee_id)
)
_referral: Any = t.Referral  # mapped from the columns of cases, which type checkers do not see
_REFERRED: Any = select(*(getattr(_referral, name) for name in _SHARED), t.Person.name).outerjoin(
    t.Person, t.Person.id == _referral.assignee_id
)

Making = Callable[..., Select[Any]]


def known(picks: Sequence[Select[Any]], limit: int, *, newest: bool = False) -> Select[Any]:
    """Returns the statement for the selected cases whose pupils the viewer may know by name."""
    return _of(_KNOWN, t.Case, picks, limit, newest)


def referred(picks: Sequence[Select[Any]], limit: int, *, newest: bool = False) -> Select[Any]:
    """Returns the statement for the selected cases that were referred to the viewer's association, without the
    pupil.
    """
    return _of(_REFERRED, _referral, picks, limit, newest)


def _of(base: Select[Any], case: Any, picks: Sequence[Select[Any]], limit: int, newest: bool) -> Select[Any]:
    by = (case.id.desc(),) if newest else (case.due_at, case.id)
    return base.where(case.id.in_(_ids(picks))).order_by(*by).limit(at_most(limit))


@lru_cache(maxsize=512)
def next_due(making: Making, arms: tuple[Arm, ...], limit: int) -> Select[Any]:
    """Returns the statement for the open cases of an area, the next due first; kept for areas that are often read."""
    return making(by_arms(arms, [t.OPEN], limit), limit)


def read(session: Session, statement: Select[Any]) -> list[CaseRow]:
    """Returns the cases of a statement made by `known` or `referred`."""
    return list(starmap(CaseRow, session.execute(statement).all()))


def read_known(session: Session, picks: Sequence[Select[Any]], limit: int, *, newest: bool = False) -> list[CaseRow]:
    """Returns the selected cases whose pupils the viewer may know by name."""
    return read(session, known(picks, limit, newest=newest)) if picks else []


def read_referred(session: Session, picks: Sequence[Select[Any]], limit: int, *, newest: bool = False) -> list[CaseRow]:
    """Returns the selected cases that were referred to the viewer's association, without the pupil."""
    return read(session, referred(picks, limit, newest=newest)) if picks else []
