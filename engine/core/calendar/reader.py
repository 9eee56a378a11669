"""Reads calendar files. engine/core/calendar/days.py says what a calendar means.

format = 1; name; province (unit code); time_zone; holidays ("VN" ... or "none"); closing ("17:00"); school_days;
[opening] mon = ["07:30-11:30", "13:00-17:00"] ...; [[school_year]] first, last, gathering, note;
[[break]] name, first, last, confirmed, source; [[closed]] name, day or first and last, for, confirmed, source;
[[worked]] day, instead_of, for. `for` is office, school or both (default). `confirmed = false` with a `source`: days
that nobody has decided yet.
"""

from __future__ import annotations

import datetime as dt
import re
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays as public_holidays

from engine.core.calendar.days import Calendar, Hours, MakeUp, SchoolYear, TimeOff, overlaps
from engine.core.calendar.values import WEEKDAYS
from engine.core.toml_reader import Reader, digest_of, read_toml
from engine.core.words import Faulty, Sentence

FORMAT = 1
OFFICE_HOURS: Hours = ((7 * 60 + 30, 11 * 60 + 30), (13 * 60, 17 * 60))  # the eight hours of the Labour Code, Art. 105
OPENING: tuple[Hours, ...] = (OFFICE_HOURS,) * 5 + ((),) * 2
CLOSING = 17 * 60
LONGEST_YEAR = 400  # days; a longer school year has a wrong date
LONGEST_GATHERING = 31  # days from the gathering to the first day of teaching; the ministry's frame has two weeks
BOTH = ("office", "school")

TIME = Sentence("a time between 00:00 and 24:00, for example 17:00")
ZONE = Sentence("a time zone, for example Asia/Ho_Chi_Minh")
COUNTRY = Sentence("country")
WEEKDAY = Sentence("weekday")
SIDE = Sentence("side")
_TIME = re.compile(r"(\d\d):(\d\d)")


def load_calendar(text: str, file: str) -> Calendar:
    """Returns the calendar of a TOML text; the same object for the same text and name.

    Args:
        text: the file's content.
        file: its name, for the faults.

    Raises:
        Faulty: lists every fault of the file.
    """
    return _loaded(text, file)


@lru_cache(maxsize=64)
def _loaded(text: str, file: str) -> Calendar:
    reader = read_toml(text, file)
    if reader.whole("format") != FORMAT and "format" in reader:
        reader.fault("format", Sentence("This program reads format {format}.", format=FORMAT))
    calendar = _calendar(reader, digest_of(text))
    reader.faults.extend(overlaps(calendar.school_years, file))
    reader.close()
    if reader.faults:
        raise Faulty(reader.faults)
    return calendar


def _calendar(reader: Reader, digest: str) -> Calendar:
    countries = (*public_holidays.list_supported_countries(), "none")
    country = reader.one_of("holidays", countries, COUNTRY, default="VN")
    weekdays = frozenset(map(WEEKDAYS.index, reader.some_of("school_days", WEEKDAYS, WEEKDAY))) or frozenset(range(5))
    opening = _opening(reader)
    off = (*_time_off(reader, "closed"), *_time_off(reader, "break"))
    name = reader.text("name")
    return Calendar(
        name=name,
        province=reader.text("province", "") or None,
        zone=reader.parsed("time_zone", zone, ZONE, required=True) or ZoneInfo("UTC"),
        opening=opening,
        closing=_or(reader.parsed("closing", minute, TIME), CLOSING),
        holidays=None if country == "none" else country,
        school_years=_school_years(reader, weekdays),
        off=off,
        made_up=_made_up(reader, opening, off),
        files=((name, digest),),
    )


def _or(value: int | None, default: int) -> int:
    return default if value is None else value


def zone(name: str) -> ZoneInfo:
    """The time zone of an IANA name; raises ValueError if there is none."""
    try:
        return ZoneInfo(name)
    # Raised for an unknown name and for a folder of zones; ZoneInfoNotFoundError is a KeyError.
    except (OSError, KeyError) as error:
        raise ValueError(name) from error


def minute(text: str) -> int:
    """Returns the minutes after midnight of `HH:MM`; 24:00 is the end of the day.

    Raises ValueError on anything else.
    """
    found = _TIME.fullmatch(text)
    at = int(found[1]) * 60 + int(found[2]) if found else -1
    if not found or int(found[2]) > 59 or not 0 <= at <= 24 * 60:
        raise ValueError(text)
    return at


def _opening(reader: Reader) -> tuple[Hours, ...]:
    if "opening" not in reader:
        reader.table("opening")
        return OPENING
    table = reader.table("opening")
    opening = tuple(_hours(table, day) for day in WEEKDAYS)
    if not any(table.data.values()):
        reader.fault("opening", Sentence("The office must be open on at least one weekday."))
    return opening if any(opening) else OPENING


def _hours(table: Reader, day: str) -> Hours:
    hours: list[tuple[int, int]] = []
    for text in table.texts(day):
        first, _, last = text.partition("-")
        try:
            interval = minute(first.strip()), minute(last.strip())
        except ValueError:
            table.fault(day, Sentence("{text} is not an interval; write for example 07:00-11:30.", text=text))
            continue
        if _follows(table, day, text, interval, hours):
            hours.append(interval)
    return tuple(hours)


def _follows(table: Reader, day: str, text: str, interval: tuple[int, int], before: list[tuple[int, int]]) -> bool:
    if interval[1] <= interval[0]:
        table.fault(
            day,
            Sentence(
                "{text} ends before it begins; write hours past midnight as two intervals, the second on the next day.",
                text=text,
            ),
        )
        return False
    if before and interval[0] < before[-1][1]:
        table.fault(day, Sentence("{text} begins before the interval in front of it has ended.", text=text))
        return False
    return True


def _span(reader: Reader) -> tuple[dt.date, dt.date] | None:
    """Returns the days `first` to `last`, or the one `day`; None, with a fault noted, if they are not in order."""
    if "day" in reader:
        day = reader.day("day")
        return (day, day) if day else None
    first, last = reader.day("first", required=True), reader.day("last", required=True)
    if not first or not last:
        return None
    if last < first:
        reader.fault("last", Sentence("Must not be before {first}.", first=first))
    elif (last - first).days > LONGEST_YEAR:
        reader.fault(
            "last",
            Sentence(
                "Is {days} days after the first; at most {most} are believed.",
                days=(last - first).days,
                most=LONGEST_YEAR,
            ),
        )
    else:
        return first, last
    return None


def _school_years(reader: Reader, weekdays: frozenset[int]) -> tuple[SchoolYear, ...]:
    years = []
    for table in reader.tables("school_year"):
        span, note, gathering = _span(table), table.maybe_label("note"), table.day("gathering")
        if span and gathering and not 0 <= (span[0] - gathering).days <= LONGEST_GATHERING:
            table.fault(
                "gathering",
                Sentence("Pupils gather at most {days} days before {first}.", days=LONGEST_GATHERING, first=span[0]),
            )
        if span:
            years.append(SchoolYear(*span, weekdays, note, gathering))
    return tuple(sorted(years, key=lambda year: year.first))


def _sides(table: Reader) -> tuple[bool, bool]:
    sides = table.some_of("for", BOTH, SIDE) or BOTH
    return "office" in sides, "school" in sides


def _time_off(reader: Reader, key: str) -> tuple[TimeOff, ...]:
    found = []
    for table in reader.tables(key):
        span, name = _span(table), table.label("name")
        office, school = _sides(table) if key == "closed" else (False, True)
        confirmed, source = table.flag("confirmed", default=True), table.text("source", "")
        if not confirmed and not source:
            table.fault("source", Sentence("Say where days come from that are not confirmed."))
        if span:
            kind = "holiday" if key == "closed" else "break"
            found.append(TimeOff(*span, name, kind, office, school, confirmed, source))
    return tuple(found)


def _made_up(reader: Reader, opening: tuple[Hours, ...], off: tuple[TimeOff, ...]) -> tuple[MakeUp, ...]:
    found: dict[dt.date, MakeUp] = {}
    for table in reader.tables("worked"):
        day, instead_of, sides = table.day("day", True), table.day("instead_of", True), _sides(table)
        if not day or not instead_of:
            continue
        made = MakeUp(day, instead_of, *sides)
        if any(_contradicts(closed, made) for closed in off):
            table.fault("day", Sentence("{day} is closed and worked at once.", day=day))
        if not opening[instead_of.weekday()]:
            table.fault("instead_of", Sentence("{day} is a weekday on which the office is never open.", day=instead_of))
        if day in found:
            table.fault("day", Sentence("{day} stands here twice.", day=day))
        found[day] = made
    return tuple(found.values())


def _contradicts(closed: TimeOff, made: MakeUp) -> bool:
    same_side = (closed.office and made.office) or (closed.school and made.school)
    return closed.kind != "break" and closed.first <= made.day <= closed.last and same_side
