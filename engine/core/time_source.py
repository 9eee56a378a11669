"""Where `now` comes from: a page or a job asks a time source once and hands the moment to the core."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Protocol

SETTING = "clock"
# The tables of the moon's calendar end in 2099, and a deadline may lie years ahead of the moment it is counted from.
FIRST_YEAR, LAST_YEAR = 2000, 2089
KEPT_S = 1.0  # how long the distance is believed before the database is asked again


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
