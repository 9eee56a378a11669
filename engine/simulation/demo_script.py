"""Reads the demo's files: the people, how the registers are filled, what happens to the cases. Pure."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from engine.simulation.demo_names import rows

VISITS = {"v1": 5, "v2": 4, "v3": 3, "v4": 2, "v5": 1}  # visit: weeks before the demo's own day
PRESENT, UNEXCUSED = "p", "u"
FARTHEST = 400  # days around the demo's day that are numbered


@dataclass(frozen=True, slots=True)
class DemoFiles:
    """The texts of the demo's files, handed in by the caller."""

    units: str
    schools: str
    presence: str
    visits: str
    surnames: str
    given: str
    local: str
    refused: str
    people: str
    demo_cases: str


class WorkingDaysBack:
    """Working days counted from the demo's day: 0 is that day, 1 the one before, -1 the next."""

    def __init__(self, today: dt.date, works: Callable[[dt.date], bool]) -> None:
        surroundings = (today + dt.timedelta(days=number) for number in range(-FARTHEST, FARTHEST))
        self._days = [day for day in surroundings if works(day)]
        self._today = bisect_left(self._days, today)

    def back(self, number: int) -> dt.date:
        """Returns the day that is so many working days back."""
        return self._days[self._today - number]

    def at_or_after(self, day: dt.date) -> dt.date:
        """Returns this day, or the next working day."""
        return self._days[bisect_left(self._days, day)]

    def between(self, first: dt.date, end: dt.date) -> list[dt.date]:
        """Returns the working days from one day (included) to another (excluded)."""
        return self._days[bisect_left(self._days, first) : bisect_left(self._days, end)]

    def read(self, text: str) -> dt.date:
        """Reads a day of the files: @3 is three working days back."""
        return self.back(int(text.removeprefix("@")))


# --- registers --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DemoPupil:
    """A pupil of the source: whether a girl, and the marks of five days on which attendance was taken."""

    girl: bool
    marks: Mapping[dt.date, str]


@dataclass(frozen=True, slots=True)
class School:
    """A demo school: its code, the first digits of the codes of most pupils' villages, and its pupils."""

    code: str
    home: str
    learners: tuple[DemoPupil, ...]


def read_schools(files: DemoFiles, today: dt.date, days: WorkingDaysBack) -> list[School]:
    """Reads the demo's schools, with their visits moved to school days; rules/demo/README.md says how."""
    monday = today - dt.timedelta(days=today.weekday())
    when = {
        row["school"]: [_day(row[visit], monday, weeks, days) for visit, weeks in VISITS.items()]
        for row in rows(files.visits)
    }
    learners: dict[str, list[DemoPupil]] = {source: [] for source in when}
    for row in rows(files.presence):
        marks = {
            day: PRESENT if row[visit] == "1" else UNEXCUSED
            for day, visit in zip(when[row["school"]], VISITS, strict=True)
            if row[visit]
        }
        learners[row["school"]].append(DemoPupil(row["girl"] == "1", marks))
    return [School(row["school"], row["home"], tuple(learners[row["source"]])) for row in rows(files.schools)]


def _day(realdate: str, monday: dt.date, weeks: int, days: WorkingDaysBack) -> dt.date:
    return days.at_or_after(monday - dt.timedelta(weeks=weeks) + dt.timedelta(days=int(realdate) % 5))


# --- people -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """A person with a fixed login and their posts; or (without a login) posts that stay vacant."""

    login: str
    name: str
    role: str
    units: tuple[str, ...]
    away: tuple[dt.date, dt.date] | None = None
    by: str | None = None


def read_accounts(text: str, days: WorkingDaysBack) -> list[DemoAccount]:
    """The accounts that people.csv names."""
    return [
        DemoAccount(
            row["login"],
            row["name"],
            row["role"],
            tuple(row["units"].split()),
            (days.read(row["away_from"]), days.read(row["away_to"])) if row["away_from"] else None,
            row["by"] or None,
        )
        for row in rows(text)
    ]


# --- cases ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DemoAct:
    """One act of a demo case: a local time, a role ("assignee", "offered"), and what is filled in."""

    day: dt.date
    time: dt.time
    who: str
    act: str
    values: Mapping[str, str | list[str]]


@dataclass(frozen=True, slots=True)
class DemoCase:
    """The script of one case; its pupil is chosen in a class, and in a village if one is named."""

    name: str
    class_code: str
    village: str | None
    acts: tuple[DemoAct, ...]

    @property
    def absent(self) -> tuple[tuple[dt.date, dt.date | None], ...]:
        """Returns the times of absence: the first missed day, and the day of the return, if any."""
        spans: list[tuple[dt.date, dt.date | None]] = []
        for act in self.acts:
            if since := act.values.get("absent_since"):
                spans.append((dt.date.fromisoformat(str(since)), None))
            ended = act.values.get("returned_on") or act.values.get("left_on")
            if spans and (ended or act.act == "mark_error"):
                end = dt.date.fromisoformat(str(ended)) if ended else spans[-1][0]
                spans[-1] = (spans[-1][0], max(end, spans[-1][0]))
        return tuple(spans)


def read_demo_cases(text: str, days: WorkingDaysBack) -> list[DemoCase]:
    """Reads the cases of stories.csv, one for each class that a case names."""
    acts: dict[str, list[DemoAct]] = {}
    classes: dict[str, list[str]] = {}
    for row in rows(text):
        name = row["story"]
        classes.setdefault(name, row["class"].split())
        act = DemoAct(
            days.read(row["back"]),
            dt.time.fromisoformat(row["time"]),
            row["who"],
            row["act"],
            _values(row["values"], days),
        )
        acts.setdefault(name, []).append(act)
    return [
        DemoCase(name, code.partition("@")[0], code.partition("@")[2] or None, tuple(acts[name]))
        for name, codes in classes.items()
        for code in codes
    ]


def _values(text: str, days: WorkingDaysBack) -> dict[str, str | list[str]]:
    pairs = (part.split("=", 1) for part in text.split(";") if part)
    return {name: _value(value, days) for name, value in pairs}


def _value(value: str, days: WorkingDaysBack) -> str | list[str]:
    if value.startswith("@"):
        return days.read(value).isoformat()
    return value.split("+") if "+" in value else value
