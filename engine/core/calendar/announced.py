"""What can be announced for days of a place: no class, a shut office, a harvest. Each moves other deadlines."""

from __future__ import annotations

from collections.abc import Mapping

from engine.core.words import Label, Sentence

NO_CLASS, OFFICE_SHUT, HARVEST = "class", "office", "harvest"
ANNOUNCED: Mapping[str, Label] = {
    NO_CLASS: Label("Nghỉ học, hạn theo ngày học không tính", "No class: school days do not count"),
    OFFICE_SHUT: Label(
        "Cơ quan xã nghỉ (tang lễ, việc chung), hạn theo ngày làm việc không tính",
        "The office is shut (a funeral, a meeting): working days do not count",
    ),
    HARVEST: Label("Mùa thu hoạch, hạn xử lý còn một nửa", "Harvest: times are half"),
}
SHORT: Mapping[str, Label] = {
    NO_CLASS: Label("Nghỉ học", "No class"),
    OFFICE_SHUT: Label("Cơ quan nghỉ", "Office shut"),
    HARVEST: Label("Mùa thu hoạch", "Harvest"),
}
TODAY: Mapping[str, Label] = {
    NO_CLASS: Label("Hôm nay nghỉ học", "No class today"),
    OFFICE_SHUT: Label("Hôm nay cơ quan nghỉ", "Office shut today"),
    HARVEST: Label("Đang mùa", "Going on"),
}
BECAUSE: Mapping[str, str] = {NO_CLASS: "closure", OFFICE_SHUT: "shut", HARVEST: "harvest"}
"""What the history of a case and the notices say moved a deadline."""

_AREAS = ("commune", "district", "province")
_PLACES: Mapping[str, tuple[str, ...]] = {OFFICE_SHUT: _AREAS, HARVEST: ("village", *_AREAS)}
KIND_OF_DAYS = Sentence("kind of days")


def choices(kind: str) -> tuple[str, ...]:
    """Returns what can be announced for a unit of this kind, or for a pupil; days without class for all of them."""
    return tuple(what for what in ANNOUNCED if kind in _PLACES.get(what, (kind,)))
