"""Shows a school year month by month: how many days of class, and which days are off or made up."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from engine.core.calendar import Calendar, MakeUp, SchoolYear
from engine.core.words import Label

DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Off:
    """A run of days without class for one reason, first and last included; `kind` is "holiday" or "break"."""

    first: dt.date
    last: dt.date
    kind: str
    why: Label


@dataclass(slots=True)
class Month:
    """A month of a school year, or the part of it that lies in the year."""

    first: dt.date
    school_days: int = 0
    working_days: int = 0
    off: list[Off] = field(default_factory=list)
    made_up: list[MakeUp] = field(default_factory=list)


def months(calendar: Calendar, year: SchoolYear) -> list[Month]:
    """Returns the months from a school year's first day of class to its last.

    Weekends are left out: everybody knows them. Closures are not part of a calendar file, so they do not count here.
    """
    found: list[Month] = []
    day = year.first
    while day <= year.last:
        if not found or (found[-1].first.year, found[-1].first.month) != (day.year, day.month):
            found.append(Month(day))
        _add(found[-1], calendar, day)
        day += DAY
    for month in found:
        month.made_up = [made for made in calendar.made_up if _same_month(made.day, month.first)]
    return found


def _add(month: Month, calendar: Calendar, day: dt.date) -> None:
    month.working_days += calendar.why_no_work(day) is None
    reason = calendar.why_no_school(day)
    if reason is None:
        month.school_days += 1
    elif reason[0] != "weekend":
        last = month.off[-1] if month.off else None
        if last and (last.kind, last.why) == reason and last.last == day - DAY:
            month.off[-1] = Off(last.first, day, *reason)
        else:
            month.off.append(Off(day, day, *reason))


def _same_month(one: dt.date, other: dt.date) -> bool:
    return (one.year, one.month) == (other.year, other.month)


def year_at(calendar: Calendar, day: dt.date) -> SchoolYear | None:
    """Returns the school year of a day, else the next one to begin; None if the calendar has neither."""
    here = calendar.school_year(day)
    if here or not calendar.school_years:
        return here
    starts = [start for number in (day.year, day.year + 1) if (start := calendar.school_year_start(number))]
    return next((calendar.school_year(start) for start in sorted(starts) if start >= day), None)
