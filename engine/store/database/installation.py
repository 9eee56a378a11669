"""Checks that the database and the folders of a process are still the ones with which it began.

A deleted, moved or replaced file stays open, so a process could confirm what is lost. So a process that serves or works
remembers with what it began (`Store.settle`). It checks this in each transaction, and again after the commit. It
remembers two things:

- places: the file of SQLite and the folder of the installation, by device and inode; PostgreSQL's database and table,
  by their numbers. The same place may come back and is right again. A copy in its place may be older.
- the row `installation` among the settings: a random id, and a count that only grows (`beat`). A database with another
id is a different one. A database with a smaller count is an older copy.

A file copied over the SQLite file keeps its inode, and the write-ahead log hides the change: SQLite would go on and mix
the two. So the header of the file also has the count (`user_version`). Each sign of life writes it there, and the check
reads it without SQLite.
"""

from __future__ import annotations

import logging
import secrets
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import BigInteger, Connection, Engine, column, event, literal_column, select, table, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects import sqlite as sqlite_dialect
from sqlalchemy.exc import DBAPIError

from engine.core.words import Sentence
from engine.store.database.failures import Unavailable, word_for
from engine.store.database.places import Place, count_on_disk, place_of
from engine.store.tables.types import Json

log = logging.getLogger("ralop.store")

SETTING = "installation"
GONE = Sentence("The database is gone from its place.")
REPLACED = Sentence("In the place of the database there is another one. Restart the program if that is the right one.")
OLDER = Sentence("The database is an older copy of itself. Restart the program if that is the right one.")
NO_FOLDER = Sentence("The folder of the installation, or a file in it, is gone or another one is in its place.")

_settings = table("settings", column("name"), column("value", Json))
_DATABASE = "(SELECT oid::bigint FROM pg_database WHERE datname = current_database())"
_TABLE = "to_regclass('settings')::oid::bigint"
_sqlite_row = select(_settings.c.value).where(_settings.c.name == SETTING)
_postgresql_row = _sqlite_row.add_columns(literal_column(_DATABASE, BigInteger), literal_column(_TABLE, BigInteger))


def _make_row(connection: Connection) -> None:
    """Adds the row if it is missing; several processes may start at once."""
    dialect = sqlite_dialect if connection.dialect.name == "sqlite" else postgresql
    row = {"name": SETTING, "value": {"id": secrets.token_hex(16), "beats": 0}}
    connection.execute(dialect.insert(_settings).values(row).on_conflict_do_nothing())


class Installation:
    """What a store remembers of its database. Before `settle` nothing is checked."""

    def __init__(self, engine: Engine) -> None:
        self._engine, name = engine, engine.url.database
        self.is_sqlite = engine.dialect.name == "sqlite"
        self.file = Path(name).absolute() if self.is_sqlite and name and not name.startswith((":", "file:")) else None
        self._settled = False
        self._place: Place = None
        self._folders: dict[Path, Place] = {}
        self._files: tuple[Path, ...] = ()
        self._id, self._beats, self._on_disk, self._said = "", 0, 0, ""
        if self.file or not self.is_sqlite:
            event.listen(engine, "do_connect", self._before_connect)
            event.listen(engine, "connect", self._connected)
            event.listen(engine, "begin", self._before_begin, insert=True)
            event.listen(engine, "begin", self._begun)

    def settle(self, connection: Connection, folders: Iterable[Path], files: Iterable[Path]) -> int:
        """Remembers this database and these folders as the right ones; existing `files` must stay, too.

        Call it in a transaction that is committed. Returns the number of the sign of life that it writes.
        """
        beats = self.beat(connection)
        self._place = place_of(self.file) if self.file else self._read(connection)[1]
        connection.info["place"] = self._place
        self._folders = {path: place for path in folders if (place := place_of(path))}
        self._files = tuple(path for path in files if path.is_file())
        self._settled = True
        return beats

    # --- what is looked at --------------------------------------------------------------------------------------------

    def check(self) -> None:
        """Checks file and folders. Raises Unavailable if one of them is not the one from the start."""
        if self._settled:
            self._check_file()
            self._check_header()
            for path, place in self._folders.items():
                if place_of(path) != place:
                    raise self._lost("folder gone", NO_FOLDER, path)
            for path in self._files:
                if not path.is_file():
                    raise self._lost("folder gone", NO_FOLDER, path)

    def _check_file(self) -> None:
        if self.file and (place := place_of(self.file)) != self._place:
            raise self._lost("gone", GONE, self.file) if place is None else self._lost("replaced", REPLACED, self.file)

    def _check_header(self, most: int | None = None) -> None:
        """Checks that the header of the file belongs to this database; `most`: the count in it, if known."""
        if self.file:
            before = self._on_disk
            try:
                found = count_on_disk(self.file, self._place)
            except OSError as error:  # deleted a moment ago
                raise self._lost("gone", GONE, self.file) from error
            if not before <= found <= (found if most is None else most):
                raise self._lost("replaced", REPLACED, self.file)
            self._on_disk = max(self._on_disk, found)

    def _compare(self, row: Mapping[str, Any], beats: int) -> None:
        """Checks that the row belongs to the right database; `beats`: the number of signs of life before it was
        read.
        """
        if self._id and row.get("id") != self._id:
            raise self._lost("replaced", REPLACED)
        if row.get("beats", 0) < beats:
            raise self._lost("older copy", OLDER)

    def _lost(self, word: str, why: Sentence, where: Path | None = None) -> Unavailable:
        if self._said != word:
            self._said = word
            log.error("No entries are taken: %s %s", why, where or "")
        return Unavailable(word, why)

    def _found(self) -> None:
        if self._said:
            self._said = ""
            log.warning("Entries are taken again: the database and the folder are as they were")

    # --- when it is looked at -----------------------------------------------------------------------------------------

    def _before_connect(self, _dialect: Any, _record: Any, arguments: list[Any], options: dict[str, Any]) -> None:
        """Checks the place first: SQLite would create a missing file."""
        if self._settled and self.file:
            self._check_file()
            arguments[0], options["uri"] = f"{self.file.as_uri()}?mode=rw", True

    def _connected(self, line: Any, record: Any) -> None:
        if self.file:
            record.info["place"] = place_of(self.file)
        elif self._settled:
            self._look_at_postgresql(line)

    def _look_at_postgresql(self, line: Any) -> None:
        """Checks a new connection once: it stays with its database, and that is enough for reading."""
        try:
            place = line.execute(f"SELECT {_DATABASE}, {_TABLE}").fetchone()
            row = line.execute(f"SELECT value->>'id' FROM settings WHERE name = '{SETTING}'").fetchone()  # noqa: S608
            line.rollback()
        except psycopg.errors.UndefinedTable:
            place = row = None
        if place != self._place or row != (self._id,):
            line.close()
            raise self._lost("replaced", REPLACED)

    def _before_begin(self, connection: Connection) -> None:
        """Checks before SQLite begins; otherwise the connection would be left in a transaction that nobody ends."""
        if self._settled and self.file:
            self._check_file()
            self._check_header()
            if connection.info.get("place") != self._place:
                connection.invalidate()  # opened while something else was in its place
                raise self._lost("replaced", REPLACED, self.file)

    def _begun(self, connection: Connection) -> None:
        options = connection.get_execution_options()
        if self._settled and options.get("writes", True) and not options.get("postgresql_readonly"):
            self._check_all(connection)

    def _check_all(self, connection: Connection) -> None:
        self.check()
        beats = self._beats
        row, place = self._read(connection)
        self._compare(row, beats)
        self._check_header(row["beats"])
        if not self.is_sqlite and place != self._place:
            raise self._lost("replaced", REPLACED)
        self._found()

    def _read(self, connection: Connection, *, lock: bool = False) -> tuple[Mapping[str, Any], Place]:
        """Returns the row, empty if missing; and PostgreSQL's place."""
        query = _sqlite_row if self.is_sqlite else _postgresql_row
        try:
            found = connection.execute(query.with_for_update(of=_settings) if lock else query).one_or_none()
        except DBAPIError as error:
            if word_for(error) or not self._settled:
                raise
            raise self._lost("replaced", REPLACED) from error  # not even the table exists
        if found is None:
            return {}, None
        row, *place = found
        return row, (place[0], place[1]) if place else None

    # --- the sign of life ---------------------------------------------------------------------------------------------

    def beat(self, connection: Connection) -> int:
        """Writes a sign of life and returns its number, for `remember` after the commit.

        Raises Unavailable like `check`.
        """
        if not self._settled:
            _make_row(connection)
        before, row = self._beats, self._read(connection, lock=True)[0]
        self._compare(row, before)
        value = {"id": row["id"], "beats": row["beats"] + 1}
        connection.execute(update(_settings).where(_settings.c.name == SETTING).values(value=value))
        if self.is_sqlite:
            connection.exec_driver_sql(f"PRAGMA user_version={int(value['beats'])}")
        self._id = row["id"]
        return int(value["beats"])

    def remember(self, beats: int) -> None:
        """Remembers a committed sign of life: a database without it is older.

        Writes it into the header of the file, too.
        """
        self._beats = max(self._beats, beats)
        if self.file:
            # The next sign of life writes it.
            with closing(self._engine.raw_connection()) as line, suppress(sqlite3.Error):
                line.cursor().execute("PRAGMA wal_checkpoint(PASSIVE)")
            self._check_header()
