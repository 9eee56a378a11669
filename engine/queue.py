"""The jobs on many machines: PostgreSQL and Procrastinate share them out among any number of workers.

The queue is trusted for spreading the work, not for doing it once: that is the database's business (a sweep takes only
cases that nobody else has taken, a firing has its primary key). A job lost with a killed worker is found by its missing
heartbeat and tried again; and since every tick asks for the same jobs anew, even a lost queue loses nothing.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable

from procrastinate import App, PsycopgConnector, exceptions
from procrastinate.schema import SchemaManager

from engine.clock import Clock
from engine.house import House
from engine.store import leases
from engine.store.session import Store
from engine.worker import JOBS, LEASE, Job, Jobs, Worker, identity

log = logging.getLogger("ralop.queue")

TICK = "* * * * * */5"  # every five seconds
STALLED_S = 30  # without a sign of life for so long, a worker's job is given to another
KEEP_H = 24  # done jobs are kept so long, for the operator to look at


def conninfo(store: Store) -> str:
    """The store's database as psycopg names it."""
    return store.url.set(drivername="postgresql").render_as_string(hide_password=False)


def make_app(house: House, clock: Clock, stop: Callable[[], bool], jobs: Jobs = JOBS) -> App:
    """The queue of this database, with a task for each job and the ticks that ask for them."""
    app = App(connector=PsycopgConnector(conninfo=conninfo(house.store), min_size=1, max_size=6))
    for job in jobs:
        _register(app, house, clock, stop, job)

    @app.periodic(cron="* * * * *")
    @app.task(name="mend", queueing_lock="mend")
    async def mend(timestamp: int) -> None:  # noqa: ARG001 - Procrastinate hands it over
        for stalled in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_S):
            await app.job_manager.retry_job(stalled)
        await app.job_manager.delete_old_jobs(nb_hours=KEEP_H)

    return app


def _register(app: App, house: House, clock: Clock, stop: Callable[[], bool], job: Job) -> None:
    def run() -> None:
        job.run(house, clock.now(), stop)

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
    """One worker among many: takes jobs from the queue until it is stopped."""

    def __init__(self, house: House, clock: Clock, *, concurrency: int = 2) -> None:
        self.house, self.clock, self.concurrency = house, clock, concurrency
        self.name = identity()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Run in a thread of this process."""
        self._thread = threading.Thread(target=self.run, name="ralop-queue", daemon=True)
        self._thread.start()

    def stop(self, timeout_s: float = 30) -> None:
        """Finish the batch at hand and end."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(timeout_s)

    def run(self) -> None:
        """Work until `stop` is called."""
        prepare(self.house.store)
        asyncio.run(self._work())
        leases.release(self.house.store, self.name)

    async def _work(self) -> None:
        app = make_app(self.house, self.clock, self._stopping.is_set)
        async with app.open_async():
            worker = asyncio.create_task(
                app.run_worker_async(
                    name=self.name,
                    concurrency=self.concurrency,
                    install_signal_handlers=False,
                    fetch_job_polling_interval=2.0,
                    stalled_worker_timeout=STALLED_S,
                )
            )
            while not self._stopping.is_set() and not worker.done():
                await asyncio.to_thread(leases.hold, self.house.store, self.name, LEASE)
                await asyncio.sleep(0.5)
            worker.cancel()
            await asyncio.gather(worker, return_exceptions=True)


def worker_for(house: House, clock: Clock) -> Worker | QueueWorker:
    """The worker that fits the database: one under a lease for SQLite, one of many for PostgreSQL."""
    return Worker(house, clock) if house.store.is_sqlite else QueueWorker(house, clock)
