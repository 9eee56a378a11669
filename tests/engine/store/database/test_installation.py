"""What a store keeps in mind of its database and its folder: what is written into another one is not acknowledged."""

import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import make_url, select

from engine.store import tables as t
from engine.store.database.failures import Unavailable
from engine.store.database.installation import SETTING
from engine.store.ops.health import look
from engine.store.ops.settings import get_setting, put_setting
from engine.store.session import Store, open_store
from tests import databases


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of an installation, with its key."""
    made = tmp_path / "instance"
    made.mkdir()
    (made / "secret_key").write_text("k" * 40, encoding="ascii")
    return made


@pytest.fixture
def settled(store: Store, folder: Path) -> Store:
    """A store as `ralop serve` opens it."""
    store.settle([folder], [folder / "secret_key"])
    note(store, "first")
    return store


@pytest.fixture
def on_file(sqlite_url: str) -> Iterator[Store]:
    store = open_store(sqlite_url)
    store.settle()
    note(store, "first")
    yield store
    store.close()


def file_of(store: Store) -> Path:
    return Path(str(store.url.database))


def note(store: Store, name: str) -> None:
    with store.writing("test") as session:
        put_setting(session, f"note-{name}", {"kept": True})


def notes(store: Store) -> set[str]:
    with store.reading("test") as session:
        names = session.scalars(select(t.Setting.name).where(t.Setting.name.startswith("note-")))
        return {name.removeprefix("note-") for name in names}


def refused(store: Store, name: str = "refused") -> str:
    """The word for why a note is not taken."""
    with pytest.raises(Unavailable) as told:
        note(store, name)
    return told.value.word


# --- the file of SQLite -----------------------------------------------------------------------------------------------


def test_nothing_is_written_to_nor_read_from_a_file_that_was_moved_away_until_it_is_back(on_file: Store) -> None:
    path = file_of(on_file)
    path.rename(path.with_name("away.db"))
    assert refused(on_file) == "gone"
    with pytest.raises(Unavailable):
        notes(on_file)
    assert look(on_file).database == "gone"
    assert not path.exists()  # nor was a new one made
    path.with_name("away.db").rename(path)
    note(on_file, "second")
    assert notes(on_file) == {"first", "second"}
    assert look(on_file).database == "ok"


def test_no_new_line_makes_a_new_file_where_the_old_one_was(on_file: Store) -> None:
    on_file.engine.dispose()
    file_of(on_file).unlink()
    assert refused(on_file) == "gone"
    assert not file_of(on_file).exists()


def test_what_was_written_while_the_file_was_deleted_is_not_acknowledged(on_file: Store) -> None:
    def write() -> None:
        with on_file.writing("test") as session:
            put_setting(session, "note-lost", {})
            session.flush()
            file_of(on_file).unlink()

    with pytest.raises(Unavailable, match="gone from its place"):
        write()


def test_a_copy_in_its_place_may_be_an_older_one_and_is_taken_only_by_a_program_that_starts(on_file: Store) -> None:
    path = file_of(on_file)
    on_file.engine.dispose()  # so that all is in the one file
    shutil.copyfile(path, path.with_name("backup.db"))
    note(on_file, "after the backup")
    path.with_name("backup.db").replace(path)
    for beside in ("-wal", "-shm"):  # of the file that was there
        path.with_name(f"{path.name}{beside}").unlink(missing_ok=True)
    assert refused(on_file) == "replaced"
    assert look(on_file).database == "replaced"
    with closing(open_store(on_file.url)) as started:
        started.settle()
        note(started, "second")
        assert refused(on_file) == "replaced"
        on_file.engine.dispose()  # closes its lines to the old file, and leaves the new one's alone
        note(started, "third")
    with closing(open_store(on_file.url)) as later:
        assert notes(later) == {"first", "second", "third"}


def test_a_line_that_was_opened_on_something_else_is_not_written_to_when_the_right_file_is_back(
    on_file: Store, sqlite_template: Path
) -> None:
    path, away = file_of(on_file), file_of(on_file).with_name("away.db")
    with on_file.engine.connect() as line:
        line.info["place"] = (1, 1)  # as if it had been opened in the moment in which the file was another one
    path.rename(away)
    databases.copy_sqlite(sqlite_template, path)
    assert refused(on_file) == "replaced"
    path.unlink()
    away.rename(path)
    assert refused(on_file) == "replaced"
    note(on_file, "second")  # on a new line
    assert notes(on_file) == {"first", "second"}


def test_a_backup_that_is_copied_over_the_file_itself_is_an_older_one(on_file: Store) -> None:
    """The inode stays, and the write-ahead log hides what is below it."""
    path = file_of(on_file)
    on_file.engine.dispose()
    shutil.copyfile(path, path.with_name("backup.db"))
    note(on_file, "after the backup")
    on_file.beat()  # as the worker does every ten seconds
    shutil.copyfile(path.with_name("backup.db"), path)
    assert refused(on_file) == "replaced"
    assert look(on_file).database == "replaced"


@pytest.mark.parametrize("beats", [0, 40])
def test_another_database_that_is_copied_over_the_file_itself_is_another_one(
    on_file: Store, sqlite_template: Path, tmp_path: Path, beats: int
) -> None:
    for _turn in range(3):
        on_file.beat()
    with closing(open_store(databases.copy_sqlite(sqlite_template, tmp_path / "another.db"))) as another:
        for _turn in range(beats):
            another.beat()
    shutil.copyfile(tmp_path / "another.db", file_of(on_file))
    assert refused(on_file) == "replaced"


# --- either kind ------------------------------------------------------------------------------------------------------


def test_a_database_with_another_id_is_another_one(settled: Store) -> None:
    with closing(open_store(settled.url)) as others, others.writing("test") as session:
        right = dict(get_setting(session, SETTING))
        put_setting(session, SETTING, {**right, "id": "another"})
    assert refused(settled) == "replaced"
    assert look(settled).database == "replaced"
    with closing(open_store(settled.url)) as others, others.writing("test") as session:
        put_setting(session, SETTING, right)
    note(settled, "second")
    assert notes(settled) == {"first", "second"}


def test_a_database_without_a_sign_of_life_that_was_kept_is_an_older_copy(settled: Store) -> None:
    with settled.reading("test") as session:
        before = dict(get_setting(session, SETTING))
    settled.beat()
    with closing(open_store(settled.url)) as others, others.writing("test") as session:
        put_setting(session, SETTING, before)  # as a backup that is written over it has it
    assert refused(settled) == "older copy"
    assert look(settled).database == "older copy"


def test_a_database_whose_tables_are_gone_is_another_one(settled: Store) -> None:
    with closing(open_store(settled.url)) as others, others.writing("test") as session:
        session.connection().exec_driver_sql("DROP TABLE settings")
    assert refused(settled) == "replaced"


def test_nothing_is_written_while_the_folder_is_away_and_it_goes_on_when_it_is_back(
    settled: Store, folder: Path
) -> None:
    folder.rename(folder.with_name("away"))
    assert refused(settled) == "folder gone"
    folder.mkdir()  # an empty one in its place is another one
    assert refused(settled) == "folder gone"
    assert look(settled).database == "folder gone"
    folder.rmdir()
    folder.with_name("away").rename(folder)
    note(settled, "second")
    assert notes(settled) == {"first", "second"}


def test_nothing_is_written_while_the_key_is_gone_from_the_folder(settled: Store, folder: Path) -> None:
    key = (folder / "secret_key").read_text(encoding="ascii")
    (folder / "secret_key").unlink()
    assert refused(settled) == "folder gone"
    (folder / "secret_key").write_text(key, encoding="ascii")
    note(settled, "second")


def test_many_who_write_and_give_signs_of_life_at_once_take_none_for_lost(settled: Store) -> None:
    faults: list[Exception] = []

    def work(number: int) -> None:
        try:
            with closing(open_store(settled.url)) as own:
                own.settle()
                for turn in range(10):
                    own.beat() if turn % 2 else note(own, f"{number}-{turn}")
                    settled.beat()
        except Exception as error:  # noqa: BLE001 - told below
            faults.append(error)

    workers = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert faults == []
    assert len(notes(settled)) == 21


def test_a_command_that_reads_what_is_there_looks_at_nothing(store: Store) -> None:
    note(store, "first")
    with store.reading("test") as session:
        assert get_setting(session, SETTING) == {}


# --- PostgreSQL's own -------------------------------------------------------------------------------------------------


@pytest.fixture
def on_server(postgresql_url: str) -> Iterator[Store]:
    store = open_store(postgresql_url)
    store.settle()
    note(store, "first")
    yield store
    store.close()


def test_a_database_that_was_dropped_and_made_again_from_a_copy_is_another_one(
    on_server: Store, postgresql_server: str
) -> None:
    name = str(on_server.url.database)
    on_server.engine.dispose()
    databases.create_postgresql(postgresql_server, f"{name}_copy", template=name)
    databases.drop_postgresql(postgresql_server, name)
    assert look(on_server).database == "unreachable"
    databases.create_postgresql(postgresql_server, name, template=f"{name}_copy")
    databases.drop_postgresql(postgresql_server, f"{name}_copy")
    assert refused(on_server) == "replaced"
    with pytest.raises(Unavailable):
        notes(on_server)
    with closing(open_store(on_server.url)) as started:
        started.settle()
        note(started, "second")


def test_an_empty_database_in_its_place_is_another_one(on_server: Store, postgresql_server: str) -> None:
    name = str(on_server.url.database)
    on_server.engine.dispose()
    databases.drop_postgresql(postgresql_server, name)
    databases.create_postgresql(postgresql_server, name)
    assert refused(on_server) == "replaced"


def test_what_the_url_says_of_time_outs_goes_before_our_own(postgresql_url: str) -> None:
    url = make_url(postgresql_url).update_query_dict({"connect_timeout": "2"})
    with closing(open_store(url)) as store, store.reading("test") as session:
        told = session.connection().connection.dbapi_connection.info.get_parameters()  # type: ignore[union-attr]
    assert (told["connect_timeout"], told["keepalives_idle"]) == ("2", "10")


def test_a_server_that_takes_a_line_and_says_nothing_is_given_up_after_seconds() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://ralop@127.0.0.1:{silent.getsockname()[1]}/ralop?connect_timeout=2"
        with closing(open_store(url)) as store:
            begun = time.monotonic()
            assert look(store).database == "unreachable"
            assert time.monotonic() - begun < 10
