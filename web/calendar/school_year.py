"""Shows the school year of the user's province: days of class, holidays, days made up."""

from __future__ import annotations

import datetime as dt

from flask import Blueprint, g, render_template, url_for

from engine.core.calendar import Calendar, SchoolYear
from engine.core.calendar.announced import SHORT
from engine.core.calendar.months import months, year_at
from engine.core.words import Label
from engine.store.calendar import closure_lists as lists
from engine.store.units.overviews import province_of
from web.site.definition_sources import file_of
from web.site.languages import language
from web.site.request_context import deployment, today, whole_arg

pages = Blueprint("calendar", __name__)

WEEKDAYS = {
    "vi": ("T2", "T3", "T4", "T5", "T6", "T7", "CN"),
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
}


@pages.get("/calendar")
def index() -> str:
    """Shows the school year of today, or the one that begins in the given year."""
    with deployment().context.store.reading("whose calendar it is") as session:
        province = province_of(session, [unit for units in g.viewer.units.values() for unit in units])
    calendar = deployment().context.definitions.calendar(province.code if province else "")
    year = _year(calendar, whole_arg("from", 2200))
    with deployment().context.store.scoped(g.viewer) as session:
        closed = lists.above(session, g.viewer, year.first, year.last) if year else []
    return render_template(
        "calendar.html",
        calendar=calendar,
        province=province,
        year=year,
        closed=closed,
        months=months(calendar, year) if year else [],
        assumed=bool(year and calendar.is_assumed(year.first)),
        hours=_hours(calendar),
        taught=_taught(year),
        files=_files(calendar),
        years=_years(calendar, year),
        words=SHORT,
        title=_title,
        month_name=_month_name,
    )


def _year(calendar: Calendar, start: int | None) -> SchoolYear | None:
    if start is not None and start > 1900:
        first = calendar.school_year_start(start)
        return calendar.school_year(first) if first else None
    return year_at(calendar, today())


def _years(calendar: Calendar, year: SchoolYear | None) -> list[tuple[str, str, bool]]:
    """Returns the school years of the file, as words and address; whether it is the one on the page."""
    here = year.first if year else None
    address = url_for("calendar.index")
    return [(_title(it), f"{address}?from={it.first.year}", it.first == here) for it in calendar.school_years]


def _title(year: SchoolYear) -> str:
    return f"{year.first.year}–{year.last.year}"


def _month_name(day: dt.date) -> str:
    return f"{day:%B %Y}" if language() == "en" else f"Tháng {day.month}/{day.year}"


def _hours(calendar: Calendar) -> list[tuple[str, str]]:
    """Returns when the office is open, by weekday."""
    names = WEEKDAYS["en" if language() == "en" else "vi"]
    words = [", ".join(f"{_clock(a)}–{_clock(b)}" for a, b in hours) for hours in calendar.opening]
    runs: list[list[int]] = []
    for day, hours in enumerate(words):
        if runs and words[runs[-1][0]] == hours:
            runs[-1].append(day)
        else:
            runs.append([day])
    return [
        (names[run[0]] if len(run) == 1 else f"{names[run[0]]}–{names[run[-1]]}", words[run[0]])
        for run in runs
        if words[run[0]]
    ]


def _clock(minute: int) -> str:
    return "{:02}:{:02}".format(*divmod(minute, 60))


def _taught(year: SchoolYear | None) -> str:
    names = WEEKDAYS["en" if language() == "en" else "vi"]
    return ", ".join(names[day] for day in sorted(year.weekdays)) if year else ""


def _files(calendar: Calendar) -> list[Label]:
    """Returns the files of the calendar, each by its path, or by its name if the path is unknown."""
    found = [(name, file_of("calendar", name)) for name in calendar.name.split(" + ")]
    return [Label(file or name, file or name) for name, file in found]
