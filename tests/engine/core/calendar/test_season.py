"""Seasons of risk: anchors as people name them, and the windows they give year by year."""

import datetime as dt
from pathlib import Path

import pytest

from engine.core.calendar import Anchor, Calendar, UnreadableValue, load_calendar, windows
from engine.core.words import Label

NAME = Label("Mùa", "Season")
FILE = Path(__file__).parents[4] / "rules" / "calendars" / "quang-ngai-2025-26.toml"
CALENDAR = load_calendar(FILE.read_text(encoding="utf-8"), FILE.name)
PLAIN = load_calendar('format = 1\nname = "p"\ntime_zone = "UTC"\nholidays = "none"', "p")


def spans(first: str, end: str, *years: int, calendar: Calendar = CALENDAR) -> list[str]:
    return [f"{one.first}..{one.end}" for one in windows((first, end), 0.5, NAME, calendar, years)]


@pytest.mark.parametrize(
    ("year", "tet"),
    [
        (2022, "02-01"),
        (2023, "01-22"),
        (2024, "02-10"),
        (2025, "01-29"),
        (2026, "02-17"),
        (2027, "02-06"),
        (2028, "01-26"),
    ],
)
def test_tet_is_the_published_day(year: int, tet: str) -> None:
    assert Anchor.parse("tet").in_year(CALENDAR, year) == dt.date.fromisoformat(f"{year}-{tet}")


@pytest.mark.parametrize(
    ("first", "end", "expected"),
    [
        ("tet + 0 days", "tet + 14 days", ["2026-02-17..2026-03-03", "2027-02-06..2027-02-20"]),
        ("tet - 7 days", "tet", ["2026-02-10..2026-02-17", "2027-01-30..2027-02-06"]),
        ("school_year + 0 days", "school_year + 14 days", ["2026-09-06..2026-09-20", "2027-09-06..2027-09-20"]),
        ("10-01", "12-01", ["2026-10-01..2026-12-01", "2027-10-01..2027-12-01"]),
        ("12-01", "02-15", ["2026-12-01..2027-02-15", "2027-12-01..2028-02-15"]),  # over the turn of the year
        ("2026-10-01", "2026-12-01", ["2026-10-01..2026-12-01"]),
        ("2026-10-01", "tet + 0 days", ["2026-10-01..2027-02-06"]),
        ("02-29", "03-02", ["2026-02-28..2026-03-02", "2027-02-28..2027-03-02"]),
        ("holiday:09-02 - 1 day", "holiday:09-02 + 3 days", ["2026-09-01..2026-09-05", "2027-09-01..2027-09-05"]),
        ("holiday:Quốc khánh", "holiday:National Day + 7 days", ["2026-09-01..2026-09-08", "2027-09-02..2027-09-09"]),
        ("holiday:quốc khánh", "09-10", ["2026-09-01..2026-09-10", "2027-09-02..2027-09-10"]),
    ],
)
def test_a_season_comes_each_year(first: str, end: str, expected: list[str]) -> None:
    assert spans(first, end, 2026, 2027) == expected


def test_a_stated_school_year_begins_when_its_file_says() -> None:
    assert spans("school_year", "school_year + 1 day", 2024, 2025) == [
        "2024-09-06..2024-09-07",
        "2025-09-06..2025-09-07",
    ]


def test_a_calendar_without_school_years_has_no_season_of_theirs() -> None:
    assert spans("school_year", "school_year + 1 day", 2026, calendar=PLAIN) == []


def test_no_years_give_no_windows() -> None:
    assert spans("tet", "tet + 1 day") == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tet+14",
        "tet + 14",
        "tet + days",
        "Tet + 1 days",
        "13-01",
        "02-30",
        "2026-02-29",
        "easter",
        "holiday:",
        "holiday:13-01",
        "tet + 1000 days",
        "tet:10-01",
    ],
)
def test_what_is_no_day_of_the_year_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(UnreadableValue, match="day of the year"):
        Anchor.parse(text)


def test_a_season_that_ends_before_it_begins_is_refused() -> None:
    for first, end in (("tet + 14 days", "tet + 0 days"), ("10-01", "10-01")):
        with pytest.raises(UnreadableValue, match="end after"):
            spans(first, end, 2026)


def test_a_holiday_that_nobody_knows_is_refused() -> None:
    with pytest.raises(UnreadableValue, match="Ngày nghỉ của tôi"):
        spans("holiday:Ngày nghỉ của tôi", "12-01", 2026)
