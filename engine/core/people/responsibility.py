"""Finds who is responsible: roles, posts, and the way up when a post is vacant, its holder away or declining.

A hand-over goes to a role in a unit, never to a name. `find` walks up the ladder of the role until somebody is there,
and notes who was passed over and why. The administrator is the last step of the ladder, so that every hand-over reaches
somebody. An administrator learns that a post is empty, not whom the case is about.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from engine.core.people.access import Place
from engine.core.people.roles import (
    ADMIN,
    AREA,
    ASSIGNEE,
    ASSOCIATION,
    COLUMNS,
    INVITED,
    OF_A_COMMUNE,
    OF_A_SCHOOL,
    OFFICE,
    PROVINCE_OFFICE,
    Role,
    Roles,
)
from engine.core.words import Label, Sentence

VACANT, AWAY, DECLINED = "vacant", "away", "declined"
PASSED_OVER: Mapping[str, Label] = {
    VACANT: Label("chưa có người", "the post is vacant"),
    AWAY: Label("đang vắng, chưa ủy quyền", "away, with nobody delegated"),
    DECLINED: Label("đã trả lại", "returned it"),
}


def acted(person: str, whose: str | None, role: Label | None = None) -> Label | Sentence:
    """Returns who did something: the person, in a role, and for whom if the person was a stand-in."""
    if role and whose:
        return Sentence("{person}, {role}, for {absent}", person=person, role=role, absent=whose)
    if role:
        return Sentence("{person}, {role}", person=person, role=role)
    return Sentence("{person}, for {absent}", person=person, absent=whose) if whose else Label(person, person)


@dataclass(frozen=True, slots=True)
class Holder:
    """A person in a post today; `away` without `delegates` means that nobody acts for them."""

    person_id: int
    away: bool = False
    delegates: tuple[int, ...] = ()

    @property
    def acting(self) -> tuple[int, ...]:
        """Returns who acts today: the person, or the delegates while the person is away."""
        return self.delegates if self.away else (self.person_id,)


class Directory(Protocol):
    """Who holds which post, and which unit belongs to which, on one day."""

    def roles(self, place: Place) -> Roles:
        """The roles of the tree that a place lies in."""
        ...

    def own_line(self, school_id: int) -> tuple[int, ...]:
        """A school that lies directly below a province, and the units above it; empty for any other school."""
        ...

    def holders(self, role: str, unit_id: int) -> tuple[Holder, ...]:
        """The people in a post."""
        ...

    def above(self, unit_id: int) -> tuple[int, ...]:
        """The unit and those above it, nearest first."""
        ...

    def associations(self, unit_id: int) -> tuple[int, ...]:
        """The associations that serve a unit, the nearest first."""
        ...

    def admins(self) -> tuple[Holder, ...]:
        """The administrators of the installation."""
        ...

    def person(self, person_id: int) -> Holder:
        """A person, and who acts for them today."""
        ...

    def seat(self, role: str, code: str) -> Found | None:
        """The post of a role in the unit with this code, if somebody acts in it."""
        ...


@dataclass(frozen=True, slots=True)
class Found:
    """The responsible post: a role in a unit, the people who act in it, and the posts passed over."""

    role: str
    unit_id: int
    people: tuple[int, ...]
    passed_over: tuple[tuple[str, int | None, str], ...] = ()


def _units(role: Role, place: Place, directory: Directory, line: tuple[int, ...] = ()) -> Iterator[int | None]:
    """Returns the units in which to look for a role, the nearest first; `line`: those above a school of a province."""
    if role.seat == AREA:
        yield from line or (directory.above(place.commune_id) if place.commune_id else (None,))
    elif role.seat == ASSOCIATION and place.association_id is None:
        yield from directory.associations(place.commune_id)[:1] if place.commune_id else ()
    elif role.seat == INVITED:
        yield from (getattr(place, COLUMNS[kind]) for kind in role.held_in if kind in COLUMNS)
    elif role.column is not None:
        yield getattr(place, role.column)


def _ways(role: str, rungs: Iterable[str], place: Place, directory: Directory) -> Iterator[tuple[Role, int | None]]:
    """Returns the posts of a way up, the nearest first.

    A school directly below a province (THPT, PTDTNT, GDTX) belongs to no commune: its ways up pass the commune by.
    """
    roles = directory.roles(place)
    own = roles.get(role)
    school = own is not None and (own.seat in OF_A_SCHOOL or (own.seat == INVITED and "school" in own.held_in))
    line = directory.own_line(place.school_id) if school else ()
    for code in rungs:
        rung = roles[code]
        if not (line and rung.seat in OF_A_COMMUNE):
            yield from ((rung, unit) for unit in _units(rung, place, directory, line))


def acting(holders: Iterable[Holder]) -> tuple[int, ...]:
    """The people who act for these holders today, each once."""
    return tuple(dict.fromkeys(person for holder in holders for person in holder.acting))


def find(
    role: str,
    place: Place,
    directory: Directory,
    declined: Collection[tuple[str, int]] = (),
    start: tuple[str, int | None] | None = None,
    *,
    itself: bool = False,
) -> Found:
    """Returns the nearest filled post that answers for `role` at this place.

    `declined` are posts that returned the case. With `start` only posts above that (role, unit) count, with `itself`
    that post, too.
    """
    rungs = directory.roles(place).ladder(role)
    return _nearest(list(_ways(role, rungs, place, directory)), place, directory, declined, start, itself=itself)


def _nearest(
    posts: Iterable[tuple[Role, int | None]],
    place: Place,
    directory: Directory,
    declined: Collection[tuple[str, int]] = (),
    start: tuple[str, int | None] | None = None,
    *,
    itself: bool = False,
) -> Found:
    """Returns the first of these posts in which somebody acts; with `start` only those after it, or from it on."""
    passed: list[tuple[str, int | None, str]] = []
    waiting = start is not None
    for rung, unit in posts:
        if waiting:
            waiting = (rung.code, unit) != start
            if waiting or not itself:
                continue
        holders = directory.holders(rung.code, unit) if unit is not None else ()
        people = acting(holders)
        if people and unit is not None and (rung.code, unit) not in declined:
            return Found(rung.code, unit, people, tuple(passed))
        why = VACANT if not holders else AWAY if not people else DECLINED
        if holders or not rung.optional:  # not every place has one
            passed.append((rung.code, unit, why))
    return Found(ADMIN, place.commune_id or place.school_id, acting(directory.admins()), tuple(passed))


def find_from(
    seat: tuple[str, int | None], place: Place, directory: Directory, declined: Collection[tuple[str, int]] = ()
) -> Found:
    """Returns the nearest filled post from a seat on up; from the role's own if the seat is elsewhere or has gone."""
    role, unit = seat
    own = (role,) if directory.roles(place).get(role) else ()
    if unit is not None and any(unit == here for _, here in _ways(role, own, place, directory)):
        return find(role, place, directory, declined, (role, unit), itself=True)
    return find(role, place, directory, declined)


def posts_of(person_id: int, owner: str, place: Place, directory: Directory) -> tuple[str, ...]:
    """Returns the roles on the ladder of `owner` in which a person could have a case here, the lowest first."""
    return tuple(role for role, _ in seats_of(person_id, owner, place, directory))


def seats_of(person_id: int, owner: str, place: Place, directory: Directory) -> tuple[tuple[str, int], ...]:
    """Returns the seats on the ladder of `owner` at this place in which a person holds a post, the lowest first."""
    return tuple(
        seat
        for seat, holders in _rungs(owner, place, directory)
        if any(holder.person_id == person_id for holder in holders)
    )


def answers_for(person_id: int, owner: str, place: Place, directory: Directory) -> bool:
    """Returns whether a post on that ladder is the person's, or one in which they act today for somebody absent."""
    return any(
        holder.person_id == person_id or (holder.away and person_id in holder.delegates)
        for _, holders in _rungs(owner, place, directory)
        for holder in holders
    )


def _rungs(owner: str, place: Place, directory: Directory) -> Iterator[tuple[tuple[str, int], tuple[Holder, ...]]]:
    """Returns each seat on a ladder, the lowest first, with its holders."""
    for rung, unit in _ways(owner, directory.roles(place).ladder(owner), place, directory):
        if unit is not None:
            yield (rung.code, unit), directory.holders(rung.code, unit)


def above(role: str | None, unit_id: int | None, place: Place, directory: Directory) -> Found:
    """Returns the nearest filled post that can decide what this one cannot: a head, a commune leader, an office.

    `role` None asks for the first of the longest way. Where no post is higher, it returns an administrator. An office
    is followed by those of higher units; for an office of a boarding school elsewhere, by those where the pupil lives.
    """
    roles = directory.roles(place)
    role = role or max(roles.roles, key=lambda code: len(roles.climbs(code)))
    posts = list(_ways(role, roles.climbs(role), place, directory))
    own = [unit for rung, unit in posts if rung.code == role]
    below = own[: own.index(unit_id) + 1] if unit_id in own else []
    return _nearest([it for it in posts if it[0].code != role or it[1] not in below], place, directory)


def recipients(role: str, place: Place, assignee_id: int | None, directory: Directory) -> tuple[str, tuple[int, ...]]:
    """Returns who gets a notice to `role`: the role that stands in for it and the people acting in it."""
    if role == ASSIGNEE:
        people = directory.person(assignee_id).acting if assignee_id else ()
        return ASSIGNEE, people
    if role == PROVINCE_OFFICE:
        holders = directory.holders(OFFICE, place.province_id) if place.province_id else ()
        if people := acting(holders):
            return OFFICE, people
        role = OFFICE
    found = find(role, place, directory)
    return found.role, found.people
