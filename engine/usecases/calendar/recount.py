"""Counts the open deadlines again after a calendar file has changed.

A calendar is read when a process starts. What the deadlines in the database were last counted with is kept as a digest
of the files; a process with other files goes through all open cases once, in batches, each one transaction. So it can
be stopped at any moment and goes on where it was. A process that still has earlier files than those that were kept last
does nothing: two processes never count against each other. What has fired stays fired, as with a closure.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from engine.core.cases.casework import SYSTEM, Actor, Casework
from engine.core.cases.definitions import Definitions
from engine.core.toml_reader import digest_of
from engine.store.cases import difficulties, writer
from engine.store.cases.batches import open_after
from engine.store.cases.difficulties import DifficultyRow
from engine.store.cases.surroundings import SurroundingsReader
from engine.store.ops import definition_texts
from engine.store.ops.settings import get_setting, put_setting
from engine.store.session import Session
from engine.usecases.cases.difficulties import answer_by
from engine.usecases.context import Context

BATCH = 500
COUNTED = "deadlines_counted"  # the setting: with which files, and how far a recount has come
PROGRAM = 2  # raised when the program itself counts otherwise than before; 2: half days, and no seasons on repetitions
BECAUSE = {"because": "calendar"}


@dataclass(frozen=True, slots=True)
class Recounted:
    """How far a recount has come: open cases looked at, and how many deadlines of theirs moved; `done`: to the end."""

    looked: int = 0
    moved: int = 0
    done: bool = False


def recount_changed(context: Context, now: dt.datetime, stop: Callable[[], bool] = lambda: False) -> Recounted | None:
    """Counts again if the files are others than at the last count; None if they are the same."""
    files = files_of(context.definitions)
    with context.store.reading("were the deadlines counted with these files") as session:
        if get_setting(session, COUNTED).get("with") == files or _outdated(session, context.definitions):
            return None
    return recount_deadlines(context, now, stop=stop)


def recount_deadlines(
    context: Context,
    now: dt.datetime,
    *,
    stop: Callable[[], bool] = lambda: False,
    progress: Callable[[Recounted], object] = lambda _recounted: None,
    batch: int = BATCH,
) -> Recounted:
    """Counts the deadlines of all open cases and difficulties again, from where an earlier count was stopped.

    Args:
        context: its definitions say how time counts now.
        now: the moment of the recount.
        stop: asked between batches; True ends it, and the next call goes on from there.
        progress: called after each batch.
        batch: cases in one transaction.
    """
    counted = Recounted()
    while not counted.done and not stop():
        counted = _batch(context, now, batch)
        progress(counted)
    return counted


def files_of(definitions: Definitions) -> str:
    """Returns the digest of everything that says how time counts beside the rules."""
    found = sorted({digest for calendar in definitions.calendars.values() for _, digest in calendar.files})
    return digest_of("\n".join((str(PROGRAM), *found)))


def _outdated(session: Session, definitions: Definitions) -> bool:
    """Returns whether another process has already kept a newer text of one of the calendars."""
    newest = definition_texts.newest(session, "calendar")
    files = {file for calendar in definitions.calendars.values() for file in calendar.files}
    return any(newest.get(name, digest) != digest for name, digest in files)


def _batch(context: Context, now: dt.datetime, limit: int) -> Recounted:
    files = files_of(context.definitions)
    with context.store.writing("count deadlines again") as session:
        state = dict(get_setting(session, COUNTED))
        begun: dict[str, Any] = state.get("begun") or {}
        if begun.get("with") != files:
            begun = {"with": files, "after": 0, "looked": 0, "moved": 0}
        found = open_after(session, begun["after"], limit)
        works = SurroundingsReader(session, context.definitions, now).caseworks(found)
        waiting = difficulties.waiting_in(session, [facts.id for facts in found])
        moved = sum(_recount(session, work, waiting.get(work.facts.id, ())) for work in works)
        writer.store(session, works)
        counted = Recounted(begun["looked"] + len(found), begun["moved"] + moved, len(found) < limit)
        state["begun"] = {
            "with": files,
            "after": found[-1].id if found else begun["after"],
            "looked": counted.looked,
            "moved": counted.moved,
        }
        if counted.done:
            state = {"with": files}
        put_setting(session, COUNTED, state)
    return counted


def _recount(session: Session, work: Casework, waiting: Iterable[tuple[DifficultyRow, dt.datetime]]) -> int:
    """Counts the deadline of a case and of its difficulties again; returns how many moved."""
    actor = Actor(None, SYSTEM)
    moved = int(work.recount("recounted", actor, BECAUSE))
    for it, asked_at in waiting:
        due = answer_by(work, asked_at)
        if it.due_at is None or due == it.due_at:
            continue
        difficulties.put_off(session, it, due)
        data = {"difficulty": it.seq, "due_before": it.due_at.isoformat(), "due": due.isoformat()}
        work.write("recounted", actor, {}, data={**BECAUSE, **data})
        moved += 1
    return moved
