"""`ralop backup` and `ralop restore`, as an operator types them, on a database that people work on."""

import fcntl
import gzip
import io
import json
import os
import random
import signal
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import func, insert, select

from engine.core.cases.act import Act
from engine.store import tables as t
from engine.store.session import Store, open_store
from engine.usecases.cases import case_acts
from tests import databases
from tests.installation import CastInstallation, at, installed
from tests.ports import free_port
from tests.web.cli.test_serve import answer, serving
from web.cli.main import main

__all__ = ["installed"]

SECONDS = 120
WRITES_A_SECOND = 50
PADDING_MB = 20
KEY = "ynOQJ1ZlYpXbC0a3hVtdr7ieW5gK8mUs"


@dataclass
class Installation:
    """A folder with settings, keys and own rules, and its database."""

    folder: Path
    url: str

    @property
    def environment(self) -> dict[str, str]:
        return {
            "RALOP_INSTANCE": str(self.folder),
            "RALOP_DATABASE_URL": self.url,
            "LC_ALL": "C",
            "PATH": databases.path_to_programs(),
        }

    def run(self, *arguments: object, **environment: str) -> Result:
        return CliRunner().invoke(
            main, [*map(str, arguments), "--language", "en"], env={**self.environment, **environment}
        )

    def start(self, *arguments: object) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "web", *map(str, arguments)], env={**os.environ, **self.environment}
        )


@pytest.fixture
def here(store: Store, tmp_path: Path) -> Installation:
    folder = tmp_path / "instance"
    (folder / "rules" / "calendars").mkdir(parents=True)
    (folder / "settings.toml").write_text('language = "vi"\n', encoding="utf-8")
    (folder / "secret_key").write_text(KEY, encoding="utf-8")
    (folder / "vapid.pem").write_text("invented", encoding="utf-8")
    (folder / "rules" / "calendars" / "tết.toml").write_text("# của tỉnh\n", encoding="utf-8")
    return Installation(folder, store.url.render_as_string(hide_password=False))


def only_backup(folder: Path) -> Path:
    [found] = folder.glob("ralop-*.tar.gz")
    return found


@pytest.fixture
def target(here: Installation, request: pytest.FixtureRequest) -> Iterator[list[str]]:
    """What names an empty place for the database: nothing for SQLite, a database of its own for PostgreSQL."""
    if here.url.startswith("sqlite"):
        yield []
        return
    server, name = request.getfixturevalue("postgresql_server"), f"ralop_test_empty_{random.getrandbits(40):x}"
    yield ["--database", databases.create_postgresql(server, name)]
    databases.drop_postgresql(server, name)


def database_in(folder: Path, target: list[str]) -> str:
    return target[1] if target else f"sqlite:///{folder / 'ralop.db'}"


def notes(url: str) -> int:
    with closing(open_store(url)) as store, store.reading("test") as session:
        return session.scalar(select(func.count()).where(t.Event.kind == "note")) or 0


def pad(store: Store) -> None:
    """Make the database so large that a copy takes a while."""
    job = {
        "kind": "pupils",
        "state": "waiting",
        "file_name": "x",
        "digest": "x",
        "options": {},
        "report": {},
        "made_at": at("2026-03-02 08:00"),
    }
    with store.writing("test") as session:
        for number in range(1, PADDING_MB + 1):
            session.execute(insert(t.ImportJob).values(id=number, **job))
            session.execute(insert(t.ImportFile).values(job_id=number, data=os.urandom(2**20)))


@contextmanager
def people_at_work(installed: CastInstallation) -> Iterator[Callable[[], int]]:
    """Somebody writes notes all the time, fifty a second; gives how many were acknowledged so far."""
    code, teacher = installed.open(), installed.viewer("teacher")
    ending, written = threading.Event(), [0]

    def write() -> None:
        begun = time.monotonic()
        while not ending.is_set():
            note = {"note": f"Ghi chú {written[0]}"}
            case_acts.note(installed.context, Act(teacher, code, note, at("2026-03-02 09:00"), key=str(written[0])))
            written[0] += 1
            ending.wait(max(0, begun + written[0] / WRITES_A_SECOND - time.monotonic()))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield lambda: written[0]
    finally:
        ending.set()
        writer.join()


def test_a_backup_under_fifty_writes_a_second_ends_restores_and_verifies(
    here: Installation, installed: CastInstallation, target: list[str], tmp_path: Path
) -> None:
    pad(installed.store)
    with people_at_work(installed) as written:
        before = written()
        with here.start("backup", tmp_path / "backups") as process:
            assert process.wait(SECONDS) == 0
        after = written()
    assert after > before
    done = here.run("restore", only_backup(tmp_path / "backups"), "--to", tmp_path / "new", *target)
    assert done.exit_code == 0, done.output
    assert ", 0 breaks." in done.output
    assert before <= notes(database_in(tmp_path / "new", target)) <= after
    for name in ("settings.toml", "secret_key", "vapid.pem", "rules/calendars/tết.toml"):
        assert (tmp_path / "new" / name).read_bytes() == (here.folder / name).read_bytes()


def test_a_backup_tells_what_it_wrote_and_its_owner_alone_may_read_it(
    here: Installation, installed: CastInstallation, tmp_path: Path
) -> None:
    done = here.run("backup", tmp_path / "backups", RALOP_SECRET_KEY=KEY)
    assert done.exit_code == 0, done.output
    path = only_backup(tmp_path / "backups")
    assert f"Backup: {path} (" in done.output
    assert "Files: 4 (rules/calendars/tết.toml, secret_key, settings.toml, vapid.pem)" in done.output
    assert "Not in it, because the environment gives it: RALOP_SECRET_KEY" in done.output
    assert f"{path.stat().st_mode & 0o777:o}" == "600"
    assert f"{path.parent.stat().st_mode & 0o777:o}" == "700"
    assert [it.name for it in path.parent.iterdir()] == [path.name]


def test_backups_that_are_killed_leave_no_half_file_and_the_next_one_clears_up(
    here: Installation, installed: CastInstallation, tmp_path: Path
) -> None:
    pad(installed.store)
    chance, folder = random.Random(12), tmp_path / "backups"
    moments = 0
    for _ in range(4):
        with here.start("backup", folder) as process:
            end = time.monotonic() + SECONDS
            while not list(folder.glob(".ralop-backup-*")) and process.poll() is None and time.monotonic() < end:
                time.sleep(0.01)
            time.sleep(chance.uniform(0, 0.6))
            moments += process.poll() is None
            process.kill()
        for whole in folder.glob("ralop-*"):
            read_to_the_end(whole)
            whole.unlink()
    assert moments > 0
    with here.start("backup", folder) as process:
        assert process.wait(SECONDS) == 0
    assert [path.name for path in folder.iterdir()] == [only_backup(folder).name]


def read_to_the_end(path: Path) -> None:
    with tarfile.open(path) as tar:
        [contents, *files] = tar.getmembers()
        told = json.loads((tar.extractfile(contents) or io.BytesIO()).read())["files"]
        assert {file.name: file.size for file in files} == {name: it["size"] for name, it in told.items()}


def test_a_backup_that_is_told_to_end_leaves_nothing(
    here: Installation, installed: CastInstallation, tmp_path: Path
) -> None:
    pad(installed.store)
    folder = tmp_path / "backups"
    with here.start("backup", folder) as process:
        while not list(folder.glob(".ralop-backup-*/database")) and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        assert process.wait(SECONDS) == 2
    assert list(folder.iterdir()) == []


def test_own_rules_that_change_while_they_are_copied_are_copied_again(
    here: Installation, installed: CastInstallation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from engine.store.ops import database_copies

    path, copy = here.folder / "rules" / "calendars" / "tết.toml", database_copies.copy
    texts = ["# lần hai\n", "# lần ba\n"]

    def edited_meanwhile(url: str, target: Path) -> database_copies.Copied:
        made = copy(url, target)
        if texts:
            path.write_text(texts.pop(0), encoding="utf-8")
        return made

    monkeypatch.setattr(database_copies, "copy", edited_meanwhile)
    assert here.run("backup", tmp_path / "backups").exit_code == 0
    with tarfile.open(only_backup(tmp_path / "backups")) as tar:
        found = tar.extractfile("instance/rules/calendars/tết.toml")
        assert found
        assert found.read().decode() == "# lần ba\n"


def test_what_is_no_part_of_an_installation_is_left_out(
    here: Installation, installed: CastInstallation, tmp_path: Path
) -> None:
    inside = here.folder / "backups"
    for _ in range(2):
        assert here.run("backup", inside).exit_code == 0
    assert len(list(inside.glob("ralop-*.tar.gz"))) == 2
    (here.folder / "rules" / "ring").symlink_to(here.folder)
    (here.folder / "lock").touch()
    assert here.run("backup", tmp_path / "backups").exit_code == 0
    with tarfile.open(only_backup(tmp_path / "backups")) as tar:
        names = tar.getnames()
    assert "instance/lock" not in names
    assert [name for name in names if "ring" in name or name.endswith(".tar.gz")] == []


@pytest.mark.parametrize("where", ["folder", "database"])
def test_a_backup_of_nothing_is_refused_and_makes_nothing(where: str, tmp_path: Path) -> None:
    instance = tmp_path / "instance"
    if where == "database":
        instance.mkdir()
    here = Installation(instance, f"sqlite:///{instance / 'ralop.db'}")
    done = here.run("backup", tmp_path / "backups")
    assert done.exit_code == 2
    assert f"There is no {where}" in done.output
    assert not (instance / "ralop.db").exists()
    assert not list(tmp_path.glob("backups/*"))


def test_a_place_that_cannot_be_written_is_told_in_words(
    here: Installation, installed: CastInstallation, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    done = here.run("backup", tmp_path / "file" / "below")
    assert done.exit_code == 2
    assert "Not a directory" in done.output


# --- PostgreSQL's own programs ----------------------------------------------------------------------------------------


@pytest.fixture
def postgresql(postgresql_url: str, tmp_path: Path) -> Installation:
    (tmp_path / "instance").mkdir()
    return Installation(tmp_path / "instance", postgresql_url)


def test_without_pg_dump_on_path_it_says_what_to_install(postgresql: Installation, tmp_path: Path) -> None:
    done = postgresql.run("backup", tmp_path / "backups", PATH=str(tmp_path))
    assert done.exit_code == 2
    assert "pg_dump is not on PATH: install PostgreSQL's client programs" in done.output


def test_a_pg_dump_older_than_the_server_is_refused(postgresql: Installation, tmp_path: Path) -> None:
    old = tmp_path / "pg_dump"
    old.write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 9.6.24'\n", encoding="utf-8")
    old.chmod(0o700)
    done = postgresql.run("backup", tmp_path / "backups", PATH=f"{tmp_path}{os.pathsep}{databases.path_to_programs()}")
    assert done.exit_code == 2
    assert f"pg_dump ({old}) is version 9, the server is " in done.output
    assert list((tmp_path / "backups").iterdir()) == []


def test_the_password_of_the_database_stands_in_no_list_of_processes(postgresql: Installation, tmp_path: Path) -> None:
    spy, seen = tmp_path / "pg_dump", tmp_path / "seen"
    lines = (
        "#!/bin/sh",
        "echo 'pg_dump (PostgreSQL) 99.1'",
        f'echo "$@ / $PGPASSWORD" >> {seen}',
        '[ "$1" = --version ]',
    )
    spy.write_text("\n".join(lines), encoding="utf-8")
    spy.chmod(0o700)
    postgresql.url = postgresql.url.replace("postgres:@", "postgres:hidden@").replace("postgres@", "postgres:hidden@")
    done = postgresql.run("backup", tmp_path / "backups", PATH=f"{tmp_path}{os.pathsep}{databases.path_to_programs()}")
    assert done.exit_code == 2
    arguments, password = seen.read_text(encoding="utf-8").splitlines()[-1].rsplit(" / ", 1)
    assert (password, "hidden" in arguments, "hidden" in done.output) == ("hidden", False, False)


def test_a_database_that_is_in_use_or_not_empty_is_not_restored_into(
    postgresql: Installation, postgresql_server: str, tmp_path: Path
) -> None:
    assert postgresql.run("backup", tmp_path / "backups").exit_code == 0
    file = only_backup(tmp_path / "backups")
    done = postgresql.run("restore", file, "--to", tmp_path / "new", "--database", postgresql.url)
    assert done.exit_code == 2
    assert "is not empty, it has " in done.output
    with closing(open_store(postgresql.url)) as store, store.reading("test") as session:
        session.execute(select(t.Case.id))
        done = postgresql.run("restore", file, "--to", tmp_path / "new", "--database", postgresql.url)
    assert done.exit_code == 2
    assert "1 other connections are open" in done.output
    done = postgresql.run("restore", file, "--to", tmp_path / "new")
    assert done.exit_code == 2
    assert "name an empty one, --database" in done.output
    assert not (tmp_path / "new").exists()


# --- restoring --------------------------------------------------------------------------------------------------------


@pytest.fixture
def small(sqlite_url: str, tmp_path: Path) -> Installation:
    """An installation on SQLite, with a backup beside it."""
    from engine.store.simulation import seed
    from engine.usecases.context import Context
    from tests.installation import definitions

    folder = tmp_path / "instance"
    folder.mkdir(mode=0o700)
    database = folder / "ralop.db"
    Path(sqlite_url.removeprefix("sqlite:///")).rename(database)
    (folder / "secret_key").write_text(KEY, encoding="utf-8")
    for path in folder.iterdir():
        path.chmod(0o600)
    with closing(open_store(f"sqlite:///{database}")) as store:
        with store.writing("test") as session:
            cast = seed.add_cast(session, at("2026-03-01 08:00"))
        CastInstallation(Context(store, definitions()), cast).open()
    here = Installation(folder, f"sqlite:///{database}")
    assert here.run("backup", tmp_path / "backups").exit_code == 0
    return here


def test_a_folder_with_something_in_it_is_left_alone_unless_said_and_then_set_aside(
    small: Installation, tmp_path: Path
) -> None:
    file, old = only_backup(tmp_path / "backups"), tmp_path / "old"
    old.mkdir()
    (old / "secret_key").write_text("the old key", encoding="utf-8")
    done = small.run("restore", file, "--to", old)
    assert done.exit_code == 2
    assert f"{old} is not empty: secret_key. Name another folder, or say --replace" in done.output
    assert (old / "secret_key").read_text(encoding="utf-8") == "the old key"
    assert small.run("restore", file, "--to", old, "--replace").exit_code == 0
    assert (old / "secret_key").read_text(encoding="utf-8") == KEY
    [aside] = old.glob("replaced-*/secret_key")
    assert aside.read_text(encoding="utf-8") == "the old key"
    assert f"{(old / 'ralop.db').stat().st_mode & 0o777:o}" == "600"


def test_after_a_restore_that_broke_off_no_server_starts_until_it_was_done_again(
    small: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, rename = only_backup(tmp_path / "backups"), Path.rename

    def full(path: Path, target: Path) -> Path:
        if path.name == "database":
            raise OSError(28, "No space left on device", str(target))
        return rename(path, target)

    with monkeypatch.context() as broken:
        broken.setattr(Path, "rename", full)
        done = small.run("restore", file, "--to", small.folder, "--replace")
    assert done.exit_code == 2
    assert "No space left on device" in done.output
    assert CliRunner().invoke(main, ["serve"], env=small.environment).exit_code == 2
    assert small.run("restore", file, "--to", small.folder, "--replace").exit_code == 0
    assert not (small.folder / "restore-unfinished").exists()
    assert len(list(small.folder.glob("replaced-*/ralop.db"))) == 1


@pytest.mark.parametrize("url", ["mysql://user@host/name", "no address", ""])
def test_a_wrong_address_of_a_database_is_told_in_words(postgresql: Installation, tmp_path: Path, url: str) -> None:
    assert postgresql.run("backup", tmp_path / "backups").exit_code == 0
    done = postgresql.run("restore", only_backup(tmp_path / "backups"), "--to", tmp_path / "new", "--database", url)
    assert done.exit_code == 2
    assert "postgresql://user@host/name" in done.output


@pytest.mark.parametrize("options", [(), ("--no-worker",)])
def test_nothing_is_restored_over_a_server_that_runs(
    small: Installation, tmp_path: Path, options: tuple[str, ...]
) -> None:
    port, file = free_port(), only_backup(tmp_path / "backups")
    with serving(small.folder, port, *options):
        answer(f"http://127.0.0.1:{port}/login")
        done = small.run("restore", file, "--to", small.folder, "--replace")
        assert done.exit_code == 2
        assert f"The program runs in {small.folder}: end it first" in done.output
        assert answer(f"http://127.0.0.1:{port}/login")[0] == 200
    assert not list(small.folder.glob("replaced-*"))
    assert small.run("restore", file, "--to", small.folder, "--replace").exit_code == 0


def test_nothing_is_restored_over_a_worker_or_a_shell_that_has_the_database_open(
    small: Installation, tmp_path: Path
) -> None:
    file = only_backup(tmp_path / "backups")
    with closing(open_store(small.url)) as store, store.reading("test") as session:
        session.execute(select(t.Case.id))
        done = small.run("restore", file, "--to", small.folder, "--replace")
    assert done.exit_code == 2
    assert "A program holds" in done.output
    with small.start("worker") as worker:
        end = time.monotonic() + SECONDS
        while not is_locked(small.folder / "lock") and time.monotonic() < end:
            time.sleep(0.05)
        done = small.run("restore", file, "--to", small.folder, "--replace")
        worker.kill()
    assert done.exit_code == 2
    assert "The program runs in" in done.output


def is_locked(path: Path) -> bool:
    with path.open("r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def test_a_history_that_does_not_hold_is_told_and_ends_with_1(small: Installation, tmp_path: Path) -> None:
    with closing(open_store(small.url)) as store, store.engine.begin() as line:
        line.exec_driver_sql("DROP TRIGGER IF EXISTS events_no_update")
        for (name,) in line.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").all():
            line.exec_driver_sql(f"DROP TRIGGER {name}")
        line.exec_driver_sql("UPDATE events SET role = 'head'")
    assert small.run("backup", tmp_path / "changed").exit_code == 0
    done = small.run("restore", only_backup(tmp_path / "changed"), "--to", tmp_path / "new")
    assert done.exit_code == 1
    assert "was changed." in done.output


def test_settings_that_name_another_database_are_pointed_out(small: Installation, tmp_path: Path) -> None:
    (small.folder / "settings.toml").write_text(f'database_url = "{small.url}"\n', encoding="utf-8")
    assert small.run("backup", tmp_path / "second").exit_code == 0
    environment = {"RALOP_DATABASE_URL": ""}
    done = small.run("restore", only_backup(tmp_path / "second"), "--to", tmp_path / "new", **environment)
    assert done.exit_code == 0
    assert f'write into {tmp_path}/new/settings.toml: database_url = "sqlite:///{tmp_path}/new/ralop.db"' in done.output


# --- files that are no backup -----------------------------------------------------------------------------------------


def packed(members: list[tuple[tarfile.TarInfo, bytes]]) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as tar:
        for entry, data in members:
            entry.size = len(data) if entry.isreg() else 0
            tar.addfile(entry, io.BytesIO(data))
    return made.getvalue()


def taken_apart(path: Path) -> tuple[dict[str, Any], list[tuple[tarfile.TarInfo, bytes]]]:
    with tarfile.open(path) as tar:
        members = [(entry, (tar.extractfile(entry) or io.BytesIO()).read()) for entry in tar.getmembers()]
    return json.loads(members[0][1]), members[1:]


def put_together(contents: object, members: list[tuple[tarfile.TarInfo, bytes]]) -> bytes:
    data = json.dumps(contents).encode()
    return packed([(tarfile.TarInfo("ralop-backup.json"), data), *members])


def cut_off(path: Path) -> bytes:
    return path.read_bytes()[: path.stat().st_size // 2]


def without_its_last_bytes(path: Path) -> bytes:
    return path.read_bytes()[:-5]


def one_bit_changed(path: Path) -> bytes:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    return bytes(data)


def one_letter_of_a_file_changed(path: Path) -> bytes:
    contents, members = taken_apart(path)
    return put_together(contents, [(entry, data.replace(b"y", b"z")) for entry, data in members])


def a_file_missing(path: Path) -> bytes:
    contents, members = taken_apart(path)
    return put_together(contents, members[:-1])


def a_file_too_many(path: Path) -> bytes:
    contents, members = taken_apart(path)
    return put_together(contents, [*members, (tarfile.TarInfo("instance/more"), b"x")])


def a_path_out_of_the_folder(path: Path) -> bytes:
    contents, members = taken_apart(path)
    contents["files"]["instance/../../escaped"] = {"size": 1, "sha256": "x"}
    return put_together(contents, [*members, (tarfile.TarInfo("instance/../../escaped"), b"x")])


def an_absolute_path(path: Path) -> bytes:
    contents, members = taken_apart(path)
    name = str(path.parent / "escaped")
    contents["files"][name] = {"size": 1, "sha256": "x"}
    return put_together(contents, [*members, (tarfile.TarInfo(name), b"x")])


def a_link_in_the_place_of_a_file(path: Path) -> bytes:
    contents, members = taken_apart(path)
    link = tarfile.TarInfo("instance/secret_key")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    return put_together(contents, [members[0], (link, b"")])


def a_file_that_is_a_folder_too(path: Path) -> bytes:
    contents, members = taken_apart(path)
    contents["files"]["instance/secret_key/x"] = contents["files"]["instance/secret_key"]
    return put_together(contents, [*members, (tarfile.TarInfo("instance/secret_key/x"), members[-1][1])])


def without_the_database(path: Path) -> bytes:
    contents, members = taken_apart(path)
    del contents["files"]["database"]
    return put_together(contents, members[1:])


def larger_than_any_disk(path: Path) -> bytes:
    contents, members = taken_apart(path)
    contents["files"]["database"]["size"] = 10**18
    return put_together(contents, members)


def of_a_newer_program(path: Path) -> bytes:
    contents, members = taken_apart(path)
    contents["database"]["revision"] = "9999_the_future"
    return put_together(contents, members)


def of_a_newer_form(path: Path) -> bytes:
    contents, members = taken_apart(path)
    return put_together({**contents, "ralop": 2}, members)


def something_behind_it(path: Path) -> bytes:
    return path.read_bytes() + b"more"


def nothing_at_all(_path: Path) -> bytes:
    return b""


def the_database_itself(path: Path) -> bytes:
    return taken_apart(path)[1][0][1]


def a_foreign_archive(_path: Path) -> bytes:
    return packed([(tarfile.TarInfo("holiday.jpg"), b"x")])


def a_list_that_is_none(_path: Path) -> bytes:
    return put_together([[[[]]]], [])


def a_packed_text(_path: Path) -> bytes:
    return gzip.compress(b"no archive, only words" * 100)


NEWER, DAMAGED = "A newer version of the program made this backup", "is cut off or damaged"
FOREIGN, CHANGED = "is no backup that `ralop backup` made", "The backup is not as its own list says"


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (cut_off, DAMAGED),
        (without_its_last_bytes, DAMAGED),
        (one_bit_changed, ""),
        (something_behind_it, DAMAGED),
        (one_letter_of_a_file_changed, CHANGED),
        (a_file_missing, f"{CHANGED}: instance/secret_key"),
        (a_file_too_many, f"{CHANGED}: instance/more"),
        (a_path_out_of_the_folder, f"{CHANGED}: instance/../../escaped"),
        (an_absolute_path, CHANGED),
        (a_link_in_the_place_of_a_file, f"{CHANGED}: instance/secret_key"),
        (a_file_that_is_a_folder_too, f"{CHANGED}: instance/secret_key/x"),
        (without_the_database, f"{CHANGED}: database"),
        (larger_than_any_disk, "There is no room for the backup"),
        (of_a_newer_program, NEWER),
        (of_a_newer_form, NEWER),
        (nothing_at_all, FOREIGN),
        (the_database_itself, FOREIGN),
        (a_foreign_archive, FOREIGN),
        (a_list_that_is_none, FOREIGN),
        (a_packed_text, ""),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_wrong_file_is_refused_in_words_and_nothing_is_touched(
    small: Installation, tmp_path: Path, spoil: Callable[[Path], bytes], told: str
) -> None:
    wrong = tmp_path / "wrong.tar.gz"
    wrong.write_bytes(spoil(only_backup(tmp_path / "backups")))
    before = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.name != "lock")
    for arguments in (("--to", tmp_path / "new"), ("--to", small.folder, "--replace")):
        done = small.run("restore", wrong, *arguments)
        assert done.exit_code == 2, done.output
        assert done.output.startswith("Error: ")
        assert told in done.output
    assert sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.name != "lock") == before
    with closing(open_store(small.url)) as store, store.reading("test") as session:
        assert session.scalar(select(func.count()).select_from(t.Case)) == 1
