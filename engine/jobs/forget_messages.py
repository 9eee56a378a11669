"""Deletes old messages: after some time, what was sent to whom is personal data without a purpose.

It runs once a day, in small transactions, so that nobody waits. The notice itself stays on its case; only the record of
its delivery goes (Luật 91/2025/QH15 Art. 14: data are deleted when the purpose has ended).
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable

from engine.store.notices import deliveries as stored
from engine.store.ops.settings import get_setting, put_setting
from engine.usecases.context import Context

log = logging.getLogger("ralop.old_messages")

SETTING = stored.FORGOTTEN  # {"day": "2026-03-09", "count": 1200, "before": "2025-02-02"}: the last time
BATCH = 1_000


def forget_daily(
    context: Context, now: dt.datetime, stop: Callable[[], bool] = lambda: False, *, batch: int = BATCH
) -> int:
    """Once a day: forget messages that were sent or given up more than `keep_days` ago; returns how many.

    If it is stopped, it goes on at the next call.
    """
    today = context.definitions.calendar("").local(now).date()
    with context.store.reading("which messages are old") as session:
        if get_setting(session, SETTING).get("day") == today.isoformat():
            return 0
    before = now - dt.timedelta(days=context.outbox.keep_days)
    count = sum(_forget(context, state, before, stop, batch) for state in stored.OVER)
    if not stop():
        with context.store.writing("messages were forgotten") as session:
            done = {"day": today.isoformat(), "count": count, "before": before.date().isoformat()}
            put_setting(session, SETTING, done)
        log.info("Old messages are forgotten", extra={"count": count})
    return count


def _forget(context: Context, state: str, before: dt.datetime, stop: Callable[[], bool], batch: int) -> int:
    count = 0
    while not stop():
        with context.store.writing("forget old messages") as session:
            ids = stored.oldest(session, state, before, batch)
            stored.delete(session, ids)
        count += len(ids)
        if len(ids) < batch:
            break
    return count
