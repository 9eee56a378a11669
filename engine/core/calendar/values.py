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
    """Days without class, first and last included, for all pupils of a scope (pupil, class, site, school ...)."""

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
    """The conditions for the clock of one case: weekdays, closures, seasons and pauses.

    `weekdays` are the days on which the class is taught (0 = Monday; None: those of the school year). `closures` are
    those that concern the pupil. `windows` are ordered from light to heavy: where they overlap, the last one counts.
    Raises UnreadableValue for a class that is taught on no weekday.
    """

    weekdays: frozenset[int] | None = None
    closures: tuple[ClosedDays, ...] = ()
    windows: tuple[Window, ...] = ()
    pauses: tuple[Pause, ...] = ()

    def __post_init__(self) -> None:
        if self.weekdays is not None and not self.weekdays:
            raise UnreadableValue(Sentence("A class must be taught on at least one weekday."))


@dataclass(frozen=True, slots=True)
class Deadline:
    """When a time is up and why: `at` in UTC, or None while a hold without an end stops the clock.

    `counted` are (day, how much it counted: days, or hours for working hours); `skipped` are (day, kind, words), the
    kinds being weekend, holiday, break, closure, pause; `windows` made it earlier; `notes` say what was assumed.
    """

    at: dt.datetime | None
    unit: str
    counted: tuple[tuple[dt.date, float], ...]
    skipped: tuple[tuple[dt.date, str, Label], ...]
    windows: tuple[Window, ...] = ()
    notes: tuple[Label | Sentence, ...] = ()

    def words(self) -> tuple[Label | Sentence, ...]:
        """Returns a sentence for each day, or run of days that did not count for one reason, in order; then the notes.

        Pages, notices and the command line show the same words.
        """
        lines = [(day, 0, self._counted(day, weight)) for day, weight in self.counted]
        lines += [(first, 1, _not_counted(first, last, why)) for first, last, why in self._runs()]
        return (*(sentence for _, _, sentence in sorted(lines, key=lambda line: line[:2])), *self.notes)

    def _runs(self) -> list[tuple[dt.date, dt.date, Label]]:
        runs: list[tuple[dt.date, dt.date, Label]] = []
        for day, _, why in self.skipped:
            if runs and runs[-1][2] == why and runs[-1][1] == day - dt.timedelta(days=1):
                runs[-1] = (runs[-1][0], day, why)
            else:
                runs.append((day, day, why))
        return runs

    def _counted(self, day: dt.date, weight: float) -> Sentence:
        amount = f"{weight:g}"
        season = next((window.name for window in self.windows if window.first <= day < window.end), None)
        if self.unit == "working hours":
            if season:
                return Sentence("{day}: {amount} hours counted, season {season}", day=day, amount=amount, season=season)
            return Sentence("{day}: {amount} hours counted", day=day, amount=amount)
        if season:
            return Sentence("{day}: counted {amount} times, season {season}", day=day, amount=amount, season=season)
        return Sentence("{day}: counted", day=day)


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
