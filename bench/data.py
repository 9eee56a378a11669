"""Fills a database with a country (bench/country.py) quickly, and gives all benches of a run the same one.

Sweeps need no fresh copy for each round: the country has a wave of overdue cases for every round. Rounds of ours and
rounds of the floor take turns, so that both meet the same database.
"""

from __future__ import annotations

import atexit
import datetime as dt
import sqlite3
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple, Protocol

import psycopg
from sqlalchemy import make_url

import rules
import workflows
from bench import Database, country, migrated
from bench.country import PER_CLASS, Country, Waves
from engine.core.calendar import load_calendar, merge
from engine.core.cases.definitions import Definitions
from engine.core.rules.reader import load_ruleset
from engine.core.workflow.reader import load_workflow
from engine.jobs.gc_tuning import keep_what_is_loaded
from engine.store.ops.schema import upgrade
from engine.store.session import open_store
from engine.usecases.context import Context
from tests.shipped_roles import ROLES

CHUNK = 20_000


class CountrySize(NamedTuple):
    """How many open cases, how many of them are overdue when, and how many a class has."""

    cases: int
    waves: Waves = Waves(0, 0)
    per_class: int = PER_CLASS


# As many waves as a run needs, and some. In a small country, too, most cases are not overdue.
PROVINCES, COUNTRY = CountrySize(100_000, Waves(1_000, 24)), CountrySize(1_000_000, Waves(10_000, 32))
HAMLETS, HAMLETS_FOR_TWO = CountrySize(960, Waves(10, 24)), CountrySize(960, Waves(6, 32))


@cache
def definitions() -> Definitions:
    """The workflow, the rules and the calendars that come with the program."""
    workflow = load_workflow(_text(workflows, "dropout.toml"), "dropout.toml", ROLES)
    ruleset = load_ruleset(_text(rules, "dropout.toml"), "dropout.toml", workflow)
    years = ("quang-ngai-2025-26.toml", "quang-ngai-2026-27.toml")
    calendar = merge([load_calendar(_text(rules, f"calendars/{year}"), year) for year in years])
    ours = (workflow.name, workflow.version), (ruleset.workflow, ruleset.version)
    return Definitions(
        {ours[0]: workflow},
        {ours[1]: ruleset},
        {"": calendar},
        {workflow.name: (workflow.version, ruleset.version)},
        ROLES,
    )


def _text(package: Any, name: str) -> str:
    return (Path(package.__file__).parent / name).read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Filled:
    """A filled database: its URL, its country, and its waves, of which each is swept once."""

    url: str
    country: Country
    waves: Iterator[int]

    @property
    def path(self) -> str:
        """The file of a SQLite database."""
        return str(make_url(self.url).database)

    def next_wave(self) -> dt.datetime:
        """The moment at which the next wave, and no other that nobody has swept, is due."""
        return self.country.waves.at(next(self.waves))

    @contextmanager
    def context(self) -> Iterator[Context]:
        """The context of a running program."""
        keep_what_is_loaded()
        with closing(open_store(self.url)) as store:
            yield Context(store, definitions())


_kept = ExitStack()


@cache
def filled(database: Database, size: CountrySize) -> Filled:
    """A database of a size; made once a run, gone at its end."""
    begun = perf_counter()
    url = _kept.enter_context(migrated(database))
    atexit.register(_kept.close)  # now, so that it comes before the server's end
    found = Country(size.cases, size.waves, definitions(), size.per_class)
    filler: Filler = Sqlite(url) if database == "sqlite" else Postgresql(url)
    with closing(filler):
        fill(filler, found)
    with closing(open_store(url)) as store:
        upgrade(store)  # as `ralop serve` does when it starts
    found.forget()
    print(f"{database}: {size.cases:,} cases in {perf_counter() - begun:.0f} s", file=sys.stderr, flush=True)
    return Filled(url, found, iter(range(found.waves.number)))


def fill(filler: Filler, found: Country) -> None:
    """Writes all rows of a country."""
    for table, rows in found.rows.items():
        filler.write(table, rows)
    for chunk in _chunks(found.pupils()):
        filler.write("pupils", chunk)
    for chunk in _chunks(found.case_rows()):
        cases, events, causes, offers = zip(*chunk, strict=True)
        filler.write("cases", cases)
        filler.write("events", events)
        filler.write("case_causes", causes)
        filler.write("offers", [offer for offer in offers if offer])
    filler.finish(found.cases)


def _chunks(rows: Iterator[Any]) -> Iterator[list[Any]]:
    while chunk := list(islice(rows, CHUNK)):
        yield chunk


class Filler(Protocol):
    """Writes rows past everything that would be slow, and puts all of it back."""

    def write(self, table: str, rows: Iterable[country.Row]) -> None:
        """Add rows that give the columns of `country.COLUMNS`."""

    def finish(self, cases: int) -> None:
        """Put indexes and triggers back; `cases` is how many codes were given out."""

    def close(self) -> None:
        """Let go of the database."""


class Sqlite:
    """`executemany` into tables without indexes, with no care for power cuts until all is there."""

    def __init__(self, url: str) -> None:
        self._connection = sqlite3.connect(str(make_url(url).database), isolation_level=None)
        self._do("PRAGMA journal_mode=OFF", "PRAGMA synchronous=OFF", "PRAGMA cache_size=-400000")
        query = (
            "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL AND"
            " (type = 'index' AND tbl_name IN ('cases', 'pupils') OR type = 'trigger' AND tbl_name = 'pupils')"
        )
        self._dropped = self._connection.execute(query).fetchall()
        self._do(*(f"DROP {kind} {name}" for kind, name, _ in self._dropped), "BEGIN")

    def _do(self, *statements: str) -> None:
        for statement in statements:
            self._connection.execute(statement)

    def write(self, table: str, rows: Iterable[country.Row]) -> None:
        columns = country.names(table)
        values = ", ".join("?" * len(columns))
        self._connection.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({values})", rows)

    def finish(self, cases: int) -> None:
        self._do(f"INSERT INTO counters VALUES ('case-2026', {cases})", "COMMIT")
        self._do(*(sql for _, _, sql in self._dropped), "INSERT INTO pupil_search (pupil_search) VALUES ('rebuild')")
        self._do("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", "PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        self._connection.close()


class Postgresql:
    """COPY into tables without indexes; the keys between tables are not looked at, they are right."""

    def __init__(self, url: str) -> None:
        plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._connection = psycopg.connect(plain, autocommit=True)
        self._do("SET timezone = 'UTC'", "SET session_replication_role = replica", "SET maintenance_work_mem = '512MB'")
        query = (
            "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"
            " AND tablename IN ('cases', 'pupils') AND indexname NOT IN (SELECT conname FROM pg_constraint)"
        )
        self._dropped = self._connection.execute(query).fetchall()
        self._do(*(f"DROP INDEX {name}" for name, _ in self._dropped))

    def _do(self, *statements: str) -> None:
        for statement in statements:
            self._connection.execute(statement.encode())

    def write(self, table: str, rows: Iterable[country.Row]) -> None:
        statement = f"COPY {table} ({', '.join(country.names(table))}) FROM STDIN"
        with self._connection.cursor() as cursor, cursor.copy(statement.encode()) as copy:
            copy.write("".join("\t".join([r"\N" if one is None else str(one) for one in row]) + "\n" for row in rows))

    def finish(self, cases: int) -> None:
        self._do(f"INSERT INTO counters VALUES ('case-2026', {cases})", *(sql for _, sql in self._dropped))
        for table in ("units", "people", "pupils", "cases", "appointments"):
            self._do(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))")
        self._do("VACUUM ANALYZE", "CHECKPOINT")

    def close(self) -> None:
        self._connection.close()
