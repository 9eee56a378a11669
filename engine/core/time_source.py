"""Gives `now`: a page or a job asks a time source once and passes the moment to the core."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Protocol

from engine.core.refusals import Invalid
from engine.core.words import Sentence

# The lunar calendar of the program ends in 2099, and a deadline may lie years after the moment it counts from.
FIRST_YEAR, LAST_YEAR = 2000, 2089


class TimeSource(Protocol):
    """Anything that tells the moment, as an aware UTC datetime."""

    def now(self) -> dt.datetime:
        """The moment."""
        ...


@dataclass(slots=True)
class Frozen:
    """A clock that stands still until it is told to go on, for tests."""

    moment: dt.datetime

    def now(self) -> dt.datetime:
        return self.moment

    def advance(self, by: dt.timedelta) -> None:
        """Moves the clock on by this much."""
        self.moment += by


def is_lived_in(moment: dt.datetime) -> bool:
    """Returns whether the program works at this moment."""
    return FIRST_YEAR <= moment.year <= LAST_YEAR


def check_moment(moment: dt.datetime) -> None:
    """Raises `Invalid` (now) for a moment outside the years in which the program works."""
    if not is_lived_in(moment):
        raise Invalid({"now": not_lived_in(moment)})


def not_lived_in(moment: dt.datetime) -> Sentence:
    """Says why a clock cannot be set to this moment."""
    text = moment.replace(tzinfo=None).isoformat(timespec="minutes")
    return Sentence(
        "{text} is no moment for this program: it works in the years {first} to {last}.",
        text=text,
        first=FIRST_YEAR,
        last=LAST_YEAR,
    )
