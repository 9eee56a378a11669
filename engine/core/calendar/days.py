"""The days of a calendar file: whether a day counts, why not, and when it closes."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import holidays as public_holidays

from engine.core.words import Fault, Faulty, Label, Sentence

UTC = dt.UTC
DAY = dt.timedelta(days=1)
Hours = tuple[tuple[int, int], ...]  # opening intervals of one day, minutes after local midnight
Reason = tuple[str, Label]  # why a day does not count: kind, words

WEEKEND: Reason = ("weekend", Label("cuối tuần", "weekend"))
NO_CLASS: Reason = ("weekend", Label("lớp không học thứ này", "no class on this weekday"))
SUMMER: Reason = ("break", Label("ngoài năm học", "outside the school year"))


@dataclass(frozen=True, slots=True)
class SchoolYear:
    """The first and the last day of teaching, the weekdays taught unless a class has its own, and a note for
    readers.

    `gathering` is the day on which pupils gather before the first day of teaching (tựu trường), if the file says it.
    """

    first: dt.date
    last: dt.date
    weekdays: frozenset[int]
    note: Label | None = None
    gathering: dt.date | None = None

    def moved(self, years: int) -> SchoolYear:
        """The same school year so many years later (29 February becomes the 28th)."""
        gathering = _moved(self.gathering, years) if self.gathering else None
        return SchoolYear(_moved(self.first, years), _moved(self.last, years), self.weekdays, gathering=gathering)


@dataclass(frozen=True, slots=True)
class TimeOff:
    """Days closed, first and last included, for the office, for school, or for both; `kind` is holiday or break.

    `confirmed` False: nobody has decided them yet. They count all the same, and wherever they count it is said, with
    their `source`.
    """

    first: dt.date
    last: dt.date
    name: Label
    kind: str
    office: bool
    school: bool
    confirmed: bool = True
    source: str = ""

    @property
    def said(self) -> Label:
        """Returns the name, and that it is not confirmed."""
        return self.name if self.confirmed else Label(f"{self.name.vi} (dự kiến)", f"{self.name.en} (not confirmed)")


@dataclass(frozen=True, slots=True)
class MakeUp:
    """A day on which people work in place of another day, with the hours of that other weekday."""

    day: dt.date
    instead_of: dt.date
    office: bool
    school: bool


@dataclass(frozen=True, eq=False)
class Calendar:
    """The days of one province: office hours, public holidays, days off and made up, school years and breaks.

    Two calendars are equal only if they are the same object. This keeps `clock_of` cheap. `load_calendar` and `merge`
    give the same object for the same text.
    """

    name: str
    province: str | None
    zone: ZoneInfo
    opening: tuple[Hours, ...]
    closing: int
    holidays: str | None
    school_years: tuple[SchoolYear, ...] = ()
    off: tuple[TimeOff, ...] = ()
    made_up: tuple[MakeUp, ...] = ()
    files: tuple[tuple[str, str], ...] = ()  # name and digest of each file that it was read from

    @cached_property
    def _off(self) -> dict[dt.date, list[TimeOff]]:
        found: dict[dt.date, list[TimeOff]] = {}
        for off in self.off:
            for ordinal in range(off.first.toordinal(), off.last.toordinal() + 1):
                found.setdefault(dt.date.fromordinal(ordinal), []).append(off)
        return found

    @cached_property
    def _made_up(self) -> dict[dt.date, MakeUp]:
        return {made.day: made for made in self.made_up}

    def hours(self, day: dt.date) -> Hours:
        """Returns the opening intervals of a day: those of its weekday, or of the weekday it replaces."""
        made = self._made_up.get(day)
        return self.opening[(made.instead_of if made else day).weekday()]

    def closing_minute(self, day: dt.date) -> int:
        """Returns when the deadlines of a day fall, in minutes after midnight: at its last closing, else at the
        calendar's.
        """
        hours = self.hours(day)
        return hours[-1][1] if hours else self.closing

    def midday_minute(self, day: dt.date) -> int:
        """Returns when half of a day has counted, in minutes after midnight: when the morning's hours end.

        A day with hours in one piece is cut in the middle of them; a day on which the office is shut, where the others
        are.
        """
        hours = self.hours(day)
        if len(hours) == 1:
            return (hours[0][0] + hours[0][1]) // 2
        return hours[0][1] if hours else self._midday

    @cached_property
    def _midday(self) -> int:
        mornings = (hours[0][1] for hours in self.opening if len(hours) > 1)
        return next((minute for minute in mornings if minute < self.closing), self.closing // 2)

    def why_no_work(self, day: dt.date) -> Reason | None:
        """Returns why the office does not work on a day; None if it works."""
        made = self._made_up.get(day)
        if made and made.office:
            return None
        off = next((off for off in self._off.get(day, ()) if off.office), None)
        if off:
            return off.kind, off.said
        return self.public_holiday(day) or (None if self.opening[day.weekday()] else WEEKEND)

    def why_no_school(self, day: dt.date, weekdays: frozenset[int] | None = None) -> Reason | None:
        """Returns why a class taught on `weekdays` has no class on a day, closures aside; None if it has."""
        made = self._made_up.get(day)
        if made and made.school:
            return None
        off = next((off for off in self._off.get(day, ()) if off.school), None)
        if off:
            return off.kind, off.said
        return self.public_holiday(day) or self._not_taught(day, weekdays)

    def _not_taught(self, day: dt.date, weekdays: frozenset[int] | None) -> Reason | None:
        year = self.school_year(day)
        if year is None and self.school_years:
            return SUMMER
        taught = weekdays if weekdays is not None else year.weekdays if year else frozenset(range(5))
        if day.weekday() in taught:
            return None
        return WEEKEND if day.weekday() >= 5 else NO_CLASS

    def public_holiday(self, day: dt.date) -> Reason | None:
        """The public holiday of a day, as the `holidays` package knows it."""
        name = holidays_of(self.holidays, day.year).get(day) if self.holidays else None
        return ("holiday", name) if name else None

    def school_year(self, day: dt.date) -> SchoolYear | None:
        """Returns the school year of a day: one of the file, or else the nearest one of the file, moved by whole years.

        The file of a coming year often comes late. Until then the program assumes that the year is like the last one,
        so that it can count a deadline. `is_assumed` tells the two apart.
        """
        years = self.school_years
        if not years:
            return None
        if years[0].first <= day <= years[-1].last:
            return next((year for year in years if year.first <= day <= year.last), None)
        model = years[-1] if day > years[-1].last else years[0]
        by = day.year - model.first.year
        return next((year for year in (model.moved(by - 1), model.moved(by)) if year.first <= day <= year.last), None)

    def is_assumed(self, day: dt.date) -> bool:
        """Returns whether the file lacks the school year of a day, so that its dates are assumed."""
        return bool(self.school_years) and not self.school_years[0].first <= day <= self.school_years[-1].last

    def school_year_start(self, year: int) -> dt.date | None:
        """Returns the first day of the school year that begins in a calendar year, from the file or assumed."""
        found = self._beginning_in(year)
        return found.first if found else None

    def gathering(self, year: int) -> dt.date | None:
        """Returns the day on which pupils gather for the school year that begins in a calendar year (tựu trường).

        Where the file does not say it, that is the first day of teaching.
        """
        found = self._beginning_in(year)
        return (found.gathering or found.first) if found else None

    def _beginning_in(self, year: int) -> SchoolYear | None:
        known = self.school_years
        if not known:
            return None
        stated = next((school for school in known if school.first.year == year), None)
        model = known[-1] if year > known[-1].first.year else known[0]
        return stated or model.moved(year - model.first.year)

    def unconfirmed(self, day: dt.date, *, office: bool) -> TimeOff | None:
        """Returns the days off that hold a day and that nobody has decided yet, for the office or for school."""
        found = self._off.get(day, ())
        return next((off for off in found if not off.confirmed and (off.office if office else off.school)), None)

    def instant(self, day: dt.date, minute: int) -> dt.datetime:
        """Returns the UTC time of a local time, `minute` minutes (0 to 1440) into a day.

        A local time that comes twice (clocks are put back) means the first. A local time that is skipped (clocks are
        put forward) means the moment of the change.
        """
        local = dt.datetime.combine(day, dt.time()) + dt.timedelta(minutes=minute)
        utc = local.replace(tzinfo=self.zone).astimezone(UTC)
        if utc.astimezone(self.zone).replace(tzinfo=None) == local:
            return utc
        return self._jump(local)

    def _jump(self, local: dt.datetime) -> dt.datetime:
        late = local.replace(tzinfo=self.zone).astimezone(UTC)
        early = local.replace(tzinfo=self.zone, fold=1).astimezone(UTC)
        after = late.astimezone(self.zone).utcoffset()
        seconds = range(int((late - early).total_seconds()) + 1)

        def jumped(second: int) -> bool:
            return (early + dt.timedelta(seconds=second)).astimezone(self.zone).utcoffset() == after

        return early + dt.timedelta(seconds=bisect_left(seconds, True, key=jumped))

    def local(self, moment: dt.datetime) -> dt.datetime:
        """A moment as the clock on the office wall shows it."""
        return moment.astimezone(self.zone)


def _moved(day: dt.date, years: int) -> dt.date:
    if day.month == 2 and day.day == 29:
        day = day.replace(day=28)
    return day.replace(year=day.year + years)


@lru_cache(maxsize=512)
def holidays_of(country: str, year: int) -> dict[dt.date, Label]:
    """Public holidays of a country (ISO code) in one year, with names in Vietnamese where the package has them."""
    english = public_holidays.country_holidays(country, years=year, language="en_US")
    known = public_holidays.country_holidays(country).supported_languages
    local = public_holidays.country_holidays(country, years=year, language="vi") if "vi" in known else english
    return {day: Label(local.get(day, name), name) for day, name in english.items()}


def merge(calendars: Iterable[Calendar]) -> Calendar:
    """Joins the successive school years of one province into one calendar.

    Raises Faulty when they differ in province, time zone, office hours or holidays, or when school years overlap.
    """
    return _merged(tuple(calendars))


@lru_cache(maxsize=64)
def _merged(calendars: tuple[Calendar, ...]) -> Calendar:
    if len(calendars) == 1:
        return calendars[0]
    name = " + ".join(calendar.name for calendar in calendars)
    years = sorted({year for calendar in calendars for year in calendar.school_years}, key=lambda year: year.first)
    faults = [*_differences(calendars), *overlaps(years, name)]
    if faults:
        raise Faulty(faults)
    first = calendars[0]
    return Calendar(
        name,
        first.province,
        first.zone,
        first.opening,
        first.closing,
        first.holidays,
        tuple(years),
        tuple(dict.fromkeys(off for calendar in calendars for off in calendar.off)),
        tuple(dict.fromkeys(made for calendar in calendars for made in calendar.made_up)),
        tuple(file for calendar in calendars for file in calendar.files),
    )


def _differences(calendars: tuple[Calendar, ...]) -> Iterable[Fault]:
    if not calendars:
        yield Fault("", "", Sentence("There is no calendar to merge."))
    for key in ("province", "zone", "opening", "closing", "holidays"):
        for calendar in calendars[1:]:
            if getattr(calendar, key) != getattr(calendars[0], key):
                sentence = Sentence("Must be as in {name} to follow it in one calendar.", name=calendars[0].name)
                yield Fault(calendar.name, key, sentence)


def overlaps(years: Sequence[SchoolYear], file: str) -> Iterable[Fault]:
    """A fault for each school year that begins before the one in front of it has ended."""
    for before, after in pairwise(years):
        if after.first <= before.last:
            key = f"school_year {after.first.isoformat()}"
            yield Fault(file, key, Sentence("Begins before the school year {first} has ended.", first=before.first))
