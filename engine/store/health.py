"""Whether the database answers and a worker is at work."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy.exc import SQLAlchemyError

from engine.store.leases import last_seen
from engine.store.session import Store, now_utc


@dataclass(frozen=True, slots=True)
class Health:
    """`worker_silent`: how long since a worker was seen, in real time; None if none was, or nobody can tell."""

    database: bool
    worker_silent: dt.timedelta | None


def look(store: Store) -> Health:
    """How this installation is, now."""
    try:
        seen = last_seen(store)
    except SQLAlchemyError:
        return Health(database=False, worker_silent=None)
    return Health(database=True, worker_silent=None if seen is None else now_utc() - seen)
