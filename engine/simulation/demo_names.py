"""Makes up names with the frequencies of real ones, also those of the highlands (A …, Y …), but no real person's name.

A refused name (a lake, a province, a king) is replaced by its neighbour in the list of given names. This uses no random
number, so all other people keep their names.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from engine.core.text import tidy

PEOPLES = ("Xơ Đăng", "Giẻ Triêng", "Ba Na")  # these peoples have names with A and Y
LOWLAND_PEOPLES = ("Kinh", "Kinh", "Thái", "Mường", "Tày")


def rows(text: str) -> Iterator[dict[str, str]]:
    """Returns the lines of a csv file by its heading; lines that begin with # are remarks."""
    return csv.DictReader(line for line in text.splitlines() if line.strip() and not line.startswith("#"))


@dataclass(frozen=True, slots=True)
class Invented:
    """A made-up person."""

    name: str
    ethnicity: str


@dataclass
class Namer:
    """Makes up people from name frequencies; the same random seed gives the same people. No name comes twice.

    `surnames` with their weights, `given` and `local` names by sex ("m", "f"). `refused`: given or whole names that
    nobody gets.
    """

    chance: random.Random
    surnames: Mapping[str, int]
    given: Mapping[str, list[str]]
    local: Mapping[str, list[str]]
    refused: frozenset[str] = frozenset()
    used: set[str] = field(default_factory=set)  # names that were drawn
    borne: set[str] = field(default_factory=set)  # names that somebody has

    def person(self, sex: str, *, highland: bool) -> Invented:
        """Makes a person of this sex, of the highlands or the lowlands."""
        people = PEOPLES if highland else LOWLAND_PEOPLES
        name = ""
        for _ in range(50):
            name = self._local(sex) if highland else self._lowland(sex)
            if name not in self.used:
                break
        self.used.add(name)
        name = name if highland else self._decent(name, self.given[sex])
        self.borne.add(name)
        return Invented(name, self.chance.choice(people))

    def _lowland(self, sex: str) -> str:
        surname = self.chance.choices(list(self.surnames), list(self.surnames.values()))[0]
        return f"{surname} {self.chance.choice(self.given[sex])}"

    def _decent(self, name: str, names: list[str]) -> str:
        """Returns the name; if it is refused or taken, the surname with the next given name that is neither."""
        surname, _space, given = name.partition(" ")
        at = names.index(given)
        whole = (f"{surname} {other}" for other in (*names[at:], *names[:at]) if other not in self.refused)
        return next((it for it in whole if it not in self.refused and it not in self.borne), name)

    def _local(self, sex: str) -> str:
        """Returns a name of the highlands; most have one syllable after A or Y, some have two."""
        name = self.chance.choice(self.local[sex])
        if self.chance.random() < 0.6:
            name += f" {self.chance.choice(self.local[sex]).split()[-1]}"
        return name


def read_namer(chance: random.Random, surnames: str, given: str, local: str, refused: str = "") -> Namer:
    """Makes a namer from the texts of csv files; corrects wrong letters."""
    by_sex: dict[str, dict[str, list[str]]] = {"given": {"m": [], "f": []}, "local": {"m": [], "f": []}}
    for kind, text in (("given", given), ("local", local)):
        for row in rows(text):
            by_sex[kind][row["sex"]].append(tidy(row["name"]))
    weights = {tidy(row["surname"]): int(row["count"]) for row in rows(surnames)}
    return Namer(
        chance, weights, by_sex["given"], by_sex["local"], frozenset(tidy(row["name"]) for row in rows(refused))
    )
