"""Lays out what counts over a span of years as sorted lists; a question about time is then two searches in them.

`DayLayout` and `HourLayout` are the layouts. The module makes once, and keeps, what all clocks of a calendar share: the
facts of each day, and the days that count before closures, windows and pauses.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import accumulate, pairwise
from math import lcm
from operator import mul
from typing import Any

from engine.core.calendar.days import DAY, Calendar
from engine.core.calendar.values import UNITS, Circumstances, Pause, Window

HOUR, MINUTE, SECOND = dt.timedelta(hours=1), dt.timedelta(minutes=1), dt.timedelta(seconds=1)
ZERO = dt.timedelta()
LAST_MINUTE = 24 * 60


@dataclass(frozen=True, slots=True)
class DayLayout:
    """The days that count, in order; where a season touches them, each in two halves, morning and afternoon.

    `sums[k]` is the weight of the first k entries, in 1/`scale` days; None: each entry is a day and weighs one.
    """

    first: dt.datetime
    end: dt.datetime
    dates: Sequence[dt.date]
    starts: Sequence[dt.datetime]
    closings: Sequence[dt.datetime]
    sums: Sequence[int] | None
    scale: int

    def after(self, start: dt.datetime, amount: int) -> dt.datetime:
        """Returns the closing of the day on which `amount` days have counted.

        Raises IndexError if it lies outside the layout.
        """
        k = bisect_right(self.starts, start)
        if self.sums is None:
            return self.closings[k + amount - 1]
        return self.closings[bisect_left(self.sums, self.sums[k] + amount * self.scale) - 1]

    def before(self, deadline: dt.datetime, amount: int) -> dt.datetime:
        """Returns the last closing from which `amount` days count until `deadline`.

        Raises IndexError if it lies outside.
        """
        k = bisect_right(self.closings, deadline)
        after = k - amount if self.sums is None else bisect_right(self.sums, self.sums[k] - amount * self.scale) - 1
        while 0 < after < len(self.dates) and self.dates[after - 1] == self.dates[after]:
            after -= 1  # the day on which a time begins does not count, so it begins before a whole day
        if after < 1:
            raise IndexError(after)
        return self.closings[after - 1]

    def run(self, start: dt.datetime, now: dt.datetime) -> float:
        """How many days have counted from `start` to `now`."""
        k, end = bisect_right(self.starts, start), bisect_right(self.closings, now)
        if end <= k:
            return 0.0
        return float(end - k) if self.sums is None else (self.sums[end] - self.sums[k]) / self.scale

    def counted(self, start: dt.datetime, now: dt.datetime) -> list[tuple[dt.date, float]]:
        """The days that have counted from `start` to `now`, and what each weighs."""
        span = range(bisect_right(self.starts, start), bisect_right(self.closings, now))
        if self.sums is None:
            return [(self.dates[k], 1.0) for k in span]
        weights: dict[dt.date, int] = {}
        for k in span:
            weights[self.dates[k]] = weights.get(self.dates[k], 0) + self.sums[k + 1] - self.sums[k]
        return [(day, weight / self.scale) for day, weight in weights.items()]


@dataclass(frozen=True, slots=True)
class HourLayout:
    """The intervals that count, in order.

    `sums[k]` is the weight of the first k intervals, times `scale`; `weights` None: each weighs one. `zeros[k]` is the
    moment at which the count would have begun if interval k had always been open.
    """

    first: dt.datetime
    end: dt.datetime
    opens: Sequence[dt.datetime]
    closes: Sequence[dt.datetime]
    zeros: Sequence[dt.datetime]
    sums: Sequence[dt.timedelta]
    weights: Sequence[int] | None
    scale: int

    def _run_at(self, moment: dt.datetime) -> dt.timedelta:
        k = bisect_right(self.opens, moment) - 1
        if k < 0:
            return ZERO
        if moment >= self.closes[k]:
            return self.sums[k + 1]
        return moment - self.zeros[k] if self.weights is None else self._weighed(k, moment, self.weights)

    def _weighed(self, k: int, moment: dt.datetime, weights: Sequence[int]) -> dt.timedelta:
        return self.sums[k] + (moment - self.opens[k]) * weights[k]

    def _moment(self, k: int, total: dt.timedelta) -> dt.datetime:
        if self.weights is None:
            return self.zeros[k] + total
        return self.opens[k] + (total - self.sums[k]) / self.weights[k]

    def after(self, start: dt.datetime, amount: int) -> dt.datetime:
        """Returns the moment at which `amount` hours have run: a closing, not the next opening.

        Raises IndexError if outside.
        """
        total = self._run_at(start) + _hours(amount * self.scale)
        return self._moment(bisect_left(self.sums, total) - 1, total)

    def before(self, deadline: dt.datetime, amount: int) -> dt.datetime:
        """Returns the last moment from which `amount` hours run until `deadline`.

        Raises IndexError if it lies outside.
        """
        total = self._run_at(deadline) - _hours(amount * self.scale)
        if total < ZERO:
            raise IndexError(amount)
        return self._moment(bisect_right(self.sums, total) - 1, total)

    def run(self, start: dt.datetime, now: dt.datetime) -> float:
        """How many hours have run from `start` to `now`."""
        return max(ZERO, self._run_at(now) - self._run_at(start)) / HOUR / self.scale

    def part(self, start: dt.datetime, end: dt.datetime, share: Fraction) -> dt.datetime | None:
        """Returns the moment at which this share of the hours from `start` to `end` has run; None if none run."""
        begun = self._run_at(start)
        whole = self._run_at(end) - begun
        if whole <= ZERO:
            return None
        total = begun + whole * share.numerator / share.denominator
        return self._moment(bisect_left(self.sums, total) - 1, total)


@lru_cache(maxsize=256)
def _hours(amount: int) -> dt.timedelta:
    return dt.timedelta(hours=amount)


def laid_out(calendar: Calendar, unit: str, years: tuple[int, int], case: Circumstances) -> DayLayout | HourLayout:
    """The layout of a unit over the years from the first to just before the second."""
    if unit not in UNITS:
        raise ValueError(unit)
    return _hours_of(calendar, years, case) if unit == "working hours" else _days_of(calendar, unit, years, case)


def _days_of(calendar: Calendar, unit: str, years: tuple[int, int], case: Circumstances) -> DayLayout:
    school = unit == "school days"
    dates, starts, closings, middays = _counted(calendar, unit, case.weekdays if school else None, *years)
    closed = case.closures if school else case.shut if unit == "working days" else ()
    if closed or case.pauses:
        dates, starts, closings, middays = list(dates), list(starts), list(closings), list(middays)
    for closure in closed:
        _cut((dates, starts, closings, middays), bisect_left(dates, closure.first), bisect_right(dates, closure.last))
    if _touched(dates, case.windows):
        halves = [
            (day, start, end, parts)
            for day, start, midday, closing in zip(dates, starts, middays, closings, strict=True)
            for end, parts in _halves(midday, closing, case.pauses)
        ]
        dates, starts = [half[0] for half in halves], [half[1] for half in halves]
        weights, scale = _weights(dates, case.windows)
        whole = map(mul, weights or [1] * len(dates), (half[3] for half in halves))
        sums, closings = list(accumulate(whole, initial=0)), [half[2] for half in halves]
        return DayLayout(*_bounds(calendar, *years), dates, starts, closings, sums, 2 * scale)
    for pause in case.pauses:
        _cut((dates, starts, closings), bisect_left(closings, pause.start), _end(closings, pause))
    return DayLayout(*_bounds(calendar, *years), dates, starts, closings, None, 1)


def _halves(midday: dt.datetime, closing: dt.datetime, pauses: Sequence[Pause]) -> list[tuple[dt.datetime, int]]:
    """Returns when the halves of a day have counted, each with its number of halves.

    A pause at its closing takes the afternoon. A pause at midday only puts the morning off until the closing, so that a
    season never makes a time longer than it is outside.
    """
    free = [not any(pause.holds(moment) for pause in pauses) for moment in (midday, closing)]
    if not free[1]:
        return [(midday, 1)] if free[0] else []
    return [(midday, 1), (closing, 1)] if free[0] else [(closing, 2)]


def _hours_of(calendar: Calendar, years: tuple[int, int], case: Circumstances) -> HourLayout:
    dates, opens, closes = _opened(calendar, *years)
    if case.pauses or case.shut:
        dates, opens, closes = list(dates), list(opens), list(closes)
    for closure in case.shut:
        _cut((dates, opens, closes), bisect_left(dates, closure.first), bisect_right(dates, closure.last))
    for pause in case.pauses:
        _hold(dates, opens, closes, pause)
    weights, scale = _weights(dates, case.windows)
    lengths = [close - opened for opened, close in zip(opens, closes, strict=True)]
    sums = list(accumulate(lengths if weights is None else map(mul, lengths, weights), initial=ZERO))
    zeros = [opened - total for opened, total in zip(opens, sums[:-1], strict=True)]
    return HourLayout(*_bounds(calendar, *years), opens, closes, zeros, sums, weights, scale)


def _cut(lists: tuple[list[Any], ...], first: int, end: int) -> None:
    for one in lists:
        del one[first:end]


def _end(moments: Sequence[dt.datetime], pause: Pause) -> int:
    return len(moments) if pause.end is None else bisect_left(moments, pause.end)


def _hold(dates: list[dt.date], opens: list[dt.datetime], closes: list[dt.datetime], pause: Pause) -> None:
    """Takes a pause out of the intervals: shortens or splits those that it only touches."""
    first, end = bisect_right(closes, pause.start), _end(opens, pause)
    if first >= end:
        return
    pieces = [(dates[first], opens[first], pause.start)]
    if pause.end is not None:
        pieces.append((dates[end - 1], pause.end, closes[end - 1]))
    kept = [piece for piece in pieces if piece[1] < piece[2]]
    dates[first:end] = [day for day, _, _ in kept]
    opens[first:end] = [opened for _, opened, _ in kept]
    closes[first:end] = [closed for _, _, closed in kept]


def _weights(dates: Sequence[dt.date], windows: Sequence[Window]) -> tuple[list[int] | None, int]:
    """Returns the weight of each day in 1/scale, and the scale; None if no window touches a day.

    The heaviest comes last.
    """
    touched = _touched(dates, windows)
    if not touched:
        return None, 1
    scale = lcm(*(weight.denominator for _, _, weight in touched))
    weights = [scale] * len(dates)
    for first, end, weight in touched:
        weights[first:end] = [int(weight * scale)] * (end - first)
    return weights, scale


def _touched(dates: Sequence[dt.date], windows: Sequence[Window]) -> list[tuple[int, int, Fraction]]:
    """Returns where each window that holds a day begins and ends in `dates`, and its weight."""
    spans = [(bisect_left(dates, one.first), bisect_left(dates, one.end), one.weight) for one in windows]
    return [span for span in spans if span[0] < span[1]]


def _bounds(calendar: Calendar, low: int, high: int) -> tuple[dt.datetime, dt.datetime]:
    return calendar.instant(dt.date(low, 1, 1), 0), calendar.instant(dt.date(high - 1, 12, 31), LAST_MINUTE)


@dataclass(frozen=True, slots=True)
class DayFacts:
    """One day of a calendar, in UTC: when it begins, when half of it has counted, when it closes, when the office is
    open if it works.
    """

    day: dt.date
    start: dt.datetime
    midday: dt.datetime
    closing: dt.datetime
    open: tuple[tuple[dt.datetime, dt.datetime], ...]


@lru_cache(maxsize=512)
def facts(calendar: Calendar, year: int) -> tuple[DayFacts, ...]:
    """The facts of every day of a year, 1 January first."""
    first = dt.date(year, 1, 1)
    days = [first + DAY * n for n in range((dt.date(year, 12, 31) - first).days + 1)]
    midnights = [calendar.instant(day, 0) for day in (*days, dt.date(year + 1, 1, 1))]
    return tuple(
        _fact(calendar, day, *surroundings) for day, surroundings in zip(days, pairwise(midnights), strict=True)
    )


def _fact(calendar: Calendar, day: dt.date, start: dt.datetime, end: dt.datetime) -> DayFacts:
    def instant(minute: int) -> dt.datetime:
        # A day of 24 hours has no change of clocks, so one addition is enough.
        return start + minute * MINUTE if end - start == DAY else calendar.instant(day, minute)

    minute = calendar.closing_minute(day)
    # The deadline of a day lies in that day: its last second, not the first moment of the next day.
    closing = instant(minute) - SECOND if minute == LAST_MINUTE else instant(minute)
    hours = calendar.hours(day) if calendar.why_no_work(day) is None else ()
    spans = [(instant(opened), instant(closed)) for opened, closed in hours]
    midday = min(instant(calendar.midday_minute(day)), closing - SECOND)
    return DayFacts(day, start, midday, closing, tuple(span for span in spans if span[0] < span[1]))


@lru_cache(maxsize=256)
def _counted(
    calendar: Calendar, unit: str, weekdays: frozenset[int] | None, low: int, high: int
) -> tuple[list[dt.date], list[dt.datetime], list[dt.datetime], list[dt.datetime]]:
    """Returns the days that count for every clock of a calendar, with their beginnings, closings and middays."""
    days = [fact for year in range(low, high) for fact in facts(calendar, year)]
    if unit == "school days":
        days = [fact for fact in days if calendar.why_no_school(fact.day, weekdays) is None]
    elif unit == "working days":
        days = [fact for fact in days if calendar.why_no_work(fact.day) is None]
    dates, starts = [fact.day for fact in days], [fact.start for fact in days]
    return dates, starts, [fact.closing for fact in days], [fact.midday for fact in days]


@lru_cache(maxsize=256)
def _opened(calendar: Calendar, low: int, high: int) -> tuple[list[dt.date], list[dt.datetime], list[dt.datetime]]:
    """The days of all opening intervals, their openings and their closings."""
    days = [fact for year in range(low, high) for fact in facts(calendar, year)]
    spans = [(fact.day, *span) for fact in days for span in fact.open]
    return [span[0] for span in spans], [span[1] for span in spans], [span[2] for span in spans]
