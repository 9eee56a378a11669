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

from engine.store.ops.proxies import undeclared
from engine.store.ops.schema import upgrade
from engine.store.ops.settings import get_setting, put_setting
from engine.store.ops.time_source import SETTING
from engine.store.session import now_utc, open_store
from engine.usecases.ops.proxies import note_undeclared
from tests.ports import free_port
from web.cli.main import main
from web.site.proxies import NOTED

SECONDS = 60


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


def test_all_that_it_makes_is_for_its_owner_only(tmp_path: Path) -> None:
    port, instance = free_port(), tmp_path / "new"
    (tmp_path / "settings").write_text('[notices]\npush_contact = "mailto:it@example.vn"\n', encoding="utf-8")
    instance.mkdir(mode=0o700)
    (tmp_path / "settings").rename(instance / "settings.toml")
    (instance / "settings.toml").chmod(0o600)
    with serving(instance, port):
        answer(f"http://127.0.0.1:{port}/login")
        modes = {path.name: f"{path.stat().st_mode & 0o777:o}" for path in instance.iterdir()}
    names = ("lock", "ralop.db", "ralop.db-shm", "ralop.db-wal", "secret_key", "settings.toml", "vapid.pem")
    assert modes == dict.fromkeys(names, "600")


def test_files_that_others_may_read_and_a_weak_key_are_refused_all_at_once(tmp_path: Path) -> None:
    instance = tmp_path / "instance"
    runner, environment = CliRunner(), {"RALOP_INSTANCE": str(instance), "LC_ALL": "C"}
    assert runner.invoke(main, ["demo", "--no-serve"], env=environment).exit_code == 0
    (instance / "settings.toml").write_text("demo = true\ntrusted_proxies = 77\n", encoding="utf-8")
    (instance / "secret_key").write_text("k" * 40, encoding="utf-8")
    (instance / "vapid.pem").write_text("-", encoding="utf-8")
    modes = {"ralop.db": 0o640, "settings.toml": 0o604, "secret_key": 0o644, "vapid.pem": 0o660}
    for name, mode in modes.items():
        (instance / name).chmod(mode)
    for command in ("serve", "worker"):
        told = runner.invoke(main, [command], env=environment)
        assert told.exit_code == 2
        for name, mode in modes.items():
            assert f"its mode is {mode:04o}, right is 0600. Mend it with: chmod 600 {instance / name}" in told.output
        assert f"{instance / 'secret_key'}: This secret key is easy to guess" in told.output
        assert "This must be a number from 0 to 5" in told.output


def test_a_database_elsewhere_that_others_may_read_is_refused_too(tmp_path: Path) -> None:
    database = tmp_path / "elsewhere.db"
    environment = {"RALOP_INSTANCE": str(tmp_path / "instance"), "RALOP_DATABASE_URL": f"sqlite:///{database}"}
    assert CliRunner().invoke(main, ["demo", "--no-serve"], env=environment).exit_code == 0
    assert f"{database.stat().st_mode & 0o777:o}" == "600"
    database.chmod(0o644)
    told = CliRunner().invoke(main, ["serve"], env=environment)
    assert told.exit_code == 2
    assert f"chmod 600 {database}" in told.output


@pytest.mark.parametrize("url", ["mysql://user:hidden@host/name", "no address", "postgresql://host:port/name"])
def test_a_database_of_no_known_kind_is_refused_with_the_other_reasons(tmp_path: Path, url: str) -> None:
    environment = {
        "RALOP_INSTANCE": str(tmp_path),
        "RALOP_DATABASE_URL": url,
        "RALOP_SECRET_KEY": "short",
        "LC_ALL": "C",
    }
    told = CliRunner().invoke(main, ["serve"], env=environment)
    assert told.exit_code == 2
    assert "This names no database of a kind known here: " in told.output
    assert "RALOP_SECRET_KEY: A secret key has at least 32 characters." in told.output
    assert "hidden" not in told.output


def test_a_folder_that_is_a_file_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / "instance").touch()
    for command in ("serve", "worker", "demo"):
        told = CliRunner().invoke(main, [command], env={"RALOP_INSTANCE": str(tmp_path / "instance"), "LC_ALL": "C"})
        assert told.exit_code == 2
        assert f"{tmp_path / 'instance'}: The program cannot write here: " in told.output


def test_a_folder_into_which_a_restore_broke_off_is_not_served(tmp_path: Path) -> None:
    (tmp_path / "restore-unfinished").touch()
    told = CliRunner().invoke(main, ["serve"], env={"RALOP_INSTANCE": str(tmp_path), "LC_ALL": "C"})
    assert told.exit_code == 2
    assert "broke off: do it again, with --replace" in told.output


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


def test_a_port_that_somebody_has_is_not_shared_and_a_host_that_is_none_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RALOP_INSTANCE", str(tmp_path))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        told = CliRunner().invoke(main, ["serve", "--port", str(port)])
    assert told.exit_code == 2
    assert "127.0.0.1" in told.output
    assert str(port) in told.output
    assert "Traceback" not in told.output
    told = CliRunner().invoke(main, ["serve", "--host", "nowhere.invalid"])
    assert told.exit_code == 2
    assert "nowhere.invalid" in told.output


def test_a_second_server_does_not_take_the_port_of_the_first(tmp_path: Path) -> None:
    port = free_port()
    with serving(tmp_path / "one", port, "--no-worker"):
        assert answer(f"http://127.0.0.1:{port}/login")[0] == 200
        with serving(tmp_path / "two", port, "--no-worker") as second:
            assert second.wait(SECONDS) == 2


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
