"""The jobs on many machines: PostgreSQL and Procrastinate share them out among any number of workers.

The queue is trusted for spreading the work, not for doing it once: that is the database's business (a sweep takes only
cases that nobody else has taken, a firing has its primary key). A job lost with a killed worker is found by its missing
heartbeat and tried again; and since every tick asks for the same jobs anew, even a lost queue loses nothing.
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
STALLED_S = 30  # without a sign of life for so long, a worker's job is given to another
LINE_S = 5.0  # how long the queue waits for a line to the database before it gives up and is opened anew
KEEP_H = 24  # done jobs are kept so long, for the operator to look at


def conninfo(store: Store) -> str:
    """The store's database as psycopg names it."""
    return store.url.set(drivername="postgresql").render_as_string(hide_password=False)


def make_app(context: Context, clock: TimeSource, stop: Callable[[], bool], jobs: Jobs = JOBS) -> App:
    """The queue of this database, with a task for each job and the ticks that ask for them."""
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
                continue  # nobody has come to the last one yet

    name = f"ask-{job.name}"
    app.periodic(cron=TICK, periodic_id=name)(app.task(name=name, queueing_lock=name)(ask))


def prepare(store: Store) -> None:
    """Make the queue's own tables if they are not there; several workers may start at once."""
    with store.engine.begin() as connection:
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtext('ralop-queue'))")
        if connection.exec_driver_sql("SELECT to_regclass('procrastinate_jobs')").scalar() is None:
            # Several statements at once: the driver takes them only without parameters.
            connection.connection.cursor().execute(SchemaManager.get_schema())


class QueueWorker:
    """One worker among many: takes jobs from the queue until the event is set."""

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
        """Work until told to end. When the database goes, the queue is closed; when it is back, opened anew."""
        while not self._stopping.is_set():
            try:
                leases.hold(self.context.store, self.name, LEASE)  # before the queue: it asks a dead database for long
                prepare(self.context.store)
                asyncio.run(self._work())
            except Exception as error:  # noqa: BLE001 - the outage says it
                self._stopping.wait(self._outage.wait_s(error, time.monotonic()))
        let_go(self.context.store, self.name)

    async def _work(self) -> None:
        """Take jobs until told to end. Raises what ended the queue, or hid the database."""
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
    """The queue stopped taking jobs and did not say why; its own log does."""


def worker_for(context: Context, clock: TimeSource, jobs: Jobs = JOBS) -> Supervisor:
    """The worker that fits the database, one under a lease for SQLite, one of many for PostgreSQL; and its heirs."""
    kind = Worker if context.store.is_sqlite else QueueWorker
    return Supervisor(lambda stopping: kind(context, clock, stopping, jobs=jobs))
