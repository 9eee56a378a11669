"""What judging a pupil's register needs beside the marks: the days with class, and the factor of the season."""

from __future__ import annotations

import datetime as dt

from engine.core.calendar import Clock
from engine.core.cases.definitions import HALF, Situation
from engine.usecases.context import Context


class SchoolDays:
    """The days with class of a school year up to a day, counted once for each clock."""

    def __init__(self, first: dt.date, last: dt.date) -> None:
        self._all = [first + dt.timedelta(days=n) for n in range((last - first).days + 1)]
        self._known: dict[Clock, tuple[tuple[dt.date, ...], frozenset[dt.date]]] = {}

    def of(self, clock: Clock) -> tuple[tuple[dt.date, ...], frozenset[dt.date]]:
        """Returns them in order, and as a set."""
        if clock not in self._known:
            days = tuple(day for day in self._all if clock.is_school_day(day))
            self._known[clock] = days, frozenset(days)
        return self._known[clock]


def first_day(context: Context, day: dt.date) -> dt.date:
    """Returns the first day of the day's school year; a year before if the calendar has none."""
    year = context.definitions.calendar("").school_year(day)
    return year.first if year else day - dt.timedelta(days=365)


def lowest_factor(context: Context) -> float:
    """Returns the lowest factor of any season, at any place and time."""
    rulesets = context.definitions.rulesets.values()
    return min([HALF, *(float(season.factor) for ruleset in rulesets for season in ruleset.seasons)])


def season_factor(situation: Situation, day: dt.date) -> float:
    """Returns the factor of the seasons of risk on a day: 0.5 halves a threshold."""
    windows = (window for found in situation.seasons.values() for window in found)
    return min((float(window.factor) for window in windows if window.first <= day < window.end), default=1.0)
