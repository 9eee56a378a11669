"""A school year month by month: days of class counted, what is off and what is made up told in runs."""

from __future__ import annotations

import datetime as dt

from engine.core.calendar import load_calendar
from engine.core.calendar.months import Month, Off, months, year_at
from tests.playing import CALENDAR

NONE = 'format = 1\nname = "x"\ntime_zone = "Asia/Ho_Chi_Minh"\nholidays = "none"\n'


def month(year: int, number: int) -> Month:
    school_year = year_at(CALENDAR, dt.date(2026, 3, 2))
    assert school_year
    return next(it for it in months(CALENDAR, school_year) if (it.first.year, it.first.month) == (year, number))


def test_the_year_goes_from_its_first_day_of_class_to_its_last() -> None:
    school_year = year_at(CALENDAR, dt.date(2026, 3, 2))
    assert school_year
    found = months(CALENDAR, school_year)
    assert (found[0].first, len(found)) == (dt.date(2025, 9, 6), 9)
    assert (found[-1].first, found[-1].school_days) == (dt.date(2026, 5, 1), 16)  # 1 May is a holiday; until the 25th


def test_tet_is_one_run_with_its_weekends() -> None:
    tet = [off for off in month(2026, 2).off if off.kind == "break"]
    assert tet == [Off(dt.date(2026, 2, 14), dt.date(2026, 2, 22), "break", tet[0].why)]
    assert tet[0].why.vi == "Nghỉ Tết Bính Ngọ"
    assert month(2026, 2).school_days == 15  # 20 weekdays less five


def test_a_saturday_that_is_made_up_counts_and_is_told() -> None:
    january = month(2026, 1)
    assert [(it.day, it.instead_of) for it in january.made_up] == [(dt.date(2026, 1, 10), dt.date(2026, 1, 2))]
    assert january.school_days == 21  # 22 weekdays, less 1 and 2 January, and the Saturday made up
    assert [off.first for off in january.off] == [dt.date(2026, 1, 1), dt.date(2026, 1, 2)]


def test_in_summer_the_coming_year_is_shown() -> None:
    school_year = year_at(CALENDAR, dt.date(2026, 7, 1))
    assert school_year
    assert school_year.first == dt.date(2026, 9, 6)
    assert CALENDAR.is_assumed(school_year.first)


def test_a_calendar_without_school_years_has_none_to_show() -> None:
    assert year_at(load_calendar(NONE, "x"), dt.date(2026, 3, 2)) is None
