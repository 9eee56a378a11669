"""What five public suites expect of working time, asked of our calendar. tests/vectors/ holds the data and its sources.

Where our rule means something else, the vector names the difference and gives what follows from our rule.
"""

import datetime as dt
import tomllib
from pathlib import Path
from typing import Any

import pytest

from engine.core.calendar import (
    WEEKDAYS,
    Calendar,
    Duration,
    Pause,
    UnreadableValue,
    clock_of,
    load_calendar,
    parse_weekdays,
)

VECTORS = Path(__file__).parents[3] / "vectors"


class Suite:
    """One file of vectors."""

    def __init__(self, path: Path) -> None:
        self.data = tomllib.loads(path.read_text(encoding="utf-8"))
        self.name, self.differences = self.data["suite"], self.data["differences"]
        self.vectors = [vector for group in self.data["vectors"].values() for vector in group]

    def calendar(self, name: str) -> Calendar:
        about = self.data["calendars"][name]
        days = {WEEKDAYS[day]: about["hours"] for day in parse_weekdays(about.get("days", ""))}
        days |= {day: about[day] for day in WEEKDAYS if day in about}
        opening = "\n".join(f"{day} = {self.data['hours'][hours]}" for day, hours in days.items())
        closed = "\n".join(
            f'[[closed]]\nname = {{ vi = "x", en = "x" }}\nday = {day}' for day in self.data["closed"][about["closed"]]
        )
        head = f'format = 1\nname = "{name}"\ntime_zone = "{about["zone"]}"\nholidays = "none"\n'
        return load_calendar(f"{head}[opening]\n{opening}\n{closed}", name)


SUITES = [Suite(path) for path in sorted(VECTORS.glob("*.toml"))]
ALL = [
    pytest.param(suite, vector, id=f"{suite.name}: {vector['name']} ({number})")
    for suite in SUITES
    for number, vector in enumerate(suite.vectors, 1)
]


def moment(text: str, calendar: Calendar) -> dt.datetime:
    found = dt.datetime.fromisoformat(text)
    return (found if found.tzinfo else found.replace(tzinfo=calendar.zone)).astimezone(dt.UTC)


def pauses(vector: dict[str, Any], calendar: Calendar) -> list[Pause]:
    ends = [text.split("/") for text in vector.get("pauses", [])]
    return [Pause(moment(start, calendar), moment(end, calendar) if end else None) for start, end in ends]


@pytest.mark.parametrize(("suite", "vector"), ALL)
def test_time_is_counted_as_a_public_suite_expects_or_differs_as_it_says(suite: Suite, vector: dict[str, Any]) -> None:
    calendar = suite.calendar(vector["calendar"])
    clock = clock_of(calendar, pauses=pauses(vector, calendar))
    match vector["ask"]:
        case "refused":
            with pytest.raises(UnreadableValue):
                Duration.parse(vector["amount"])
        case "working_day":
            assert clock.is_working_day(dt.date.fromisoformat(vector["day"])) == vector["theirs"]
        case "elapsed" | "days":
            unit = "working days" if vector["ask"] == "days" else "working hours"
            run = clock.elapsed(moment(vector["start"], calendar), moment(vector["end"], calendar), unit)
            theirs = vector["theirs_days"] if unit == "working days" else vector["seconds"] / 3600
            ours = vector.get("ours_days" if unit == "working days" else "ours_seconds", theirs)
            assert run == pytest.approx(ours, abs=1e-9)
        case "deadline" | "before":
            find = clock.deadline if vector["ask"] == "deadline" else clock.before
            expected = vector.get("ours", vector["theirs"])
            found = find(moment(vector["start"], calendar), Duration.parse(vector["amount"]))
            assert found == (moment(expected, calendar) if expected else None)
        case other:
            pytest.fail(f"nobody knows how to ask {other}")


def test_every_difference_of_meaning_is_named_and_used() -> None:
    for suite in SUITES:
        named = {vector["differs"] for vector in suite.vectors if "differs" in vector}
        assert named == set(suite.differences), suite.name
        for vector in suite.vectors:
            ours = {key for key in vector if key.startswith("ours") and vector[key] != vector.get("theirs")}
            assert bool(ours or vector["ask"] == "refused") == ("differs" in vector), vector


def test_there_are_enough_vectors_from_enough_suites() -> None:
    assert len(SUITES) >= 3
    assert sum(len(suite.vectors) for suite in SUITES) >= 120
    assert all(suite.data["sources"] for suite in SUITES)
