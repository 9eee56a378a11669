"""Checks whether the database takes entries and a worker is running."""

from __future__ import annotations

import datetime as dt
import threading
import time
from dataclasses import dataclass

from sqlalchemy.exc import SQLAlchemyError

from engine.store.database.failures import word_for
from engine.store.ops.leases import last_seen
from engine.store.session import Store, now_utc

OK = "ok"
KEPT_S = 1.0  # seconds that a check stays valid: each one writes to the database, and anybody may ask
SILENT = dt.timedelta(seconds=60)  # a worker that was not seen for so long is not running


@dataclass(frozen=True, slots=True)
class Health:
    """The health of the installation.

    `database` is "ok", or says in a word what is wrong. `worker_silent` is the real time since a worker was seen; None
    if none was, or if it is unknown.
    """

    database: str
    worker_silent: dt.timedelta | None

    @property
    def working(self) -> bool:
        """Returns whether a worker was seen lately."""
        return self.worker_silent is not None and self.worker_silent <= SILENT


def look(store: Store) -> Health:
    """Checks this installation now; writes to its database."""
    try:
        store.beat()
        state = OK
    except SQLAlchemyError as error:
        state = word_for(error) or "failing"
    try:
        seen = last_seen(store)
    except SQLAlchemyError as error:
        return Health(word_for(error) or "failing" if state == OK else state, None)
    return Health(state, None if seen is None else now_utc() - seen)


class Looks:
    """The last check of an installation, for everybody who asks within a second or while the next check runs."""

    def __init__(self) -> None:
        self._lock, self._at, self._found = threading.Lock(), 0.0, Health("unreachable", None)

    def look(self, store: Store) -> Health:
        """Returns the health of the installation."""
        if self._lock.acquire(blocking=not self._at):
            try:
                if not self._at or time.monotonic() - self._at > KEPT_S:
                    self._found, self._at = look(store), time.monotonic()
            finally:
                self._lock.release()
        return self._found
