"""The people and places of a scenario: always the same, so that a scenario only says what happens.

The units are one small tree: a province with two communes. Each commune has a village, an association and a school with
a satellite site, a class at the site and a second class that also has lessons on Saturdays. Each role that a place has
as a rule has one person; `outsider_*` hold the same roles in the other commune. All of them are invented.

A scenario that names `MORE` people gets them too. They hold no post until the scenario appoints them, except those of
the province's own school, and of the district where there is one (`roles = "2022"`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

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
# Who is there beside them if a scenario names them: the post they can hold, their name, and whether they hold it from
# the start.
MORE: Mapping[str, tuple[str, str, str, bool]] = {
    "deputy_head": ("deputy_head", "school", "Lò Thị Mẫu", False),
    "youth_leader": ("youth_leader", "school", "Y Đội Thử", False),
    "subject_teacher": ("subject_teacher", "school", "A Toán Thử", False),
    "parents_board": ("parents_board", "class", "A Cha Thử", False),
    "commune_office": ("commune_office", "commune", "Kpă Thị Mẫu", False),
    "child_protection": ("child_protection", "commune", "Y Trẻ Thử", False),
    "front": ("front", "commune", "A Trận Thử", False),
    "organisation": ("organisation", "organisation", "Y Hội Thử", False),
    "outsider_deputy_head": ("deputy_head", "outsider_school", "Vi Thị Mẫu", False),
    "outsider_subject_teacher": ("subject_teacher", "outsider_school", "A Văn Thử", False),
    "outsider_commune_office": ("commune_office", "outsider_commune", "Rơ Thị Mẫu", False),
    "outsider_child_protection": ("child_protection", "outsider_commune", "Y Em Thử", False),
    "department": ("education_office", "province", "Sở Thị Mẫu", False),
    "province_head": ("head", "province_school", "Nội Văn Mẫu", True),
    "province_teacher": ("teacher", "province_class", "Y Trú Thử", True),
    "district_leader": ("district_leader", "district", "Huyện Văn Mẫu", True),
    "district_office": ("education_office", "district", "Phòng Thị Mẫu", True),
}
CAST = tuple(PEOPLE)
EVERYBODY = (*PEOPLE, *MORE)


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
# Learns at the school that lies directly below the province (PTDTNT), lives here.
MORE_PUPILS: Mapping[str, CastPupil] = {"province_pupil": CastPupil("Y Nội Trú", "province_class", "village")}


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
MORE_PLACES: Mapping[str, CastUnit] = {
    "organisation": CastUnit("organisation", "commune"),
    "province_school": CastUnit("school", "province"),
    "province_class": CastUnit("class", "province_school"),
}


def places(*, more: bool, district: bool) -> Mapping[str, CastUnit]:
    """Returns the tree, parents before their children; with a district, the communes lie in it."""
    found = {**PLACES, **(MORE_PLACES if more else {})}
    if not district:
        return found
    within = {name: replace(unit, parent="district") for name, unit in found.items() if unit.kind == "commune"}
    top = {name: found[name] for name in ("root", "province")}
    return {**top, "district": CastUnit("district", "province"), **found, **within}


def posts_of(member: str) -> tuple[tuple[str, str], ...]:
    """Returns the posts of a member of the cast, held or not: role and name of the unit."""
    if member in MORE:
        return (MORE[member][:2],)
    role = member.removeprefix(OUTSIDER)
    if member == f"{OUTSIDER}admin":
        return ()
    prefix = OUTSIDER if member != role else ""
    unit = POSTS[role] if role == "admin" else prefix + POSTS[role]
    return ((role, unit), (role, f"{prefix}saturday_class")) if role == "teacher" else ((role, unit),)


def holds_from_the_start(member: str, *, district: bool) -> bool:
    """Whether a member of the cast holds their posts when a scenario begins.

    Where communes lie in a district, its office stands in the place of the communes' own.
    """
    if district and member.endswith("education_office"):
        return False
    return member not in MORE or (MORE[member][3] and (district or MORE[member][1] != "district"))
