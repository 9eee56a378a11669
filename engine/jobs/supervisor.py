"""Keeps a worker running: starts another one when it dies, and reports whether one runs."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Protocol

log = logging.getLogger("ralop.worker")

FIRST_S, LONGEST_S = 1.0, 5.0  # due rules fire within 15 s after the database is back: a third of that is waiting
CALM_S = 60.0  # seconds without a fault after which the next fault counts as the first


class Backoff:
    """How long to wait after a fault: twice as long after each one that comes soon after the last."""

    def __init__(self, first_s: float = FIRST_S, longest_s: float = LONGEST_S) -> None:
        self.first_s, self.longest_s = first_s, longest_s
        self._wait_s, self._until = 0.0, 0.0

    def next_s(self, tick: float) -> float:
        """Returns the seconds to wait after a fault at `tick`, on a clock that only goes forward."""
        calm = tick > self._until + CALM_S
        self._wait_s = self.first_s if calm or not self._wait_s else min(2 * self._wait_s, self.longest_s)
        self._until = tick + self._wait_s
        return self._wait_s


class Working(Protocol):
    """A worker: `run` returns when its event is set."""

    def run(self) -> None:
        """Works until the event is set."""
        ...


class Supervisor:
    """Runs a worker, and starts another one when it dies; `start` in a thread of this process, `run` in the caller's.

    Args:
        make: returns a worker that ends when the event is set.
    """

    def __init__(self, make: Callable[[threading.Event], Working]) -> None:
        self._make, self._stopping, self._dead = make, threading.Event(), False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Run in a thread of this process."""
        self._thread = threading.Thread(target=self.run, name="ralop-worker", daemon=True)
        self._thread.start()

    def stop(self, timeout_s: float = 30) -> None:
        """Finishes the present batch, and ends."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(timeout_s)

    def is_alive(self) -> bool:
        """Returns whether a worker runs; False between the death of one and the start of the next."""
        return not self._dead and (self._thread is None or self._thread.is_alive())

    def run(self) -> None:
        """Runs one worker after another until `stop` is called."""
        pause = Backoff()
        while not self._stopping.is_set():
            self._dead = False
            self._run_one()
            if not self._stopping.is_set():
                self._dead = True
                self._stopping.wait(pause.next_s(time.monotonic()))

    def _run_one(self) -> None:
        try:
            self._make(self._stopping).run()
        except BaseException:  # any fault: without a worker no rule fires
            log.critical("The worker died; another one is started", exc_info=True)
        else:
            if not self._stopping.is_set():
                log.critical("The worker ended by itself; another one is started")
