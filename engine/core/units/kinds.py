"""Places and bodies as a dated tree: what kinds there are, what lies in what, and bringing a file of them in.

An official code is re-used with another meaning after a merger: 23392 was xã Đăk Kan and is xã Sa Loong since 1 July
2025. So a unit is known by its code and the day from which it holds (a `Key`), never by its code alone. A unit that
changes what it lies in is a new unit of the same code: the old one ends, and names the new one as its successor.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from engine.core.words import Label

Key = tuple[str, dt.date]  # code, first day

KINDS: Mapping[str, Label] = {
    "root": Label("Toàn hệ thống", "Installation"),
    "province": Label("Tỉnh, thành phố", "Province"),
    "district": Label("Huyện", "District"),
    "commune": Label("Xã, phường, thị trấn", "Commune"),
    "village": Label("Thôn, làng, tổ dân phố", "Village"),
    "school": Label("Trường", "School"),
    "site": Label("Điểm trường", "Satellite site"),
    "class": Label("Lớp", "Class"),
    "association": Label("Hội Khuyến học", "Learning promotion association"),
    "office": Label("Cơ quan", "Office"),
    "organisation": Label("Đoàn thể", "Mass organisation"),
}


def called(kind: str, name: str) -> Label:
    """A unit as people say it: with its kind in front, unless the name begins with it already ("Lớp 6A").

    >>> called("class", "6A").vi, called("class", "Lớp 6A").vi, called("village", "Làng Bến Đá").en
    ('Lớp 6A', 'Lớp 6A', 'Làng Bến Đá')
    """
    label = KINDS[kind]
    words = (word.strip().lower() for word in label.vi.split(","))
    if name.lower().startswith(tuple(words)):
        return Label(name, name)
    return Label(f"{label.vi.partition(',')[0]} {name}", f"{label.en} {name}")


# What each kind may lie in. No kind lies in itself, directly or in turn, so a sound tree has no cycle.
_AREAS = ("commune", "district", "province")
PARENTS: Mapping[str, tuple[str, ...]] = {
    "root": (),
    "province": ("root",),
    "district": ("province",),
    "commune": ("province", "district"),
    "village": ("commune",),
    "school": ("commune",),
    "site": ("school",),
    "class": ("school", "site"),
    "association": _AREAS,
    "office": _AREAS,
    "organisation": _AREAS,
}


@dataclass(frozen=True, slots=True)
class UnitLine:
    """One unit as a file has it. `parent` and `successor` are references: a code, or code@first-day.

    `place` says where it stands in the file. `valid_to` is the first day on which it no longer holds. `teaching_days`
    are ISO weekdays, "12345" for Monday to Friday; `contact` says where and whom to ask (hand-over point).
    """

    place: str
    kind: str
    code: str
    name: str
    parent: str | None
    valid_from: dt.date
    valid_to: dt.date | None = None
    successor: str | None = None
    grade: int | None = None
    teaching_days: str | None = None
    contact: str | None = None

    @property
    def key(self) -> Key:
        """What the unit is known by."""
        return self.code, self.valid_from


@dataclass(frozen=True, slots=True)
class KnownUnit:
    """A unit as the database has it."""

    kind: str
    name: str
    valid_to: dt.date | None
    parent: Key | None
    successor: Key | None = None


@dataclass(frozen=True, slots=True)
class PlacedUnit:
    """A unit of a file whose references were found."""

    row: UnitLine
    parent: Key | None
    successor: Key | None
