"""Counts time for one case: when a time is up, when it began, how much of it has run, and which days counted.

A clock searches in layouts (engine/core/calendar/layout.py). It makes a layout of more years when it is asked about a
time outside. Threads may share a clock, because a layout never changes.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from fractions import Fraction
from functools import lru_cache

from engine.core.calendar.days import DAY, Calendar, Reason
from engine.core.calendar.layout import DayLayout, HourLayout, facts, laid_out
from engine.core.calendar.values import Circumstances, ClosedDays, Deadline, Duration, Pause, Window
from engine.core.words import Label, Sentence

FARTHEST = 100  # years in which a clock looks for a deadline; if it finds none, the place is closed for good
ASSUMED = Sentence("The dates of this school year are not known yet; those of the nearest known year are taken.")
CLOSED = Label("trường, lớp nghỉ học", "no class")
SHUT = Label("cơ quan nghỉ", "the office is shut")
HELD = Label("tạm dừng", "clock held")
BEFORE, AFTER = 1, 2  # years before and after the first question that a clock lays out


class Clock:
    """Counts time for one case: with the weekdays of its class, the closures of its pupil, its seasons and pauses.

    All moments have a time zone; results are in UTC. `clock_of` makes a clock.
    """

    def __init__(self, calendar: Calendar, case: Circumstances) -> None:
        self.calendar, self.case = calendar, case
        self._held = any(pause.end is None for pause in case.pauses)
        self._layouts: dict[str, DayLayout | HourLayout] = {}
        self._years = (0, 0)

    def deadline(self, start: dt.datetime, duration: Duration) -> dt.datetime | None:
        """Returns when a duration that begins at `start` is up; None while a pause without an end stops the clock.

        Days: the first day does not count. The deadline is the closing time of the day on which enough days have
        counted. Hours: the deadline is the moment at which enough hours have run. The result is None, too, if
        everything is closed for the next hundred years.
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
        """Returns the latest moment from which `duration` still fits before `deadline`; for days this is a closing
        time.

        Raises ValueError if it finds none in the hundred years before.
        """
        limit = max(deadline.year - FARTHEST, dt.MINYEAR + 1)
        while True:
            try:
                return self._layout(duration.unit, deadline).before(deadline, duration.amount)
            except IndexError:
                if self._years[0] <= limit:
                    raise ValueError("Nothing is open in the hundred years before the deadline.") from None
                self._widen(max(deadline.year - 2 * (deadline.year - self._years[0] + 1), limit), self._years[1])

    def elapsed(self, start: dt.datetime, now: dt.datetime, unit: str) -> float:
        """Returns how much of a `unit` has run from `start` to `now`: days whose closing has passed, or hours to the
        moment.

        The result reaches an amount exactly at the deadline of that amount. It is 0 if `now` is before `start`.
        """
        self._layout(unit, start)
        return self._layout(unit, now).run(start, now)

    def is_school_day(self, day: dt.date) -> bool:
        """Whether the pupil has class on a day, closures taken into account."""
        return self._why_not("school days", day) is None

    def why_no_class(self, day: dt.date) -> Label | None:
        """Returns why the pupil has no class on a day; None if there is class."""
        why = self._why_not("school days", day)
        return why[1] if why else None

    def is_working_day(self, day: dt.date) -> bool:
        """Whether the office works on a day; those on which the office of this place is shut taken into account."""
        return self._why_not("working days", day) is None

    def _why_not(self, unit: str, day: dt.date) -> Reason | None:
        if unit == "days":
            return None
        if unit != "school days":
            return self.calendar.why_no_work(day) or _closed(self.case.shut, day, "shut", SHUT)
        why = self.calendar.why_no_school(day, self.case.weekdays)
        return why or _closed(self.case.closures, day, "closure", CLOSED)

    def part(self, start: dt.datetime, end: dt.datetime, share: Fraction) -> dt.datetime | None:
        """Returns the moment at which a share of the working hours from `start` to `end` has run.

        The result is None if none run between them.
        """
        self._layout("working hours", start)
        layout = self._layout("working hours", end)
        return layout.part(start, end, share) if isinstance(layout, HourLayout) else None

    # Why

    def explain(self, start: dt.datetime, duration: Duration) -> Deadline:
        """Returns the deadline with its reasons: days that counted, days that did not and why, seasons, assumptions."""
        at = self.deadline(start, duration)
        held = next((pause for pause in self.case.pauses if at is None and pause.end is None), None)
        until = at or (max(held.start, start) if held else start)
        first, last = self.calendar.local(start).date(), self.calendar.local(until).date()
        hours = duration.unit == "working hours"
        days = [first + DAY * n for n in range(0 if hours else 1, (last - first).days + 1)]
        counted = self._counted(duration.unit, days, start, until)
        whole = set() if hours else {day for day, _ in counted}  # some hours of a day may count while others are held
        skipped = [
            (day, *why) for day in days if day not in whole for why in self._skipped(duration.unit, day, start, until)
        ]
        if held and not any(day == last and kind == "pause" for day, kind, _ in skipped):
            skipped.append((last, "pause", _said(held.reason, HELD)))
        seasons = tuple(one for one in self.case.windows[::-1] if any(one.first <= day < one.end for day, _ in counted))
        notes = (
            *(self._notes(days) if duration.unit == "school days" else ()),
            *self._unconfirmed(duration.unit, skipped),
        )
        local = self.calendar.local(at) if at else None
        return Deadline(at, duration.unit, tuple(counted), tuple(skipped), seasons, notes, local)

    def _counted(
        self, unit: str, days: list[dt.date], start: dt.datetime, until: dt.datetime
    ) -> list[tuple[dt.date, float]]:
        self._layout(unit, start)
        layout = self._layout(unit, until)
        if isinstance(layout, DayLayout):
            return layout.counted(start, until)
        midnights = [(day, self.calendar.instant(day, 0), self.calendar.instant(day + DAY, 0)) for day in days]
        weights = ((day, layout.run(max(start, a), min(until, b))) for day, a, b in midnights)
        return [(day, weight) for day, weight in weights if weight]

    def _skipped(self, unit: str, day: dt.date, start: dt.datetime, until: dt.datetime) -> list[tuple[str, Label]]:
        why = self._why_not(unit, day)
        if why:
            return [why]
        paused = [pause for pause in self.case.pauses if self._touched(unit, day, pause, start, until)]
        return [("pause", words) for words in dict.fromkeys(_said(pause.reason, HELD) for pause in paused)]

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

    def _unconfirmed(self, unit: str, skipped: list[tuple[dt.date, str, Label]]) -> Iterator[Sentence]:
        """Says where days off come from that nobody has decided yet."""
        office = unit != "school days"
        found = (
            self.calendar.unconfirmed(day, office=office) for day, kind, _ in skipped if kind in ("holiday", "break")
        )
        for off in dict.fromkeys(one for one in found if one):
            yield Sentence("{days} is not confirmed yet. Source: {source}", days=off.name, source=off.source)

    def _closing(self, day: dt.date) -> dt.datetime:
        return facts(self.calendar, day.year)[day.timetuple().tm_yday - 1].closing

    # Layouts

    def _layout(self, unit: str, moment: dt.datetime) -> DayLayout | HourLayout:
        """The layout of a unit, of a span of years that holds `moment`."""
        layout = self._layouts.get(unit)
        if layout is None or not layout.first <= moment < layout.end:
            year = self.calendar.local(moment).year
            if not self._years[0] <= year < self._years[1]:
                low, high = self._years if self._layouts else (year, year)
                self._widen(min(low, year - BEFORE), max(high, year + 1 + AFTER))
            layout = self._layouts[unit] = laid_out(self.calendar, unit, self._years, self.case)
        return layout

    def _widen(self, low: int, high: int) -> None:
        self._layouts, self._years = {}, (max(dt.MINYEAR + 1, low), min(dt.MAXYEAR, high))


def clock_of(
    calendar: Calendar,
    *,
    weekdays: Iterable[int] | None = None,
    closures: Iterable[ClosedDays] = (),
    windows: Iterable[Window] = (),
    pauses: Iterable[Pause] = (),
    shut: Iterable[ClosedDays] = (),
) -> Clock:
    """Returns the clock of one case; the same object for the same arguments.

    `weekdays` (0 = Monday) are the days on which the pupil's class is taught; None means those of the school year.
    `closures` are the closures that concern the pupil, `shut` the days on which the office of the place does not work.
    Raises Unreadable for a class taught on no weekday.
    """
    taught = None if weekdays is None else frozenset(weekdays)
    lightest_first = tuple(sorted(windows, key=lambda window: window.weight))
    return _remembered(calendar, Circumstances(taught, tuple(closures), lightest_first, tuple(pauses), tuple(shut)))


@lru_cache(maxsize=512)
def _remembered(calendar: Calendar, case: Circumstances) -> Clock:
    return Clock(calendar, case)


def _closed(closures: Iterable[ClosedDays], day: dt.date, kind: str, otherwise: Label) -> Reason | None:
    closed = next((one for one in closures if one.first <= day <= one.last), None)
    return (kind, _said(closed.reason, otherwise)) if closed else None


def _said(reason: str, otherwise: Label) -> Label:
    return Label(reason, reason) if reason else otherwise
