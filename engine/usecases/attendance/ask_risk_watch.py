"""Asks the risk watch to look at registers that have just come in; the worker does it at once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from engine.store.attendance import watch_asked as stored
from engine.store.session import Session

BACK = dt.timedelta(days=31)  # older registers are history: nobody visits a pupil because of them


def ask(session: Session, registers: Iterable[tuple[int, dt.date]], today: dt.date) -> None:
    """Asks for a watch of the registers of some classes and days, without days long past or in the future."""
    stored.ask(session, {(class_id, day) for class_id, day in registers if today - BACK <= day <= today})
