"""Finds the open cases whose seat a change concerns, and those in whose seat nobody acts: each as one statement.

`engine.core.cases.reseat` decides about each; `engine.usecases.cases.reseat` does it.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, insert, or_, select, union, update
from sqlalchemy.orm import Session

from engine.core.cases.facts import Facts
from engine.core.cases.reseat import NOTHING, Sought
from engine.core.people.access import ADMIN, OFFICE, SEATS
from engine.core.people.responsibility import LADDERS
from engine.store import tables as t
from engine.store.bulk import among
from engine.store.cases.cases import RETURNED
from engine.store.cases.surroundings import cases, chunks, read_facts
from engine.store.stand_ins import ABSENT_WITHOUT, TODAY, in_force

_TABLES = t.Base.metadata.tables
_posts, _away, _people, _links = (_TABLES[name] for name in ("appointments", "delegations", "people", "unit_links"))
_offers, _events, _notices, _units = (_TABLES[name] for name in ("offers", "events", "notices", "units"))
TURNED = (
    "seats_turned"  # {"day": "2026-03-09", "left": 0}: the last turn of the day, and the cases it found left behind
)
_PLACES = tuple(dict.fromkeys((*SEATS.values(), "province_id")))
# The roles above each role, on any ladder, to which its cases go when it is passed over.
_ABOVE: Mapping[str, tuple[str, ...]] = {
    role: (*(above for above in ladder if above != role), ADMIN) for role, ladder in LADDERS.items() if role != ADMIN
}


@dataclass(frozen=True, slots=True)
class Concerned:
    """Whom and which seats a change concerns: the people, and (role, unit)."""

    people: frozenset[int] = frozenset()
    seats: frozenset[tuple[str, int]] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.people or self.seats)


def concern(session: Session, people: Iterable[int], seats: Iterable[tuple[str, int]] = ()) -> Concerned:
    """Returns what a change about these people and seats concerns: with them, all who named them to stand in, directly
    or over others, and every seat that one of these people holds, held or will hold.
    """
    connection, found, further = session.connection(), set(people), set(people)
    while further:
        query = select(_away.c.person_id).where(among(_away.c.delegate_id))
        further = set(connection.execute(query, {"ids": sorted(further)}).scalars()) - found
        found |= further
    held = select(_posts.c.role, _posts.c.unit_id).where(among(_posts.c.person_id)).distinct()
    theirs = connection.execute(held, {"ids": sorted(found)}).all() if found else []
    return Concerned(frozenset(found), frozenset({*seats, *((role, unit) for role, unit in theirs)}))


def of_the_day(session: Session, since: dt.date, today: dt.date) -> Concerned:
    """Returns whom and what the turn of the day concerns: posts and absences that began or ended after `since`."""
    connection = session.connection()
    posts = select(_posts.c.person_id, _posts.c.role, _posts.c.unit_id).where(
        or_(
            and_(_posts.c.valid_from > since, _posts.c.valid_from <= today),
            and_(_posts.c.valid_to > since, _posts.c.valid_to <= today),
        )
    )
    turned = connection.execute(posts).all()
    absences = select(_away.c.person_id).where(
        or_(
            and_(_away.c.first_day > since, _away.c.first_day <= today),
            and_(_away.c.last_day >= since, _away.c.last_day < today),
        )
    )
    people = {person for person, *_ in turned} | set(connection.execute(absences).scalars())
    return concern(session, people, {(role, unit) for _, role, unit in turned}) if people else Concerned()


# --- which cases ------------------------------------------------------------------------------------------------------


def concerned_cases(
    session: Session, concerned: Concerned, after: int, limit: int | None, *, lock: bool = True
) -> list[Facts]:
    """Returns open cases that a change may concern, with an id above `after`, in their order; locked or not."""
    arms = list(_arms(concerned)) if concerned else []
    if not arms:
        return []
    ids = union(*(select(cases.c.id).where(t.OPEN, cases.c.id > after, arm) for arm in arms)).subquery()
    query = select(ids.c.id).order_by(ids.c.id)
    return open_of(session, session.connection().execute(query.limit(limit) if limit else query).scalars().all(), lock)


def open_of(session: Session, ids: Sequence[int], lock: bool = False) -> list[Facts]:
    """Returns those of these cases that are open, in their order."""
    return [
        facts
        for chunk in chunks(ids)
        for facts in read_facts(session, t.OPEN, among(cases.c.id, chunk), lock=lock, order=cases.c.id)
    ]


def turns_of(session: Session, people: Collection[int], today: dt.date) -> list[int]:
    """Returns the open cases that these people have, or that wait for a post of theirs, in their order."""
    held = select(_posts.c.role, _posts.c.unit_id).where(
        among(_posts.c.person_id), _posts.c.valid_from <= today, _posts.c.valid_to > today
    )
    arms = [among(cases.c.assignee_id, sorted(people))]
    for role, unit in session.connection().execute(held, {"ids": sorted(people)}):
        asked = cases.c.asked_unit_id == unit, cases.c.asked_role == role
        arms.append(and_(*asked, or_(cases.c.assignee_id.is_(None), cases.c.beside_until.is_not(None))))
    ids = union(*(select(cases.c.id).where(t.OPEN, arm) for arm in arms)).subquery()
    return list(session.connection().execute(select(ids.c.id).order_by(ids.c.id)).scalars())


def alike(session: Session, ids: Sequence[int]) -> dict[int, int]:
    """Returns one of these cases for each group with the same turn (holder, seat, beside), with the group's size."""
    found: dict[tuple[Any, ...], tuple[int, int]] = {}
    same = cases.c.assignee_id, cases.c.asked_role, cases.c.asked_unit_id, cases.c.request, cases.c.state
    columns = *same, cases.c.beside_until.is_(None)
    for chunk in chunks(ids):
        query = select(func.min(cases.c.id), func.count(), *columns).where(t.OPEN, among(cases.c.id, chunk))
        for first, number, *turn in session.connection().execute(query.group_by(*columns)):
            known = found.get(tuple(turn), (first, 0))
            found[tuple(turn)] = known[0], known[1] + number
    return dict(found.values())


def _arms(concerned: Concerned) -> Iterable[ColumnElement[bool]]:
    """Yields the ways in which a case can be concerned: each walks an index."""
    if concerned.people:
        yield among(cases.c.assignee_id, sorted(concerned.people))
    by_role: dict[str, set[int]] = defaultdict(set)
    for role, unit in concerned.seats:
        by_role[role].add(unit)
    for role, units in sorted(by_role.items()):
        if role == ADMIN:
            yield cases.c.asked_role == ADMIN
            continue
        ids = sorted(units)
        yield and_(among(cases.c.asked_unit_id, ids), cases.c.asked_role == role)
        passed = cases.c.asked_role.in_(_ABOVE[role])
        if role == OFFICE:
            below = select(_links.c.descendant_id).where(among(_links.c.ancestor_id, ids))
            yield and_(cases.c.commune_id.in_(below), cases.c.asked_role.in_((OFFICE, ADMIN)))
        else:
            yield and_(among(cases.c[SEATS[role]], ids), passed)


def _acts() -> Select[Any]:
    """People who act in a post today: open account, and there, or somebody stands in for them."""
    return (
        select(_posts.c.id)
        .join(_people, _people.c.id == _posts.c.person_id)
        .where(
            _posts.c.valid_from <= TODAY,
            _posts.c.valid_to > TODAY,
            _people.c.disabled_at.is_(None),
            _posts.c.person_id.not_in(ABSENT_WITHOUT),
        )
    )


def _unseated() -> Select[Any]:
    """Open cases that ask somebody who is not there: nobody acts in the seat; the holder has left; the holder is away
    with nobody to stand in, and nobody is asked beside them.
    """
    seat = _acts().where(_posts.c.role == cases.c.asked_role, _posts.c.unit_id == cases.c.asked_unit_id)
    empty = and_(cases.c.asked_role != ADMIN, ~exists(seat.correlate(cases)))
    has = cases.c.assignee_id.is_not(None)
    holder = _people.alias("holder")
    shut = exists().where(holder.c.id == cases.c.assignee_id, holder.c.disabled_at.is_not(None))
    absent = and_(cases.c.assignee_id.in_(ABSENT_WITHOUT), cases.c.beside_until.is_(None), cases.c.asked_role != ADMIN)
    return select(cases.c.id).where(t.OPEN, or_(empty, and_(has, or_(shut, absent, ~_answers()))))


def _answers() -> ColumnElement[bool]:
    """Whether the holder of a case has a post here today, their own or that of somebody they stand in for."""
    lent = _away.alias("lent")
    here = [_posts.c.unit_id == cases.c[place] for place in _PLACES]
    above = exists().where(
        _links.c.ancestor_id == _posts.c.unit_id, _links.c.descendant_id.in_((cases.c.commune_id, cases.c.school_id))
    )
    held = _posts.c.valid_from <= TODAY, _posts.c.valid_to > TODAY
    own = select(_posts.c.id).where(_posts.c.person_id == cases.c.assignee_id, *held)
    stands_in = select(lent.c.id).where(lent.c.delegate_id == cases.c.assignee_id, *in_force(lent))
    return or_(
        exists(own.where(or_(*here)).correlate(cases)),
        exists(own.where(_posts.c.role == OFFICE, above).correlate(cases)),
        exists(stands_in.correlate(cases)),
    )


_UNSEATED = _unseated()
_COUNT = select(func.count()).select_from(_UNSEATED.subquery())


def unseated(session: Session, today: dt.date, after: int, limit: int) -> list[Facts]:
    """Returns open cases that ask somebody who is not there, with an id above `after`, in their order; locked."""
    query = _UNSEATED.where(cases.c.id > after).order_by(cases.c.id).limit(limit)
    return open_of(session, session.connection().execute(query, {"today": today}).scalars().all(), lock=True)


def count_unseated(session: Session, today: dt.date) -> int:
    """Returns how many open cases ask somebody who is not there; 0 if nothing is wrong."""
    return int(session.connection().execute(_COUNT, {"today": today}).scalar_one())


# --- what the history says of them ------------------------------------------------------------------------------------


def sought(session: Session, found: Sequence[Facts]) -> dict[int, Sought]:
    """Returns, for each of these cases, the seat that its offer was meant for, who returned it, and whether a person
    chose its holder.
    """
    connection, since = session.connection(), {facts.id: facts.since for facts in found}
    offered = [facts.id for facts in found if facts.offered_role]
    first: dict[int, tuple[str, int | None]] = {}
    declined: dict[int, set[tuple[str, int]]] = defaultdict(set)
    columns = _offers.c.case_id, _offers.c.role, _offers.c.unit_id, _offers.c.made_at, _offers.c.answer
    query = select(*columns, _offers.c.passed_over).where(among(_offers.c.case_id)).order_by(_offers.c.seq)
    for case, role, unit, made_at, answer, over in connection.execute(query, {"ids": offered}) if offered else ():
        if made_at < since[case]:
            continue
        if answer in RETURNED:
            declined[case].add((role, unit))
        first[case] = (over[0][0], over[0][1]) if over else (role, unit)
    by_hand = [facts.id for facts in found if not facts.offered_role and facts.assignee_id is not None]
    given = select(_events.c.case_id, _events.c.at).where(
        among(_events.c.case_id), _events.c.kind == "assigned", _events.c.person_id.is_not(None)
    )
    rows = connection.execute(given, {"ids": by_hand}) if by_hand else ()
    chosen = {case for case, at in rows if at >= since[case]}
    return {
        id: Sought(first.get(id), frozenset(declined.get(id, ())), id in chosen)
        if id in first or id in chosen
        else NOTHING
        for id in since
    }


# --- what is left for the worker --------------------------------------------------------------------------------------


def leave_rest(session: Session, concerned: Concerned, after: int, now: dt.datetime) -> None:
    """Notes that cases with an id above `after` are still to be looked at: the worker goes on there."""
    seats = [list(seat) for seat in sorted(concerned.seats)]
    row = {"at": now, "people": sorted(concerned.people), "seats": seats, "after_id": after, "moved": 0}
    session.execute(insert(t.Reseat).values(row))


@dataclass(frozen=True, slots=True)
class Rest:
    """What is left of a change: whom it concerns, since when, and after which case the worker goes on."""

    id: int
    at: dt.datetime
    concerned: Concerned
    after: int


def take_rest(session: Session, *, lock: bool = True) -> Rest | None:
    """Returns the oldest change that is not done, locked until the transaction ends; None if there is none."""
    rest = t.Reseat
    query = select(rest.id, rest.at, rest.people, rest.seats, rest.after_id).order_by(rest.id).limit(1)
    row = session.execute(query.with_for_update(skip_locked=True) if lock else query).one_or_none()
    if row is None:
        return None
    id, at, people, seats, after = row
    return Rest(id, at, Concerned(frozenset(people), frozenset((role, unit) for role, unit in seats)), after)


def go_on(session: Session, rest: Rest, after: int | None, moved: int) -> None:
    """Notes how far a change has come; None: it is done, and the row goes."""
    row = t.Reseat.__table__
    if after is None:
        session.execute(row.delete().where(row.c.id == rest.id))  # type: ignore[attr-defined]
    else:
        values = {"after_id": after, "moved": row.c.moved + moved}
        session.execute(update(t.Reseat).where(t.Reseat.id == rest.id).values(values))
