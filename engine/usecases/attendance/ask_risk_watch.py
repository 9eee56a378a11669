"""Have the registers that have just come in watched: asked for with the marks themselves, done by the worker at
once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from engine.store.attendance import watch_asked as stored
from engine.store.session import Session

BACK = dt.timedelta(days=31)  # registers of older days are history: nobody goes out because of them any more


def ask(session: Session, registers: Iterable[tuple[int, dt.date]], today: dt.date) -> None:
    """Have the registers of some classes and days watched; those of days long gone or still to come are left out."""
    stored.ask(session, {(class_id, day) for class_id, day in registers if today - BACK <= day <= today})
