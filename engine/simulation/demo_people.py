"""Adds people to the demo: an account for every post except the vacant ones, pupils in every class and village."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.core.people import passwords
from engine.core.text import fold, sort_key
from engine.simulation.demo_names import Namer
from engine.simulation.demo_script import DemoAccount, DemoPupil, School
from engine.store.people import absences, staffing
from engine.store.session import Session
from engine.store.simulation import demo as stored
from engine.store.units.units import UnitHere, unit_above, unit_at, units_below

PASSWORD = "ralop-demo"  # noqa: S105 - everybody's, in the demo only
ROOT = "VN"
HIGHLAND = 0.7  # share of pupils with names of the highlands
# Where the pupils of a school live: most near it, some elsewhere in the commune, a few far away (boarders).
AROUND, IN_COMMUNE = 0.78, 0.95
DISABLED = 0.01
OFFICER_VILLAGES = 2  # villages of one officer
# The posts that the demo fills by itself: role, kind of unit, and the beginning of the logins.
FILLED = (("teacher", "class", "gv"), ("head", "school", "ht"), ("commune_officer", "village", "cb"))


@dataclass
class Town:
    """The units of the demo on its day, by code, and how they belong together."""

    session: Session
    day: dt.date
    _at: dict[str, UnitHere] = field(default_factory=dict)
    _above: dict[tuple[int, str], int] = field(default_factory=dict)

    def unit(self, code: str) -> UnitHere:
        """The unit of this code."""
        if code not in self._at:
            found = unit_at(self.session, code, self.day)
            if found is None:
                raise LookupError(f"The demo's tree has no unit {code} on {self.day}.")
            self._at[code] = found
        return self._at[code]

    def all(self, kind: str, inside: int | None = None) -> list[UnitHere]:
        """Returns the units of a kind, all or those inside one, by code."""
        return units_below(self.session, inside or self.unit(ROOT).id, kind, self.day)

    def above(self, unit: UnitHere, kind: str) -> int:
        """Returns the unit of a kind above another one."""
        if (unit.id, kind) not in self._above:
            found = unit_above(self.session, unit.id, kind)
            if found is None:
                raise LookupError(f"{unit.code} lies in no {kind}.")
            self._above[unit.id, kind] = found
        return self._above[unit.id, kind]


# --- accounts ---------------------------------------------------------------------------------------------------------


def add_accounts(town: Town, accounts: list[DemoAccount], namer: Namer, now: dt.datetime) -> list[DemoAccount]:
    """Stores the accounts that have a login, and made-up ones for all other posts; returns all of them.

    All have the same password, which need not be changed. They hold their posts from the start of the calendar year.
    """
    everybody = [*(account for account in accounts if account.login), *_others(town, accounts, namer)]
    hashed, first = passwords.hash(PASSWORD), town.day.replace(month=1, day=1)
    ids = {}
    for account in everybody:
        ids[account.login] = person = staffing.add_person(
            town.session,
            account.login,
            account.name,
            now,
            phone=None,
            email=None,
            language="vi",
            password_hash=hashed,
            must_change=False,
        )
        for code in account.units:
            staffing.add_post(town.session, person, account.role, town.unit(code).id, first, None)
    for account in everybody:
        if account.away:
            by = ids[account.by] if account.by else None
            absences.add(town.session, ids[account.login], by, *account.away, "Nghỉ phép")
    return everybody


def _others(town: Town, accounts: list[DemoAccount], namer: Namer) -> Iterator[DemoAccount]:
    """Makes up people for the posts that no line of people.csv names, not even as vacant."""
    for role, kind, login in FILLED:
        named = {code for account in accounts if account.role == role for code in account.units}
        codes = [unit.code for unit in town.all(kind) if unit.code not in named]
        size = OFFICER_VILLAGES if kind == "village" else 1
        for start in range(0, len(codes), size):
            person = namer.person(namer.chance.choice("mf"), highland=namer.chance.random() < 0.4)
            name = f"{login}.{fold(codes[start]).replace(' ', '-')}"
            yield DemoAccount(name, person.name, role, tuple(codes[start : start + size]))


# --- pupils -----------------------------------------------------------------------------------------------------------


@dataclass
class Enrolled:
    """A pupil of the demo: the id, the codes of class and village, the marks of the visits, and the class's id."""

    id: int
    class_code: str
    village: str
    marks: dict[dt.date, str]
    class_id: int
    in_demo_case: bool = False


def add_pupils(town: Town, schools: list[School], namer: Namer) -> list[Enrolled]:
    """Stores a pupil for each one of the source, in the classes of their school in turn."""
    enrolled: list[Enrolled] = []
    found: list[Mapping[str, Any]] = []
    for school in schools:
        unit = town.unit(school.code)
        classes = town.all("class", unit.id)
        homes = _homes(town, unit, school.home)
        for number, learner in enumerate(school.learners):
            room = classes[number * len(classes) // len(school.learners)]
            village = _village(namer, homes)
            found.append(_pupil(town, len(found) + 1, learner, room, unit, village, namer))
            enrolled.append(Enrolled(0, room.code, village.code, dict(learner.marks), room.id))
    ids = stored.add_pupils(town.session, found)
    for pupil, row in zip(enrolled, found, strict=True):
        pupil.id = ids[row["code"]]
    return enrolled


def _homes(town: Town, school: UnitHere, home: str) -> tuple[list[UnitHere], ...]:
    """Returns the villages around a school, those of its commune, and all."""
    commune = town.all("village", town.above(school, "commune"))
    return [village for village in commune if village.code.startswith(home)], commune, town.all("village")


def _village(namer: Namer, homes: tuple[list[UnitHere], ...]) -> UnitHere:
    far = namer.chance.random()
    return namer.chance.choice(homes[0] if far < AROUND else homes[1] if far < IN_COMMUNE else homes[2])


def _pupil(
    town: Town, number: int, learner: DemoPupil, room: UnitHere, school: UnitHere, village: UnitHere, namer: Namer
) -> Mapping[str, Any]:
    chance, sex = namer.chance, "f" if learner.girl else "m"
    highland = chance.random() < HIGHLAND
    pupil, guardian = namer.person(sex, highland=highland), namer.person(chance.choice("mf"), highland=highland)
    born = dt.date(town.day.year - 5 - (room.grade or 1), 1, 1) + dt.timedelta(days=chance.randrange(365))
    return {
        "code": f"DEMO{number:06}",
        "name": pupil.name,
        "search_key": fold(pupil.name),
        "sort_key": sort_key(pupil.name),
        "birth_date": born,
        "sex": sex,
        "ethnicity": pupil.ethnicity,
        "disability": "Khuyết tật vận động" if chance.random() < DISABLED else None,
        "guardian": guardian.name,
        "guardian_phone": f"0000 {number // 1000:03} {number % 1000:03}",  # nobody has such a number
        "address": f"Nhà số {number}",
        "status": "enrolled",
        "class_id": room.id,
        "school_id": school.id,
        "village_id": village.id,
        "commune_id": town.above(village, "commune"),
        "province_id": town.above(village, "province"),
    }
