"""Finds who is responsible: roles, posts, and the way up when a post is vacant, its holder away or declining.

A hand-over goes to a role in a unit, never to a name. `find` walks up the ladder of the role until somebody is there,
and notes who was passed over and why. The administrator is the last step of the ladder, so that every hand-over reaches
somebody. An administrator learns that a post is empty, not whom the case is about.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from engine.core.people.access import ADMIN, OFFICE, SEATS, Place
from engine.core.words import Label, Sentence
from engine.core.workflow.model import ASSIGNEE

ROLE_LABELS: Mapping[str, Label] = {
    "teacher": Label("Giáo viên chủ nhiệm", "Homeroom teacher"),
    "head": Label("Hiệu trưởng", "Head"),
    "commune_officer": Label("Cán bộ, công chức xã phụ trách", "Commune officer"),
    "commune_leader": Label("Lãnh đạo UBND xã", "Commune leader"),
    "volunteer": Label("Tình nguyện viên / hội viên", "Volunteer"),
    "association": Label("Hội Khuyến học", "Learning promotion association"),
    "education_office": Label("Cơ quan giáo dục", "Education office"),
    "admin": Label("Quản trị hệ thống", "Administrator"),
    ASSIGNEE: Label("Người phụ trách", "Assignee"),
}

DIFFICULTY = "difficulty"  # not a role: the ladder for what somebody else has to decide (D5.2)

LADDERS: Mapping[str, tuple[str, ...]] = {
    "teacher": ("teacher", "head", OFFICE),
    "head": ("head", OFFICE),
    "commune_officer": ("commune_officer", "commune_leader", OFFICE),
    "commune_leader": ("commune_leader", OFFICE),
    "volunteer": ("volunteer", "association", OFFICE),
    "association": ("association", OFFICE),
    OFFICE: (OFFICE,),
    ADMIN: (),
    DIFFICULTY: ("head", "commune_leader", OFFICE),
}

# Who gives orders to whom: only these urge (đôn đốc). All others, sideways or upward, ask for attention: a head asks an
# officer of the commune, an office asks a commune's leader (who is above it), and everybody asks the association.
SUPERIORS: Mapping[str, frozenset[str]] = {
    "teacher": frozenset({"head", OFFICE}),
    "head": frozenset({OFFICE}),
    "commune_officer": frozenset({"commune_leader"}),
}

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


def _units(role: str, place: Place, directory: Directory) -> Iterator[int | None]:
    """Returns the units in which to look for a role, the nearest first."""
    if role == OFFICE:
        yield from directory.above(place.commune_id) if place.commune_id else (None,)
    elif role in {"volunteer", "association"} and place.association_id is None:
        yield from directory.associations(place.commune_id)[:1] if place.commune_id else ()
    else:
        yield getattr(place, SEATS[role])


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
    passed: list[tuple[str, int | None, str]] = []
    waiting = start is not None
    for rung in LADDERS[role]:
        for unit in _units(rung, place, directory):
            if waiting:
                waiting = (rung, unit) != start
                if waiting or not itself:
                    continue
            holders = directory.holders(rung, unit) if unit is not None else ()
            people = acting(holders)
            if people and unit is not None and (rung, unit) not in declined:
                return Found(rung, unit, people, tuple(passed))
            why = VACANT if not holders else AWAY if not people else DECLINED
            if rung != OFFICE or holders:  # not every tier has an office
                passed.append((rung, unit, why))
    return Found(ADMIN, place.commune_id or place.school_id, acting(directory.admins()), tuple(passed))


def find_from(
    seat: tuple[str, int | None], place: Place, directory: Directory, declined: Collection[tuple[str, int]] = ()
) -> Found:
    """Returns the nearest filled post from a seat on up; from the role's own if the seat is elsewhere or has gone."""
    role, unit = seat
    if unit is not None and unit in _units(role, place, directory):
        return find(role, place, directory, declined, (role, unit), itself=True)
    return find(role, place, directory, declined)


def posts_of(person_id: int, owner: str, place: Place, directory: Directory) -> tuple[str, ...]:
    """Returns the roles on the ladder of `owner` in which a person could have a case here, the lowest first."""
    return tuple(role for role, _ in seats_of(person_id, owner, place, directory))


def seats_of(person_id: int, owner: str, place: Place, directory: Directory) -> tuple[tuple[str, int], ...]:
    """Returns the seats on the ladder of `owner` at this place in which a person holds a post, the lowest first."""
    return tuple(seat for seat, holders in _rungs(owner, place, directory) if person_id in holders)


def lent_seats(person_id: int, owner: str, place: Place, directory: Directory) -> tuple[tuple[str, int], ...]:
    """Returns the seats on that ladder in which a person acts today for somebody who is away, the lowest first."""
    return tuple(
        seat
        for seat, holders in _rungs(owner, place, directory)
        if any(person_id in holder.acting for id, holder in holders.items() if id != person_id)
    )


def _rungs(owner: str, place: Place, directory: Directory) -> Iterator[tuple[tuple[str, int], dict[int, Holder]]]:
    """Returns each seat on a ladder, the lowest first, with its holders by person."""
    for rung in LADDERS[owner]:
        for unit in _units(rung, place, directory):
            if unit is not None:
                yield (rung, unit), {holder.person_id: holder for holder in directory.holders(rung, unit)}


def above(role: str | None, unit_id: int | None, place: Place, directory: Directory) -> Found:
    """Returns the nearest filled post that can decide what this one cannot: a head, a commune leader, an office.

    `role` None asks for the first of them. Where no post is higher, it returns an administrator.
    """
    if role is None:
        return find(DIFFICULTY, place, directory)
    if role == OFFICE:
        if unit_id in (directory.above(place.commune_id) if place.commune_id else ()):
            return find(DIFFICULTY, place, directory, start=(OFFICE, unit_id))
        # For an office of a boarding school elsewhere, the posts where the pupil lives come next.
        role = "commune_leader"
    return find(DIFFICULTY, place, directory, start=(role, getattr(place, SEATS[role])))


def recipients(role: str, place: Place, assignee_id: int | None, directory: Directory) -> tuple[str, tuple[int, ...]]:
    """Returns who gets a notice to `role`: the role that stands in for it and the people acting in it."""
    if role == ASSIGNEE:
        people = directory.person(assignee_id).acting if assignee_id else ()
        return ASSIGNEE, people
    found = find(role, place, directory)
    return found.role, found.people
