"""The database goes while the program runs, and comes back: nobody is told that something is kept that is not, and the
worker fires again by itself, 15 seconds after the database is back at the latest."""

import json
import os
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from multiprocessing.process import BaseProcess
from pathlib import Path

import psutil
import psycopg
import pytest
from sqlalchemy import func, make_url, select, update

from engine.core.people import passwords
from engine.store import tables as t
from engine.store.cases import verify
from engine.store.ops import leases
from engine.store.session import Store, open_store
from engine.store.simulation import seed
from engine.usecases.context import Context
from engine.usecases.ops.clock import set_clock
from tests import databases
from tests.faults import FULL, processes
from tests.faults.test_killed_pages import PASSWORD, Served, Writer
from tests.installation import CastInstallation, at, definitions
from tests.ports import free_port
from web.cli.serve import worker

SOON_S = 15  # until it fires again
PROGRAMS = ("serve", "worker")
LATER = "2026-03-04 08:00"  # the first deadline of a case of 2 March has passed by then


def playing(url: str) -> CastInstallation:
    """The cast, on a database on which the case of a pupil is open but not yet due."""
    store = open_store(url)
    with store.writing("set the stage") as session:
        cast = seed.add_cast(session, at("2026-03-01 08:00"))
        session.execute(update(t.Person).values(password_hash=passwords.hash(PASSWORD), must_change=False))
    set_clock(store, at("2026-03-02 09:00"))
    return CastInstallation(Context(store, definitions()), cast)


class Working:
    """`ralop worker`, as a process of its own."""

    def __init__(self, url: str, instance: Path) -> None:
        self.process: BaseProcess = processes.start(_work, {"RALOP_DATABASE_URL": url, "RALOP_INSTANCE": str(instance)})

    def kill(self) -> None:
        processes.kill(self.process)


def _work(environment: dict[str, str]) -> None:
    os.environ |= environment
    worker.main([], standalone_mode=False)


def started(program: str, url: str, instance: Path) -> Served | Working:
    """The program, its worker at work."""
    running = Served(url, instance) if program == "serve" else Working(url, instance)
    store = open_store(url)
    until(lambda: leases.last_seen(store) is not None, "no worker begins to work")
    store.close()
    return running


def until(true: Callable[[], object], told: str, seconds: float = 60) -> float:
    """Wait for it; the seconds that it took."""
    begun = time.monotonic()
    while not true():
        assert time.monotonic() - begun < seconds, told
        time.sleep(0.1)
    return time.monotonic() - begun


def fired(store: Store) -> int:
    with suppress(Exception), store.reading("test") as session:
        return session.scalar(select(func.count()).select_from(t.Firing)) or 0
    return 0


def seconds_until_it_fires(store: Store) -> float:
    """Let the case become due; how long until its rule has fired."""
    set_clock(store, at(LATER))
    return until(lambda: fired(store), "no rule fires any more")


def answer(served: Served, path: str) -> tuple[int, str, str]:
    """Status, text, and when to try again."""
    return asked(served.address + path)


def asked(url: str) -> tuple[int, str, str]:
    try:
        with urllib.request.urlopen(url, timeout=30) as page:
            return page.status, page.read().decode(), ""
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode(), error.headers.get("Retry-After", "")


def health(served: Served) -> dict[str, str]:
    found: dict[str, str] = json.loads(answer(served, "/healthz")[1])
    return found


class Said:
    """What a server on a port says of itself; nothing while it starts."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/healthz"

    def health(self) -> dict[str, str]:
        try:
            found: dict[str, str] = json.loads(asked(self.url)[1])
        except OSError:
            return {}
        return found


# --- PostgreSQL -------------------------------------------------------------------------------------------------------


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Iterator[tuple[Path, str]]:
    """A server of this test's own, to be stopped and started again; and its database."""
    data = databases.new_directory()
    url = databases.start_postgresql(data)
    databases.migrate(url)
    yield data, url
    databases.stop_postgresql(data)


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("seconds", [3, 60] if FULL else [3])
def test_a_worker_fires_again_soon_after_postgresql_was_stopped_and_started(
    server: tuple[Path, str], seconds: int, program: str, tmp_path: Path, figures: Callable[..., None]
) -> None:
    data, url = server
    installed = playing(url)
    installed.open()
    running = started(program, url, tmp_path)
    try:
        databases.halt_postgresql(data)
        begun = time.monotonic()
        if isinstance(running, Served):
            until(
                lambda: answer(running, "/login")[0] != 200, "it shows pages without a database"
            )  # it asks each second
            status, page, again = answer(running, "/login")
            assert (status, again) == (503, "10")
            assert "tạm thời chưa làm việc được" in page
            assert health(running)["database"] == "unreachable"
        time.sleep(max(0, seconds - (time.monotonic() - begun)))
        databases.start_postgresql(data)
        took = seconds_until_it_fires(installed.store)
        figures(program=program, stopped_seconds=seconds, fires_again_after_seconds=round(took, 1))
        assert took <= SOON_S
        if isinstance(running, Served):
            assert health(running)["worker"] == "ok"
            assert answer(running, "/login")[0] == 200
    finally:
        running.kill()
        installed.store.close()


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_worker_fires_again_soon_after_all_its_lines_were_cut(
    postgresql_url: str, program: str, tmp_path: Path, figures: Callable[..., None]
) -> None:
    installed = playing(postgresql_url)
    installed.open()
    running = started(program, postgresql_url, tmp_path)
    try:
        cut = sum(_cut(postgresql_url) for _ in range(6))
        took = seconds_until_it_fires(installed.store)
        figures(program=program, lines_cut=cut, fires_again_after_seconds=round(took, 1))
        assert cut > 0
        assert took <= SOON_S
    finally:
        running.kill()
        installed.store.close()


def _cut(url: str) -> int:
    """End every line to the database; how many there were."""
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    others = "datname = current_database() AND pid <> pg_backend_pid()"
    query = f"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE {others}"
    with psycopg.connect(plain, autocommit=True) as connection:
        row = connection.execute(query).fetchone()
    time.sleep(0.5)
    return row[0] if row else 0


# --- SQLite -----------------------------------------------------------------------------------------------------------


def test_notes_are_not_acknowledged_into_a_file_that_was_moved_away_and_go_through_when_it_is_back(
    sqlite_url: str, tmp_path: Path, figures: Callable[..., None]
) -> None:
    installed, path = playing(sqlite_url), Path(str(make_url(sqlite_url).database))
    code, stop = installed.open(), threading.Event()
    served = started("serve", sqlite_url, tmp_path)
    assert isinstance(served, Served)
    writer = Writer(served.address, "teacher", code, stop)
    try:
        writer.start()
        until(lambda: writer.acknowledged, "nothing gets through")
        path.rename(path.with_name("away.db"))
        time.sleep(0.5)  # what was under way
        before = len(writer.acknowledged)
        time.sleep(2)
        assert len(writer.acknowledged) == before
        assert answer(served, "/login")[0] == 503
        assert health(served)["database"] == "gone"
        assert not path.exists()
        path.with_name("away.db").rename(path)
        until(lambda: len(writer.acknowledged) > before + 3, "nothing gets through any more")
        took = seconds_until_it_fires(installed.store)
    finally:
        stop.set()
        writer.join(30)
        served.kill()
    with installed.store.reading("test") as session:
        kept = set(session.scalars(select(t.Event.key).where(t.Event.key.is_not(None))))
    figures(acknowledged=len(writer.acknowledged), lost=len(set(writer.acknowledged) - kept), fires_again_after=took)
    assert set(writer.acknowledged) <= kept
    assert took <= SOON_S
    assert list(verify.breaks(installed.store)) == []
    installed.store.close()


def test_a_worker_fires_soon_after_a_disk_that_failed_is_well_again(
    sqlite_url: str, tmp_path: Path, figures: Callable[..., None]
) -> None:
    installed, port = playing(sqlite_url), free_port()
    installed.open()
    environment = {**os.environ, "RALOP_DATABASE_URL": sqlite_url, "RALOP_INSTANCE": str(tmp_path)}
    command = [sys.executable, "-m", "web", "serve", "--port", str(port)]
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        try:
            said = Said(port)
            until(lambda: said.health().get("worker") == "ok", "no worker begins to work")
            limits = psutil.Process(process.pid)
            _none, most = limits.rlimit(psutil.RLIMIT_FSIZE)
            limits.rlimit(psutil.RLIMIT_FSIZE, (1, most))  # each write to a file fails from here on
            assert until(lambda: said.health()["database"] == "failing", "nobody notices") <= SOON_S
            time.sleep(3)
            limits.rlimit(psutil.RLIMIT_FSIZE, (most, most))
            took = seconds_until_it_fires(installed.store)
            until(lambda: said.health()["database"] == "ok", "it stays unwell", SOON_S)
        finally:
            process.kill()
    figures(fires_again_after_seconds=round(took, 1))
    assert took <= SOON_S
    assert list(verify.breaks(installed.store)) == []
    installed.store.close()


@pytest.mark.parametrize("seconds", [40] if FULL else [8])
def test_a_worker_fires_soon_after_a_database_that_somebody_had_locked_is_free(
    sqlite_url: str, seconds: float, tmp_path: Path, figures: Callable[..., None]
) -> None:
    installed = playing(sqlite_url)
    installed.open()
    served = started("serve", sqlite_url, tmp_path)
    assert isinstance(served, Served)
    set_clock(installed.store, at(LATER))
    try:
        with installed.store.writing("whoever locks it") as session:
            session.connection()
            begun = time.monotonic()
            assert health(served)["database"] == "locked"
            assert answer(served, "/login")[0] == 200  # what only reads goes on
            time.sleep(max(0, seconds - (time.monotonic() - begun)))
        took = until(lambda: fired(installed.store), "no rule fires any more")
        figures(locked_seconds=seconds, fires_again_after_seconds=round(took, 1))
        assert took <= SOON_S
        assert until(lambda: health(served)["database"] == "ok", "it stays unwell") <= SOON_S
    finally:
        served.kill()
        installed.store.close()
