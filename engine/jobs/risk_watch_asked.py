"""Watches registers that have just come in: the marks ask for it, the worker does it at once.

A roll call or a piece of an import notes in its own transaction which classes have new marks of which days. The worker
watches their pupils, and only then deletes the note. If it is killed in between, it does the work again, which doubles
nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from engine.jobs.risk_watch import watch
from engine.store.attendance import watch_asked as stored
from engine.usecases.context import Context

AT_ONCE = 200  # classes


def watch_asked(context: Context, now: dt.datetime, stop: Callable[[], bool] = lambda: False) -> int:
    """Watches what was asked for, the oldest day first; returns the number of registers.

    For a past day it looks only at pupils who were not present since: nobody needs to visit one who is back.
    """
    seen = 0
    while not stop():
        with context.store.reading("what the watch is asked for") as session:
            asked = stored.asked(session, AT_ONCE)
            if not asked:
                break
            day = asked[0].day
            pupils = stored.not_seen_since(session, [one.class_id for one in asked], day)
        watch(context, day, now, pupil_ids=pupils)
        with context.store.writing("what the watch was asked for is done") as session:
            stored.answered(session, asked)
        seen += len(asked)
    return seen
