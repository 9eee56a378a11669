"""What every test may ask for: an empty database of either kind, already migrated.

`database_url` runs a test twice, on SQLite and on PostgreSQL. A database is a copy of one that was migrated once: a
test may change anything in it, tables that refuse deletion included.
"""

import os
import signal
import uuid
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from tests import databases

if TYPE_CHECKING:
    from engine.store.session import Store
    from tests.cast import Cast

DATA = "RALOP_TEST_PGDATA"  # the directory of this session's server, told to the processes that share it

# Machines are slow at times: an example that takes long is no fault, a failure that cannot be replayed is one.
settings.register_profile("ralop", deadline=None, print_blob=True)
settings.load_profile("ralop")


def pytest_configure(config: pytest.Config) -> None:
    """In the session's first process: choose where its server will live, and clean up when asked to stop, too."""
    if hasattr(config, "workerinput"):
        return
    if DATA not in os.environ:
        databases.clear_directories()
        os.environ[DATA] = str(databases.new_directory())
        config.add_cleanup(_stop_server)
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def _stop_server() -> None:
    databases.stop_postgresql(Path(os.environ.pop(DATA)))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Nothing is skipped here, and nothing is expected to fail: either is a failure."""
    report = yield
    if report.skipped:
        report.outcome = "failed"
        report.longrepr = f"Tests here run or fail; this one was skipped: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for whole files."""
    report = yield
    if report.skipped:
        report.outcome = "failed"
        report.longrepr = f"Tests here run or fail; this file was skipped: {report.longrepr}"
    return report


@pytest.fixture(scope="session")
def postgresql_server() -> str:
    """The URL of a PostgreSQL server: the one in RALOP_TEST_POSTGRESQL, or this session's own."""
    return databases.given_server() or databases.start_postgresql(Path(os.environ[DATA]))


@pytest.fixture(scope="session")
def postgresql_template(postgresql_server: str) -> Iterator[str]:
    """The name of a migrated, empty database, one for each process of the session."""
    name = f"ralop_test_{uuid.uuid4().hex[:12]}"
    databases.migrate(databases.create_postgresql(postgresql_server, name))
    yield name
    databases.drop_postgresql(postgresql_server, name)


@pytest.fixture
def postgresql_url(postgresql_server: str, postgresql_template: str) -> Iterator[str]:
    """The URL of an empty, migrated PostgreSQL database of this test's own."""
    name = f"ralop_test_{uuid.uuid4().hex[:12]}"
    yield databases.create_postgresql(postgresql_server, name, template=postgresql_template)
    databases.drop_postgresql(postgresql_server, name)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a migrated, empty SQLite database."""
    path = tmp_path_factory.mktemp("template") / "template.db"
    databases.migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """The URL of an empty, migrated SQLite database of this test's own."""
    return databases.copy_sqlite(sqlite_template, tmp_path / "ralop.db")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty, migrated database: the test runs once on each kind."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
def store(database_url: str) -> Iterator["Store"]:
    """An open store on `database_url`, closed after the test."""
    from engine.store.session import open_store

    store = open_store(database_url)
    yield store
    store.close()


@pytest.fixture
def cast(store: "Store") -> "Cast":
    """The fixed cast on `store`, and a browser for each."""
    from tests.cast import make_cast

    return make_cast(store)
