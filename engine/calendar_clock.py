"""The clock of one case: when is a time up, when was it begun, how much has run, and which days counted.

Everything a clock needs is laid out once, as sorted lists of the days (or opening intervals) that count; a question is
then two searches in them. `_Days` and `_Hours` are such layouts for a span of years; a clock widens its span when asked
about a time outside it. Layouts without closures, windows and pauses are shared between clocks.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from math import lcm
from operator import mul
from typing import Any

from engine.calendar_days import DAY, Calendar, Reason
from engine.calendar_values import UNITS, Closure, Deadline, Duration, Pause, Window
from engine.words import Label, Sentence

HOUR = dt.timedelta(hours=1)
ZERO = dt.timedelta()
LAST_MINUTE = 24 * 60
FARTHEST = 100  # years that a deadline is looked for; beyond, something is closed for good
ASSUMED = Sentence("The dates of this school year are not known yet; those of the nearest known year are taken.")
BEFORE, AFTER = 1, 2  # years around a first question that a clock lays out


@dataclass(frozen=True, slots=True)
class _Days:
    """The days that count, in order. `sums[k]` is what the first k weigh, in 1/`scale` days; None: each weighs one."""

    first: dt.datetime
    end: dt.datetime
    dates: Sequence[dt.date]
    starts: Sequence[dt.datetime]
    closings: Sequence[dt.datetime]
    sums: Sequence[int] | None
    scale: int

    def after(self, start: dt.datetime, amount: int) -> dt.datetime:
        """The closing of the day on which `amount` days have counted; IndexError if that is beyond the layout."""
        k = bisect_right(self.starts, start)
        if self.sums is None:
            return self.closings[k + amount - 1]
        return self.closings[bisect_left(self.sums, self.sums[k] + amount * self.scale) - 1]

    def before(self, deadline: dt.datetime, amount: int) -> dt.datetime:
        """The last closing from which `amount` days count until `deadline`; IndexError if that is beyond the layout."""
        k = bisect_right(self.closings, deadline)
        after = k - amount if self.sums is None else bisect_right(self.sums, self.sums[k] - amount * self.scale) - 1
        if after < 1:
            raise IndexError(after)
        return self.closings[after - 1]

    def run(self, start: dt.datetime, now: dt.datetime) -> float:
        """How many days have counted from `start` to `now`."""
        k, end = bisect_right(self.starts, start), bisect_right(self.closings, now)
        if end <= k:
            return 0.0
        return float(end - k) if self.sums is None else (self.sums[end] - self.sums[k]) / self.scale

    def weight(self, day: dt.date) -> float:
        """What a day counts; 0 if it does not."""
        k = bisect_left(self.dates, day)
        if k == len(self.dates) or self.dates[k] != day:
            return 0.0
        return 1.0 if self.sums is None else (self.sums[k + 1] - self.sums[k]) / self.scale


@dataclass(frozen=True, slots=True)
class _Hours:
    """The intervals that count, in order. `sums[k]` is what the first k weigh, times `scale`; `weights` None: one each.

    `zeros[k]` is the moment from which, had interval k always been open, the sum at its opening would have run.
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
        """The moment at which `amount` hours have run, a closing rather than the next opening; IndexError if beyond."""
        total = self._run_at(start) + _hours(amount * self.scale)
        return self._moment(bisect_left(self.sums, total) - 1, total)

    def before(self, deadline: dt.datetime, amount: int) -> dt.datetime:
        """The last moment from which `amount` hours run until `deadline`; IndexError if that is beyond the layout."""
        total = self._run_at(deadline) - _hours(amount * self.scale)
        if total < ZERO:
            raise IndexError(amount)
        return self._moment(bisect_right(self.sums, total) - 1, total)

    def run(self, start: dt.datetime, now: dt.datetime) -> float:
        """How many hours have run from `start` to `now`."""
        return max(ZERO, self._run_at(now) - self._run_at(start)) / HOUR / self.scale


@lru_cache(maxsize=256)
def _hours(amount: int) -> dt.timedelta:
    return dt.timedelta(hours=amount)


class Clock:
    """Counts time for one case: one class's weekdays, one pupil's closures, its seasons and its pauses.

    All moments are aware; what comes out is in UTC. Got from `Calendar.clock`.
    """

    def __init__(
        self,
        calendar: Calendar,
        weekdays: frozenset[int] | None,
        closures: tuple[Closure, ...],
        windows: tuple[Window, ...],
        pauses: tuple[Pause, ...],
    ) -> None:
        if weekdays is not None and not weekdays:
            raise ValueError("A class must be taught on at least one weekday.")
        self.calendar, self.weekdays, self.closures = calendar, weekdays, closures
        self.windows = tuple(sorted(windows, key=lambda window: window.weight))
        self.pauses = pauses
        self._held = any(pause.end is None for pause in pauses)
        self._layouts: dict[str, _Days | _Hours] = {}
        self._years = (0, 0)

    def deadline(self, start: dt.datetime, duration: Duration) -> dt.datetime | None:
        """When a duration that begins at `start` is up; None while a pause without an end holds the clock.

        Days: the day it begins does not count; the closing time of the day on which enough have counted. Hours: the
        moment at which they have run. None, too, if everything is closed for the next hundred years.
        """
        layout = self._layouts.get(duration.unit)
        if layout is None or not layout.first <= start < layout.end:
            layout = self._layout(duration.unit, start)
        try:
            return layout.after(start, duration.amount)
        except IndexError:
            return self._farther(start, duration)

    def _farther(self, start: dt.datetime, duration: Duration) -> dt.datetime | None:
        limit = min(start.year + FARTHEST, dt.MAXYEAR - 1)
        while not self._held and self._years[1] <= limit:
            self._widen(self._years[0], min(start.year + 2 * (self._years[1] - start.year + 1), limit + 1))
            try:
                return self._layout(duration.unit, start).after(start, duration.amount)
            except IndexError:
                continue
        return None

    def before(self, deadline: dt.datetime, duration: Duration) -> dt.datetime:
        """The latest moment from which `duration` still runs until `deadline`: for days a closing time.

        Raises ValueError if there is none in the hundred years before.
        """
        self._layout(duration.unit, deadline)
        while True:
            try:
                return self._layout(duration.unit, deadline).before(deadline, duration.amount)
            except IndexError:
                if self._years[0] <= deadline.year - FARTHEST:
                    raise ValueError("Nothing is open in the hundred years before the deadline.") from None
                self._widen(deadline.year - 2 * (deadline.year - self._years[0] + 1), self._years[1])

    def elapsed(self, start: dt.datetime, now: dt.datetime, unit: str) -> float:
        """How much of a `unit` has run from `start` to `now`: days whose closing has passed, or hours to the moment.

        It reaches an amount exactly at the deadline of that amount; 0 if `now` is before `start`.
        """
        self._layout(unit, start)
        return self._layout(unit, now).run(start, now)

    def is_school_day(self, day: dt.date) -> bool:
        """Whether the pupil has class on a day, closures taken into account."""
        return self._why_not("school days", day) is None

    def is_working_day(self, day: dt.date) -> bool:
        """Whether the office works on a day."""
        return self.calendar.why_no_work(day) is None

    def _why_not(self, unit: str, day: dt.date) -> Reason | None:
        if unit == "days":
            return None
        if unit != "school days":
            return self.calendar.why_no_work(day)
        why = self.calendar.why_no_school(day, self.weekdays)
        closed = next((closure for closure in self.closures if closure.first <= day <= closure.last), None)
        return why or (("closure", Label(closed.reason, closed.reason)) if closed else None)

    # Why

    def explain(self, start: dt.datetime, duration: Duration) -> Deadline:
        """The deadline with the days that counted, those that did not and why, seasons and assumptions."""
        at = self.deadline(start, duration)
        held = next((pause for pause in self.pauses if at is None and pause.end is None), None)
        until = at or (max(held.start, start) if held else start)
        first, last = self.calendar.local(start).date(), self.calendar.local(until).date()
        hours = duration.unit == "working hours"
        days = [first + DAY * n for n in range(0 if hours else 1, (last - first).days + 1)]
        counted = [(day, weight) for day in days if (weight := self._weight(duration.unit, day, start, until))]
        skipped = [(day, *why) for day in days for why in self._skipped(duration.unit, day, start, until)]
        if held and not any(day == last and kind == "pause" for day, kind, _ in skipped):
            skipped.append((last, "pause", _reason(held)))
        seasons = tuple(one for one in self.windows[::-1] if any(one.first <= day < one.end for day, _ in counted))
        notes = self._notes(days) if duration.unit == "school days" else ()
        return Deadline(at, duration.unit, tuple(counted), tuple(skipped), seasons, notes)

    def _weight(self, unit: str, day: dt.date, start: dt.datetime, until: dt.datetime) -> float:
        layout = self._layout(unit, self.calendar.instant(day, 0))
        if isinstance(layout, _Days):
            return layout.weight(day) if self._closing(day) <= until else 0.0
        midnights = self.calendar.instant(day, 0), self.calendar.instant(day + DAY, 0)
        return layout.run(max(start, midnights[0]), min(until, midnights[1]))

    def _skipped(self, unit: str, day: dt.date, start: dt.datetime, until: dt.datetime) -> list[tuple[str, Label]]:
        why = self._why_not(unit, day)
        if why:
            return [why]
        paused = [pause for pause in self.pauses if self._touched(unit, day, pause, start, until)]
        return [("pause", words) for words in dict.fromkeys(map(_reason, paused))]

    def _touched(self, unit: str, day: dt.date, pause: Pause, start: dt.datetime, until: dt.datetime) -> bool:
        if unit != "working hours":
            return pause.holds(self._closing(day))
        held = max(pause.start, start), until if pause.end is None else min(pause.end, until)
        spans = [(self.calendar.instant(day, a), self.calendar.instant(day, b)) for a, b in self.calendar.hours(day)]
        return any(max(a, held[0]) < min(b, held[1]) for a, b in spans)

    def _notes(self, days: list[dt.date]) -> tuple[Label | Sentence, ...]:
        years = dict.fromkeys(self.calendar.school_year(day) for day in days)
        notes: list[Label | Sentence] = [year.note for year in years if year and year.note]
        if any(self.calendar.is_assumed(day) for day in days):
            notes.append(ASSUMED)
        return tuple(notes)

    def _closing(self, day: dt.date) -> dt.datetime:
        return _facts(self.calendar, day.year)[day.timetuple().tm_yday - 1].closing

    # Layouts

    def _layout(self, unit: str, moment: dt.datetime) -> _Days | _Hours:
        """The layout of a unit, of a span of years that holds `moment`."""
        layout = self._layouts.get(unit)
        if layout is None or not layout.first <= moment < layout.end:
            year = self.calendar.local(moment).year
            if not self._years[0] <= year < self._years[1]:
                low, high = self._years if self._layouts else (year, year)
                self._widen(min(low, year - BEFORE), max(high, year + 1 + AFTER))
            layout = self._layouts[unit] = self._laid_out(unit, *self._years)
        return layout

    def _widen(self, low: int, high: int) -> None:
        self._layouts, self._years = {}, (max(dt.MINYEAR + 1, low), min(dt.MAXYEAR, high))

    def _laid_out(self, unit: str, low: int, high: int) -> _Days | _Hours:
        if unit not in UNITS:
            raise ValueError(unit)
        return self._hours(low, high) if unit == "working hours" else self._days(unit, low, high)

    def _days(self, unit: str, low: int, high: int) -> _Days:
        taught = self.weekdays if unit == "school days" else None
        dates, starts, closings = _counted(self.calendar, unit, taught, low, high)
        closures = self.closures if unit == "school days" else ()
        if closures or self.pauses:
            dates, starts, closings = list(dates), list(starts), list(closings)
        for closure in closures:
            _cut((dates, starts, closings), bisect_left(dates, closure.first), bisect_right(dates, closure.last))
        for pause in self.pauses:
            _cut((dates, starts, closings), bisect_left(closings, pause.start), _end(closings, pause))
        weights, scale = _weights(dates, self.windows)
        sums = None if weights is None else list(accumulate(weights, initial=0))
        return _Days(*_bounds(self.calendar, low, high), dates, starts, closings, sums, scale)

    def _hours(self, low: int, high: int) -> _Hours:
        dates, opens, closes = _opened(self.calendar, low, high)
        if self.pauses:
            dates, opens, closes = list(dates), list(opens), list(closes)
        for pause in self.pauses:
            _hold(dates, opens, closes, pause)
        weights, scale = _weights(dates, self.windows)
        lengths = [close - opened for opened, close in zip(opens, closes, strict=True)]
        weighed = lengths if weights is None else list(map(mul, lengths, weights))
        sums = list(accumulate(weighed, initial=ZERO))
        zeros = [opened - total for opened, total in zip(opens, sums[:-1], strict=True)]
        return _Hours(*_bounds(self.calendar, low, high), opens, closes, zeros, sums, weights, scale)


@lru_cache(maxsize=512)
def clock_of(
    calendar: Calendar,
    weekdays: frozenset[int] | None,
    closures: tuple[Closure, ...],
    windows: tuple[Window, ...],
    pauses: tuple[Pause, ...],
) -> Clock:
    """The clock for these arguments, the same object as long as it is remembered."""
    return Clock(calendar, weekdays, closures, windows, pauses)


def _reason(pause: Pause) -> Label:
    return Label(pause.reason or "tạm dừng", pause.reason or "clock held")


def _cut(lists: tuple[list[Any], ...], first: int, end: int) -> None:
    for one in lists:
        del one[first:end]


def _end(moments: Sequence[dt.datetime], pause: Pause) -> int:
    return len(moments) if pause.end is None else bisect_left(moments, pause.end)


def _hold(dates: list[dt.date], opens: list[dt.datetime], closes: list[dt.datetime], pause: Pause) -> None:
    """Take a pause out of the intervals; what it only touches is shortened or split."""
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


def _weights(dates: list[dt.date], windows: tuple[Window, ...]) -> tuple[list[int] | None, int]:
    """What each day weighs, in 1/scale, and the scale; None if no window touches a day. The heaviest comes last."""
    spans = [(bisect_left(dates, one.first), bisect_left(dates, one.end), one.weight) for one in windows]
    touched = [span for span in spans if span[0] < span[1]]
    if not touched:
        return None, 1
    scale = lcm(*(weight.denominator for _, _, weight in touched))
    weights = [scale] * len(dates)
    for first, end, weight in touched:
        weights[first:end] = [int(weight * scale)] * (end - first)
    return weights, scale


def _bounds(calendar: Calendar, low: int, high: int) -> tuple[dt.datetime, dt.datetime]:
    return calendar.instant(dt.date(low, 1, 1), 0), calendar.instant(dt.date(high - 1, 12, 31), LAST_MINUTE)


@dataclass(frozen=True, slots=True)
class _Facts:
    """One day of a calendar, in UTC: when it begins, when it closes, when the office is open if it works."""

    day: dt.date
    start: dt.datetime
    closing: dt.datetime
    open: tuple[tuple[dt.datetime, dt.datetime], ...]


@lru_cache(maxsize=512)
def _facts(calendar: Calendar, year: int) -> tuple[_Facts, ...]:
    first = dt.date(year, 1, 1)
    return tuple(_fact(calendar, first + DAY * n) for n in range((dt.date(year, 12, 31) - first).days + 1))


def _fact(calendar: Calendar, day: dt.date) -> _Facts:
    minute = calendar.closing_minute(day)
    closing = calendar.instant(day, minute)
    if minute == LAST_MINUTE:  # a day's deadline lies in the day: its last second, not the next day's first moment
        closing -= dt.timedelta(seconds=1)
    hours = calendar.hours(day) if calendar.why_no_work(day) is None else ()
    spans = [(calendar.instant(day, opened), calendar.instant(day, closed)) for opened, closed in hours]
    return _Facts(day, calendar.instant(day, 0), closing, tuple(span for span in spans if span[0] < span[1]))


@lru_cache(maxsize=256)
def _counted(
    calendar: Calendar, unit: str, weekdays: frozenset[int] | None, low: int, high: int
) -> tuple[list[dt.date], list[dt.datetime], list[dt.datetime]]:
    """The days, their beginnings and their closings that count for every clock of a calendar."""
    facts = [fact for year in range(low, high) for fact in _facts(calendar, year)]
    if unit == "school days":
        facts = [fact for fact in facts if calendar.why_no_school(fact.day, weekdays) is None]
    elif unit == "working days":
        facts = [fact for fact in facts if calendar.why_no_work(fact.day) is None]
    return [fact.day for fact in facts], [fact.start for fact in facts], [fact.closing for fact in facts]


@lru_cache(maxsize=256)
def _opened(calendar: Calendar, low: int, high: int) -> tuple[list[dt.date], list[dt.datetime], list[dt.datetime]]:
    """The days of all opening intervals, their openings and their closings."""
    facts = [fact for year in range(low, high) for fact in _facts(calendar, year)]
    spans = [(fact.day, *span) for fact in facts for span in fact.open]
    return [span[0] for span in spans], [span[1] for span in spans], [span[2] for span in spans]
