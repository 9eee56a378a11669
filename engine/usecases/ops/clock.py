"""The clock of an installation is set: the demo and `ralop serve --now` live ahead of the machine."""

from __future__ import annotations

import datetime as dt

from engine.core.time_source import check_moment
from engine.store.ops import time_source
from engine.store.session import Store, now_utc


def set_clock(store: Store, now: dt.datetime | None) -> None:
    """Let every `ShiftedClock` on this database tell `now` (aware) from here on; None: the machine's own time.

    Raises `Invalid` for a moment outside the years in which the program works; the clock stays as it was.
    """
    if now:
        check_moment(now)
    ahead = now - now_utc() if now else dt.timedelta()
    with store.writing("clock") as session:
        time_source.put_distance(session, ahead)


def mend_clock(store: Store) -> bool:
    """Forget a distance that leads to a moment in which nothing works; whether there was one.

    An earlier version let the clock be set to any moment, and could not start there to set it again.
    """
    with store.reading("clock") as session:
        wrong = time_source.leads_nowhere(session)
    if wrong:
        set_clock(store, None)
    return wrong
