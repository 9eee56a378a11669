"""Who may see and do what, decided in one place.

A role alone gives no right. A right needs a role in a unit and a case that belongs to that unit: a teacher reaches the
pupils of her class, an officer the villages assigned to him (D2.2). What a role's seat looks at is data
(`engine.core.people.roles`). `reach` answers for one case in Python;
`engine.store.scopes` narrows every query to the same answer in SQL. A test compares the two.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from engine.core.people.roles import AREA, AREAS, FIGURES, INVITED, KNOWS, NO_ROLES, NONE, RoleBook

NOBODY: frozenset[int] = frozenset()
COMMUNES, PROVINCES, SCHOOLS = AREAS  # what an area is made of


class Place(Protocol):
    """Any value that says where a pupil learns and lives, and which association was asked to help."""

    @property
    def class_id(self) -> int: ...
    @property
    def school_id(self) -> int: ...
    @property
    def village_id(self) -> int | None: ...
    @property
    def commune_id(self) -> int | None: ...
    @property
    def province_id(self) -> int | None: ...
    @property
    def association_id(self) -> int | None: ...


@dataclass(frozen=True, slots=True)
class Viewer:
    """A signed-in person and the units in which they hold each role today, their own and those delegated to them.

    `units` maps a role to unit ids, `roles` says what these roles see. `areas` lists, for each role that answers for an
    area, the communes and provinces it covers and the schools in them (by the names in `AREAS`), because pupils of a
    boarding school live elsewhere. `invited` are the cases to which the person was invited. If the person stands in for
    others, `parts` says which right belongs to whom: own posts first, then those of each absent person. Some absent
    people have no post any more, but still have cases.
    """

    person_id: int
    units: Mapping[str, frozenset[int]] = field(default_factory=dict)
    areas: Mapping[str, Mapping[str, frozenset[int]]] = field(default_factory=dict)
    invited: frozenset[int] = NOBODY
    parts: tuple[Viewer, ...] = ()
    roles: RoleBook = NO_ROLES
    opens: bool = False

    @property
    def opening(self) -> Viewer:
        """The same person on the page of one case: who sees figures alone in lists, reads a case that they open."""
        return replace(self, opens=True)

    @property
    def sights(self) -> tuple[str, ...]:
        """By which sights the person reads a pupil's name."""
        return (KNOWS, FIGURES) if self.opens else (KNOWS,)

    @property
    def people(self) -> tuple[int, ...]:
        """The person, and the absent people for whom the person stands in."""
        return tuple(part.person_id for part in self.parts) or (self.person_id,)

    def holds(self, *roles: str) -> bool:
        """Whether the person holds one of the roles anywhere."""
        return any(self.units.get(role) for role in roles)

    def of(self, *roles: str) -> frozenset[int]:
        """The units in which the person holds one of the roles."""
        return NOBODY.union(*(self.units.get(role, NOBODY) for role in roles))

    def able(self, capability: str) -> bool:
        """Whether a role of the person has a capability."""
        return self.holds(*self.roles.able(capability))

    def seated(self, *kinds: str) -> frozenset[int]:
        """The units of the person's posts with a seat of these kinds, in which they read a pupil's name."""
        return self.of(*(role for sight in self.sights for role in self.roles.seated(*kinds, sight=sight)))

    def area(self, name: str) -> frozenset[int]:
        """The communes, provinces or schools (one of `AREAS`) in which the person reads a pupil's name for an area."""
        roles = (role for sight in self.sights for role in self.roles.seated(AREA, sight=sight))
        return NOBODY.union(*(self.areas.get(role, {}).get(name, NOBODY) for role in roles))

    @property
    def opens_only(self) -> bool:
        """Whether the person has a post in which they read names on the page of a case, and in no list."""
        return any(self.holds(code) for code in self.units if (it := self.roles.get(code)) and it.sight == FIGURES)

    @property
    def asked(self) -> frozenset[int]:
        """The associations through which cases are referred to the person."""
        return self.of(*self.roles.referred)


def reach(viewer: Viewer, place: Place, case_id: int | None = None) -> frozenset[str]:
    """Returns the roles in which the viewer has a duty towards the pupil of this case; empty for an outsider.

    `case_id` is the case, if there is one: an invited post reaches the cases to which its holder was invited.
    """
    return frozenset(code for code in viewer.units if _reaches(viewer, code, place, case_id))


def _reaches(viewer: Viewer, code: str, place: Place, case_id: int | None) -> bool:
    role = viewer.roles.get(code)
    if role is None or role.sight == NONE or not viewer.holds(code):
        return False
    if role.seat == INVITED:
        return case_id in viewer.invited
    if role.seat == AREA:
        covered = viewer.areas.get(code, {})
        return any(getattr(place, column) in covered.get(name, NOBODY) for name, column in AREAS.items())
    return role.column is not None and getattr(place, role.column) in viewer.of(code)


def acts_for(viewer: Viewer, roles: Callable[[Viewer], Collection[str]], rather: int | None = None) -> dict[str, int]:
    """Returns, for each role that a person has only as a stand-in, the person it belongs to.

    `roles` returns the roles in which a viewer may act. If two people lend the same right, `rather` (who has the case)
    counts first.
    """
    found: dict[str, int] = {}
    order = sorted(viewer.parts, key=lambda part: (part.person_id != viewer.person_id, part.person_id != rather))
    for part in reversed(order):
        found |= dict.fromkeys(roles(part), part.person_id)
    return {role: person for role, person in found.items() if person != viewer.person_id}
