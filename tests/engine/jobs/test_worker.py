"""What keeps the worker at work: a fault of one job, a database that fails for a while, a worker that dies."""

import datetime as dt
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, func, select

from engine.core.time_source import Frozen
from engine.jobs.procrastinate_queue import worker_for
from engine.jobs.supervisor import Backoff, Supervisor
from engine.jobs.worker import JOBS, Job, Jobs, Worker
from engine.store import tables as t
from engine.store.ops import leases
from engine.store.ops.health import look
from engine.store.ops.settings import put_setting
from engine.store.session import Store, open_store
from engine.store.simulation import seed
from engine.usecases.context import Context
from tests.installation import CastInstallation, at, definitions, installed

__all__ = ["installed"]

DUE = at("2026-03-04 08:00")


def until(true: Callable[[], object], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it does not come about"
        time.sleep(0.05)


def fired(store: Store) -> int:
    with store.reading("test") as session:
        return session.scalar(select(func.count()).select_from(t.Firing)) or 0


@contextmanager
def working(context: Context, jobs: Jobs = JOBS) -> Iterator[Supervisor]:
    """A worker in a thread, as `ralop serve` has it."""
    running = worker_for(context, Frozen(DUE), jobs)
    running.start()
    try:
        yield running
    finally:
        running.stop()


# --- a database that fails for a while --------------------------------------------------------------------------------


class Failing:
    """A SQLite database that fails while `on` is set: its file may not grow, or not be written."""

    def __init__(self, store: Store, limited: str, free: str) -> None:
        self.on = False

        def set_up(line: Any, _record: Any, _proxy: Any) -> None:
            line.execute(limited if self.on else free)

        event.listen(store.engine, "checkout", set_up)


@pytest.fixture
def on_file(sqlite_url: str) -> Iterator[CastInstallation]:
    store = open_store(sqlite_url)
    with store.writing("set the stage") as session:
        cast = seed.add_cast(session, at("2026-03-01 08:00"))
    store.settle()
    yield CastInstallation(Context(store, definitions()), cast)
    store.close()


def write_much(context: Context, _now: dt.datetime, _stop: object) -> object:
    """A job that needs room."""
    with context.store.writing("test") as session:
        put_setting(session, "much", {"text": "x" * 1_000_000})
    return None


@pytest.mark.parametrize(
    ("word", "limited", "free"),
    [
        ("full", "PRAGMA max_page_count=1", "PRAGMA max_page_count=1000000"),
        ("read-only", "PRAGMA query_only=ON", "PRAGMA query_only=OFF"),
    ],
)
def test_a_worker_fires_when_a_full_or_read_only_database_takes_entries_again(
    on_file: CastInstallation,
    word: str,
    limited: str,
    free: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    on_file.open()
    failing = Failing(on_file.store, limited, free)
    failing.on = True
    with working(on_file.context, (Job("much", write_much), *JOBS)) as running:
        until(lambda: f"The database is {word}: no rule fires" in caplog.text)
        assert fired(on_file.store) == 0
        assert running.is_alive()
        failing.on = False
        until(lambda: fired(on_file.store), 15)
        until(lambda: "The worker is at work again" in caplog.text)


def test_health_says_that_a_database_is_read_only(store: Store) -> None:
    assert look(store).database == "ok"
    if store.is_sqlite:
        Failing(store, "PRAGMA query_only=ON", "").on = True
    else:
        name = store.url.database
        with store.engine.begin() as connection:
            connection.exec_driver_sql(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
        store.engine.dispose()
    assert look(store).database == "read-only"


def test_health_says_that_a_disk_is_full(postgresql_url: str) -> None:
    store = open_store(postgresql_url)
    store.beat()
    with store.engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'no space left on device' USING ERRCODE = 'disk_full'; END $$"
        )
        connection.exec_driver_sql(
            "CREATE TRIGGER full_disk BEFORE UPDATE ON settings FOR EACH ROW EXECUTE FUNCTION full_disk()"
        )
    assert look(store).database == "full"
    store.close()


def test_health_says_within_seconds_that_somebody_has_locked_the_database(store: Store) -> None:
    store.beat()
    others = open_store(store.url)
    with others.writing("test") as session:
        lock = "SELECT 1" if store.is_sqlite else "LOCK TABLE settings"
        session.connection().exec_driver_sql(lock)
        begun = time.monotonic()
        assert look(store).database == "locked"
        assert time.monotonic() - begun < 8
    others.close()
    assert look(store).database == "ok"


# --- jobs -------------------------------------------------------------------------------------------------------------


def test_a_job_that_fails_is_in_no_other_jobs_way(on_file: CastInstallation, caplog: pytest.LogCaptureFixture) -> None:
    done: list[str] = []

    def fail(_context: Context, _now: dt.datetime, _stop: object) -> object:
        raise ValueError

    def note(_context: Context, _now: dt.datetime, _stop: object) -> object:
        done.append("done")
        return None

    jobs = (Job("failing", fail), Job("other", note))
    assert Worker(on_file.context, Frozen(DUE), threading.Event(), jobs=jobs).round()
    assert done == ["done"]
    assert "The job failing failed" in caplog.text


def test_a_job_that_takes_longer_than_the_lease_keeps_it(on_file: CastInstallation) -> None:
    taken: list[bool] = []
    lease = dt.timedelta(seconds=1)

    def long(context: Context, _now: dt.datetime, stop: Callable[[], bool]) -> object:
        for _batch in range(20):
            assert not stop()
            time.sleep(0.1)
            taken.append(leases.hold(context.store, "another", lease))
        return None

    jobs = (Job("long", long),)
    assert Worker(on_file.context, Frozen(DUE), threading.Event(), jobs=jobs, lease=lease).round()
    assert not any(taken)


# --- a worker that dies -----------------------------------------------------------------------------------------------


class Mortal:
    """A worker that dies at once, the first times."""

    def __init__(self, stopping: threading.Event, deaths: list[BaseException]) -> None:
        self.stopping, self.deaths = stopping, deaths

    def run(self) -> None:
        if self.deaths:
            raise self.deaths.pop()
        self.stopping.wait()


@pytest.mark.parametrize("death", [RuntimeError(), MemoryError(), SystemExit(1)])
def test_when_a_worker_dies_it_is_said_and_another_one_is_started(
    death: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    deaths = [death]
    running = Supervisor(lambda stopping: Mortal(stopping, deaths))
    running.start()
    until(lambda: not running.is_alive())
    assert "The worker died; another one is started" in caplog.text
    until(running.is_alive, 5)
    assert deaths == []
    running.stop()


def test_a_worker_that_ends_without_being_told_is_one_that_died(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)
    turns: list[threading.Event] = []

    class Early:
        def run(self) -> None:
            if len(turns) > 1:
                turns[-1].wait()

    def make(stopping: threading.Event) -> Early:
        turns.append(stopping)
        return Early()

    running = Supervisor(make)
    running.start()
    until(lambda: len(turns) == 2)
    assert "The worker ended by itself" in caplog.text
    running.stop()


def test_who_is_told_to_end_starts_no_other_worker() -> None:
    made: list[threading.Event] = []

    def make(stopping: threading.Event) -> Mortal:
        made.append(stopping)
        return Mortal(stopping, [])

    running = Supervisor(make)
    running.start()
    until(lambda: made)
    running.stop()
    assert len(made) == 1


def test_each_fault_that_comes_soon_waits_longer_than_the_last_one_up_to_a_limit() -> None:
    pause, tick, waits = Backoff(1, 5), 100.0, []
    for _fault in range(6):
        waits.append(pause.next_s(tick))
        tick += waits[-1]
    assert waits == [1, 2, 4, 5, 5, 5]
    assert pause.next_s(tick + 61) == 1


def test_a_worker_whose_database_is_gone_ends_when_it_is_told(on_file: CastInstallation) -> None:
    with working(on_file.context) as running:
        until(lambda: leases.last_seen(on_file.store))
        Path(str(on_file.store.url.database)).unlink()
        running.stop(10)
    assert not running.is_alive()
