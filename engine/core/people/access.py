"""Who may see and do what, decided in one place.

A role alone gives no right. A right needs a role in a unit and a case that belongs to that unit: a teacher reaches the
pupils of her class, an officer the villages assigned to him (D2.2). `reach` answers for one case in Python;
`engine.store.scopes` narrows every query to the same answer in SQL. A test compares the two.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Protocol

NOBODY: frozenset[int] = frozenset()

# Each role, and the column of a case that must lie in the role's units.
SEATS: Mapping[str, str] = {
    "teacher": "class_id",
    "head": "school_id",
    "commune_officer": "village_id",
    "commune_leader": "commune_id",
    "volunteer": "association_id",
    "association": "association_id",
}
OFFICE = "education_office"
ADMIN = "admin"
ROLES = (*SEATS, OFFICE, ADMIN)
# These roles see what a pupil needs, but not who the pupil is or why (Luật Trẻ em 2016 Art. 6(11); NĐ 56/2017 Art. 33).
REFERRED = frozenset({"volunteer", "association"})


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

    `units` maps a role to unit ids. For an education office they list the communes and provinces it covers and the
    schools in them, because pupils of a boarding school live elsewhere. If the person stands in for others, `parts`
    says which right belongs to whom: own posts first, then those of each absent person. Some absent people have no post
    any more, but still have cases.
    """

    person_id: int
    units: Mapping[str, frozenset[int]] = field(default_factory=dict)
    office_communes: frozenset[int] = NOBODY
    office_provinces: frozenset[int] = NOBODY
    office_schools: frozenset[int] = NOBODY
    parts: tuple[Viewer, ...] = ()

    @property
    def people(self) -> tuple[int, ...]:
        """The person, and the absent people for whom the person stands in."""
        return tuple(part.person_id for part in self.parts) or (self.person_id,)

    def holds(self, role: str) -> bool:
        """Whether the person holds the role anywhere."""
        return bool(self.units.get(role))

    def of(self, role: str) -> frozenset[int]:
        """The units in which the person holds the role."""
        return self.units.get(role, NOBODY)


def reach(viewer: Viewer, place: Place) -> frozenset[str]:
    """Returns the roles in which the viewer has a duty towards the pupil of this case; empty for an outsider."""
    roles = {role for role, units in viewer.units.items() if role in SEATS and getattr(place, SEATS[role]) in units}
    if (
        place.commune_id in viewer.office_communes
        or place.province_id in viewer.office_provinces
        or place.school_id in viewer.office_schools
    ):
        roles.add(OFFICE)
    return frozenset(roles)


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


def knows(roles: frozenset[str]) -> bool:
    """Returns whether somebody with these roles on a case may know the pupil's name, address and causes."""
    return bool(roles - REFERRED)
