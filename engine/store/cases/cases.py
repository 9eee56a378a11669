"""The few statements that use cases need beside `read_facts` and the writer."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, func, insert, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from engine.core.cases.casework import FOR
from engine.core.cases.facts import Facts
from engine.core.invariants import given
from engine.core.proof.beside import ADOPTED
from engine.core.refusals import Conflict
from engine.core.words import Sentence
from engine.store import tables as t
from engine.store.cases.surroundings import cases, read_facts
from engine.store.cases.writer import CASE_COLUMNS
from engine.store.scopes import beyond_scope

_offers, _events = (t.Base.metadata.tables[name] for name in ("offers", "events"))
_CALLED = beyond_scope(
    select(*(cases.c[name] for name in CASE_COLUMNS)).where(cases.c.code == bindparam("code")),
    ("cases",),
    "a case by its code; the page asks `reach` what the viewer may know of it before it tells anything",
)
_RAISE_COUNTER = text(
    "INSERT INTO counters (name, value) VALUES (:name, :count)"
    " ON CONFLICT (name) DO UPDATE SET value = counters.value + :count RETURNING value"
)


@dataclass(frozen=True, slots=True)
class PupilPlace:
    """Where a pupil learns and lives, in the form that `engine.core.people.access.reach` needs."""

    id: int
    class_id: int
    school_id: int
    village_id: int | None
    commune_id: int | None
    province_id: int | None
    grade: int | None
    disability: str | None
    association_id: int | None = None


def pupil_place(session: Session, pupil_id: int) -> PupilPlace | None:
    """Returns the place of a pupil; None if the pupil does not exist."""
    pupil = t.Pupil
    query = (
        select(
            pupil.id,
            pupil.class_id,
            pupil.school_id,
            pupil.village_id,
            pupil.commune_id,
            pupil.province_id,
            t.Unit.grade,
            pupil.disability,
        )
        .join(t.Unit, t.Unit.id == pupil.class_id)
        .where(pupil.id == pupil_id)
    )
    row = session.execute(query).one_or_none()
    return PupilPlace(*row) if row else None


def born_on(session: Session, pupil_id: int) -> dt.date | None:
    """Returns the day on which a pupil was born, if it is known."""
    return session.scalar(select(t.Pupil.birth_date).where(t.Pupil.id == pupil_id))


def returned_on(session: Session, case_id: int) -> dt.date | None:
    """Returns the day of the last return that somebody recorded in a case; None if there is none, or it was erased."""
    texts = session.scalars(
        select(t.EventText.values)
        .join(t.Event, (t.Event.case_id == t.EventText.case_id) & (t.Event.seq == t.EventText.seq))
        .where(t.Event.case_id == case_id, t.Event.person_id.is_not(None))
        .order_by(t.Event.seq.desc())
    )
    return next((dt.date.fromisoformat(it["returned_on"]) for it in texts if it.get("returned_on")), None)


def case_by_code(session: Session, code: str) -> Facts | None:
    """Returns the facts of a case, locked until the transaction ends."""
    return next(iter(read_facts(session, cases.c.code == code, lock=True)), None)


def case_by_id(session: Session, id: int) -> Facts:
    """Returns the facts of a case that is known to be there, locked until the transaction ends."""
    return given(next(iter(read_facts(session, cases.c.id == id, lock=True)), None), "a case is never deleted")


def find_case(session: Session, code: str) -> Facts | None:
    """A case as facts, to look at only."""
    row: Any = session.execute(_CALLED, {"code": code}).one_or_none()
    return Facts(*row) if row else None


def open_case_of(session: Session, pupil_id: int, workflow: str) -> str | None:
    """Returns the code of the pupil's open case, if any."""
    query = select(t.Case.code).where(t.Case.pupil_id == pupil_id, t.Case.workflow == workflow, t.OPEN)
    return session.execute(query).scalar()


def next_codes(session: Session, year: int, count: int = 1) -> list[str]:
    """Returns new case codes of a year, such as RL-2026-000042; they tell nothing about the pupil."""
    raised = {"name": f"case-{year}", "count": count}
    last: int = session.connection().execute(_RAISE_COUNTER, raised).scalar_one()
    return [f"RL-{year}-{number:06}" for number in range(last - count + 1, last + 1)]


def insert_case(session: Session, facts: Facts) -> None:
    """Stores a new case and gives it its id. Raises `Conflict` if the pupil already has an open one."""
    row: dict[str, Any] = {name: getattr(facts, name) for name in CASE_COLUMNS if name != "id"}
    try:
        facts.id = session.connection().execute(insert(cases).values(row).returning(cases.c.id)).scalar_one()
    except IntegrityError as error:
        if "open_pupil" not in str(error) and "cases.pupil_id" not in str(error):
            raise
        raise Conflict(Sentence("This pupil has an open case already.")) from error


def went_on(session: Session, facts: Facts, version: int) -> bool:
    """Returns whether something happened to a case since somebody saw it in this version.

    An upgrade that notes how the case stands is nothing: a phone may bring today what was written before it.
    """
    if version == facts.version:
        return False
    since = select(_events.c.seq).where(
        _events.c.case_id == facts.id, _events.c.seq > version, _events.c.kind != ADOPTED
    )
    return version > facts.version or session.connection().execute(since.limit(1)).first() is not None


RETURNED = ("declined", "handed_back")  # answers of a post that gave the case back


def declined_seats(session: Session, facts: Facts) -> set[tuple[str, int]]:
    """The posts that returned the case since it entered its state."""
    query = select(_offers.c.role, _offers.c.unit_id).where(
        _offers.c.case_id == facts.id,
        _offers.c.answer.in_(RETURNED),
        _offers.c.made_at >= facts.since,
    )
    return {(role, unit) for role, unit in session.connection().execute(query)}


def done_before(session: Session, key: str) -> tuple[str, int | None] | None:
    """Returns the case and person of the event made by a request with this idempotency key, if it was already done."""
    query = (
        select(cases.c.code, _events.c.person_id)
        .join(_events, _events.c.case_id == cases.c.id)
        .where(_events.c.key == key)
    )
    row = session.connection().execute(query).one_or_none()
    return (row[0], row[1]) if row else None


def last_act(session: Session, case_id: int) -> tuple[str, str | None, dt.datetime, str | None] | None:
    """Returns the last event of a case: its kind, who did it (None: a rule), when, and for whom."""
    query = (
        select(t.Event.kind, t.Person.name, t.Event.at, t.Event.data)
        .outerjoin(t.Person, t.Person.id == t.Event.person_id)
        .where(t.Event.case_id == case_id)
        .order_by(t.Event.seq.desc())
        .limit(1)
    )
    row = session.execute(query).one_or_none()
    if row is None:
        return None
    absent = session.scalar(select(t.Person.name).where(t.Person.id == row[3][FOR])) if FOR in row[3] else None
    return row[0], row[1], row[2], absent


def earliest_look(session: Session) -> dt.datetime | None:
    """Returns the next moment at which any rule of any open case could fire."""
    query = select(func.min(cases.c.next_look_at)).where(t.OPEN)
    return session.connection().execute(query).scalar()


def undone(session: Session, case_id: int) -> dict[str, int]:
    """Returns how many planned entries of each kind are not done."""
    p = t.Planned
    left = p.case_id == case_id, p.done_seq.is_(None), p.replaced_seq.is_(None)
    return dict(session.execute(select(p.kind, func.count()).where(*left).group_by(p.kind)).all())


def tick_off(session: Session, case_id: int, kind: str, seq: int, *, until: dt.datetime | None = None) -> bool:
    """Marks planned entries of a kind as done by the event `seq`: all due before `until`, or the earliest open one.

    Returns False if it found none.
    """
    p = t.Planned
    this = p.case_id == case_id, p.kind == kind, p.done_seq.is_(None), p.replaced_seq.is_(None)
    query = select(p.seq, p.number).where(*this).order_by(p.due_at, p.seq, p.number)
    rows = session.execute(query.limit(1) if until is None else query.where(p.due_at < until)).all()
    for row in rows:
        session.execute(update(p).where(*this, p.seq == row.seq, p.number == row.number).values(done_seq=seq))
    return bool(rows)
