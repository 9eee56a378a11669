"""The people and places of a scenario: always the same, so that a scenario only says what happens.

The units are one small tree: a province with two communes. Each commune has a village, an association and a school with
a satellite site, a class at the site and a second class that also has lessons on Saturdays. Each role has one person;
`outsider_*` hold the same roles in the other commune. All of them are invented.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.core.invariants import hold
from engine.core.workflow.model import ROLES

OUTSIDER = "outsider_"
PROVINCE = "51"

# Each role and the unit of the tree it is held in. An administrator answers for the whole installation.
POSTS: Mapping[str, str] = {
    "teacher": "class",
    "head": "school",
    "commune_officer": "village",
    "commune_leader": "commune",
    "volunteer": "association",
    "association": "association",
    "education_office": "commune",
    "admin": "root",
}
hold(tuple(POSTS) == ROLES, "the cast has a post of every role, in the order of ROLES")

PEOPLE: Mapping[str, str] = {
    "teacher": "Y Lan Thử",
    "head": "Trần Văn Mẫu",
    "commune_officer": "A Bút Thử",
    "commune_leader": "Lê Thị Mẫu",
    "volunteer": "Y Sương Thử",
    "association": "Phạm Văn Mẫu",
    "education_office": "Võ Thị Mẫu",
    "admin": "Quản trị Thử",
    "outsider_teacher": "Y Mai Thử",
    "outsider_head": "Đinh Văn Mẫu",
    "outsider_commune_officer": "A Núi Thử",
    "outsider_commune_leader": "Hồ Thị Mẫu",
    "outsider_volunteer": "Y Hoa Thử",
    "outsider_association": "Bùi Văn Mẫu",
    "outsider_education_office": "Ngô Thị Mẫu",
    "outsider_admin": "Quản trị Khác",  # of another installation: holds no post in this one
}
CAST = tuple(PEOPLE)


@dataclass(frozen=True, slots=True)
class CastPupil:
    """A pupil of the cast: the class and the village, as names of units."""

    name: str
    class_: str
    village: str


PUPILS: Mapping[str, CastPupil] = {
    "pupil": CastPupil("A Thử", "class", "village"),
    "classmate": CastPupil("Y Thử", "class", "village"),
    "boarder": CastPupil("A Xa", "class", "outsider_village"),  # learns here, lives in the other commune
    "saturday_pupil": CastPupil("Y Bảy", "saturday_class", "village"),
    "outsider_pupil": CastPupil("A Khác", "outsider_class", "outsider_village"),
}


@dataclass(frozen=True, slots=True)
class CastUnit:
    """A unit of the tree: its kind, the unit above it, and the weekdays it is taught if it has its own."""

    kind: str
    parent: str | None
    teaching_days: str | None = None


def _commune(prefix: str) -> dict[str, CastUnit]:
    return {
        f"{prefix}commune": CastUnit("commune", "province"),
        f"{prefix}village": CastUnit("village", f"{prefix}commune"),
        f"{prefix}association": CastUnit("association", f"{prefix}commune"),
        f"{prefix}school": CastUnit("school", f"{prefix}commune"),
        f"{prefix}site": CastUnit("site", f"{prefix}school"),
        f"{prefix}class": CastUnit("class", f"{prefix}site"),
        f"{prefix}saturday_class": CastUnit("class", f"{prefix}school", "123456"),
    }


# Parents come before their children.
PLACES: Mapping[str, CastUnit] = {
    "root": CastUnit("root", None),
    "province": CastUnit("province", "root"),
    **_commune(""),
    **_commune(OUTSIDER),
}


def posts_of(member: str) -> tuple[tuple[str, str], ...]:
    """Returns the posts that a member of the cast holds when a scenario begins: role and name of the unit."""
    role = member.removeprefix(OUTSIDER)
    if member == f"{OUTSIDER}admin":
        return ()
    prefix = OUTSIDER if member != role else ""
    unit = POSTS[role] if role == "admin" else prefix + POSTS[role]
    return ((role, unit), (role, f"{prefix}saturday_class")) if role == "teacher" else ((role, unit),)
