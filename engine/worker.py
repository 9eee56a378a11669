"""The jobs that run by themselves, and the loop that runs them.

With SQLite one process at a time holds the lease and works; the others stand by and take over when it is gone. With
PostgreSQL every worker works: a sweep takes only cases that no other has taken. Either way the lease row is also the
sign of life that `/healthz` reads, and correctness never hangs on it: two workers at once fire each rule once.
"""

from __future__ import annotations

import datetime as dt
import logging
import os
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass

from engine.clock import Clock
from engine.deliver import deliver
from engine.difficulties import climb_due
from engine.house import House
from engine.import_jobs import work as work_on_imports
from engine.old_messages import forget_daily
from engine.risk_trial import work_on_trials
from engine.store import leases
from engine.sweep import run_due
from engine.vacancies import reroute_daily
from engine.watch import watch_if_due
from engine.watch_asked import watch_asked

log = logging.getLogger("ralop.worker")

LEASE = dt.timedelta(seconds=30)
POLL_S = 2.0  # how long a due moment may wait before it is seen


@dataclass(frozen=True, slots=True)
class Job:
    """Something done again and again: `run(house, now, stop)`; `parts`: on how many workers at a time it may run."""

    name: str
    run: Callable[[House, dt.datetime, Callable[[], bool]], object]
    parts: int = 1


def _sweep(house: House, now: dt.datetime, stop: Callable[[], bool]) -> object:
    return run_due(house, now, stop=stop)


def _deliver(house: House, now: dt.datetime, stop: Callable[[], bool]) -> object:
    return deliver(house, now, stop)


def _watch(house: House, now: dt.datetime, stop: Callable[[], bool]) -> object:
    return watch_asked(house, now, stop), watch_if_due(house, now)


def _trials(house: House, now: dt.datetime, stop: Callable[[], bool]) -> object:
    return work_on_trials(house, now, stop)


def _imports(house: House, now: dt.datetime, stop: Callable[[], bool]) -> object:
    return work_on_imports(house, now, stop)


def _reroute(house: House, now: dt.datetime, stop: Callable[[], bool]) -> object:
    return reroute_daily(house, now, stop)


def _climb(house: House, now: dt.datetime, stop: Callable[[], bool]) -> object:
    return climb_due(house, now, stop)


def _forget(house: House, now: dt.datetime, stop: Callable[[], bool]) -> object:
    return forget_daily(house, now, stop)


Jobs = tuple[Job, ...]
JOBS: Jobs = (
    Job("sweep", _sweep, parts=4),
    Job("deliver", _deliver, parts=2),
    Job("difficulties", _climb),
    Job("watch", _watch),
    Job("imports", _imports, parts=2),
    Job("trials", _trials),
    Job("reroute", _reroute),
    Job("forget", _forget),
)


def identity() -> str:
    """A name for this process among workers on any number of machines."""
    return f"{socket.gethostname()}:{os.getpid()}:{threading.get_ident()}"


class Worker:
    """Runs the jobs until it is stopped; `start` in a thread beside the pages, `run` in a process of its own."""

    def __init__(self, house: House, clock: Clock, *, poll_s: float = POLL_S) -> None:
        self.house, self.clock, self.poll_s = house, clock, poll_s
        self.name = identity()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Run in a thread of this process."""
        self._thread = threading.Thread(target=self.run, name="ralop-worker", daemon=True)
        self._thread.start()

    def stop(self, timeout_s: float = 30) -> None:
        """Finish the batch at hand, let go of the lease, and end."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(timeout_s)

    def run(self) -> None:
        """Work until `stop` is called. A fault of one round is logged and the next round tries again."""
        while not self._stopping.is_set():
            try:
                self.round()
            except Exception:
                log.exception("A round of jobs failed; the next one tries again")
            self._stopping.wait(self.poll_s)
        leases.release(self.house.store, self.name)

    def round(self) -> bool:
        """One round of all jobs; False if another worker holds the lease."""
        if not leases.hold(self.house.store, self.name, LEASE):
            return False
        for job in JOBS:
            job.run(self.house, self.clock.now(), self._stopping.is_set)
        return True
