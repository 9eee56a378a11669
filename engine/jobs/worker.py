"""The jobs that run by themselves, and the loop that runs them.

With SQLite one process at a time holds the lease and works; the others stand by and take over when it is gone. With
PostgreSQL every worker works: a sweep takes only cases that no other has taken. Either way the lease row is also the
sign of life that `/healthz` reads, and correctness never hangs on it: two workers at once fire each rule once.
"""

from __future__ import annotations

import datetime as dt
import logging
import math
import os
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from engine.core.time_source import TimeSource
from engine.jobs.deliver import deliver
from engine.jobs.forget_messages import forget_daily
from engine.jobs.risk_trial import work_on_trials
from engine.jobs.risk_watch import watch_if_due
from engine.jobs.risk_watch_asked import watch_asked
from engine.jobs.supervisor import Backoff
from engine.jobs.sweep import run_due
from engine.store.database.failures import LOST, word_for
from engine.store.ops import leases
from engine.store.session import Store
from engine.usecases.attendance.import_jobs import work as work_on_imports
from engine.usecases.cases.difficulties import climb_due
from engine.usecases.context import Context
from engine.usecases.people.vacancies import reroute_daily

log = logging.getLogger("ralop.worker")

LEASE = dt.timedelta(seconds=30)
POLL_S = 2.0  # how long a due moment may wait before it is seen


@dataclass(frozen=True, slots=True)
class Job:
    """Something done again and again: `run(house, now, stop)`; `parts`: on how many workers at a time it may run."""

    name: str
    run: Callable[[Context, dt.datetime, Callable[[], bool]], object]
    parts: int = 1


def _sweep(context: Context, now: dt.datetime, stop: Callable[[], bool]) -> object:
    return run_due(context, now, stop=stop)


def _deliver(context: Context, now: dt.datetime, stop: Callable[[], bool]) -> object:
    return deliver(context, now, stop)


def _watch(context: Context, now: dt.datetime, stop: Callable[[], bool]) -> object:
    return watch_asked(context, now, stop), watch_if_due(context, now)


def _trials(context: Context, now: dt.datetime, stop: Callable[[], bool]) -> object:
    return work_on_trials(context, now, stop)


def _imports(context: Context, now: dt.datetime, stop: Callable[[], bool]) -> object:
    return work_on_imports(context, now, stop)


def _reroute(context: Context, now: dt.datetime, stop: Callable[[], bool]) -> object:
    return reroute_daily(context, now, stop)


def _climb(context: Context, now: dt.datetime, stop: Callable[[], bool]) -> object:
    return climb_due(context, now, stop)


def _forget(context: Context, now: dt.datetime, stop: Callable[[], bool]) -> object:
    return forget_daily(context, now, stop)


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


class Outage:
    """What a worker says of its faults: each as it comes, and that it is over."""

    def __init__(self) -> None:
        self._since: float | None = None
        self._pause = Backoff()

    def wait_s(self, error: Exception, tick: float) -> float:
        """Say that the worker failed at `tick`; how long it is to wait before it tries again."""
        wait_s = self._pause.next_s(tick)
        if self._since is None:
            self._since = tick
        if word := word_for(error):
            log.error("The database is %s: no rule fires. The worker tries again in %.0f s", word, wait_s)
        else:
            log.error("The worker failed; it tries again in %.0f s", wait_s, exc_info=error)
        return wait_s

    def over(self, tick: float) -> None:
        """Say that it works again, if it did not."""
        if self._since is not None:
            log.warning("The worker is at work again after %.0f s", tick - self._since)
            self._since = None


def let_go(store: Store, name: str) -> None:
    """Release the lease, if there is a database to release it in; else it runs out by itself."""
    try:
        leases.release(store, name)
    except LOST:
        log.warning("The lease could not be released; it runs out by itself")


class Worker:
    """Runs the jobs until the event is set; made by `engine.jobs.procrastinate_queue.worker_for`."""

    def __init__(
        self,
        context: Context,
        clock: TimeSource,
        stopping: threading.Event,
        *,
        jobs: Jobs = JOBS,
        poll_s: float = POLL_S,
        lease: dt.timedelta = LEASE,
    ) -> None:
        self.context, self.clock, self.jobs, self.poll_s, self.lease = context, clock, jobs, poll_s, lease
        self.name = identity()
        self._stopping, self._outage, self._held_at = stopping, Outage(), -math.inf

    def run(self) -> None:
        """Work until told to end. After a fault of one round the next one tries again, a little later each time."""
        while not self._stopping.is_set():
            self._stopping.wait(self._attempt())
        let_go(self.context.store, self.name)

    def _attempt(self) -> float:
        """A round; how long to wait after it."""
        try:
            self.round()
        except Exception as error:  # noqa: BLE001 - the outage says it
            self._held_at = -math.inf
            return self._outage.wait_s(error, time.monotonic())
        self._outage.over(time.monotonic())
        return self.poll_s

    def round(self) -> bool:
        """One round of all jobs; False if another worker holds the lease. A job that fails is in no other's way."""
        if not self._holds():
            return False
        for job in self.jobs:
            try:
                job.run(self.context, self.clock.now(), self._to_end)
            except Exception as error:
                if word_for(error):
                    raise
                log.exception("The job %s failed; the next round tries it again", job.name)
        return True

    def _holds(self) -> bool:
        held = leases.hold(self.context.store, self.name, self.lease)
        self._held_at = time.monotonic() if held else -math.inf
        return held

    def _to_end(self) -> bool:
        """Asked between batches: a job that takes long keeps the lease, so that nobody takes it for dead."""
        if self._stopping.is_set():
            return True
        return time.monotonic() - self._held_at > self.lease.total_seconds() / 3 and not self._holds()
