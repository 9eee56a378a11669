"""Puts the cast of a scenario into an empty database, changes what lies around its cases, and reads the results."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from engine.core.cases.facts import Facts
from engine.core.people.roles import ADMIN
from engine.core.scenario.cast import (
    MORE,
    MORE_PUPILS,
    PEOPLE,
    PROVINCE,
    PUPILS,
    CastPupil,
    holds_from_the_start,
    places,
    posts_of,
)
from engine.store import tables as t
from engine.store.attendance.registers import registers
from engine.store.cases.surroundings import read_facts

ALWAYS = dt.date(2000, 1, 1)  # first day of the invented units and appointments

Seat = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Seeded:
    """The ids of the cast: units, people and pupils by name."""

    units: dict[str, int]
    people: dict[str, int]
    pupils: dict[str, int]

    def member(self, person_id: int | None) -> str:
        """The name of a person in the cast; "" for nobody."""
        return next((name for name, id in self.people.items() if id == person_id), "")

    def post(self, role: str | None, unit_id: int | None) -> str:
        """Returns the member of the cast who holds this post at the start; "" if nobody does."""
        if role == ADMIN:
            return ADMIN  # for the whole installation, whatever the unit
        found = (name for name in self.people if role and (role, unit_id) in self.seats(name))
        return next(found, "")

    def seats(self, member: str) -> tuple[Seat, ...]:
        """Returns the posts (role and unit) that a member of the cast has at the start."""
        return tuple((role, self.units[unit]) for role, unit in posts_of(member) if unit in self.units)


def is_empty(session: Session) -> bool:
    """Returns whether the database holds no units and no people. The cast only goes into an empty database."""
    return not any(session.execute(select(func.count()).select_from(table)).scalar() for table in (t.Unit, t.Person))


def add_cast(session: Session, now: dt.datetime, *, more: bool = False, district: bool = False) -> Seeded:
    """Stores units, people, their posts and the pupils.

    `more`: with the people and places of which only some scenarios tell; `district`: the communes lie in a district.
    """
    people = {**PEOPLE, **({name: MORE[name][2] for name in MORE} if more else {})}
    seeded = Seeded(_units(session, more=more, district=district), _people(session, now, people), {})
    here = (name for name in seeded.people if holds_from_the_start(name, district=district))
    posts = [(seeded.people[name], seat) for name in here for seat in seeded.seats(name)]
    rows = [_appointment(person, seat, ALWAYS) for person, seat in posts]
    session.execute(insert(t.Appointment), rows)
    seeded.pupils.update(_pupils(session, seeded.units, {**PUPILS, **(MORE_PUPILS if more else {})}))
    return seeded


def _units(session: Session, *, more: bool, district: bool) -> dict[str, int]:
    ids: dict[str, int] = {}
    above: dict[str, tuple[str, ...]] = {}
    for name, place in places(more=more, district=district).items():
        row = {
            "kind": place.kind,
            "code": PROVINCE if name == "province" else name,
            "name": name,
            "search_key": name,
            "parent_id": ids.get(place.parent or ""),
            "valid_from": ALWAYS,
            "valid_to": None,
            "grade": 6 if place.kind == "class" else None,
            "teaching_days": place.teaching_days,
        }
        ids[name] = session.execute(insert(t.Unit).values(row).returning(t.Unit.id)).scalar_one()
        above[name] = (name, *above.get(place.parent or "", ()))
    rows = [
        {"ancestor_id": ids[unit], "descendant_id": ids[name], "depth": depth}
        for name, line in above.items()
        for depth, unit in enumerate(line)
    ]
    session.execute(insert(t.UnitLink), rows)
    return ids


def _people(session: Session, now: dt.datetime, people: Mapping[str, str]) -> dict[str, int]:
    insertion = insert(t.Person).returning(t.Person.id)
    return {
        login: session.execute(insertion.values(login=login, name=name, created_at=now)).scalar_one()
        for login, name in people.items()
    }


def _pupils(session: Session, units: dict[str, int], pupils: Mapping[str, CastPupil]) -> dict[str, int]:
    ids = {}
    for code, learner in pupils.items():
        prefix = learner.village.removesuffix("village")
        row = {
            "code": code,
            "name": learner.name,
            "search_key": code,
            "sort_key": code,
            "class_id": units[learner.class_],
            "school_id": units[_school(learner.class_)],
            "village_id": units[learner.village],
            "commune_id": units[f"{prefix}commune"],
            "province_id": units["province"],
        }
        ids[code] = session.execute(insert(t.Pupil).values(row).returning(t.Pupil.id)).scalar_one()
    return ids


def _school(klass: str) -> str:
    return next((f"{prefix}school" for prefix in ("outsider_", "province_") if klass.startswith(prefix)), "school")


# --- what happens around the cases ------------------------------------------------------------------------------------


def _appointment(person_id: int, seat: Seat, first: dt.date) -> dict[str, object]:
    return {"person_id": person_id, "role": seat[0], "unit_id": seat[1], "valid_from": first, "valid_to": None}


def appoint(session: Session, person_id: int, seats: Iterable[Seat], first: dt.date) -> None:
    """Gives a person these posts from a day on."""
    session.execute(insert(t.Appointment), [_appointment(person_id, seat, first) for seat in seats])


def vacate(session: Session, seats: Iterable[Seat], day: dt.date) -> set[int]:
    """Ends these posts on a day, whoever holds them; returns who held them."""
    people: set[int] = set()
    for role, unit in seats:
        held = t.Appointment.role == role, t.Appointment.unit_id == unit, t.Appointment.valid_to > day
        ended = update(t.Appointment).where(*held).values(valid_to=day).returning(t.Appointment.person_id)
        people |= set(session.execute(ended).scalars())
    return people


def send_away(session: Session, person_id: int, first: dt.date, last: dt.date, delegate_id: int | None) -> None:
    """Notes that a person is away from one day to another; the delegate, if any, stands in."""
    row = {"person_id": person_id, "delegate_id": delegate_id, "first_day": first, "last_day": last}
    session.execute(insert(t.Delegation).values(row))


def come_back(session: Session, person_id: int, day: dt.date) -> set[int]:
    """Ends the absence of a person on a day; returns who stood in."""
    away = t.Delegation
    over = away.person_id == person_id, away.first_day <= day, away.last_day >= day
    ended = update(away).where(*over).values(last_day=day - dt.timedelta(days=1)).returning(away.delegate_id)
    return {delegate for delegate in session.execute(ended).scalars() if delegate is not None}


def set_disabled(session: Session, person_id: int, at: dt.datetime | None) -> None:
    """Closes the account of a person, or opens it again (None)."""
    session.execute(update(t.Person).where(t.Person.id == person_id).values(disabled_at=at))


def next_turn(session: Session, today: dt.date) -> dt.date | None:
    """Returns the next day with which a post or an absence begins, or before which one has ended."""
    days = (
        select(func.min(t.Appointment.valid_from)).where(t.Appointment.valid_from > today),
        select(func.min(t.Appointment.valid_to)).where(t.Appointment.valid_to > today),
        select(func.min(t.Delegation.first_day)).where(t.Delegation.first_day > today),
        select(func.min(t.Delegation.last_day)).where(t.Delegation.last_day >= today),
    )
    first, end, begins, last = (session.execute(query).scalar() for query in days)
    after = last + dt.timedelta(days=1) if last else None
    end = end if end and end.year < 9999 else None
    return min((day for day in (first, end, begins, after) if day), default=None)


def mark(session: Session, pupil_id: int, day: dt.date, sessions: Iterable[str], mark: str, now: dt.datetime) -> None:
    """Sets the marks of one pupil for some sessions of a day, and replaces earlier ones."""
    for half in sessions:
        session.merge(t.Mark(pupil_id=pupil_id, day=day, session=half, mark=mark, at=now))


def marked(session: Session, pupil_id: int, day: dt.date) -> set[str]:
    """Returns the sessions of a day of which the pupil's register says something: explicitly, or by a list."""
    taken = registers(session, [pupil_id], day, day)
    return {half for _, half, _ in taken.get(pupil_id, ())}


def is_held(session: Session, case_id: int, now: dt.datetime) -> bool:
    """Returns whether the clock of a case stands still."""
    hold = t.Hold
    query = select(hold.case_id).where(hold.case_id == case_id, hold.starts_at <= now, hold.ends_at > now)
    return session.execute(query.limit(1)).first() is not None


# --- reading the results ----------------------------------------------------------------------------------------------


def latest_case(session: Session, pupil_id: int) -> Facts | None:
    """The pupil's newest case."""
    found = read_facts(session, t.Case.pupil_id == pupil_id, order=t.Case.id.desc(), limit=1)
    return found[0] if found else None


def waiting_difficulty(session: Session, case_id: int) -> t.Difficulty | None:
    """The newest difficulty of a case that waits for an answer."""
    query = select(t.Difficulty).where(t.Difficulty.case_id == case_id, t.UNANSWERED)
    return session.scalars(query.order_by(t.Difficulty.id.desc()).limit(1)).first()


def open_cases(session: Session, pupil_id: int) -> int:
    """How many cases of the pupil are open."""
    query = select(func.count()).select_from(t.Case).where(t.Case.pupil_id == pupil_id, t.OPEN)
    return session.execute(query).scalar_one()


def fired(session: Session, case_id: int) -> tuple[str, ...]:
    """Returns the ids of the rules that fired on a case, in order; repeated rules come several times."""
    query = select(t.Firing.rule).where(t.Firing.case_id == case_id).order_by(t.Firing.seq)
    return tuple(session.execute(query).scalars())


def given(session: Session, case_id: int) -> list[str]:
    """Returns what was given on a case, as it counts: the kind and how much, such as "rice 20"."""
    query = select(t.Support.kind, t.Support.quantity).where(
        t.Support.case_id == case_id, t.Support.replaced_seq.is_(None)
    )
    return [f"{kind} {quantity}" for kind, quantity in session.execute(query)]


def last_notice(session: Session) -> int:
    """The number of the newest notice; 0 if there is none."""
    return session.execute(select(func.max(t.Notice.id))).scalar() or 0


def told_since(session: Session, pupil_id: int, notice_id: int) -> set[int]:
    """Returns who was told something about the pupil's cases after that notice."""
    query = (
        select(t.Notice.person_id)
        .join(t.Case, t.Case.id == t.Notice.case_id)
        .where(t.Notice.id > notice_id, t.Case.pupil_id == pupil_id, t.Notice.closure_id.is_(None))
    )
    return set(session.execute(query).scalars())
