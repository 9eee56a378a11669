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
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from engine.store.proxies import note_undeclared, undeclared
from engine.store.schema import upgrade
from engine.store.session import now_utc, open_store
from web.cli import main
from web.proxies import NOTED

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
    assert told.exit_code == 1
    assert "workflows/a.toml: initial" in told.output
    assert "workflows/b.toml: initial" in told.output


def test_a_moment_that_is_none_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RALOP_INSTANCE", str(tmp_path))
    told = CliRunner().invoke(main, ["serve", "--now", "tomorrow"])
    assert told.exit_code == 1
    assert "2026-03-02T16:00" in told.output


def test_a_port_that_somebody_has_is_not_shared_and_a_host_that_is_none_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RALOP_INSTANCE", str(tmp_path))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        told = CliRunner().invoke(main, ["serve", "--port", str(port)])
    assert told.exit_code == 1
    assert "127.0.0.1" in told.output
    assert str(port) in told.output
    assert "Traceback" not in told.output
    told = CliRunner().invoke(main, ["serve", "--host", "nowhere.invalid"])
    assert told.exit_code == 1
    assert "nowhere.invalid" in told.output


def test_a_second_server_does_not_take_the_port_of_the_first(tmp_path: Path) -> None:
    port = free_port()
    with serving(tmp_path / "one", port, "--no-worker"):
        assert answer(f"http://127.0.0.1:{port}/login")[0] == 200
        with serving(tmp_path / "two", port, "--no-worker") as second:
            assert second.wait(SECONDS) == 1


def test_a_proxy_that_is_declared_now_is_no_longer_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'ralop.db'}")
    upgrade(store)
    now = now_utc()
    assert note_undeclared(store, "10.0.0.2", now, NOTED)
    port = free_port()
    monkeypatch.setenv("RALOP_TRUSTED_PROXIES", "1")
    with serving(tmp_path, port, "--no-worker"):
        assert answer(f"http://127.0.0.1:{port}/login")[0] == 200
        with store.reading("test") as session:
            assert undeclared(session, now) is None
    store.close()
