"""The values of time: how long (`Duration`), what stops a clock (`ClosedDays`, `Pause`), what hurries it (`Window`)."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from engine.core.words import Label, Sentence

UNITS = ("school days", "working days", "days", "working hours")
MOST = 9999  # a larger amount of any unit is a typing mistake, not a deadline
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")  # in the order of date.weekday()

_WORDS = {
    "school days": ("ngày học", "school day"),
    "working days": ("ngày làm việc", "working day"),
    "days": ("ngày", "day"),
    "working hours": ("giờ làm việc", "working hour"),
}
_DURATION = re.compile(r"(\d{1,9}) (school day|working day|day|working hour)s?")


class UnreadableValue(ValueError):
    """A text that cannot be read as the value it should be; `sentence` says what would be right."""

    def __init__(self, sentence: Sentence) -> None:
        self.sentence = sentence
        super().__init__(str(sentence))


@dataclass(frozen=True, slots=True)
class Duration:
    """An amount of time as people count it: `amount` (1 to 9999) of one of `UNITS`."""

    amount: int
    unit: str

    def __post_init__(self) -> None:
        if self.unit not in UNITS or not 1 <= self.amount <= MOST:
            raise UnreadableValue(Sentence("A duration is 1 to {most} of: {units}.", most=MOST, units=UNITS))

    @classmethod
    def parse(cls, text: str) -> Duration:
        """`"3 school days"`, `"1 working hour"` and the like; raises UnreadableValue on anything else, zero
        included.
        """
        found = _DURATION.fullmatch(" ".join(text.split()))
        if not found:
            raise UnreadableValue(
                Sentence(
                    "{text} is not a duration; write for example 3 school days, 1 working day, 10 days, "
                    "4 working hours.",
                    text=text,
                )
            )
        return cls(int(found[1]), f"{found[2]}s")

    @property
    def label(self) -> Label:
        """The duration in words of both languages."""
        vi, en = _WORDS[self.unit]
        return Label(f"{self.amount} {vi}", f"{self.amount} {en}{'' if self.amount == 1 else 's'}")

    def __str__(self) -> str:
        return self.label.en


@dataclass(frozen=True, slots=True)
class ClosedDays:
    """Days without class, or of a shut office, first and last included, for all of a scope (pupil, class ...)."""

    first: dt.date
    last: dt.date
    reason: str
    scope: str


@dataclass(frozen=True, slots=True)
class Pause:
    """A clock stands still from `start` until just before `end` (times with a zone); `end` None: until somebody
    releases it.
    """

    start: dt.datetime
    end: dt.datetime | None
    reason: str = ""

    def holds(self, moment: dt.datetime) -> bool:
        """Whether the clock stands still at `moment`."""
        return self.start <= moment and (self.end is None or moment < self.end)


@dataclass(frozen=True, slots=True)
class Window:
    """A time of risk from `first` (included) to `end` (excluded).

    A day in it weighs 1/`factor`, so a factor of 0.5 halves a deadline. Where windows overlap, the heaviest one counts.
    """

    first: dt.date
    end: dt.date
    factor: Fraction | float
    name: Label

    def __post_init__(self) -> None:
        if self.factor <= 0:
            raise UnreadableValue(Sentence("The factor of a season must be above 0, for example 0.5."))
        if self.end <= self.first:
            raise UnreadableValue(Sentence("The season must end after it begins."))

    @property
    def weight(self) -> Fraction:
        """Returns the weight of one day in the window, as an exact fraction: a factor of 0.3 is three tenths."""
        return _weight(self.factor)


@lru_cache(maxsize=64)
def _weight(factor: Fraction | float) -> Fraction:
    return 1 / Fraction(str(factor))


@dataclass(frozen=True, slots=True)
class Circumstances:
    """The conditions for the clock of one case: weekdays, closures, seasons, pauses and days of a shut office.

    `weekdays` are the days on which the class is taught (0 = Monday; None: those of the school year). `closures` are
    those that concern the pupil; `shut` are the days on which the office of the place does not work. `windows` are
    ordered from light to heavy: where they overlap, the last one counts.
    Raises UnreadableValue for a class that is taught on no weekday.
    """

    weekdays: frozenset[int] | None = None
    closures: tuple[ClosedDays, ...] = ()
    windows: tuple[Window, ...] = ()
    pauses: tuple[Pause, ...] = ()
    shut: tuple[ClosedDays, ...] = ()

    def __post_init__(self) -> None:
        if self.weekdays is not None and not self.weekdays:
            raise UnreadableValue(Sentence("A class must be taught on at least one weekday."))


@dataclass(frozen=True, slots=True)
class Deadline:
    """When a time is up and why: `at` in UTC, or None while a hold without an end stops the clock.

    `until` is the same moment on the office's wall. `counted` are (day, how much it counted: days, or hours for working
    hours); `skipped` are (day, kind, words), the kinds being weekend, holiday, break, closure, shut, pause; `windows`
    made it earlier; `notes` say what was assumed.
    """

    at: dt.datetime | None
    unit: str
    counted: tuple[tuple[dt.date, float], ...]
    skipped: tuple[tuple[dt.date, str, Label], ...]
    windows: tuple[Window, ...] = ()
    notes: tuple[Label | Sentence, ...] = ()
    until: dt.datetime | None = None

    def words(self) -> tuple[Label | Sentence, ...]:
        """Returns what a season changed; a sentence for each day, or run of days that did not count for one reason, in
        order; then the notes.

        Pages, notices and the command line show the same words.
        """
        lines = [(day, 0, self._counted(day, weight)) for day, weight in self.counted]
        lines += [(first, 1, _not_counted(first, last, why)) for first, last, why in self._runs()]
        days = (sentence for _, _, sentence in sorted(lines, key=lambda line: line[:2]))
        return (*self._shortened(), *days, *self.notes)

    def _shortened(self) -> tuple[Sentence, ...]:
        """Says plainly what a season made of the time."""
        if not self.windows or self.until is None:
            return ()
        found = [self._window(day) for day, _ in self.counted]
        said = {"seasons": list(dict.fromkeys(window.name for window in self.windows)), "until": self.until}
        if all(window and window.weight == 2 for window in found):
            return (Sentence("In the risk season {seasons} the time is half: until {until}.", **said),)
        return (Sentence("Partly in the risk season {seasons}, the time is shorter: until {until}.", **said),)

    def _window(self, day: dt.date) -> Window | None:
        return next((window for window in self.windows if window.first <= day < window.end), None)

    def _runs(self) -> list[tuple[dt.date, dt.date, Label]]:
        runs: list[tuple[dt.date, dt.date, Label]] = []
        for day, _, why in self.skipped:
            if runs and runs[-1][2] == why and runs[-1][1] == day - dt.timedelta(days=1):
                runs[-1] = (runs[-1][0], day, why)
            else:
                runs.append((day, day, why))
        return runs

    def _counted(self, day: dt.date, weight: float) -> Sentence:
        window, amount = self._window(day), f"{weight:g}"
        if self.unit == "working hours":
            if window:
                real = f"{weight / float(window.weight):g}"
                return Sentence(
                    "{day}: {real} hours, counted as {amount} (risk season {season})",
                    day=day,
                    real=real,
                    amount=amount,
                    season=window.name,
                )
            return Sentence("{day}: {amount} hours counted", day=day, amount=amount)
        half, season = weight < float(window.weight if window else 1) - 1e-9, window.name if window else None
        if window is None:
            return Sentence("{day}: half of the day counted", day=day) if half else Sentence("{day}: counted", day=day)
        if half and weight == 1:
            return Sentence("{day}: half a day, counted as a whole one (risk season {season})", day=day, season=season)
        if half:
            words = {"day": day, "amount": amount, "season": season}
            return Sentence("{day}: half a day, counted as {amount} days (risk season {season})", **words)
        return Sentence("{day}: counted as {amount} days (risk season {season})", day=day, amount=amount, season=season)


def _not_counted(first: dt.date, last: dt.date, why: Label) -> Sentence:
    if first == last:
        return Sentence("{day}: not counted, {why}", day=first, why=why)
    return Sentence("{first} to {last}: not counted, {why}", first=first, last=last, why=why)


def parse_weekdays(text: str | Iterable[str]) -> frozenset[int]:
    """Weekdays (0 = Monday) from `"mon tue sat"`, `"mon-sat"`, commas allowed; raises UnreadableValue on
    another word.
    """
    words = text.replace(",", " ").split() if isinstance(text, str) else list(text)
    found: set[int] = set()
    for word in words:
        first, _, last = word.partition("-")
        if first not in WEEKDAYS or (last or first) not in WEEKDAYS:
            sentence = Sentence("{word} is not a weekday; the weekdays are {weekdays}.", word=word, weekdays=WEEKDAYS)
            raise UnreadableValue(sentence)
        found.update(range(WEEKDAYS.index(first), WEEKDAYS.index(last or first) + 1))
    return frozenset(found)
