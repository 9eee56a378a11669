"""Reads seasons of risk as people name them: each year from one anchor to another, "tet + 0 days" to "tet + 14
days".
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from engine.core.calendar.days import DAY, Calendar, holidays_of
from engine.core.calendar.values import UnreadableValue, Window
from engine.core.words import Label, Sentence

TET = "Lunar New Year"  # the first day of Tết in the `holidays` package; ICU's Chinese calendar is a day late in 2027
LONGEST = 366  # days; a season is never longer than a year

_ANCHOR = re.compile(r"(?P<base>\S.*?)(?: (?P<sign>[+-]) (?P<days>\d{1,3}) days?)?")
_DAY = re.compile(r"(?:(\d{4})-)?(\d\d)-(\d\d)")


@dataclass(frozen=True, slots=True)
class Anchor:
    """A day that comes once a year, or only once.

    `kind` is tet, break_end, school_year, gathering, day or holiday; `days` are added to it.
    """

    kind: str
    value: str
    days: int
    text: str

    @classmethod
    def parse(cls, text: str) -> Anchor:
        """Reads one of `tet`, `break_end`, `school_year`, `gathering`, `2026-10-01`, `10-01`, `holiday:NAME`,
        `holiday:09-02`, and `+ n days`.

        Raises Unreadable on anything else.
        """
        found = _ANCHOR.fullmatch(" ".join(text.split()))
        base = found["base"] if found else ""
        days = int(found["sign"] + found["days"]) if found and found["days"] else 0
        if base in ("tet", "break_end", "school_year", "gathering"):
            return cls(base, "", days, text)
        kind, _, value = base.rpartition(":")
        value = value.strip()
        if (kind == "holiday" and value and (not _DAY.match(value) or _is_day(value))) or (not kind and _is_day(value)):
            return cls("day" if _is_day(value) else "holiday", value, days, text)
        raise UnreadableValue(
            Sentence(
                "{text} is not a day of the year; write for example tet + 14 days, break_end + 21 days, "
                "school_year + 0 days, gathering + 0 days, 10-01, 2026-10-01, holiday:09-02 - 3 days.",
                text=text,
            )
        )

    def in_year(self, calendar: Calendar, year: int) -> dt.date | None:
        """Returns the day of the anchor in a year, without its added days; None if it has none in that year."""
        match self.kind:
            case "tet":
                found = holiday_named(TET, "VN", year)
            case "break_end":
                found = back_after_tet(calendar, year)
            case "school_year":
                found = calendar.school_year_start(year)
            case "gathering":
                found = calendar.gathering(year)
            case "holiday":
                found = holiday_named(self.value, calendar.holidays, year)
            case _:
                found = self._day_in(year)
        return found

    def _day_in(self, year: int) -> dt.date | None:
        once, month_day = self.value[:-5].rstrip("-"), self.value[-5:]
        if once and int(once) != year:
            return None
        return dt.date.fromisoformat(f"{year:04}-{month_day if _is_day(f'{year:04}-{month_day}') else '02-28'}")


def _is_day(text: str) -> bool:
    found = _DAY.fullmatch(text)
    try:
        return bool(found and dt.date(int(found[1] or 2000), int(found[2]), int(found[3])))
    except ValueError:
        return False


def holiday_named(name: str, country: str | None, year: int) -> dt.date | None:
    """Returns the first day of the public holiday with that name, in Vietnamese or English; None if there is none."""
    known = holidays_of(country, year) if country else {}
    wanted = _folded(name)
    return min((day for day, label in known.items() if wanted in (_folded(label.vi), _folded(label.en))), default=None)


def back_after_tet(calendar: Calendar, year: int) -> dt.date | None:
    """Returns the day after the pupils' break of Tết: that of the file, else after the public holiday and its weekend.

    A school year that nobody has stated has no break either, so its public holidays are taken.
    """
    tet = holiday_named(TET, "VN", year)
    if tet is None:
        return None
    stated = [off.last for off in calendar.off if off.kind == "break" and off.first <= tet <= off.last]
    day = max(stated) + DAY if stated else tet
    known = holidays_of("VN", year)
    while not stated and (day in known or day.weekday() >= 5):
        day += DAY
    return day


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold()


def windows(
    between: tuple[str, str], factor: Fraction | float, name: Label, calendar: Calendar, years: Iterable[int]
) -> tuple[Window, ...]:
    """Returns the windows of a season that begin in `years`: from the first anchor to just before the next second one.

    Args:
        between: two anchors; the end is EXCLUSIVE ("tet + 14 days" is the first day after the window).
        factor: what a deadline shrinks to; 0.5 halves it.
        name: the season's words.
        calendar: where school years and holidays come from.
        years: the years in which a window's first anchor may lie.

    Raises:
        Unreadable: if an anchor cannot be read, names a holiday that none of the years has, or the end is not after the
            beginning.
    """
    first, end = map(Anchor.parse, between)
    if (first.kind, first.value) == (end.kind, end.value) and end.days <= first.days:
        raise UnreadableValue(Sentence("The season must end after it begins."))
    years = sorted(set(years))
    beginnings = _days(first, calendar, years)
    ends = _days(end, calendar, range(years[0] - 1, years[-1] + 3)) if years else []
    found = [(begun, min((day for day in ends if day > begun), default=None)) for begun in beginnings]
    return tuple(Window(begun, day, factor, name) for begun, day in found if day and (day - begun).days <= LONGEST)


def _days(anchor: Anchor, calendar: Calendar, years: Iterable[int]) -> list[dt.date]:
    found = [day + DAY * anchor.days for year in years if (day := anchor.in_year(calendar, year))]
    if not found and anchor.kind == "holiday":
        raise UnreadableValue(Sentence("There is no public holiday named {name}.", name=anchor.value))
    return found
