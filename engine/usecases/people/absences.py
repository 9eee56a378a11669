"""Enters and ends absences: the days (first and last included), and who acts meanwhile.

A stand-in has all rights of the absent person during the absence. So people choose among those with the same kind of
duty in the same school, commune, association or office. An administrator may choose anybody except themselves.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from engine.core.people.access import Viewer
from engine.core.people.account_events import AWAY, BACK, STANDS_IN, STOOD_IN, By
from engine.core.people.roles import ASSOCIATION, CLASS, COMMUNE, KNOWS, REFERRED, SCHOOL, VILLAGE, RoleBook
from engine.core.refusals import Conflict, Invalid, NotAllowed, NotFound
from engine.core.text import tidy
from engine.core.words import Sentence
from engine.store.people import absences as stored
from engine.store.people.absences import Colleague
from engine.store.people.account_events import note_absence
from engine.store.session import Session
from engine.usecases.cases import reseat as reseating
from engine.usecases.cases.reseat import Going, Reseated
from engine.usecases.context import Context
from engine.usecases.people.powers import changing

MOST_DAYS = 366
LONGEST = 200  # characters of a reason
DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Entered:
    """An absence that was entered: where the open cases are, and the days on which nobody stands in after all."""

    going: Going
    alone: tuple[dt.date, ...] = ()


@dataclass(frozen=True, slots=True)
class _Circle:
    """In what kind of unit a role looks for a stand-in, and which roles may stand in."""

    within: str
    roles: tuple[str, ...]


# Where seats of these kinds see alike, their holders stand in for each other within a unit of this kind.
_ALIKE: Mapping[tuple[str, ...], str] = {
    (CLASS, SCHOOL): "school",
    (VILLAGE, COMMUNE): "commune",
    (ASSOCIATION,): "association",
}


def _circle(roles: RoleBook, code: str) -> _Circle:
    """Returns who may stand in for a role: those who see alike nearby; else only the same role in the same unit."""
    role = roles.get(code)
    for kinds, within in _ALIKE.items():
        if role is not None and role.seat in kinds and role.sight in {KNOWS, REFERRED}:
            return _Circle(within, roles.seated(*kinds, sight=role.sight))
    return _Circle("", (code,))


def colleagues(context: Context, person_id: int, now: dt.datetime) -> list[Colleague]:
    """Returns who may stand in for a person: everybody with a similar duty near each of the person's own posts, by
    name.
    """
    with context.store.reading("who may stand in") as session:
        return _colleagues(session, person_id, _today(context, now), context.definitions.roles)


def _colleagues(session: Session, person_id: int, today: dt.date, roles: RoleBook) -> list[Colleague]:
    found: dict[int, Colleague] | None = None
    for role, unit in stored.own_posts(session, person_id, today):
        circle = _circle(roles, role)
        here = {it.id: it for it in stored.beside(session, unit, circle.within, circle.roles, today)}
        found = here if found is None else {id: it for id, it in found.items() if id in here}
    return sorted((it for it in (found or {}).values() if it.id != person_id), key=lambda it: (it.name, it.id))


def go_away(
    context: Context,
    viewer: Viewer,
    delegate_id: int | None,
    first: dt.date,
    last: dt.date,
    reason: str,
    now: dt.datetime,
) -> Entered:
    """Enters days on which the viewer is away; returns what `enter` returns.

    Raises `NotAllowed` for a delegate who is not a colleague; else as `enter`.
    """
    if delegate_id is not None and delegate_id not in {it.id for it in colleagues(context, viewer.person_id, now)}:
        raise NotAllowed(Sentence("Only somebody with the like duty stands in: choose from the list."))
    return enter(context, viewer.person_id, delegate_id, first, last, reason, now, by=viewer.person_id)


def enter(
    context: Context,
    person_id: int,
    delegate_id: int | None,
    first: dt.date,
    last: dt.date,
    reason: str,
    now: dt.datetime,
    *,
    by: By,
) -> Entered:
    """Enters an absence: `delegate_id` acts, or (None) the next post above. From its first day on open cases go on.

    Returns where they are then, and on which of these days nobody acts because the stand-in is away, too.

    Entering the same again changes nothing. The acts of both people note who entered it (`by`), and both are told.

    Raises `Invalid` by field, `Conflict` for days on which the person is already away, `NotAllowed` for somebody who
    would make themselves a stand-in.
    """
    today, reason = _today(context, now), tidy(reason)
    _check(person_id, delegate_id, first, last, today, reason)
    with changing(context.store, "be away", by, now) as session:
        watched = reseating.watch(session, [person_id], context, now)
        for absence in stored.absences(session, person_id, first, last):
            if absence[1:] == (delegate_id, first, last):
                break
            raise Conflict(
                Sentence(
                    "From {first} to {last} an absence stands here already: end it first.",
                    first=absence[2],
                    last=absence[3],
                )
            )
        else:
            stored.add(session, person_id, delegate_id, first, last, reason or None)
            note_absence(session, (AWAY, STANDS_IN), person_id, delegate_id, (first, last), by, now)
        going = watched.after(reseating.reseat_people(session, context, [person_id], now))
        return Entered(going, _alone(session, person_id, delegate_id, first, last))


def _alone(
    session: Session, person_id: int, delegate_id: int | None, first: dt.date, last: dt.date
) -> tuple[dt.date, ...]:
    """The days on which somebody was named to stand in who is away as well, and nobody acts."""
    found: list[dt.date] = []
    for _id, _named, begins, ends in stored.absences(session, delegate_id, first, last) if delegate_id else ():
        from_, to = max(begins, first), min(ends, last)
        days = [from_ + DAY * number for number in range((to - from_).days + 1)]
        found += [day for day in days if not stored.acting_on(session, person_id, day)]
    return tuple(sorted(set(found)))


def _check(person_id: int, delegate_id: int | None, first: dt.date, last: dt.date, today: dt.date, reason: str) -> None:
    wrong = {}
    if delegate_id == person_id:
        wrong["delegate"] = Sentence("Nobody stands in for themselves.")
    if first < today:
        wrong["first_day"] = Sentence("An absence begins today, {today}, at the earliest.", today=today)
    if last < first:
        wrong["last_day"] = Sentence("The last day is before the first one.")
    elif (last - first).days >= MOST_DAYS:
        wrong["last_day"] = Sentence("An absence of more than {days} days: let the post end instead.", days=MOST_DAYS)
    if len(reason) > LONGEST:
        too_long = {"length": len(reason), "most": LONGEST}
        wrong["reason"] = Sentence("The reason is {length} characters long; {most} is the most.", **too_long)
    if wrong:
        raise Invalid(wrong)


def going(context: Context, person_id: int, delegate_id: int | None, now: dt.datetime) -> Going:
    """Returns where the open cases of a person would go if they were away today with this stand-in."""
    with context.store.reading("where the cases of an absent person would go") as session:
        return reseating.suppose(session, context, person_id, [delegate_id] if delegate_id else [], now)


def end(context: Context, person_id: int, absence_id: int, now: dt.datetime, *, by: By) -> Reseated:
    """Ends an absence today; one that has not begun is deleted. What went on meanwhile comes back.

    The acts note who ended it (`by`), with its planned days. Raises `NotFound`.
    """
    with changing(context.store, "be back", by, now) as session:
        ended = stored.end(session, person_id, absence_id, _today(context, now))
        if ended is None:
            raise NotFound(Sentence("There is no such absence."))
        _id, delegate_id, first, last = ended
        note_absence(session, (BACK, STOOD_IN), person_id, delegate_id, (first, last), by, now)
        concerned = [person_id, delegate_id] if delegate_id else [person_id]  # what the stand-in accepted, too
        return reseating.reseat_people(session, context, concerned, now)


def _today(context: Context, now: dt.datetime) -> dt.date:
    return context.definitions.calendar("").local(now).date()
