"""Proves what is stored, and makes checkpoints: once a day by the worker, and when somebody asks for the head."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator

from engine.core.proof.clocks import wrong_clock
from engine.core.proof.merkle import Head
from engine.core.words import Sentence
from engine.store.cases import batches
from engine.store.cases.surroundings import SurroundingsReader
from engine.store.cases.verify import as_of_one_moment
from engine.store.ops.settings import get_setting, put_setting
from engine.store.proof import checkpoints
from engine.usecases.context import Context

SETTING = "checkpoint"  # name of the setting with the last day on which the worker made one


def checkpoint(context: Context, now: dt.datetime) -> Head | None:
    """Makes a checkpoint of all that was added since the last one; returns the newest head, None if there is none."""
    return checkpoints.make(context.store, now)


def checkpoint_daily(context: Context, now: dt.datetime, stop: Callable[[], bool] = lambda: False) -> Head | None:
    """Makes a checkpoint, once each day."""
    today = {"day": context.definitions.calendar("").local(now).date().isoformat()}
    with context.store.reading("was there a checkpoint today") as session:
        if get_setting(session, SETTING) == today:
            return None
    if stop():
        return None
    made = checkpoint(context, now)
    with context.store.writing("there was a checkpoint today") as session:
        put_setting(session, SETTING, today)
    return made


def wrong_clocks(context: Context, now: dt.datetime) -> Iterator[Sentence]:
    """Yields a sentence for each open case whose deadline is not the one that is counted anew."""
    with context.store.reading("verify deadlines") as session:
        as_of_one_moment(session.connection())
        for found in batches.open_cases(session, lock=False):
            reader = SurroundingsReader(session, context.definitions, now)
            reader.fetch(found)
            wrong = (wrong_clock(facts, reader.situation(facts), now) for facts in found)
            yield from filter(None, wrong)
