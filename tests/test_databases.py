"""The databases that all other tests stand on."""

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import psutil
import psycopg
import pytest

from tests import databases


def rows(url: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT word FROM said ORDER BY word").fetchall()


def test_a_postgresql_copy_has_the_rows_of_its_template_and_shares_none_written_after(postgresql_server: str) -> None:
    template = databases.create_postgresql(postgresql_server, "ralop_test_a_template")
    with psycopg.connect(template) as connection:
        connection.execute("CREATE TABLE said (word text)")
        connection.execute("INSERT INTO said VALUES ('chào')")
    first = databases.create_postgresql(postgresql_server, "ralop_test_first", template="ralop_test_a_template")
    second = databases.create_postgresql(postgresql_server, "ralop_test_second", template="ralop_test_a_template")
    with psycopg.connect(first) as connection:
        connection.execute("INSERT INTO said VALUES ('tạm biệt')")
    try:
        assert rows(first) == [("chào",), ("tạm biệt",)]
        assert rows(second) == [("chào",)]
    finally:
        for name in ("ralop_test_first", "ralop_test_second", "ralop_test_a_template"):
            databases.drop_postgresql(postgresql_server, name)


def test_a_database_is_dropped_although_someone_is_connected_to_it(postgresql_server: str) -> None:
    url = databases.create_postgresql(postgresql_server, "ralop_test_in_use")
    with psycopg.connect(url) as connection:
        databases.drop_postgresql(postgresql_server, "ralop_test_in_use")
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")


def test_a_sqlite_copy_holds_what_was_still_in_the_write_ahead_log(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "template.db")) as writer:
        writer.execute("PRAGMA journal_mode=WAL")
        writer.execute("CREATE TABLE said (word text)")
        writer.execute("INSERT INTO said VALUES ('chào')")
        writer.commit()
        url = databases.copy_sqlite(tmp_path / "template.db", tmp_path / "copy.db")
    assert url == f"sqlite:///{tmp_path}/copy.db"
    with closing(sqlite3.connect(tmp_path / "copy.db")) as reader:
        assert reader.execute("SELECT word FROM said").fetchall() == [("chào",)]


STARTER = """
import os, signal, sys
from pathlib import Path
from tests import databases
data = databases.new_directory()
databases.start_postgresql(data)
print(data, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_server_of_a_killed_session_is_stopped_by_the_next_one() -> None:
    killed = subprocess.run([sys.executable, "-c", STARTER], capture_output=True, text=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    data = Path(killed.stdout.strip())
    server = psutil.Process(int((data / "postmaster.pid").read_text().split()[0]))
    assert server.is_running()
    databases.clear_directories()
    assert not data.exists()
    assert not server.is_running() or server.status() == psutil.STATUS_ZOMBIE


def test_the_server_of_a_living_session_is_left_alone(tmp_path: Path) -> None:
    mine = databases.new_directory()
    assert str(os.getpid()) in mine.name
    mine.mkdir()
    databases.clear_directories()
    assert mine.exists()
    mine.rmdir()
