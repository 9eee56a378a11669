"""Runs the jobs on many machines: Procrastinate distributes them among the workers, through PostgreSQL.

The queue distributes the work. The database makes sure that it is done once: a sweep takes only cases that nobody else
has taken, and a firing has its primary key. A job of a killed worker is found by its missing heartbeat and tried again.
Every tick asks for the same jobs again, so even a lost queue loses nothing.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable

from procrastinate import App, PsycopgConnector, exceptions
from procrastinate.schema import SchemaManager

from engine.core.time_source import TimeSource
from engine.jobs.supervisor import Supervisor
from engine.jobs.worker import JOBS, LEASE, Job, Jobs, Outage, Worker, identity, let_go
from engine.store.ops import leases
from engine.store.session import Store, patience
from engine.usecases.context import Context

log = logging.getLogger("ralop.queue")

TICK = "* * * * * */5"  # every five seconds
STALLED_S = 30  # seconds without a sign of life; then another worker gets the job
LINE_S = 5.0  # seconds that the queue waits for a connection before it stops and opens again
KEEP_H = 24  # hours that finished jobs are kept, for the operator


def conninfo(store: Store) -> str:
    """Returns the store's database in psycopg's notation."""
    return store.url.set(drivername="postgresql").render_as_string(hide_password=False)


def make_app(context: Context, clock: TimeSource, stop: Callable[[], bool], jobs: Jobs = JOBS) -> App:
    """Makes the queue of this database, with a task for each job and the ticks that ask for them."""
    connector = PsycopgConnector(
        conninfo=conninfo(context.store),
        kwargs=patience(context.store.url),
        min_size=1,
        max_size=6,
        timeout=LINE_S,
        reconnect_timeout=LINE_S,
    )
    app = App(connector=connector)
    for job in jobs:
        _register(app, context, clock, stop, job)

    @app.periodic(cron="* * * * *")
    @app.task(name="mend", queueing_lock="mend")
    async def mend(timestamp: int) -> None:  # noqa: ARG001 - Procrastinate hands it over
        for stalled in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_S):
            await app.job_manager.retry_job(stalled)
        await app.job_manager.delete_old_jobs(nb_hours=KEEP_H)

    return app


def _register(app: App, context: Context, clock: TimeSource, stop: Callable[[], bool], job: Job) -> None:
    def run() -> None:
        job.run(context, clock.now(), stop)

    task = app.task(name=job.name)(run)

    async def ask(timestamp: int) -> None:  # noqa: ARG001 - Procrastinate hands it over
        for part in range(job.parts):
            try:
                await task.configure(queueing_lock=f"{job.name}-{part}").defer_async()
            except exceptions.AlreadyEnqueued:
                continue  # no worker has taken the last one yet

    name = f"ask-{job.name}"
    app.periodic(cron=TICK, periodic_id=name)(app.task(name=name, queueing_lock=name)(ask))


def prepare(store: Store) -> None:
    """Creates the queue's own tables if they are missing; several workers may start at once."""
    with store.engine.begin() as connection:
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtext('ralop-queue'))")
        if connection.exec_driver_sql("SELECT to_regclass('procrastinate_jobs')").scalar() is None:
            # Several statements at once: the driver takes them only without parameters.
            connection.connection.cursor().execute(SchemaManager.get_schema())


class QueueWorker:
    """One of many workers: takes jobs from the queue until the event is set."""

    def __init__(
        self,
        context: Context,
        clock: TimeSource,
        stopping: threading.Event,
        *,
        jobs: Jobs = JOBS,
        concurrency: int = 2,
    ) -> None:
        self.context, self.clock, self.jobs, self.concurrency = context, clock, jobs, concurrency
        self.name = identity()
        self._stopping, self._outage = stopping, Outage()

    def run(self) -> None:
        """Works until it is stopped.

        If the database is lost, closes the queue, and opens it again when the database is back.
        """
        while not self._stopping.is_set():
            try:
                # Before the queue, which waits long for a dead database.
                leases.hold(self.context.store, self.name, LEASE)
                prepare(self.context.store)
                asyncio.run(self._work())
            except Exception as error:  # noqa: BLE001 - the outage says it
                self._stopping.wait(self._outage.wait_s(error, time.monotonic()))
        let_go(self.context.store, self.name)

    async def _work(self) -> None:
        """Takes jobs until it is stopped. Raises what ended the queue, or what lost the database."""
        app = make_app(self.context, self.clock, self._stopping.is_set, self.jobs)
        async with app.open_async():
            self._outage.over(time.monotonic())
            worker = asyncio.create_task(self._take_jobs(app))
            try:
                while not self._stopping.is_set() and not worker.done():
                    await asyncio.to_thread(leases.hold, self.context.store, self.name, LEASE)
                    await asyncio.sleep(0.5)
            finally:
                worker.cancel()
                (ended,) = await asyncio.gather(worker, return_exceptions=True)
        if not self._stopping.is_set():
            raise ended if isinstance(ended, Exception) else QueueEnded

    async def _take_jobs(self, app: App) -> None:
        await app.run_worker_async(
            name=self.name,
            concurrency=self.concurrency,
            install_signal_handlers=False,
            fetch_job_polling_interval=2.0,
            stalled_worker_timeout=STALLED_S,
        )


class QueueEnded(Exception):
    """The queue stopped without saying why; its own log has the reason."""


def worker_for(context: Context, clock: TimeSource, jobs: Jobs = JOBS) -> Supervisor:
    """Returns the worker that fits the database, with its restarts: one under a lease for SQLite, one of many for
    PostgreSQL.
    """
    kind = Worker if context.store.is_sqlite else QueueWorker
    return Supervisor(lambda stopping: kind(context, clock, stopping, jobs=jobs))
