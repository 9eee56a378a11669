"""The last working day, and the grace after a deadline."""

import datetime as dt

import pytest

from engine.core.calendar.workdays import grace_end, last_working_day
from tests.playing import CALENDAR, at


@pytest.mark.parametrize(
    ("day", "last"),
    [
        ("2026-03-03", "2026-03-02"),  # Tuesday: Monday
        ("2026-03-02", "2026-02-27"),  # Monday: Friday
        ("2026-02-23", "2026-02-13"),  # the Monday after Tết: the Friday before
    ],
)
def test_the_last_working_day_lies_before_weekends_and_holidays(day: str, last: str) -> None:
    assert last_working_day(CALENDAR, dt.date.fromisoformat(day)) == dt.date.fromisoformat(last)


@pytest.mark.parametrize(
    ("deadline", "end"),
    [
        ("2026-03-02 17:00", "2026-03-03 17:00"),
        ("2026-03-02 09:30", "2026-03-03 17:00"),
        ("2026-02-27 17:00", "2026-03-02 17:00"),  # Friday: Monday
        ("2026-02-13 17:00", "2026-02-23 17:00"),  # before Tết: after it
    ],
)
def test_grace_lasts_until_the_next_working_day_closes(deadline: str, end: str) -> None:
    assert grace_end(CALENDAR, at(deadline)) == at(end)
