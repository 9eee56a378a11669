"""How long one deadline takes, in all units, with a season and without, against the cheapest that answers the same.

The floor is what is left when everything is known beforehand: two plain lists for each unit; one `bisect` and one index
for days, for hours a second `bisect` and the arithmetic between. It has no seasons, no years to widen, no checks.
"""

from __future__ import annotations

import datetime as dt
import random
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

import rules
from bench import Measurement, measured, typical
from engine.core.calendar import UNITS, Calendar, Clock, Duration, clock_of, load_calendar, windows
from engine.core.calendar.layout import facts
from engine.core.words import Label

BENCHES = ("deadline",)


class Size(NamedTuple):
    """How many deadlines are asked for."""

    asked: int = 100_000


FULL, SMALL = Size(), Size(2_000)
YEARS = (2025, 2026, 2027, 2028)

Question = tuple[dt.datetime, Duration]
Answer = Callable[[dt.datetime, int], dt.datetime]


def run(size: Size = FULL) -> Iterator[Measurement]:
    """The time of one deadline in microseconds, over many questions of all units."""
    calendar = _calendar()
    asked = _questions(size.asked)
    seasons = windows(("tet + 0 days", "tet + 14 days"), 0.5, Label("Sau Tết", "After Tết"), calendar, YEARS)
    plain, hurried = clock_of(calendar), clock_of(calendar, windows=seasons)
    answers = _answers(calendar, plain)
    for start, duration in asked[:1000]:
        assert plain.deadline(start, duration) == answers[duration.unit](start, duration.amount)
    value = (typical(lambda: _ask(plain, asked)) + typical(lambda: _ask(hurried, asked))) / 2
    floor = typical(lambda: [answers[duration.unit](start, duration.amount) for start, duration in asked])
    yield measured(
        "deadline", "none", n=len(asked), value=value / len(asked) * 1e6, unit="us", floor=floor / len(asked) * 1e6
    )


def _calendar() -> Calendar:
    path = Path(rules.__file__).parent / "calendars" / "quang-ngai-2025-26.toml"
    return load_calendar(path.read_text(encoding="utf-8"), path.name)


def _questions(count: int) -> list[Question]:
    draw = random.Random(1)
    first = dt.datetime(2025, 9, 8, tzinfo=dt.UTC)
    lengths = [Duration(amount, unit) for unit in UNITS for amount in range(1, 11)]
    return [(first + dt.timedelta(seconds=draw.randrange(250 * 86400)), draw.choice(lengths)) for _ in range(count)]


def _ask(clock: Clock, asked: list[Question]) -> None:
    for start, duration in asked:
        clock.deadline(start, duration)


def _answers(calendar: Calendar, clock: Clock) -> dict[str, Answer]:
    days = [fact for year in YEARS for fact in facts(calendar, year)]
    counts: dict[str, Callable[[dt.date], bool]] = {
        "school days": clock.is_school_day,
        "working days": clock.is_working_day,
        "days": lambda _: True,
    }
    answers = {
        unit: _days([(fact.start, fact.closing) for fact in days if asked(fact.day)]) for unit, asked in counts.items()
    }
    return answers | {"working hours": _hours([span for fact in days for span in fact.open])}


def _days(spans: list[tuple[dt.datetime, dt.datetime]]) -> Answer:
    starts, closings = [start for start, _ in spans], [closing for _, closing in spans]
    return lambda start, amount: closings[bisect_right(starts, start) + amount - 1]


def _hours(spans: list[tuple[dt.datetime, dt.datetime]]) -> Answer:
    opens, closes = [opened for opened, _ in spans], [closed for _, closed in spans]
    sums = list(accumulate((closed - opened for opened, closed in spans), initial=dt.timedelta()))

    def answer(start: dt.datetime, amount: int) -> dt.datetime:
        k = bisect_right(opens, start) - 1
        total = sums[k] + (min(start, closes[k]) - opens[k]) + dt.timedelta(hours=amount)
        end = bisect_left(sums, total) - 1
        return opens[end] + (total - sums[end])

    return answer
