"""Moves cases on when people come and go: at every moment each open case is with somebody who is there.

Whoever changes posts, accounts, absences or units calls `reseat` in the same transaction with the people and seats
concerned; so does the worker when the day turns. Up to `MOST_AT_ONCE` cases move at once, the worker does the rest
(`work_on_rest`). Each case gets one event, each person one notice. `engine.core.cases.reseat` decides.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from engine.core.cases.casework import Addressed, Casework
from engine.core.cases.facts import Facts
from engine.core.cases.reseat import NOTHING
from engine.core.cases.reseat import reseat as decide
from engine.core.notices.planning import CAME, CAME_MANY
from engine.core.people.responsibility import find
from engine.core.people.roles import ADMIN
from engine.core.people.supposed import Supposed
from engine.core.workflow.model import ASSIGNEE
from engine.store.cases import reseating as stored
from engine.store.cases import writer
from engine.store.cases.history import people_named
from engine.store.cases.reseating import TURNED, Concerned
from engine.store.cases.surroundings import SurroundingsReader
from engine.store.notices import came
from engine.store.ops.settings import get_setting, put_setting
from engine.store.session import Session
from engine.usecases.context import Context

MOST_AT_ONCE = 300  # cases in the transaction of the change itself: a page waits for it
BATCH = 500  # cases in a transaction of the worker
Stop = Callable[[], bool]


@dataclass
class Reseated:
    """The codes of the cases that moved."""

    codes: list[str] = field(default_factory=list)
    last: int | None = None  # the last case that was looked at, if the worker still looks at those after it


@dataclass(frozen=True, slots=True)
class Going:
    """Where the open cases go that somebody has or is asked for: the names of who has the turn then, and how many.

    `rest`: how many cases the worker still looks at in the background.
    """

    total: int = 0
    to: tuple[tuple[tuple[str, ...], int], ...] = ()
    rest: int = 0


def reseat(session: Session, context: Context, concerned: Concerned, now: dt.datetime) -> Reseated:
    """Moves the cases that a change concerns, in its transaction; leaves what is beyond `MOST_AT_ONCE` to the worker.

    Args:
        session: the transaction of the change, which has been made in it.
        context: the definitions.
        concerned: whom and which seats it concerns (`engine.store.cases.reseating.concern`).
        now: the moment.
    """
    done = Reseated()
    found = stored.concerned_cases(session, context.definitions.roles, concerned, 0, MOST_AT_ONCE + 1)
    beyond, found = found[MOST_AT_ONCE:], found[:MOST_AT_ONCE]
    done.codes = _move(session, context, found, concerned.people, now)
    if beyond:
        done.last = found[-1].id
        stored.leave_rest(session, concerned, found[-1].id, now)
    return done


def reseat_people(session: Session, context: Context, people: Iterable[int], now: dt.datetime) -> Reseated:
    """`reseat` for a change about some people: their posts, account or absences."""
    return reseat(session, context, stored.concern(session, people), now)


def work_on_rest(context: Context, now: dt.datetime, stop: Stop = lambda: False) -> int:
    """Goes on with what changes left over, a batch a transaction; returns how many cases moved."""
    moved = 0
    while not stop():
        with context.store.reading("whether cases are to be passed on") as session:
            if stored.take_rest(session, lock=False) is None:
                break
        with context.store.writing("pass cases on") as session:
            rest = stored.take_rest(session)
            if rest is None:  # another worker has it
                break
            found = stored.concerned_cases(session, context.definitions.roles, rest.concerned, rest.after, BATCH)
            codes = _move(session, context, found, rest.concerned.people, now, told_at=rest.at)
            stored.go_on(session, rest, found[-1].id if len(found) == BATCH else None, len(codes))
            moved += len(codes)
    return moved


def turn_of_day(context: Context, now: dt.datetime, stop: Stop = lambda: False) -> list[str]:
    """Once a day: posts and absences begin and end with it. Then it looks over all open cases for any left behind.

    Returns the codes of the cases that moved.
    """
    today = context.definitions.calendar("").local(now).date()
    with context.store.reading("whether the day has turned") as session:
        before = get_setting(session, TURNED).get("day")
        if before == today.isoformat():
            return []
    with context.store.writing("the day has turned") as session:
        since = dt.date.fromisoformat(before) if before else today - dt.timedelta(days=1)
        done = reseat(session, context, stored.of_the_day(session, since, today), now).codes
        put_setting(session, TURNED, {"day": today.isoformat(), "left": 0})
    work_on_rest(context, now, stop)
    if left := look_over(context, now, stop):
        with context.store.writing("cases were left behind") as session:
            put_setting(session, TURNED, {"day": today.isoformat(), "left": len(left)})
    return done + left


def look_over(context: Context, now: dt.datetime, stop: Stop = lambda: False) -> list[str]:
    """Moves on every open case that asks somebody who is not there, whatever left it behind; mostly none."""
    today, after, done = context.definitions.calendar("").local(now).date(), 0, list[str]()
    while not stop():
        with context.store.writing("cases that nobody has") as session:
            found = stored.unseated(session, context.definitions.roles, today, after, BATCH)
            done += _move(session, context, found, frozenset(), now)
        if len(found) < BATCH:
            break
        after = found[-1].id
    return done


# --- where they go ----------------------------------------------------------------------------------------------------


@dataclass
class Watched:
    """The cases that some people have or are asked for, as it was before a change."""

    context: Context
    session: Session
    now: dt.datetime
    ids: tuple[int, ...] = ()

    def after(self, done: Reseated) -> Going:
        """Returns who has the turn in these cases after the change, and how many the worker still looks at."""
        seen = [id for id in self.ids if done.last is None or id <= done.last]
        alike = stored.alike(self.session, seen)
        works = _works(self.session, self.context, stored.open_of(self.session, list(alike)), self.now)
        numbers = Counter[tuple[int, ...]]()
        for work in works:
            numbers[tuple(person for person, _ in work.asked())] += alike[work.facts.id]
        return _going(self.session, numbers, len(self.ids) - len(seen))


def watch(session: Session, people: Collection[int], context: Context, now: dt.datetime) -> Watched:
    """Notes the open cases that these people have or are asked for; `after` says where they are after a change."""
    today = context.definitions.calendar("").local(now).date()
    return Watched(context, session, now, tuple(stored.turns_of(session, people, today)))


def suppose(
    session: Session, context: Context, person_id: int, instead: Collection[int] | None, now: dt.datetime
) -> Going:
    """Returns where the open cases of a person would go if they left today (None), or if these people stood in.

    Nothing is stored. Of many cases it decides about the first `BATCH`, and says how many more there are.
    """
    ids = watch(session, [person_id], context, now).ids
    theirs = _works(session, context, stored.open_of(session, ids[:BATCH]), now)
    sought = stored.sought(session, [work.facts for work in theirs])
    numbers = Counter[tuple[int, ...]]()
    for work in theirs:
        work.directory = Supposed(work.directory, person_id, instead)
        decide(work, sought.get(work.facts.id, NOTHING))
        numbers[tuple(person for person, _ in work.asked())] += 1
    return _going(session, numbers, len(ids) - len(theirs))


def _going(session: Session, numbers: Mapping[tuple[int, ...], int], rest: int) -> Going:
    names = people_named(session, {person for people in numbers for person in people})
    ordered = sorted(numbers.items(), key=lambda item: -item[1])
    to = tuple((tuple(names[one] for one in people), number) for people, number in ordered)
    return Going(sum(numbers.values()) + rest, to, rest)


def _works(session: Session, context: Context, found: Sequence[Facts], now: dt.datetime) -> list[Casework]:
    return SurroundingsReader(session, context.definitions, now).caseworks(found) if found else []


def has_the_seat(session: Session, context: Context, case_id: int, role: str, now: dt.datetime) -> set[int]:
    """Returns who acts now in the seat of a case to which a notice in this role belongs; nobody for a closed case."""
    (work, *_) = _works(session, context, stored.open_of(session, [case_id]), now) or (None,)
    if work is None:
        return set()
    if work.roles.get(role) is None or role == ADMIN:
        return {person for person, _ in work.asked()}
    return set(find(role, work.facts, work.directory).people)


# --- what they share --------------------------------------------------------------------------------------------------


def _move(
    session: Session,
    context: Context,
    found: Sequence[Facts],
    people: Collection[int],
    now: dt.datetime,
    *,
    told_at: dt.datetime | None = None,
) -> list[str]:
    """Decides about these cases, stores what moved, and tells each person once; returns the codes of what moved."""
    if not found:
        return []
    works = _works(session, context, found, now)
    sought = stored.sought(session, found)
    moved = [work for work in works if decide(work, sought.get(work.facts.id, NOTHING))]
    told: dict[int, list[tuple[Casework, Addressed]]] = defaultdict(list)
    for work in moved:
        for entry in work.entries:
            for one in entry.told:
                told[one.person_id].append((work, one))
    for work, one in _newcomers(session, works, moved, people):
        told[one.person_id].append((work, one))
    by_event = {items[0][1] for items in told.values() if len(items) == 1} if told_at is None else set()
    for work in moved:
        for entry in work.entries:
            entry.told = [one for one in entry.told if one in by_event]
    writer.store(session, moved)
    kept = {(work.facts.id, one) for work in moved for entry in work.entries for one in entry.told}
    others = (items for items in told.values() if (items[0][0].facts.id, items[0][1]) not in kept)
    came.tell(session, [_news(items) for items in others], told_at or now)
    return [work.facts.code for work in moved]


def _newcomers(
    session: Session, works: Sequence[Casework], moved: Sequence[Casework], people: Collection[int]
) -> list[tuple[Casework, Addressed]]:
    """Returns who has come to a case that did not move: who stands in, is back or was appointed, and was told nothing
    of what it asks now.
    """
    if not people:
        return []
    gone_on = {work.facts.id for work in moved}
    stayed = [work for work in works if work.facts.id not in gone_on]
    directory = works[0].directory
    now_acting = {one for person in people for one in directory.person(person).acting}
    asked = [
        (work, person, role)
        for work in stayed
        for person, role in work.asked()
        if person in now_acting and person != work.facts.assignee_id
    ]
    told = came.told_since(session, [work.facts for work, *_ in asked]) if asked else set()
    return [
        (work, Addressed(person, role if role != ASSIGNEE else work.facts.asked_role or role, CAME))
        for work, person, role in asked
        if (work.facts.id, person) not in told
    ]


def _news(items: Sequence[tuple[Casework, Addressed]]) -> came.News:
    """One notice about what came to one person beside the events of the cases: of one case, or of how many came."""
    first, one = min(items, key=lambda item: (item[0].facts.due_at is None, item[0].facts.due_at, item[0].facts.id))
    kind = CAME if len(items) == 1 else CAME_MANY
    urgent = any(it.urgent for _, it in items)
    return came.News(first.facts.id, first.facts.version, one.person_id, one.role, kind, urgent, len(items))
