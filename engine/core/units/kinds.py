"""The kinds of units, which kind may belong to which, and the values of a file of units.

After a merger an official code gets another meaning: 23392 was xã Đăk Kan and is xã Sa Loong since 1 July 2025. So a
unit is known by its code and its first day (a `Key`), never by its code alone. A unit that moves to another parent
becomes a new unit with the same code: the old one ends and names the new one as its successor.
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
    """Returns the name of a unit with its kind in front, unless the name already begins with it ("Lớp 6A").

    >>> called("class", "6A").vi, called("class", "Lớp 6A").vi, called("village", "Làng Bến Đá").en
    ('Lớp 6A', 'Lớp 6A', 'Làng Bến Đá')
    """
    label = KINDS[kind]
    words = (word.strip().lower() for word in label.vi.split(","))
    if name.lower().startswith(tuple(words)):
        return Label(name, name)
    return Label(f"{label.vi.partition(',')[0]} {name}", f"{label.en} {name}")


# The kinds to which each kind may belong. No kind can belong to itself, directly or indirectly, so the tree has no
# cycle.
_AREAS = ("commune", "district", "province")
PARENTS: Mapping[str, tuple[str, ...]] = {
    "root": (),
    "province": ("root",),
    "district": ("province",),
    "commune": ("province", "district"),
    "village": ("commune",),
    "school": ("commune", "province"),  # THPT, PTDTNT and GDTX are the province's own (TT 15/2025/TT-BGDĐT)
    "site": ("school",),
    "class": ("school", "site"),
    "association": _AREAS,
    "office": _AREAS,
    "organisation": _AREAS,
}


@dataclass(frozen=True, slots=True)
class UnitLine:
    """One unit of a file.

    `parent` and `successor` are references: a code, or code@first-day.

    `place` is its place in the file. `valid_to` is the first day on which it no longer exists. `teaching_days` are ISO
    weekdays, "12345" for Monday to Friday; `contact` says where and whom to ask (hand-over point).
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
        """The key by which the unit is known."""
        return self.code, self.valid_from


@dataclass(frozen=True, slots=True)
class KnownUnit:
    """A unit of the database."""

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
