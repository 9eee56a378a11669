"""Lets a case go on that was held until somebody decides whether it was opened in error."""

from __future__ import annotations

import datetime as dt

from engine.core.cases.casework import Casework
from engine.store.attendance import corrected as stored
from engine.store.session import Session
from engine.usecases.context import Context

UNDECIDED = frozenset({"note", "hold", stored.MARK_ERROR})
"""Acts that do not say that the case goes on."""


def go_on(context: Context, session: Session, work: Casework, act: str, now: dt.datetime) -> None:
    """Lets the clocks of a case go on after an act that decides that it was not opened in error."""
    held = any(end is None and reason == stored.REASON for _, end, reason in work.facts.holds)
    if not held or act in UNDECIDED or not work.facts.is_open:
        return
    ended = stored.release(session, work.facts.id, now)
    work.facts.holds = tuple(
        (start, now if end is None and reason == stored.REASON else end, reason)
        for start, end, reason in work.facts.holds
    )
    work.situation = context.definitions.situation(work.facts, work.situation.surroundings)
    work.resume(ended)
