"""Finds the class, school, village and commune that a file names."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from engine.core.text import fold
from engine.core.words import Sentence
from engine.core.workflow.form_values import Misread

KINDS = ("class", "school", "village", "commune")
_SHORT = {
    "trung hoc co so": "thcs",
    "trung hoc pho thong": "thpt",
    "tieu hoc": "th",
    "pho thong dan toc": "ptdt",
    "ban tru": "bt",
    "noi tru": "nt",
    "ptdt bt": "ptdtbt",
    "ptdt nt": "ptdtnt",
}
_FRONT = {
    "school": re.compile(r"^(truong )?"),
    "class": re.compile(r"^(lop )?"),
    "village": re.compile(r"^((thon|lang|to dan pho|tdp|to|xom|ap|ban|buon|khoi) )?"),
    "commune": re.compile(r"^((xa|phuong|thi tran|tt) )?"),
}


@dataclass(frozen=True, slots=True)
class PlaceUnit:
    """A unit with its names. `current` is False for a unit that has ended; its successor counts then."""

    id: int
    kind: str
    code: str
    name: str
    parent_id: int | None
    successor_id: int | None = None
    current: bool = True


class Places:
    """All units by code and by name. Names match without diacritics and without "Xã", "Thôn", "Trường" in front."""

    def __init__(self, units: Iterable[PlaceUnit]) -> None:
        self._units = {unit.id: unit for unit in units}
        self._codes: dict[tuple[str, str], set[int]] = defaultdict(set)
        self._names: dict[tuple[str, str], set[int]] = defaultdict(set)
        self._former: dict[tuple[str, str], set[int]] = defaultdict(set)
        self._known: dict[tuple[str, ...], tuple[int, int]] = {}
        for unit in self._units.values():
            if unit.kind in KINDS and (now := self._now(unit)):
                names = self._names if unit.current else self._former
                names[unit.kind, plain(unit.kind, unit.name)].add(now)
                if unit.current:  # official codes are used again with another meaning, so only today's codes are read
                    self._codes[unit.kind, unit.code.lower()].add(now)

    def _now(self, unit: PlaceUnit) -> int | None:
        seen: set[int] = set()
        while not unit.current and unit.successor_id and unit.id not in seen:
            seen.add(unit.id)
            unit = self._units.get(unit.successor_id, unit)
        return unit.id if unit.current else None

    def code(self, unit_id: int) -> str:
        """The code of a unit."""
        return self._units[unit_id].code

    def above(self, unit_id: int | None, kind: str) -> int | None:
        """The nearest unit of a kind at or above a unit."""
        while unit_id is not None:
            unit = self._units[unit_id]
            if unit.kind == kind:
                return unit.id
            unit_id = unit.parent_id
        return None

    def _named(self, kind: str, text: str, within: int | None = None) -> set[int]:
        name = (kind, plain(kind, text))
        found = self._codes.get((kind, text.lower())) or self._names.get(name) or self._former.get(name) or set()
        if within is not None:
            found = {id for id in found if self.above(id, self._units[within].kind) == within}
        return found

    def school_of(self, text: str) -> int:
        """The one school of this code or name. Raises `Misread`."""
        found = self._named("school", text)
        if len(found) != 1:
            raise Misread(Sentence("There is no school “{school}”.", school=text))
        return next(iter(found))

    def class_of(self, text: str, school_text: str, school_id: int | None = None) -> tuple[int, int]:
        """Returns a class and its school; `school_id` counts if the file names no school. Raises `Misread`."""
        key = (text, school_text, str(school_id))
        if key not in self._known:
            self._known[key] = self._class_of(text, school_text, school_id)
        return self._known[key]

    def _class_of(self, text: str, school_text: str, school_id: int | None) -> tuple[int, int]:
        if not text:
            raise Misread(Sentence("The pupil has no class."))
        schools = self._named("school", school_text) if school_text else {school_id} if school_id else set()
        if school_text and not schools:
            if school_id is None:
                raise Misread(Sentence("There is no school “{school}”.", school=school_text))
            schools = {school_id}
        classes = self._named("class", text)
        if schools:
            classes = {id for id in classes if self.above(id, "school") in schools}
        if not classes:
            raise Misread(Sentence("There is no class “{name}” in this school: bring in the units first.", name=text))
        if len(classes) > 1:
            raise Misread(
                Sentence("There are several classes “{name}”: name the school, or give the class's code.", name=text)
            )
        class_id = next(iter(classes))
        school = self.above(class_id, "school")
        if school is None:
            raise Misread(Sentence("The class “{name}” belongs to no school.", name=text))
        return class_id, school

    def home_of(self, village: str, commune: str, near: int) -> tuple[tuple[int | None, int | None, int | None], bool]:
        """Returns village, commune and province where a pupil lives, and whether every named unit was found.

        A village without a commune is looked for in the commune of the unit `near`, the pupil's class.
        """
        communes = self._named("commune", commune) if commune else set()
        here = next(iter(communes)) if len(communes) == 1 else None
        if not commune:
            here = self.above(near, "commune") if village else None
        villages = self._named("village", village, here) if village and (here or not commune) else set()
        one = next(iter(villages)) if len(villages) == 1 else None
        commune_id = self.above(one, "commune") if one else here if commune else None
        home = (one, commune_id, self.above(commune_id, "province"))
        return home, (one is not None or not village) and (commune_id is not None or not commune)


def plain(kind: str, name: str) -> str:
    """Returns a unit's name for comparison: folded, long words of school names shortened, without the kind in front."""
    text = _FRONT[kind].sub("", fold(name), count=1)
    if kind == "school":
        for long, short in _SHORT.items():
            text = re.sub(rf"\b{long}\b", short, text)
    return text or fold(name)
