"""Every command with arguments that nobody should give it: a sentence and exit 1 or 2, never a traceback."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from engine.store.session import open_store
from tests.databases import copy_sqlite
from web.cli.main import main

OUR_FAULT = "The program itself failed"
SERVING = {"serve", "worker", "demo"}  # they would not end with arguments that are right
EVIL = [
    "",
    "a\x00b",
    "\x1b[31m",
    "\ud800",
    "x" * 5_000,
    "-1",
    "9" * 5_000,
    "0001-01-01",
    "9999-12-31",
    "31/02/2026",
    "2026-13",
    "9999-12-31..0001-01-01",
    "0001-01-01..0001-01-02",
    "٣",
    "a=b",
    "🦬",
]
PATHS = {"file", "files", "moves", "wrong_rows", "instance", "rules", "name"}  # parameters that may name a file
NOWHERE = "sqlite:////nowhere/at/all.db"
URLS = [
    "",
    "nonsense",
    "://",
    "sqlite:///",
    "sqlite://host/x.db",
    NOWHERE,
    "sqlite:////proc/self/mem",
    "sqlite:///{folder}",
    "sqlite:///{binary}",
    "sqlite:///{empty}",
    "sqlite:///{new}?x=1",
    "mysql://a@b/c",
    "oracle+x://a",
    "postgresql://nobody@127.0.0.1:1/none",
    "postgresql://nobody@no.such.host.invalid/none",
    "postgresql://a@b:port/c",
    "postgresql://a@127.0.0.1:99999/c",
    "postgresql+psycopg2://a@b/c",
    "postgresql://nobody@127.0.0.1:1/none?what=1",
    "sqlite:///{gone}",
]
OPENS = {("status",), ("explain",), ("user", "list"), ("play",)}  # each opens the database in a way of its own


def commands(group: click.Group, before: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command with the words that call it."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, (*before, name))
        else:
            yield (*before, name), command


COMMANDS = dict(commands(main))


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sqlite_template: Path) -> dict[str, str]:
    """Files that are none, a database, and an installation of its own."""
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "empty").write_bytes(b"")
    (folder / "binary").write_bytes(bytes(range(256)) * 8)
    (folder / "latin").write_bytes("Nguyễn".encode("utf-16") + b"\xff\xfe")
    (folder / "long").write_text("a," * 10 + "x" * 300_000 + "\n" + '"' + "y" * 200_000, encoding="utf-8")
    (folder / "nul.csv").write_bytes(b"kind,code,name\nvillage,\x00,\x00\n")
    (folder / "deep.toml").write_text("a = " + "[" * 20_000, encoding="utf-8")
    (folder / "zip").write_bytes(b"PK\x03\x04" + b"\x00" * 50)
    (folder / "loop").symlink_to(folder / "loop")
    names = {
        name: str(folder / name)
        for name in ("empty", "binary", "latin", "long", "nul.csv", "deep.toml", "zip", "loop", "gone")
    }
    names |= {
        "folder": str(folder),
        "inside": f"{folder}/empty/below",
        "device": "/dev/zero",
        "new": f"{folder}/new.db",
    }
    url = copy_sqlite(sqlite_template, tmp_path / "ralop.db")
    monkeypatch.setenv("RALOP_INSTANCE", str(tmp_path / "instance"))
    monkeypatch.setenv("RALOP_DATABASE_URL", url)
    monkeypatch.chdir(tmp_path)
    return names | {"url": url}


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def fits(found: Result, arguments: object) -> None:
    said = (arguments, found.output, found.exception)
    assert found.exit_code in {0, 1, 2}, said
    assert found.exception is None or isinstance(found.exception, SystemExit), said
    assert OUR_FAULT not in found.output, said
    assert "Traceback" not in found.output, said
    if found.exit_code == 2:
        assert found.output.strip(), said


def usual(parameter: click.Parameter, files: dict[str, str]) -> list[str]:
    """What the parameter may be given, so that the others are looked at."""
    if isinstance(parameter.type, click.Choice):
        value = str(parameter.type.choices[0])
    else:
        value = {
            "file": files["empty"],
            "files": files["empty"],
            "on": "2026-03-02",
            "over": "2026-03-01..2026-03-02",
            "start": "2026-03-02T08:00",
            "duration": "1 school days",
            "last": "2026-03-02",
        }.get(parameter.name or "", "nobody")
    return [value] if isinstance(parameter, click.Argument) else [parameter.opts[0], value]


def hostile(words: tuple[str, ...], parameter: click.Parameter, files: dict[str, str]) -> list[str]:
    if parameter.name == "database":
        return [
            url.format(**files) for url in (URLS if words in OPENS else [NOWHERE, "nonsense", "sqlite:///{folder}"])
        ]
    paths = [files[name] for name in files if name != "url"] if parameter.name in PATHS else []
    return [*EVIL, *paths]


@pytest.mark.parametrize("words", [words for words in COMMANDS if words[0] not in SERVING], ids=" ".join)
def test_no_argument_or_option_ends_in_a_traceback(words: tuple[str, ...], files: dict[str, str]) -> None:
    parameters = [it for it in COMMANDS[words].params if not getattr(it, "is_flag", False)]
    for parameter in parameters:
        needed = [it for it in parameters if it.required and it is not parameter]
        rest = [word for it in needed for word in usual(it, files)]
        for value in hostile(words, parameter, files):
            given = [value] if isinstance(parameter, click.Argument) else [parameter.opts[0], value]
            options = [*words, *rest, *given] if not isinstance(parameter, click.Argument) else [*words, *given, *rest]
            fits(run(*options), options)
    assert not Path(files["gone"]).exists()


@pytest.mark.parametrize("words", [words for words in COMMANDS if words[0] not in SERVING], ids=" ".join)
def test_without_arguments_and_with_strange_options_something_is_said(
    words: tuple[str, ...], files: dict[str, str]
) -> None:
    for more in ([], ["--no-such-option"], ["a", "b", "c", "d", "e"], ["--language"], ["-h"]):
        fits(run(*words, *more), (words, more, files["url"]))


READING = (
    "status",
    "verify",
    "explain RL-2026-000001",
    "simulate dropout --over 2026-03-01..2026-03-02",
    "watch --on 2026-03-02",
    "migrate-cases",
    "merge-units --on 2026-03-02",
    "user list",
    "import pupils {empty}",
)


@pytest.mark.parametrize("words", READING)
def test_a_database_that_is_not_there_is_refused_and_not_made(words: str, files: dict[str, str]) -> None:
    arguments = words.format(**files).split()
    found = run(*arguments, "--database", f"sqlite:///{files['gone']}")
    assert (found.exit_code, f"There is no database {files['gone']}" in found.output) == (2, True), found.output
    assert not Path(files["gone"]).exists()


def test_a_file_that_is_no_database_of_ours_is_left_as_it_is(files: dict[str, str]) -> None:
    before = Path(files["binary"]).read_bytes()
    found = run("explain", "RL-2026-000001", "--database", f"sqlite:///{files['binary']}")
    assert (found.exit_code, "The database cannot be used" in found.output) == (2, True), found.output
    assert Path(files["binary"]).read_bytes() == before
    found = run("explain", "RL-2026-000001", "--database", f"sqlite:///{files['empty']}")
    assert (found.exit_code, "holds nothing of this program" in found.output) == (2, True), found.output


@pytest.mark.parametrize("port", ["0", "-1", "65536", "99999", "x", "", "8" * 5_000, "٣"])
@pytest.mark.parametrize("command", ["serve", "demo"])
def test_a_port_that_is_none_is_refused_before_anything_is_made(
    command: str, port: str, files: dict[str, str], tmp_path: Path
) -> None:
    found = run(command, f"--port={port}")
    assert (found.exit_code, "is no port" in found.output) == (2, True), (found.output, files["url"])
    assert not (tmp_path / "instance").exists()


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "no.such.host.invalid", "x" * 200, "a..b", "999.1.1.1", "::g", "[", "203.0.113.7", "🦬"]
)
def test_where_nothing_can_listen_is_said_with_the_reason(host: str, files: dict[str, str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        found = run("serve", "--no-worker", "--host", host, "--port", str(taken.getsockname()[1]))
    fits(found, (host, files["url"]))
    assert (found.exit_code, "Nothing can listen at" in found.output) == (2, True), found.output


@pytest.mark.parametrize("url", URLS)
@pytest.mark.parametrize("command", sorted(SERVING))
def test_no_wrong_database_url_is_served(
    command: str, url: str, files: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if not url or "{empty}" in url or "{gone}" in url:  # the installation's own, or one that may be set up there
        return
    monkeypatch.setenv("RALOP_DATABASE_URL", url.format(**files))
    found = run(command)
    fits(found, (command, url))
    assert found.exit_code == 2, found.output


@pytest.mark.parametrize(
    "name", ["settings.toml", "secret_key", "rules/risk.toml", "rules/import/aliases.toml", "workflows/own.toml"]
)
@pytest.mark.parametrize("content", [b"\xff\xfe\x00", None])
def test_a_file_of_the_installation_that_cannot_be_read_is_named(
    name: str, content: bytes | None, files: dict[str, str], tmp_path: Path
) -> None:
    path = tmp_path / "instance" / name
    path.parent.mkdir(parents=True)
    path.mkdir() if content is None else path.write_bytes(content)
    found = run("serve", "--no-worker", "--host", "no.such.host.invalid")
    fits(found, (name, files["url"]))
    assert found.exit_code == 2, found.output
    if content is not None or name in {"settings.toml", "secret_key"}:  # elsewhere a folder is no file of ours
        assert path.name in found.output


def test_the_refusals_are_in_the_language_of_the_terminal(
    files: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("locale.getlocale", lambda *_: ("vi_VN", "UTF-8"))
    told = {
        ("serve", "--port", "x"): "x không phải là số cổng",
        ("explain",): "Thiếu: 'CASE'",
        ("explain", "A", "--database", f"sqlite:///{files['gone']}"): "Không có cơ sở dữ liệu",
        ("no-such",): "Không có lệnh no-such",
        ("status", "--x"): "Không có tùy chọn --x",
        ("explain", "A", "--language", "fr"): "chọn một trong",
        ("watch", "--on", "0001-01-01"): "nằm ngoài lịch",
        ("import", "units", files["folder"]): "là thư mục",
    }
    for words, sentence in told.items():
        found = run(*words)
        assert (found.exit_code, sentence in found.output) == (2, True), (words, found.output)
        assert found.output.startswith("Lỗi: ")


def process(files: dict[str, str], *words: str, **more: object) -> "subprocess.Popen[str]":
    return subprocess.Popen([sys.executable, "-m", "web", *words], text=True, stderr=subprocess.PIPE, **more)  # type: ignore[call-overload,no-any-return]


def test_a_reader_that_goes_away_ends_the_command_quietly(files: dict[str, str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with process(files, "check", stdout=writing) as command:
        os.close(writing)
        said = command.communicate(timeout=120)[1]
    assert (command.returncode, said) == (1, "")


def at_a_terminal() -> None:
    """What a shell starts in the background, as it does these tests in CI, does not hear Control-C: this does."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def test_control_c_ends_a_command_with_a_sentence(files: dict[str, str], tmp_path: Path) -> None:
    fifo = tmp_path / "never.toml"
    os.mkfifo(fifo)
    hears = {"stdout": subprocess.PIPE, "preexec_fn": at_a_terminal}
    with process(files, "check", str(fifo), **hears) as command, fifo.open("wb", buffering=0):
        time.sleep(0.5)  # both ends are open: the command reads
        command.send_signal(signal.SIGINT)
        said = command.communicate(timeout=120)[1]
    assert (command.returncode, said.strip()) == (1, "Stopped.")


def test_a_terminal_without_our_letters_gets_their_numbers(files: dict[str, str]) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    with process(files, "explain", "🦬", stdout=subprocess.PIPE, env=environment) as command:
        said = command.communicate(timeout=120)[1]
    assert command.returncode == 1
    assert "Traceback" not in said


def test_the_database_of_the_right_commands_is_made(
    files: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RALOP_DATABASE_URL", f"sqlite:///{files['new']}")
    assert run("user", "add", "hanh", "Y Hạnh").exit_code == 0
    with closing(open_store(f"sqlite:///{files['new']}", make=False)) as store:
        assert store.is_sqlite
