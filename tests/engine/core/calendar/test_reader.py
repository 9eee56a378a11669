"""A calendar file: what it may leave out, and that all its faults are told at once, with the key and what is right."""

import datetime as dt
from pathlib import Path

import pytest

from engine.core.calendar import Calendar, clock_of, load_calendar
from engine.core.words import Faulty

CALENDARS = Path(__file__).parents[4] / "rules" / "calendars"
HEAD = 'format = 1\nname = "thử"\ntime_zone = "Asia/Ho_Chi_Minh"\n'


def load(text: str) -> Calendar:
    return load_calendar(text, "c.toml")


def faults(text: str) -> list[str]:
    with pytest.raises(Faulty) as raised:
        load(text)
    assert {fault.file for fault in raised.value.faults} == {"c.toml"}
    return [f"{fault.key}: {fault.sentence}" for fault in raised.value.faults]


def test_every_shipped_calendar_loads_under_its_own_name_for_one_province() -> None:
    found = [load_calendar(path.read_text(encoding="utf-8"), path.name) for path in sorted(CALENDARS.glob("*.toml"))]
    assert [calendar.name for calendar in found] == ["quang-ngai-2025-26", "quang-ngai-2026-27"]
    assert {calendar.province for calendar in found} == {"51"}


def test_what_is_left_out_is_as_offices_in_vietnam_have_it() -> None:
    calendar = load(HEAD)
    assert calendar.opening[0] == ((450, 690), (780, 1020))  # eight hours
    assert calendar.opening[5] == ()
    assert calendar.closing == 1020
    assert calendar.holidays == "VN"
    assert calendar.province is None
    assert clock_of(calendar).is_school_day(dt.date(2026, 7, 15))  # no school years: any weekday that is no holiday
    assert not clock_of(calendar).is_working_day(dt.date(2026, 9, 2))


def test_a_weekday_left_out_of_the_opening_hours_is_closed() -> None:
    calendar = load(HEAD + '[opening]\nmon = ["08:00-12:00", "12:00-24:00"]')
    assert calendar.opening == (((480, 720), (720, 1440)), (), (), (), (), (), ())
    assert calendar.closing_minute(dt.date(2026, 3, 3)) == 1020


def test_days_off_may_be_for_the_office_or_for_school_alone() -> None:
    clock = clock_of(
        load(
            HEAD + '[[closed]]\nday = 2026-03-03\nname = { vi = "a", en = "a" }\nfor = ["school"]\n'
            '[[closed]]\nday = 2026-03-04\nname = { vi = "b", en = "b" }\nfor = ["office"]'
        )
    )
    assert (clock.is_school_day(dt.date(2026, 3, 3)), clock.is_working_day(dt.date(2026, 3, 3))) == (False, True)
    assert (clock.is_school_day(dt.date(2026, 3, 4)), clock.is_working_day(dt.date(2026, 3, 4))) == (True, False)


def test_all_faults_are_told_at_once() -> None:
    text = """
format = 2
name = ""
time_zone = "Asia/Hanoi"
holidays = "XX"
closing = "25:00"
school_days = ["monday"]
colour = "red"
[opening]
mon = ["07:00-11:30", "11:00-17:00"]
tue = ["22:00-06:00"]
wed = ["seven to five"]
thu = ["07:60-08:00"]
[[school_year]]
first = 2025-09-06
last = 2024-05-25
[[school_year]]
first = 2025-09-06
last = 2027-05-25
[[school_year]]
first = "2025-09-06"
[[break]]
day = 2026-02-16
[[closed]]
name = { vi = "x", en = "x" }
first = 2026-03-03
last = 2026-03-05
for = ["home"]
[[worked]]
day = 2026-03-04
instead_of = 2026-03-08
[[worked]]
day = 2026-03-04
instead_of = 2026-03-06
"""
    found = faults(text)
    expected = [
        "format: This program reads format 1.",
        "name: This must be text in quotes",
        'time_zone: This must be a time zone, for example Asia/Ho_Chi_Minh, not "Asia/Hanoi"',
        "holidays: There is no country “XX”",
        "closing: This must be a time between 00:00 and 24:00, for example 17:00",
        "school_days: There is no weekday “monday”",
        "colour: There is no key “colour”",
        "opening.mon: 11:00-17:00 begins before the interval in front of it has ended.",
        "opening.tue: 22:00-06:00 ends before it begins; write hours past midnight as two intervals",
        "opening.wed: seven to five is not an interval; write for example 07:00-11:30.",
        "opening.thu: 07:60-08:00 is not an interval",
        "school_year 1.last: Must not be before 06/09/2025.",
        "school_year 2.last: Is 626 days after the first; at most 400 are believed.",
        "school_year 3.first: This must be a day without quotes, for example 2026-02-17",
        "school_year 3.last: This is missing",
        "break 1.name: This is missing",
        "closed 1.for: There is no side “home”",
        "worked 1.day: 04/03/2026 is closed and worked at once.",
        "worked 1.instead_of: 08/03/2026 is a weekday on which the office is never open.",
        "worked 2.day: 04/03/2026 stands here twice.",
    ]
    for start in expected:
        assert any(line.startswith(start) for line in found), (start, found)


def test_a_date_must_be_a_day_not_a_moment() -> None:
    assert faults(HEAD + "[[school_year]]\nfirst = 2025-09-06T07:00:00\nlast = 2026-05-25") == [
        'school_year 1.first: This must be a day without quotes, for example 2026-02-17, not "2025-09-06 07:00:00".'
    ]


def test_an_office_that_never_opens_is_a_fault() -> None:
    assert faults(HEAD + "[opening]\nmon = []") == ["opening: The office must be open on at least one weekday."]
    assert faults(HEAD + "[opening]") == ["opening: The office must be open on at least one weekday."]


def test_school_years_that_overlap_are_a_fault() -> None:
    one = "[[school_year]]\nfirst = 2025-09-06\nlast = 2026-05-25\n"
    next_one = "[[school_year]]\nfirst = 2026-05-25\nlast = 2027-05-23\n"
    assert faults(HEAD + one + next_one) == [
        "school_year 2026-05-25: Begins before the school year 06/09/2025 has ended."
    ]


def test_a_file_that_is_not_toml_says_where() -> None:
    assert "line 1" in faults("format = = 1")[0]


@pytest.mark.parametrize("zone", ["", "../../etc/passwd", "Europe", "/etc/localtime"])
def test_a_time_zone_is_a_name_never_a_path(zone: str) -> None:
    assert faults(f'format = 1\nname = "x"\ntime_zone = "{zone}"')[0].startswith("time_zone: ")
