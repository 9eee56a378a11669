"""Stores closures, and finds the open cases that they touch."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from engine.core.calendar.announced import HARVEST, NO_CLASS, OFFICE_SHUT
from engine.core.cases.facts import Facts
from engine.core.invariants import given
from engine.core.people.access import Viewer
from engine.store import tables as t
from engine.store.bulk import among
from engine.store.cases.cases import pupil_place
from engine.store.cases.surroundings import SurroundingsReader, cases, closures, links, read_facts, units

BATCH = 1_000
acts, notices = (t.Base.metadata.tables[name] for name in ("closure_acts", "notices"))


@dataclass(frozen=True, slots=True)
class ClosureScope:
    """Whom a closure concerns: a pupil, or all who learn in a unit. `line` is the unit and those above it."""

    kind: str
    line: frozenset[int]
    unit_id: int | None = None
    pupil_id: int | None = None
    class_id: int | None = None  # of the pupil


@dataclass(frozen=True, slots=True)
class Plan:
    """Planned days, first and last included: `what` they are (`engine.core.calendar.announced`) and, without class, how
    pupils learn meanwhile (D1.6).
    """

    first_day: dt.date
    last_day: dt.date
    reason: str
    study_mode: str | None = None
    what: str = NO_CLASS


@dataclass(frozen=True, slots=True)
class Closed:
    """A stored closure."""

    id: int
    unit_id: int | None
    pupil_id: int | None
    plan: Plan


@dataclass(frozen=True, slots=True)
class Touched:
    """How many open cases a closure touches, and of how many the deadline moved; `all` unless the count was stopped."""

    touched: int = 0
    moved: int = 0
    all: bool = True


class _Row(NamedTuple):
    """A closure as `engine.store.cases.surroundings` reads it."""

    scope_id: int
    first_day: dt.date
    last_day: dt.date
    reason: str
    id: int | None
    what: str


class SupposedSurroundings(SurroundingsReader):
    """The surroundings as they would be with a new closure, or with a changed one in place of the stored one with this
    id.
    """

    def suppose(self, scope: ClosureScope, plan: Plan, closure_id: int | None) -> None:
        """Assumes the closure. Call it before anything is fetched."""
        self._scope, self._plan, self._instead_of = scope, plan, closure_id

    def _read_closures(self, found: Sequence[Facts]) -> None:
        super()._read_closures(found)
        kind = "pupil" if self._scope.pupil_id is not None else "unit"
        whose = self._scope.unit_id if self._scope.pupil_id is None else self._scope.pupil_id
        id = given(whose, "a closure holds a pupil or a unit")
        others = [row for row in self._closures[kind, id] if row.id not in {None, self._instead_of}]
        plan = self._plan
        self._closures[kind, id] = [*others, _Row(id, plan.first_day, plan.last_day, plan.reason, None, plan.what)]


def scope_of(session: Session, unit_id: int | None, pupil_id: int | None) -> ClosureScope | None:
    """Returns the scope of a unit or a pupil; None if it does not exist."""
    if pupil_id is not None:
        place = pupil_place(session, pupil_id)
        return ClosureScope("pupil", _line(session, place.class_id), None, pupil_id, place.class_id) if place else None
    kind = session.connection().execute(select(units.c.kind).where(units.c.id == unit_id)).scalar()
    return ClosureScope(kind, _line(session, unit_id), unit_id) if kind and unit_id is not None else None


def _line(session: Session, unit_id: int) -> frozenset[int]:
    query = select(links.c.ancestor_id).where(links.c.descendant_id == unit_id)
    return frozenset(session.connection().execute(query).scalars())


def has_post_below(session: Session, viewer: Viewer, scope: ClosureScope) -> bool:
    """Returns whether the viewer holds a post in a unit below this one."""
    held = {unit for found in viewer.units.values() for unit in found}
    query = select(links.c.ancestor_id).where(links.c.ancestor_id == scope.unit_id, links.c.descendant_id.in_(held))
    return session.connection().execute(query.limit(1)).first() is not None


def add_closure(session: Session, scope: ClosureScope, plan: Plan, by_id: int | None, now: dt.datetime) -> int:
    """Store a closure and return its id."""
    row = {
        "unit_id": scope.unit_id,
        "pupil_id": scope.pupil_id,
        "announced_by_id": by_id,
        "announced_at": now,
        **_columns(plan),
    }
    return int(session.connection().execute(insert(closures).values(row).returning(closures.c.id)).scalar_one())


def _columns(plan: Plan) -> dict[str, Any]:
    return {
        "first_day": plan.first_day,
        "last_day": plan.last_day,
        "reason": plan.reason,
        "study_mode": plan.study_mode,
        "what": plan.what,
    }


def closure_by_id(session: Session, closure_id: int, *, lock: bool = True) -> Closed | None:
    """Returns a stored closure; `lock` locks it until the transaction ends."""
    c = closures.c
    columns = (c.id, c.unit_id, c.pupil_id, c.first_day, c.last_day, c.reason, c.study_mode, c.what)
    query = select(*columns).where(c.id == closure_id)
    row = session.connection().execute(query.with_for_update() if lock else query).one_or_none()
    return Closed(*row[:3], Plan(*row[3:])) if row else None


def set_closure(session: Session, closure_id: int, plan: Plan, lifted_at: dt.datetime | None = None) -> None:
    """Changes a closure to the plan; `lifted_at` is set if somebody lifted it early just now."""
    lifted = {"lifted_at": lifted_at} if lifted_at else {}
    statement = update(closures).where(closures.c.id == closure_id).values(**_columns(plan), **lifted)
    session.connection().execute(statement)


def add_act(
    session: Session, closure_id: int, kind: str, plan: Plan, by_id: int | None, now: dt.datetime, key: str | None
) -> int | None:
    """Notes what was done to a closure; returns None if a request with this key has already done it."""
    dialect: Any = sqlite if session.connection().dialect.name == "sqlite" else postgresql
    row = {
        "closure_id": closure_id,
        "kind": kind,
        "at": now,
        "person_id": by_id,
        "first_day": plan.first_day,
        "last_day": plan.last_day,
        "recounted": 0,
        "moved": 0,
        "key": key,
    }
    statement = dialect.insert(acts).values(row).on_conflict_do_nothing().returning(acts.c.id)
    found: int | None = session.connection().execute(statement).scalar()
    return found


def count_act(session: Session, act_id: int, counted: Touched) -> None:
    """Notes the results of an act."""
    values = {"recounted": counted.touched, "moved": counted.moved}
    session.connection().execute(update(acts).where(acts.c.id == act_id).values(values))


class ClosureNews(NamedTuple):
    """What a closure changed for one person: the first of the cases it moved, the event there, the number of cases."""

    case_id: int
    seq: int
    role: str
    cases: int


def tell(session: Session, closure_id: int, kind: str, told: Mapping[int, ClosureNews], now: dt.datetime) -> None:
    """Stores one notice for each person about what an act on a closure changed; it belongs to the first of the
    cases.
    """
    rows = [
        {"person_id": person, "kind": kind, "urgent": False, "at": now, "closure_id": closure_id, **news._asdict()}
        for person, news in told.items()
    ]
    if rows:
        session.connection().execute(insert(notices), rows)


def read(session: Session, person_id: int, closure_id: int, now: dt.datetime) -> None:
    """Notes that a person has read the notices about a closure."""
    unread = notices.c.person_id == person_id, notices.c.read_at.is_(None), notices.c.closure_id == closure_id
    session.connection().execute(update(notices).where(*unread).values(read_at=now))


def unread(session: Session, person_id: int, closure_id: int) -> bool:
    """Returns whether a person was told of a closure and has not looked at it since."""
    new = notices.c.person_id == person_id, notices.c.read_at.is_(None), notices.c.closure_id == closure_id
    return session.connection().execute(select(notices.c.id).where(*new).limit(1)).first() is not None


def done_with(session: Session, key: str) -> tuple[int, int | None] | None:
    """Returns the closure and the person of the act that a request with this key did, if it was already done."""
    query = select(acts.c.closure_id, acts.c.person_id).where(acts.c.key == key)
    row = session.connection().execute(query).one_or_none()
    return (row[0], row[1]) if row else None


Concerned = Callable[[str, int, str, bool | None], bool]


def touched(
    session: Session,
    scope: ClosureScope,
    what: str,
    concerned: Concerned,
    *,
    lock: bool = True,
    batch: int = BATCH,
) -> Iterator[tuple[int, list[Facts]]]:
    """Yields the open cases that announced days concern in batches: how many, and those that need a look.

    `what` says whose they are: those of the pupils who learn there, or live there, or both. `concerned` decides by
    workflow, version of the rules, state and whether the offer is accepted. `lock` locks the cases. A case that changes
    at this moment counts its deadline again at the next look.
    """
    # First find their ids with the index of their classes. With an order and a limit, a database would go through all
    # cases of the country.
    c = cases.c
    columns = (c.id, c.workflow, c.rules_version, c.state, c.offered_at.is_not(None), c.accepted_at.is_not(None))
    found = session.connection().execute(select(*columns).where(t.OPEN, _held(scope, what)).order_by(c.id)).all()
    for at in range(0, len(found), batch):
        some = found[at : at + batch]
        ids = [
            id
            for id, workflow, version, state, offered, accepted in some
            if concerned(workflow, version, state, bool(accepted) if offered else None)
        ]
        yield len(some), read_facts(session, t.OPEN, among(c.id, ids), lock=lock, order=c.id) if ids else []


def _held(scope: ClosureScope, what: str) -> ColumnElement[bool]:
    if scope.pupil_id is not None:
        return cases.c.pupil_id == scope.pupil_id
    below = select(links.c.descendant_id).where(links.c.ancestor_id == scope.unit_id)
    taught, lives = cases.c.class_id.in_(below), or_(cases.c.village_id.in_(below), cases.c.commune_id.in_(below))
    if what == HARVEST:
        return or_(taught, lives)
    return lives if what == OFFICE_SHUT or scope.kind == "village" else taught
