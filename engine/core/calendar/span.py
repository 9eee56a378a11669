"""The years for which the program knows the days of Tết."""

from __future__ import annotations

import datetime as dt

from engine.core.words import Sentence

FIRST_YEAR, LAST_YEAR = 1901, 2099


def is_known(day: dt.date) -> bool:
    """Whether the day lies in these years."""
    return FIRST_YEAR <= day.year <= LAST_YEAR


def outside(text: str | dt.date) -> Sentence:
    """Says that a day or month lies outside these years."""
    return Sentence(
        "{text} lies outside the calendar: it covers the years {first} to {last}.",
        text=text,
        first=FIRST_YEAR,
        last=LAST_YEAR,
    )
