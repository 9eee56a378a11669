"""Whether the database takes entries and a worker is at work."""

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
KEPT_S = 1.0  # how long a look is believed: each writes to the database, and anybody may ask
SILENT = dt.timedelta(seconds=60)  # a worker that was not seen for so long is not at work


@dataclass(frozen=True, slots=True)
class Health:
    """`database`: "ok", or in a word what is the matter; `worker_silent`: how long since a worker was seen, in real
    time; None if none was, or nobody can tell."""

    database: str
    worker_silent: dt.timedelta | None

    @property
    def working(self) -> bool:
        """Whether a worker was seen lately."""
        return self.worker_silent is not None and self.worker_silent <= SILENT


def look(store: Store) -> Health:
    """How this installation is, now: something is written to it."""
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
    """The last look at an installation, for all who ask within a second, or while the next one takes its time."""

    def __init__(self) -> None:
        self._lock, self._at, self._found = threading.Lock(), 0.0, Health("unreachable", None)

    def look(self, store: Store) -> Health:
        """How the installation is."""
        if self._lock.acquire(blocking=not self._at):
            try:
                if not self._at or time.monotonic() - self._at > KEPT_S:
                    self._found, self._at = look(store), time.monotonic()
            finally:
                self._lock.release()
        return self._found
