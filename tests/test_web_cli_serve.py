"""`ralop serve` as a process of its own: it makes its database, answers, works, and ends when it is told to."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from engine.clock import SETTING
from engine.store.schema import upgrade
from engine.store.session import open_store
from engine.store.settings import get_setting, put_setting
from web.cli import main

SECONDS = 60


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@contextmanager
def serving(instance: Path, port: int, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "web", "serve", "--port", str(port), *options]
    with subprocess.Popen(command, env={**os.environ, "RALOP_INSTANCE": str(instance)}) as process:
        try:
            yield process
        finally:
            process.kill()


def answer(url: str) -> tuple[int, str]:
    """What the address answers, waiting until somebody listens there."""
    end = time.monotonic() + SECONDS
    while True:
        try:
            with urllib.request.urlopen(url) as page:
                return page.status, page.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


def test_it_makes_its_database_serves_works_and_ends(tmp_path: Path) -> None:
    port = free_port()
    with serving(tmp_path, port, "--now", "2026-03-02T08:00") as process:
        assert "02/03/2026" in answer(f"http://127.0.0.1:{port}/login")[1]
        end = time.monotonic() + SECONDS
        while (found := answer(f"http://127.0.0.1:{port}/healthz"))[0] != 200 and time.monotonic() < end:
            time.sleep(0.2)
        assert json.loads(found[1])["worker"] == "ok"
        process.send_signal(signal.SIGTERM)
        assert process.wait(SECONDS) == 0
    assert (tmp_path / "ralop.db").exists()


def test_it_does_not_start_on_a_faulty_file_and_says_every_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "workflows").mkdir()
    for name in ("a", "b"):
        (tmp_path / "workflows" / f"{name}.toml").write_text("initial = 1", encoding="utf-8")
    monkeypatch.setenv("RALOP_INSTANCE", str(tmp_path))
    told = CliRunner().invoke(main, ["serve"])
    assert told.exit_code == 2
    assert "workflows/a.toml: initial" in told.output
    assert "workflows/b.toml: initial" in told.output


def test_a_moment_that_is_none_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RALOP_INSTANCE", str(tmp_path))
    told = CliRunner().invoke(main, ["serve", "--now", "tomorrow"])
    assert told.exit_code == 2
    assert "2026-03-02T16:00" in told.output


MOMENTS = ("0001-01-01", "0001-01-01T00:00+14:00", "1999-12-31T23:59", "2090-01-01", "9999-12-31T23:59:59")


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_moment_in_which_nothing_works_is_refused_and_nothing_is_made(
    moment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RALOP_INSTANCE", str(tmp_path / "instance"))
    told = CliRunner().invoke(main, ["serve", "--now", moment])
    assert (told.exit_code, "it works in the years 2000 to 2089" in told.output) == (2, True), told.output
    assert not (tmp_path / "instance").exists()


@pytest.mark.parametrize("moment", ["2000-01-01T00:00", "2089-12-31T23:59"])
def test_at_the_edges_of_what_is_allowed_the_pages_and_the_worker_are_well(moment: str, tmp_path: Path) -> None:
    port = free_port()
    with serving(tmp_path, port, "--now", moment):
        assert answer(f"http://127.0.0.1:{port}/login")[0] == 200
        end = time.monotonic() + SECONDS
        while (found := answer(f"http://127.0.0.1:{port}/healthz"))[0] != 200 and time.monotonic() < end:
            time.sleep(0.2)
        assert json.loads(found[1])["worker"] == "ok"


def test_an_installation_that_an_earlier_version_bricked_starts_again_and_says_so(tmp_path: Path) -> None:
    with closing(open_store(f"sqlite:///{tmp_path / 'ralop.db'}")) as store:
        upgrade(store)
        with store.writing("--now 0001-01-01, as an earlier version took it") as session:
            put_setting(session, SETTING, {"offset_seconds": -63_900_000_000})
    port = free_port()
    with serving(tmp_path, port):
        assert answer(f"http://127.0.0.1:{port}/login")[0] == 200
    with closing(open_store(f"sqlite:///{tmp_path / 'ralop.db'}")) as store, store.reading("test") as session:
        assert get_setting(session, SETTING)["offset_seconds"] == 0
