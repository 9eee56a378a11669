"""Checks the units of a file against each other and against the known units: references, kinds, days. Pure."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from engine.core.units.kinds import KINDS, PARENTS, Key, KnownUnit, PlacedUnit, UnitLine
from engine.core.units.reader import as_reference, read_units
from engine.core.words import Fault, Faulty, Sentence

FAR = dt.date.max


@dataclass(frozen=True, slots=True)
class _Unit:
    """What the check needs of a unit that others refer to."""

    key: Key
    kind: str
    name: str
    end: dt.date  # FAR if it has no end


def load_units(text: str, file: str, known: Mapping[Key, KnownUnit] | None = None) -> tuple[PlacedUnit, ...]:
    """Returns the units of a csv or TOML file with their parents and successors found; parents come before children.

    Args:
        text: the file's content.
        file: its name; the ending tells csv from TOML.
        known: the units of the database; None if the file is read alone and may refer to units outside it.

    Raises:
        Faulty: lists every fault of the file.
    """
    rows, faults = read_units(text, file)
    tree = _Tree(rows, known, file, faults)
    placed = tree.place()
    if faults:
        raise Faulty(sorted(faults, key=_position))
    order = list(KINDS)
    return tuple(sorted(placed, key=lambda unit: order.index(unit.row.kind)))


def _position(fault: Fault) -> int:
    """Sorts faults in the order of the file, if the place is a line."""
    word, _, rest = fault.key.partition(" ")
    number = rest.partition(".")[0]
    return int(number) if word == "line" and number.isdigit() else 0


class _Tree:
    def __init__(
        self, rows: list[UnitLine], known: Mapping[Key, KnownUnit] | None, file: str, faults: list[Fault]
    ) -> None:
        self.rows, self.known, self.file, self.faults = rows, known or {}, file, faults
        self.alone = known is None
        self.units = {key: _Unit(key, it.kind, it.name, it.valid_to or FAR) for key, it in self.known.items()}
        self.by_key: dict[Key, UnitLine] = {}
        for row in rows:
            if row.key in self.by_key:
                there = self.by_key[row.key].place
                self._fault(
                    row,
                    "code",
                    Sentence(
                        "“{code}” from {first} on stands here twice: see {place}.",
                        code=row.code,
                        first=row.valid_from,
                        place=there,
                    ),
                )
                continue
            self.by_key[row.key] = row
            self.units[row.key] = _Unit(row.key, row.kind, row.name, row.valid_to or FAR)
        self.by_code: dict[str, list[_Unit]] = defaultdict(list)
        for key in sorted(self.units):
            self.by_code[key[0]].append(self.units[key])

    def _fault(self, row: UnitLine, key: str, sentence: Sentence) -> None:
        self.faults.append(Fault(self.file, f"{row.place}.{key}", sentence))

    def place(self) -> list[PlacedUnit]:
        """Returns every row with the references that were found."""
        self._one_root()
        for units in self.by_code.values():
            self._apart(units)
        placed = [PlacedUnit(row, self._parent(row), self._successor(row)) for row in self.by_key.values()]
        self._outlived(placed)
        for row in self.by_key.values():
            if (old := self.known.get(row.key)) and old.kind != row.kind:
                self._fault(
                    row,
                    "kind",
                    Sentence("This unit is there as {kind}; a unit does not change its kind.", kind=KINDS[old.kind]),
                )
        return placed

    def _one_root(self) -> None:
        roots = [unit for unit in self.units.values() if unit.kind == "root"]
        for row in self.by_key.values():
            others = [unit.name for unit in roots if unit.key != row.key]
            if row.kind == "root" and others:
                self._fault(row, "kind", Sentence("There is one root only, and it is “{name}”.", name=others[0]))

    def _apart(self, units: list[_Unit]) -> None:
        """Checks that units with the same code exist one after the other."""
        for before, after in pairwise(units):
            if before.end <= after.key[1]:
                continue
            row = self.by_key.get(after.key) or self.by_key.get(before.key)
            if row is not None:
                self._fault(
                    row,
                    "valid_from",
                    Sentence(
                        "“{code}” from {first} on begins while the one from {before} on still holds: end that one.",
                        code=row.code,
                        first=after.key[1],
                        before=before.key[1],
                    ),
                )

    def _find(self, row: UnitLine, key: str, reference: str, on: dt.date) -> _Unit | None:
        """Returns the unit that a reference means: the unit with its code on a day, unless it names a first day."""
        try:
            code, first = as_reference(reference)
        except ValueError:
            self._fault(row, key, Sentence("“{reference}” names a day that does not exist.", reference=reference))
            return None
        units = self.by_code.get(code, [])
        for unit in units:
            if unit.key[1] == first or (first is None and unit.key[1] <= on < unit.end):
                return unit
        if units:
            days = [unit.key[1] for unit in units]
            self._fault(
                row,
                key,
                Sentence(
                    "“{reference}” does not hold on {on}; there are those from: {days}.",
                    reference=reference,
                    on=on,
                    days=days,
                ),
            )
        elif not self.alone:
            self._fault(row, key, Sentence("There is no unit “{code}”.", code=code))
        return None

    def _parent(self, row: UnitLine) -> Key | None:
        unit = self._find(row, "parent", row.parent, row.valid_from) if row.parent else None
        if unit is None:
            return None
        if unit.kind not in PARENTS[row.kind]:
            kinds = [KINDS[kind] for kind in PARENTS[row.kind]]
            self._fault(
                row,
                "parent",
                Sentence(
                    "“{name}” is {kind}; a unit of this kind lies in one of: {kinds}.",
                    name=unit.name,
                    kind=KINDS[unit.kind],
                    kinds=kinds,
                ),
            )
        if unit.key[1] > row.valid_from:
            self._fault(
                row,
                "parent",
                Sentence("“{name}” begins on {first}, after this unit.", name=unit.name, first=unit.key[1]),
            )
        return unit.key

    def _successor(self, row: UnitLine) -> Key | None:
        if not row.successor or not row.valid_to:
            return None
        unit = self._find(row, "successor", row.successor, row.valid_to)
        if unit and unit.key[1] < row.valid_to and unit.key[0] == row.code:
            self._fault(row, "successor", Sentence("A unit is not its own successor."))
        if unit and unit.kind != row.kind:
            self._fault(
                row,
                "successor",
                Sentence("“{name}” is {kind}: a successor is of the same kind.", name=unit.name, kind=KINDS[unit.kind]),
            )
        return unit.key if unit else None

    def _outlived(self, placed: Iterable[PlacedUnit]) -> None:
        """Checks that a unit does not outlive its parent: otherwise nobody would answer for it."""
        left: dict[Key, list[str]] = defaultdict(list)
        for child, parent, name in self._lying(placed):
            if child.end <= parent.end:
                continue
            if row := self.by_key.get(child.key):
                self._fault(
                    row,
                    "valid_to",
                    Sentence(
                        "“{name}”, in which this lies, ends on {end}: end this by then, with a successor.",
                        name=parent.name,
                        end=parent.end,
                    ),
                )
            elif parent.key in self.by_key:
                left[parent.key].append(name)
        for key, names in left.items():
            self._fault(
                self.by_key[key],
                "valid_to",
                Sentence(
                    "{count} units in it would go on after its end, such as “{name}”: end those, too.",
                    count=len(names),
                    name=names[0],
                ),
            )

    def _lying(self, placed: Iterable[PlacedUnit]) -> Iterator[tuple[_Unit, _Unit, str]]:
        parents = {key: it.parent for key, it in self.known.items()} | {it.row.key: it.parent for it in placed}
        for key, parent in parents.items():
            if parent in self.units and key in self.units:
                yield self.units[key], self.units[parent], self.units[key].name
