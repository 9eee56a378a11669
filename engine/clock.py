"""Where `now` comes from. The shell asks a clock once a request or round and hands the moment to the core.

The demo and `ralop serve --now` run ahead of the machine: the distance is a setting in the database, so that pages and
workers in several processes live at the same moment.
"""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import dataclass
from typing import Protocol

from engine.store.session import Store, now_utc
from engine.store.settings import get_setting, put_setting

SETTING = "clock"
KEPT_S = 1.0  # how long the distance is believed before the database is asked again


class Clock(Protocol):
    """Anything that tells the moment, as an aware UTC datetime."""

    def now(self) -> dt.datetime:
        """The moment."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> dt.datetime:
        return now_utc()


@dataclass(slots=True)
class Frozen:
    """A clock that stands still until it is told to go on; for tests."""

    moment: dt.datetime

    def now(self) -> dt.datetime:
        return self.moment

    def advance(self, by: dt.timedelta) -> None:
        """Go on by this much."""
        self.moment += by


class ShiftedClock:
    """The machine's clock and the distance that the database says, asked at most once a second."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._kept: tuple[float, dt.timedelta] | None = None

    def now(self) -> dt.datetime:
        return now_utc() + self.offset

    def forget(self) -> None:
        """Ask the database at the next look: somebody has just set the clock."""
        self._kept = None

    @property
    def offset(self) -> dt.timedelta:
        """How far this clock is ahead of the machine's; zero where nobody set it."""
        tick, kept = time.monotonic(), self._kept
        if kept is None or tick - kept[0] > KEPT_S:
            with self._store.reading("clock") as session:
                seconds = get_setting(session, SETTING).get("offset_seconds", 0)
            kept = self._kept = (tick, dt.timedelta(seconds=seconds))
        return kept[1]


def set_clock(store: Store, now: dt.datetime | None) -> None:
    """Let every `ShiftedClock` on this database tell `now` (aware) from here on; None: the machine's own time."""
    ahead = now - now_utc() if now else dt.timedelta()
    with store.writing("clock") as session:
        put_setting(session, SETTING, {"offset_seconds": round(ahead.total_seconds())})
