"""The PostgreSQL primary is killed under load and its synchronous standby promoted: nothing acknowledged is lost."""

import os
import pwd
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import psycopg
import pytest
from sqlalchemy import func, make_url, select
from sqlalchemy.exc import DBAPIError

from bench.country import NOW, Country, Waves
from bench.data import Postgresql, definitions, fill
from engine.core.cases.act import Act
from engine.jobs.sweep import run_due
from engine.store import tables as t
from engine.store.cases import verify
from engine.store.people.staff import viewer_of
from engine.store.proof.adopting import adopt
from engine.store.session import open_store
from engine.usecases.cases import case_acts
from engine.usecases.context import Context
from tests import databases
from tests.faults import FULL

CASES, DUE, WRITERS, ROUNDS, SECONDS_OF_LOAD = (4_000, 2_000, 8, 3, 15.0) if FULL else (400, 200, 4, 1, 2.0)
REPLICATED = {"wal_level": "replica", "max_wal_senders": "4", "hot_standby": "on"}


@pytest.fixture
def two_servers() -> Iterator[tuple[Path, Path]]:
    """Directories for a primary and a standby on the disk, gone afterwards."""
    primary, standby = databases.new_directory(databases.DISK), databases.new_directory(databases.DISK)
    yield primary, standby
    databases.stop_postgresql(primary)
    databases.stop_postgresql(standby)


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_what_was_acknowledged_is_on_the_standby_when_the_primary_dies(
    two_servers: tuple[Path, Path], round_: int, figures: Callable[..., None]
) -> None:
    primary, standby = two_servers
    url = databases.start_postgresql(primary, {**databases.DURABLE, **REPLICATED})
    databases.migrate(url)
    filler = Postgresql(url)
    fill(filler, Country(CASES, Waves(DUE, 1), definitions()))
    filler.close()
    adopted = open_store(url)
    with adopted.writing("test") as session:
        adopt(session.connection(), NOW)  # rows made by hand say nothing that `ralop verify` could add up
    adopted.close()
    standby_url = _follow(url, standby)

    acknowledged: list[str] = []
    writers = [threading.Thread(target=_write, args=(url, number, acknowledged)) for number in range(WRITERS)]
    sweeper = threading.Thread(target=_sweep, args=(url,))
    for thread in (*writers, sweeper):
        thread.start()
    time.sleep(SECONDS_OF_LOAD + round_ / ROUNDS)
    _kill(primary)
    for thread in (*writers, sweeper):
        thread.join(30)
    _promote(standby_url)

    store = open_store(standby_url)
    with store.reading("test") as session:
        kept = set(session.scalars(select(t.Event.key).where(t.Event.key.is_not(None))))
    with store.reading("test") as session:
        fired = session.scalar(select(func.count()).select_from(t.Firing)) or 0
    figures(
        round=round_, acknowledged=len(acknowledged), lost=len(set(acknowledged) - kept), fired_before_it_died=fired
    )
    assert len(acknowledged) > 10
    assert set(acknowledged) <= kept
    run_due(Context(store, definitions()), NOW)  # the new primary takes over the work that was under way
    with store.reading("test") as session:
        assert sorted(session.scalars(select(t.Firing.case_id))) == sorted(
            set(session.scalars(select(t.Firing.case_id)))
        )
        assert session.scalar(select(func.count()).select_from(t.Firing)) == DUE
    assert [sentence.in_("en") for sentence in verify.breaks(store)] == []
    store.close()


def _write(url: str, number: int, acknowledged: list[str]) -> None:
    """A person who writes notes on a case of theirs until the line is cut."""
    store = open_store(url)
    context, code = Context(store, definitions()), f"RL-2026-{CASES - number:06}"
    with suppress(DBAPIError):
        with store.reading("test") as session:
            place = session.execute(select(t.Case.class_id).where(t.Case.code == code)).scalar_one()
            teacher = session.execute(
                select(t.Appointment.person_id).where(t.Appointment.unit_id == place)
            ).scalar_one()
            viewer = viewer_of(session, teacher, NOW.date())
        while True:
            key = uuid.uuid4().hex
            case_acts.note(context, Act(viewer, code, {"note": "Đã gọi điện"}, NOW, key=key))
            acknowledged.append(key)
    store.close()


def _sweep(url: str) -> None:
    store = open_store(url)
    with suppress(DBAPIError):
        while True:
            run_due(Context(store, definitions()), NOW, batch=5)
            time.sleep(0.05)
    store.close()


def _server(url: str) -> int:
    """The process of the server."""
    with psycopg.connect(_plain(url)) as connection:
        row = connection.execute("SHOW data_directory").fetchone()
    assert row is not None
    return int((Path(row[0]) / "postmaster.pid").read_text().split()[0])


def _plain(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def _follow(url: str, standby: Path) -> str:
    """Copy the primary, start the copy as its standby, and let each commit wait for it; the standby's URL."""
    user = pwd.getpwnam("pgserver") if os.geteuid() == 0 else None
    programs = Path(psutil.Process(_server(url)).exe()).parent
    standby.mkdir(mode=0o700)
    if user:
        os.chown(standby, user.pw_uid, user.pw_gid)
    copy = ["--pgdata", str(standby), "--write-recovery-conf", "--wal-method=stream"]
    subprocess.run(
        [str(programs / "pg_basebackup"), "--dbname", _plain(url), *copy],
        check=True,
        capture_output=True,
        user=user.pw_uid if user else None,
        cwd="/",
    )
    for left in (*standby.glob(".s.PGSQL*"), standby / "log"):  # of the primary, whose socket lies among its data
        left.unlink(missing_ok=True)
    standby_url = databases.start_postgresql(standby)
    with psycopg.connect(_plain(url), autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
        connection.execute("SELECT pg_reload_conf()")
        for _ in range(200):
            if connection.execute("SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'").fetchone():
                return standby_url
            time.sleep(0.05)
    raise AssertionError("the standby does not follow")


def _kill(data: Path) -> None:
    """As if the machine lost its power: the server and all its processes at once."""
    server = psutil.Process(int((data / "postmaster.pid").read_text().split()[0]))
    family = [server, *server.children(recursive=True)]
    for process in family:
        with suppress(psutil.NoSuchProcess):
            process.kill()


def _promote(url: str) -> None:
    with psycopg.connect(_plain(url), autocommit=True) as connection:
        connection.execute("SELECT pg_promote(true, 30)")
