"""Random histories of roll calls, sheets, lists, moves and corrections: a register says what was said, and no more."""

import datetime as dt
import random
from dataclasses import replace

import pytest
from sqlalchemy import update

from engine.core.files.aliases import load_aliases
from engine.core.files.options import Options
from engine.store import tables as t
from engine.store.attendance import memberships
from engine.store.attendance.registers import registers
from engine.usecases.attendance import importing, rollcall
from tests.engine.usecases.attendance.test_importing import ALIASES
from tests.installation import CastInstallation, at, installed
from tests.registers import Register, register
from tests.workbooks import book

__all__ = ["installed"]

NOW = at("2026-03-20 17:00")
DAYS = [dt.date(2026, 3, day) for day in (2, 3, 4, 5, 6, 9, 10, 11, 12, 13)]
MINUTE = dt.timedelta(minutes=1)


class History:
    """What people did in a school, and what the register must say after it."""

    def __init__(self, installed: CastInstallation, seed: int) -> None:
        aliases = load_aliases(ALIASES, "aliases.toml") if isinstance(ALIASES, str) else ALIASES
        self.context = replace(installed.context, aliases=aliases)
        self.installed, self.random, self.now = installed, random.Random(seed), NOW
        self.classes = [installed.cast.units["class"], installed.cast.units["saturday_class"]]
        self.names = {id: name for name, id in installed.cast.pupils.items() if not name.startswith("outsider")}
        home = installed.cast.units["saturday_class"]
        self.lists = {
            (pupil, day): home if name == "saturday_pupil" else self.classes[0]
            for pupil, name in self.names.items()
            for day in DAYS
        }
        self.said: Register = {}
        self.taken: set[tuple[int, dt.date, str]] = set()

    def step(self) -> None:
        """Somebody does something."""
        self.now += MINUTE
        self.random.choice([self.roll_call, self.roll_call, self.sheet, self.sheet, self.long_list, self.move])()

    def on_list(self, class_id: int, day: dt.date) -> list[int]:
        return [pupil for pupil in self.names if self.lists[pupil, day] == class_id]

    def some(self, pupils: list[int]) -> list[int]:
        whole = self.random.random() < 0.6
        return pupils if whole else [pupil for pupil in pupils if self.random.random() < 0.6]

    def roll_call(self) -> None:
        class_id, day, half = self.random.choice(self.classes), self.random.choice(DAYS), self.random.choice("ma")
        said = {pupil: self.random.choice("pppuel") for pupil in self.some(self.on_list(class_id, day))}
        if said:
            key = f"key{self.now.isoformat()}"
            rollcall.send(self.context, self.installed.viewer("head"), class_id, day, half, said, self.now, key=key)
            self.said |= {(pupil, day, half): mark for pupil, mark in said.items()}
            self.taken.add((class_id, day, half))

    def sheet(self) -> None:
        class_id, days = self.random.choice(self.classes), sorted(self.random.sample(DAYS, 4))
        rows = {
            pupil: {day: self.random.choice(["", "", "", "K", "P", "x"]) for day in days if self.there(pupil, day)}
            for pupil in self.some([pupil for pupil in self.names if self.lists[pupil, days[-1]] == class_id])
        }
        head = ["Mã HS", "Họ và tên", *(day.day for day in days)]
        cells = [[self.names[pupil], "x", *(row.get(day, "") for day in days)] for pupil, row in rows.items()]
        self.bring_in(book([["Tháng 3/2026"], head, *cells]))
        marks = {"K": "u", "P": "e", "x": "p"}
        new = {(pupil, day, "m"): marks[cell] for pupil, row in rows.items() for day, cell in row.items() if cell}
        self.taken |= {(self.lists[pupil, day], day, half) for pupil, day, half in new}
        for pupil, row in rows.items():
            for day, cell in row.items():
                if not cell and (self.lists[pupil, day], day, "m") in self.taken:
                    self.said.setdefault((pupil, day, "m"), "p")
        self.said |= new

    def there(self, pupil: int, day: dt.date) -> bool:
        return self.lists[pupil, day] in self.classes

    def long_list(self) -> None:
        pupil, day, mark = self.random.choice(list(self.names)), self.random.choice(DAYS), self.random.choice("peul")
        self.bring_in(f"pupil_code,date,session,mark\n{self.names[pupil]},{day},m,{mark}\n".encode())
        if self.there(pupil, day):
            self.said[pupil, day, "m"] = mark

    def move(self) -> None:
        pupil, day = self.random.choice(list(self.names)), self.random.choice(DAYS)
        to = self.random.choice([*self.classes, None])
        held = [self.lists[pupil, one] for one in DAYS]
        if held[-1] is None or held[-1] != self.lists[pupil, day] or to == held[-1] or (pupil, day) in self.marked():
            return
        with self.installed.store.writing("test") as session:
            memberships.move(session, {pupil: to}, day, memberships.Who(self.now, None, None))
            values = {"class_id": to} if to else {"status": "transferred"}
            session.execute(update(t.Pupil).where(t.Pupil.id == pupil).values(**values))
        for one in DAYS:
            if one >= day:
                self.lists[pupil, one] = to or 0

    def marked(self) -> set[tuple[int, dt.date]]:
        """Pupils and days up to which the register says something: who is marked on a day was there."""
        return {(pupil, day) for pupil, last, _ in self.said for day in DAYS if day <= last}

    def bring_in(self, data: bytes) -> None:
        importing.run(self.context, "attendance", data, Options(school_code="school"), self.now)


@pytest.mark.parametrize("seed", range(4))
def test_a_register_says_what_was_said_of_those_on_the_list_and_no_more(installed: CastInstallation, seed: int) -> None:
    history = History(installed, seed)
    for _ in range(25):
        history.step()
        with installed.store.reading("test") as session:
            assert register(session) == history.said
    with installed.store.reading("test") as session:
        read = registers(session, list(history.names), DAYS[0], DAYS[-1])
    assert {(pupil, *one[:2]): one[2] for pupil, taken in read.items() for one in taken} == history.said
    assert all(list(taken) == sorted(taken, key=lambda one: (one[0], one[1] != "m")) for taken in read.values())
