"""The sweep: fires the rules on the cases that are due, and reads only those.

Each batch is one transaction: it takes due cases (in PostgreSQL those that no other worker has taken), decides, and
stores states, events, firings and notices together. If the worker is killed in the middle, nothing of the batch is
stored, and the next sweep takes it again. However late it runs, each rule fires once.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from engine.store.cases import writer
from engine.store.cases.surroundings import anything_due, caseworks_of, due_cases
from engine.usecases.context import Context

BATCH = 1_000  # cases; half a second of work, which a kill may lose


@dataclass(slots=True)
class Swept:
    """The results of a sweep: cases looked at, rules fired."""

    looked: int = 0
    fired: int = 0


def run_due(
    context: Context, now: dt.datetime, *, batch: int = BATCH, stop: Callable[[], bool] = lambda: False
) -> Swept:
    """Sweeps every case that is due by `now`, in batches; between batches `stop` says whether to end."""
    swept = Swept()
    while not stop():
        looked = _sweep_batch(context, now, batch, swept)
        if looked < batch:
            break
    return swept


def _sweep_batch(context: Context, now: dt.datetime, batch: int, swept: Swept) -> int:
    if not _anything_due(context, now):
        return 0
    with context.store.writing("sweep") as session:
        found = due_cases(session, now, batch)
        if not found:
            return 0
        works = caseworks_of(session, context.definitions, found, now)
        for work in works:
            work.escalate()
        writer.store(session, works)
    swept.looked += len(found)
    swept.fired += sum(1 for work in works for entry in work.entries if entry.firing)
    return len(found)


def _anything_due(context: Context, now: dt.datetime) -> bool:
    """Asks in a reading transaction, so that an idle sweep blocks nobody."""
    with context.store.reading("sweep") as session:
        return anything_due(session, now)
