"""The clock of the machine, and how far this installation is ahead of it.

The demo and `ralop serve --now` are ahead of the machine. The difference is a setting in the database, so that pages
and workers in several processes have the same time.
"""

from __future__ import annotations

import datetime as dt
import time
from typing import Any

from engine.core.time_source import is_lived_in
from engine.store.ops.settings import get_setting, put_setting
from engine.store.session import Session, Store, now_utc

SETTING = "clock"
KEPT_S = 1.0  # seconds before the database is asked for the difference again


class ShiftedClock:
    """The clock of the machine plus the difference in the database, read at most once a second."""

    def __init__(self, store: Store, kept_s: float = KEPT_S) -> None:
        self._store, self._kept_s = store, kept_s
        self._kept: tuple[float, dt.timedelta] | None = None

    def now(self) -> dt.datetime:
        return now_utc() + self.offset

    def forget(self) -> None:
        """Asks the database at the next call, because somebody has just set the clock."""
        self._kept = None

    @property
    def offset(self) -> dt.timedelta:
        """Returns how far this clock is ahead of the machine's; zero if nobody set it."""
        tick, kept = time.monotonic(), self._kept
        if kept is None or tick - kept[0] > self._kept_s:
            with self._store.reading("clock") as session:
                seconds = get_setting(session, SETTING).get("offset_seconds", 0)
            kept = self._kept = (tick, _distance(seconds, now_utc()))
        return kept[1]


def _distance(seconds: Any, machine: dt.datetime) -> dt.timedelta:
    """Returns the stored difference; none if it leads outside the years in which the program works."""
    try:
        distance = dt.timedelta(seconds=seconds)
        return distance if is_lived_in(machine + distance) else dt.timedelta()
    except (OverflowError, TypeError, ValueError):
        return dt.timedelta()


def put_distance(session: Session, ahead: dt.timedelta) -> None:
    """Let this installation live so far ahead of the machine."""
    put_setting(session, SETTING, {"offset_seconds": round(ahead.total_seconds())})


def leads_nowhere(session: Session) -> bool:
    """Whether the distance that was kept leads to a moment in which nothing works."""
    kept = get_setting(session, SETTING).get("offset_seconds", 0)
    return bool(kept) and _distance(kept, now_utc()) == dt.timedelta()
