"""The jobs of the worker, and the loop that runs them.

With SQLite one process at a time holds the lease and works; the others wait and take over when it is gone. With
PostgreSQL every worker works: a sweep takes only cases that no other has taken. In both cases the lease row is also the
sign of life that `/healthz` reads. Correctness does not depend on it: two workers at once still fire each rule once.
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
from engine.usecases.ops.proof import checkpoint_daily
from engine.usecases.people.vacancies import reroute_daily

log = logging.getLogger("ralop.worker")

LEASE = dt.timedelta(seconds=30)
POLL_S = 2.0  # seconds until a due moment is seen, at most


@dataclass(frozen=True, slots=True)
class Job:
    """A repeated job: `run(context, now, stop)`; `parts`: on how many workers it may run at a time."""

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


def _checkpoint(context: Context, now: dt.datetime, stop: Callable[[], bool]) -> object:
    return checkpoint_daily(context, now, stop)


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
    Job("checkpoint", _checkpoint),
)


def identity() -> str:
    """Returns a name for this process, unique among workers on all machines."""
    return f"{socket.gethostname()}:{os.getpid()}:{threading.get_ident()}"


class Outage:
    """Logs the faults of a worker: each one, and their end."""

    def __init__(self) -> None:
        self._since: float | None = None
        self._pause = Backoff()

    def wait_s(self, error: Exception, tick: float) -> float:
        """Logs that the worker failed at `tick`; returns how long it should wait before it tries again."""
        wait_s = self._pause.next_s(tick)
        if self._since is None:
            self._since = tick
        if word := word_for(error):
            log.error("The database is %s: no rule fires. The worker tries again in %.0f s", word, wait_s)
        else:
            log.error("The worker failed; it tries again in %.0f s", wait_s, exc_info=error)
        return wait_s

    def over(self, tick: float) -> None:
        """Logs that it works again, if it did not before."""
        if self._since is not None:
            log.warning("The worker is at work again after %.0f s", tick - self._since)
            self._since = None


def let_go(store: Store, name: str) -> None:
    """Releases the lease if the database can be reached; otherwise the lease runs out."""
    try:
        leases.release(store, name)
    except LOST:
        log.warning("The lease could not be released; it runs out by itself")


class Worker:
    """Runs the jobs until the event is set; `engine.jobs.procrastinate_queue.worker_for` makes it."""

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
        """Works until it is stopped. After a fault it tries another round, each time a little later."""
        while not self._stopping.is_set():
            self._stopping.wait(self._attempt())
        let_go(self.context.store, self.name)

    def _attempt(self) -> float:
        """Runs one round; returns how long to wait after it."""
        try:
            self.round()
        except Exception as error:  # noqa: BLE001 - the outage says it
            self._held_at = -math.inf
            return self._outage.wait_s(error, time.monotonic())
        self._outage.over(time.monotonic())
        return self.poll_s

    def round(self) -> bool:
        """Runs all jobs once; False if another worker holds the lease. A job that fails does not stop the others."""
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
        """Called between batches: a long job renews the lease, so that the worker does not count as dead."""
        if self._stopping.is_set():
            return True
        return time.monotonic() - self._held_at > self.lease.total_seconds() / 3 and not self._holds()
