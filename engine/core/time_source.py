"""Where `now` comes from: a page or a job asks a time source once and hands the moment to the core."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Protocol

from engine.core.refusals import Invalid
from engine.core.words import Sentence

# The tables of the moon's calendar end in 2099, and a deadline may lie years ahead of the moment it is counted from.
FIRST_YEAR, LAST_YEAR = 2000, 2089


class TimeSource(Protocol):
    """Anything that tells the moment, as an aware UTC datetime."""

    def now(self) -> dt.datetime:
        """The moment."""
        ...


@dataclass(slots=True)
class Frozen:
    """A clock that stands still until it is told to go on; for tests."""

    moment: dt.datetime

    def now(self) -> dt.datetime:
        return self.moment

    def advance(self, by: dt.timedelta) -> None:
        """Go on by this much."""
        self.moment += by


def is_lived_in(moment: dt.datetime) -> bool:
    """Whether the program works at this moment."""
    return FIRST_YEAR <= moment.year <= LAST_YEAR


def check_moment(moment: dt.datetime) -> None:
    """Raises `Invalid` (now) for a moment to which no clock is set."""
    if not is_lived_in(moment):
        raise Invalid({"now": not_lived_in(moment)})


def not_lived_in(moment: dt.datetime) -> Sentence:
    """Why no clock is set to this moment."""
    text = moment.replace(tzinfo=None).isoformat(timespec="minutes")
    return Sentence(
        "{text} is no moment for this program: it works in the years {first} to {last}.",
        text=text,
        first=FIRST_YEAR,
        last=LAST_YEAR,
    )
