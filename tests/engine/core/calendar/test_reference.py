"""The clock against a slow one that walks day by day and second by second, on 10,000 made-up cases."""

import datetime as dt
from dataclasses import dataclass
from fractions import Fraction
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from engine.core.calendar import (
    UNITS,
    Calendar,
    Clock,
    ClosedDays,
    Duration,
    MakeUp,
    Pause,
    SchoolYear,
    TimeOff,
    Window,
    clock_of,
)
from engine.core.words import Label

CASES, EACH = 10_000, 20  # questions in all; questions asked of one made-up calendar
NAME = Label("x", "x")
DAY = dt.timedelta(days=1)
FIRST = dt.date(2025, 8, 1)
MIDNIGHT = 24 * 60
OFFICE = ((7 * 60, 690), (13 * 60, 17 * 60))
OPENINGS = (
    (OFFICE,) * 5 + ((),) * 2,
    (((8 * 60, 18 * 60),), (), ((0, MIDNIGHT),), OFFICE, (), ((9 * 60, 12 * 60),), ()),
)


@dataclass(frozen=True)
class Walker:
    """Counts time by walking: no lists, no searches, nothing shared with the clock but what the calendar says."""

    calendar: Calendar
    weekdays: frozenset[int] | None
    closures: tuple[ClosedDays, ...]
    windows: tuple[Window, ...]
    pauses: tuple[Pause, ...]

    def instant(self, day: dt.date, minute: int) -> dt.datetime:
        local = dt.datetime.combine(day, dt.time()) + dt.timedelta(minutes=minute)
        return local.replace(tzinfo=self.calendar.zone).astimezone(dt.UTC)

    def works(self, day: dt.date) -> bool:
        if any(made.day == day and made.office for made in self.calendar.made_up):
            return True
        if any(off.first <= day <= off.last and off.office for off in self.calendar.off):
            return False
        return bool(self.calendar.opening[day.weekday()])

    def has_class(self, day: dt.date) -> bool:
        if any(closure.first <= day <= closure.last for closure in self.closures):
            return False
        if any(made.day == day and made.school for made in self.calendar.made_up):
            return True
        if any(off.first <= day <= off.last and off.school for off in self.calendar.off):
            return False
        year = next((year for year in self.calendar.school_years if year.first <= day <= year.last), None)
        return year is not None and day.weekday() in (self.weekdays or year.weekdays)

    def counts(self, unit: str, day: dt.date) -> bool:
        asked = {"days": lambda _: True, "working days": self.works, "school days": self.has_class}[unit]
        return asked(day)

    def midday(self, day: dt.date) -> dt.datetime:
        """When half of a day has counted: after the morning, in the middle of hours in one piece, else at 11:30."""
        hours = self.hours(day)
        minute = 690 if not hours else (hours[0][0] + hours[0][1]) // 2 if len(hours) == 1 else hours[0][1]
        return self.instant(day, minute)

    def hours(self, day: dt.date) -> tuple[tuple[int, int], ...]:
        made = next((made for made in self.calendar.made_up if made.day == day), None)
        return self.calendar.opening[(made.instead_of if made else day).weekday()]

    def closing(self, day: dt.date) -> dt.datetime:
        hours = self.hours(day)
        minute = hours[-1][1] if hours else self.calendar.closing
        return self.instant(day, minute) - dt.timedelta(seconds=minute == MIDNIGHT)

    def weight(self, day: dt.date) -> Fraction:
        inside = [1 / Fraction(str(one.factor)) for one in self.windows if one.first <= day < one.end]
        return max(inside, default=Fraction(1))

    def deadline(self, start: dt.datetime, duration: Duration) -> dt.datetime | None:
        if duration.unit == "working hours":
            return self._after_hours(start, duration.amount)
        day, total = start.astimezone(self.calendar.zone).date(), Fraction()
        for _ in range(3 * 366):
            day += DAY
            if not self.counts(duration.unit, day):
                continue
            midday, closing = self.midday(day), self.closing(day)
            if not self.held(midday) and not (self.held(closing) and self.plain(duration.unit)):
                total += self.weight(day) / 2
                if total >= duration.amount and not self.plain(duration.unit):
                    return midday
            if not self.held(closing):
                total += self.weight(day) / (2 if not self.held(midday) else 1)
            if total >= duration.amount:
                return closing
        return None

    def held(self, moment: dt.datetime) -> bool:
        return any(pause.holds(moment) for pause in self.pauses)

    def plain(self, unit: str) -> bool:
        """Whether no season touches a day that counts: then days are whole."""
        inside = (one.first + n * DAY for one in self.windows for n in range((one.end - one.first).days))
        return not any(self.counts(unit, day) for day in inside)

    def _after_hours(self, start: dt.datetime, amount: int) -> dt.datetime | None:
        left = dt.timedelta(hours=amount)
        day = start.astimezone(self.calendar.zone).date()
        for _ in range(3 * 366):
            for opened, closed in self.open(day):
                begun = max(start, opened)
                run = max(dt.timedelta(), closed - begun) * self.weight(day).numerator / self.weight(day).denominator
                if run >= left:
                    return begun + left * self.weight(day).denominator / self.weight(day).numerator
                left -= run
            day += DAY
        return None

    def open(self, day: dt.date) -> list[tuple[dt.datetime, dt.datetime]]:
        """The times of a day that count: office hours, each pause cut out."""
        spans = [(self.instant(day, a), self.instant(day, b)) for a, b in self.hours(day)] if self.works(day) else []
        for pause in self.pauses:
            end = pause.end or dt.datetime.max.replace(tzinfo=dt.UTC)
            spans = [
                piece for a, b in spans for piece in ((a, min(b, pause.start)), (max(a, end), b)) if piece[0] < piece[1]
            ]
        return spans


days = st.integers(0, 500).map(lambda n: FIRST + n * DAY)
spans = st.tuples(days, st.integers(0, 12)).map(lambda pair: (pair[0], pair[0] + pair[1] * DAY))
moments = st.integers(0, 500 * 24 * 60 * 6).map(
    lambda n: dt.datetime(2025, 8, 1, tzinfo=dt.UTC) + n * dt.timedelta(seconds=10)
)
weekdays = st.frozensets(st.integers(0, 6), min_size=1)
zones = st.sampled_from(["Asia/Ho_Chi_Minh", "Europe/Berlin", "America/New_York", "UTC"]).map(ZoneInfo)


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    kinds = st.sampled_from([("holiday", True, True), ("holiday", True, False), ("break", False, True)])
    off = draw(st.lists(st.tuples(spans, kinds), max_size=4))
    made = draw(st.lists(st.tuples(days, st.booleans(), st.booleans()), max_size=2, unique_by=lambda one: one[0]))
    taught = draw(weekdays)
    return Calendar(
        name="made up",
        province=None,
        zone=draw(zones),
        opening=draw(st.sampled_from(OPENINGS)),
        closing=17 * 60,
        holidays=None,
        school_years=(
            SchoolYear(dt.date(2025, 8, 1), dt.date(2026, 5, 25), taught),
            SchoolYear(dt.date(2026, 9, 7), dt.date(2029, 5, 23), taught),
        ),
        off=tuple(TimeOff(*span, NAME, kind, office, school) for span, (kind, office, school) in off),
        made_up=tuple(MakeUp(day, dt.date(2026, 1, 1), office, school) for day, office, school in made),
    )


@st.composite
def walkers(draw: st.DrawFn) -> Walker:
    factors: st.SearchStrategy[Fraction | float] = st.sampled_from([0.5, 0.3, 2.0, Fraction(1, 3), 0.75])
    ends = (
        st.one_of(st.none(), st.integers(1, 20 * 24 * 6))
        if draw(st.integers(0, 9)) == 0
        else st.integers(1, 20 * 24 * 6)
    )
    pauses = draw(st.lists(st.tuples(moments, ends), max_size=3))
    return Walker(
        draw(calendars()),
        draw(st.one_of(st.none(), weekdays)),
        tuple(ClosedDays(*span, "x", "x") for span in draw(st.lists(spans, max_size=3))),
        tuple(
            Window(first, last + DAY, factor, NAME)
            for (first, last), factor in draw(st.lists(st.tuples(spans, factors), max_size=2))
        ),
        tuple(Pause(start, None if end is None else start + end * dt.timedelta(minutes=10)) for start, end in pauses),
    )


durations = st.builds(Duration, st.one_of(st.integers(1, 6), st.integers(1, 60)), st.sampled_from(UNITS))
questions = st.lists(st.tuples(moments, durations), min_size=EACH, max_size=EACH)
NEAR = dt.timedelta(microseconds=5)
PLAIN = Calendar("plain", None, ZoneInfo("UTC"), OPENINGS[0], 17 * 60, None)
HELD = Walker(PLAIN, None, (), (), (Pause(dt.datetime(2025, 8, 4, 2, tzinfo=dt.UTC), None),))
FRIDAY = dt.datetime(2025, 8, 1, 9, tzinfo=dt.UTC)


@settings(max_examples=CASES // EACH, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(walkers(), questions)
@example(HELD, [(FRIDAY, Duration(1, "working days")), (FRIDAY, Duration(1, "working hours"))])
def test_a_deadline_is_where_walking_there_ends(walker: Walker, questions: list[tuple[dt.datetime, Duration]]) -> None:
    clock = clock_of(
        walker.calendar,
        weekdays=walker.weekdays,
        closures=walker.closures,
        windows=walker.windows,
        pauses=walker.pauses,
    )
    for start, duration in questions:
        found, walked = clock.deadline(start, duration), walker.deadline(start, duration)
        assert (found is None) == (walked is None)
        if found and walked:
            assert abs(found - walked) <= NEAR
            holds_together(clock, start, duration, found)


def holds_together(clock: Clock, start: dt.datetime, duration: Duration, found: dt.datetime) -> None:
    """What the clock says of one deadline in other ways agrees with it."""
    why = clock.explain(start, duration)
    assert why.at == found
    assert sum(weight for _, weight in why.counted) >= duration.amount - 1e-6
    assert not {day for day, _ in why.counted} & {day for day, kind, _ in why.skipped if kind != "pause"}

    assert clock.elapsed(start, found + NEAR, duration.unit) >= duration.amount
    assert clock.elapsed(start, found - NEAR, duration.unit) < duration.amount

    begun = clock.before(found, duration)
    assert clock.elapsed(begun - NEAR, found, duration.unit) >= duration.amount
    assert begun >= start - NEAR or duration.unit != "working hours"
