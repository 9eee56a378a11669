"""Reads what waits for a person, and what the lists show beside the cases."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import starmap
from typing import Any, NamedTuple

from sqlalchemy import Select, and_, bindparam, exists, false, func, or_, select, update
from sqlalchemy.orm import Session

from engine.core.cases.casework import FOR
from engine.core.people.access import Viewer
from engine.core.people.roles import CLASS, COLUMNS, KNOWS, SCHOOL, RoleBook
from engine.core.workflow.requests import OF_THE_HOLDER
from engine.store import tables as t
from engine.store.bulk import among
from engine.store.cases.corrections import deciding_arms
from engine.store.cases.history import people_named
from engine.store.cases.rows import (
    MOST_ARMS,
    Arm,
    CaseRow,
    Making,
    any_of,
    by_arms,
    cases,
    known,
    known_arms,
    next_due,
    pick,
    read,
    referred,
    referred_arms,
)
from engine.store.scopes import beyond_scope
from engine.store.tables.types import FAR, at_most

PAGE = 50


def seats_of(viewer: Viewer) -> list[tuple[str, int]]:
    """Returns the viewer's posts, including delegated ones."""
    return sorted((role, unit) for role, units in viewer.units.items() for unit in units)


def work_and_area(session: Session, viewer: Viewer, own: int, others: int) -> tuple[list[CaseRow], list[CaseRow]]:
    """Returns what waits for the viewer (at most `own` cases), and what others of the area have (at most `others`).

    A class has few open cases, so those of a teacher are read at once and separated here.
    """
    most = own + others
    if viewer.units and viewer.units.keys() <= {*viewer.roles.seated(CLASS, sight=KNOWS)}:
        rows = read(session, next_due(known, tuple(known_arms(viewer)), most + 1))
        if len(rows) <= most:
            mine = [row for row in rows if _waits_for(row, viewer)][:own]
            held = {row.id for row in mine}
            left = [row for row in rows if row.id not in held and row.assignee_id not in viewer.people]
            return mine, left[:others]
    mine = my_work(session, viewer, own)
    held = {row.id for row in mine}
    area = area_work(session, viewer, most)  # includes what is offered to the viewer
    return mine, [row for row in area if row.id not in held][:others]


def _waits_for(row: CaseRow, viewer: Viewer) -> bool:
    here = row.asked_unit_id in viewer.of(row.asked_role or "")
    beside = row.request not in OF_THE_HOLDER and (row.offered_role, row.offered_unit_id) != (
        row.asked_role,
        row.asked_unit_id,
    )
    return (here and (row.waiting or beside)) or row.assignee_id in viewer.people


def my_work(session: Session, viewer: Viewer, limit: int = PAGE) -> list[CaseRow]:
    """Returns open cases that wait for the viewer: assigned to them or the absent person, or asked of their posts: on
    offer, beside what who has the case does, or while nobody has it or its holder is away.
    """
    waiting = viewer.people, tuple(seats_of(viewer)[:MOST_ARMS]), limit
    rows = read(session, _mine(known, *waiting)) if known_arms(viewer) else []
    rows += read(session, _mine(referred, *waiting)) if referred_arms(viewer) else []
    return _in_order(rows, limit)


def area_work(session: Session, viewer: Viewer, limit: int = PAGE) -> list[CaseRow]:
    """Returns other open cases of the viewer's area, the next due first: neither the viewer nor the absent person has
    them.
    """
    rows = []
    for making, arms in ((known, known_arms(viewer)), (referred, referred_arms(viewer))):
        rows += read(session, _others(making, tuple(arms), viewer.people, limit)) if arms else []
    return _in_order(rows, limit)


_WAITS = cases.c.offered_at.is_not(None) & cases.c.accepted_at.is_(None)
_OTHER_SEAT = or_(
    cases.c.offered_unit_id.is_(None),
    cases.c.offered_unit_id != cases.c.asked_unit_id,
    cases.c.offered_role != cases.c.asked_role,
)
_BESIDE = or_(
    _WAITS,
    cases.c.request.not_in(OF_THE_HOLDER) & _OTHER_SEAT,
    cases.c.assignee_id.is_(None),
    cases.c.beside_until.is_not(None),
)


# Kept for later pages: making such a statement takes longer than running it.
@lru_cache(maxsize=512)
def _mine(making: Making, people: tuple[int, ...], seats: tuple[tuple[str, int], ...], limit: int) -> Select[Any]:
    picks = [pick([t.OPEN, cases.c.assignee_id == person], limit) for person in people]
    picks += [
        pick([t.OPEN, cases.c.asked_unit_id == unit, cases.c.asked_role == role, _BESIDE], limit)
        for role, unit in seats
    ]
    return making(picks, limit)


@lru_cache(maxsize=512)
def _others(making: Making, arms: tuple[Arm, ...], people: tuple[int, ...], limit: int) -> Select[Any]:
    others = or_(cases.c.assignee_id.is_(None), cases.c.assignee_id.not_in(people))
    return making(by_arms(arms, [t.OPEN, others], limit), limit)


def _in_order(rows: Iterable[CaseRow], limit: int) -> list[CaseRow]:
    """Sorts by deadline; keeps each case once, with the pupil's name if the viewer may know it."""
    once: dict[int, CaseRow] = {}
    for row in rows:
        once.setdefault(row.id, row)
    return sorted(once.values(), key=lambda row: (row.due_at or FAR, row.id))[:limit]


@dataclass(frozen=True, slots=True)
class Handed:
    """Who handed a case over: a person in a role, perhaps for somebody else, or a rule (`kind` is its id)."""

    kind: str
    at: dt.datetime
    role: str | None
    person: str | None
    absent: str | None = None


_OFFERED = (
    select(t.Offer.case_id, t.Event.kind, t.Event.at, t.Event.role, t.Person.name, t.Event.data[FOR].as_integer())
    .join(t.Event, and_(t.Event.case_id == t.Offer.case_id, t.Event.seq == t.Offer.seq))
    .outerjoin(t.Person, t.Person.id == t.Event.person_id)
    .where(
        among(t.Offer.case_id, name="cases"),
        or_(t.Offer.answer.is_(None), t.Offer.answer == "accepted"),
    )
    .order_by(t.Offer.case_id, t.Offer.seq)
)


def handed_over(session: Session, case_ids: Sequence[int]) -> dict[int, Handed]:
    """Returns, for each case that is or was on offer, the event that made the present offer."""
    if not case_ids:
        return {}
    rows = session.execute(_OFFERED, {"cases": case_ids}).all()
    absent = people_named(session, {row[-1] for row in rows if row[-1] is not None})
    return {case: Handed(kind, at, role, person, absent.get(whose)) for case, kind, at, role, person, whose in rows}


@dataclass(frozen=True, slots=True)
class NeedRow:
    """What is needed, and where to hand it over."""

    case_id: int
    need: str
    handover: str | None


_NEEDS = (
    select(t.Need.case_id, t.Need.need, t.Need.handover)
    .where(among(t.Need.case_id, name="cases"), t.Need.replaced_seq.is_(None))
    .order_by(t.Need.case_id, t.Need.seq)
)


def needs_of(session: Session, case_ids: Sequence[int]) -> dict[int, NeedRow]:
    """Returns the last need of each case."""
    if not case_ids:
        return {}
    rows: Any = session.execute(_NEEDS, {"cases": case_ids})
    return {row[0]: NeedRow(*row) for row in rows}


MOST_UNREAD = 99
_difficulties, _filters, _notices, _proposals, _pupils, _doubts = (
    t.Base.metadata.tables[name]
    for name in ("difficulties", "saved_filters", "notices", "proposals", "pupils", "doubts")
)
_UNREAD = (
    select(_notices.c.id)
    .where(_notices.c.person_id == bindparam("person"), _notices.c.read_at.is_(None), _notices.c.withdrawn_at.is_(None))
    .limit(at_most(MOST_UNREAD))
)


class Also(NamedTuple):
    """Whether other things wait for a person, and whether they have saved filters.

    `unread` is the number of notices they have not read, counted up to MOST_UNREAD.
    """

    proposals: bool
    difficulties: bool
    filters: bool
    unread: int
    doubts: bool


def also_waiting(session: Session, viewer: Viewer) -> Also:
    """Returns what waits for a person beside their cases; mostly nothing, so one statement asks for all of it.

    It only says whether something waits for the person's own posts.
    """
    taught = tuple((COLUMNS[kind], unit) for kind in (CLASS, SCHOOL) for unit in sorted(viewer.seated(kind)))
    query = _also_waiting(tuple(seats_of(viewer)), taught, tuple(deciding_arms(viewer)))
    return Also(*session.execute(query, {"person": viewer.person_id}).one())


@lru_cache(maxsize=512)
def _also_waiting(seats: tuple[tuple[str, int], ...], pupils: tuple[Arm, ...], areas: tuple[Arm, ...]) -> Any:
    difficulties = _difficulties.c
    asked = [and_(difficulties.unit_id == unit, difficulties.role == role) for role, unit in seats]
    taught = [_pupils.c[column] == unit for column, unit in pupils]  # whose proposals the viewer decides about
    proposed = select(_proposals.c.id).join(_pupils, _pupils.c.id == _proposals.c.pupil_id)
    doubted = select(_doubts.c.case_id).join(cases, cases.c.id == _doubts.c.case_id)
    query = select(
        exists(proposed.where(t.UNDECIDED, or_(false(), *taught))),
        exists(select(difficulties.id).where(t.UNANSWERED, or_(false(), *asked))),
        exists().where(_filters.c.person_id == bindparam("person")),
        select(func.count()).select_from(_UNREAD.subquery()).scalar_subquery(),
        exists(doubted.where(t.IN_DOUBT, any_of(areas) if areas else false())),
    )
    return beyond_scope(
        query,
        ("proposals", "pupils", "difficulties", "saved_filters", "notices", "doubts", "cases"),
        "whether something waits for the viewer's own posts, and how many notices of theirs are unread; no row is told",
    )


class NoticeRow(NamedTuple):
    """A notice, with the code of its case, the number of cases it is about, and the closure that moved their deadlines.

    A notice about an act on an account or a post has no case.
    """

    id: int
    code: str | None
    workflow: str | None
    rules_version: int | None
    kind: str
    role: str
    urgent: bool
    at: dt.datetime
    read_at: dt.datetime | None
    cases: int
    closure_id: int | None
    act_id: int | None


_NOTICES = (
    select(
        t.Notice.id,
        t.Case.code,
        t.Case.workflow,
        t.Case.rules_version,
        t.Notice.kind,
        t.Notice.role,
        t.Notice.urgent,
        t.Notice.at,
        t.Notice.read_at,
        t.Notice.cases,
        t.Notice.closure_id,
        t.Notice.act_id,
    )
    .outerjoin(t.Case, t.Case.id == t.Notice.case_id)
    .where(t.Notice.person_id == bindparam("person"), t.Notice.withdrawn_at.is_(None))
    .order_by(t.Notice.id.desc())
    .limit(bindparam("most"))
)
_NOTICES_BEFORE = _NOTICES.where(t.Notice.id < bindparam("before"))


def notices_of(session: Session, person_id: int, before: int | None = None, limit: int = PAGE) -> list[NoticeRow]:
    """Returns the notices of one person, the newest first, one more than `limit` if there are more.

    The session must be unscoped: a person keeps a notice when somebody else gets the case, and its code tells nothing.
    """
    asked = {"person": person_id, "before": before, "most": limit + 1}
    return list(starmap(NoticeRow, session.execute(_NOTICES_BEFORE if before else _NOTICES, asked).all()))


def mark_read(session: Session, person_id: int, ids: Sequence[int], now: dt.datetime) -> int:
    """Notes that a person has read some of their notices; returns how many were new."""
    unread = t.Notice.id.in_(ids), t.Notice.person_id == person_id, t.Notice.read_at.is_(None)
    done: Any = session.execute(update(t.Notice).where(*unread).values(read_at=now))
    return int(done.rowcount)


def school_contacts(
    session: Session, case_ids: Sequence[int], today: dt.date, roles: RoleBook
) -> dict[int, tuple[str, str | None]]:
    """Returns the name and phone of the homeroom teacher of each case, for viewers who must not know the class.

    The session must be unscoped, and the caller has checked that the viewer reaches the cases.
    """
    if not case_ids:
        return {}
    query = (
        select(t.Case.id, t.Person.name, t.Person.phone)
        .join(
            t.Appointment,
            and_(t.Appointment.unit_id == t.Case.class_id, t.Appointment.role.in_(roles.seated(CLASS, sight=KNOWS))),
        )
        .join(t.Person, t.Person.id == t.Appointment.person_id)
        .where(
            t.Case.id.in_(case_ids),
            t.Appointment.valid_from <= today,
            t.Appointment.valid_to > today,
            t.Person.disabled_at.is_(None),
        )
        .order_by(t.Appointment.id.desc())
    )
    return {case: (name, phone) for case, name, phone in session.execute(query)}
