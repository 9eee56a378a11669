"""Registers into the database: a million marks from csv, a hundred thousand from xlsx, against read and write alone.

The floor reads the same file with the same library and hands the same rows, in one transaction, to `executemany`
(SQLite) or `COPY` (PostgreSQL). Both run in a process of their own, whose most memory is told on stderr; more than
MEMORY_MB fails the bench.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import multiprocessing
import resource
import sqlite3
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import NamedTuple

import psycopg
import python_calamine as calamine
import xlsxwriter  # type: ignore[import-untyped]
from sqlalchemy import insert, make_url, text

from bench import DATABASES, Database, Measurement, measured, migrated
from bench.data import definitions
from engine.core.files.aliases import load_aliases
from engine.core.files.options import Options
from engine.store import tables as t
from engine.store.session import Store, open_store
from engine.usecases.attendance import importing
from engine.usecases.context import Context

BENCHES = ("import_marks_csv", "import_marks_xlsx")


class Size(NamedTuple):
    """How many pupils, and how many marks each file has."""

    pupils: int = 5_000
    csv: int = 1_000_000
    xlsx: int = 100_000


FULL, SMALL = Size(), Size(100, 1_000, 600)
MEMORY_MB = 300
FIRST = dt.date(2025, 9, 5)
NOW = dt.datetime(2026, 6, 30, 2, tzinfo=dt.UTC)
AT = "2026-06-30 02:00:00.000000"
HEAD = ["pupil_code", "date", "session", "mark", "reason"]
ALIASES = Path(__file__).parent.parent / "rules" / "import" / "aliases.toml"


Work = Callable[[str, Path, int], float]  # on the database at a URL, a file, so many pupils


def run(size: Size = FULL) -> Iterator[Measurement]:
    """The time of one import of new marks, in milliseconds."""
    with TemporaryDirectory(prefix="ralop-bench-") as folder:
        for name, count, make in (
            ("import_marks_csv", size.csv, _csv_file),
            ("import_marks_xlsx", size.xlsx, _xlsx_file),
        ):
            file = make(Path(folder), size.pupils, count)
            for database in DATABASES:
                ours, memory = _in_process(_ours, database, file, size.pupils)
                floor, _ = _in_process(_floor, database, file, size.pupils)
                print(f"{name} on {database}: {memory:.0f} MB at most", file=sys.stderr)
                if memory > MEMORY_MB:
                    raise AssertionError(f"{name} took {memory:.0f} MB; {MEMORY_MB} is the most")
                yield measured(name, database, n=count, value=ours * 1e3, unit="ms", floor=floor * 1e3)


def _rows(pupils: int, count: int) -> Iterator[list[str]]:
    """A register day by day, as schools send it; one in ten is absent, some of those with a reason."""
    for number in range(count):
        day, pupil = divmod(number // 2, pupils)
        mark = "u" if number % 20 == 7 else "e" if number % 20 == 13 else "p"
        date = FIRST + dt.timedelta(days=day)
        yield [_code(pupil), date.isoformat(), "ma"[number % 2], mark, "ốm" if mark == "e" else ""]


def _code(pupil: int) -> str:
    return f"51{pupil:08}"


def _csv_file(folder: Path, pupils: int, count: int) -> Path:
    path = folder / "marks.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEAD)
        writer.writerows(_rows(pupils, count))
    return path


def _xlsx_file(folder: Path, pupils: int, count: int) -> Path:
    path = folder / "marks.xlsx"
    with xlsxwriter.Workbook(path, {"constant_memory": True}) as book:
        sheet = book.add_worksheet()
        for at, row in enumerate([HEAD, *_rows(pupils, count)]):
            sheet.write_row(at, 0, row)
    return path


def _in_process(work: Work, database: Database, file: Path, pupils: int) -> tuple[float, float]:
    """Seconds of the work on a new database in a new process, and the megabytes of memory it had at most."""
    with migrated(database) as url:
        with closing(open_store(url)) as store:
            _fill(store, pupils)
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            seconds, kilobytes = pool.apply(_measured, (work, url, file, pupils))
    return seconds, kilobytes / 1024


def _measured(work: Work, url: str, file: Path, pupils: int) -> tuple[float, int]:
    return work(url, file, pupils), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _fill(store: Store, pupils: int) -> None:
    """A school with a hundred classes, each with as many pupils as any other."""
    long_ago = dt.date(2020, 1, 1)
    with store.writing("bench") as session:
        units: list[dict[str, object]] = [
            {"kind": "school", "code": "S", "name": "S", "search_key": "s", "parent_id": None}
        ]
        units += [
            {"kind": "class", "code": f"C{n}", "name": f"C{n}", "search_key": f"c{n}", "parent_id": 1}
            for n in range(100)
        ]
        session.execute(insert(t.Unit), [{**unit, "valid_from": long_ago, "valid_to": None} for unit in units])
        session.execute(
            insert(t.Pupil),
            [
                {
                    "code": _code(n),
                    "name": "A Thử",
                    "search_key": "a thu",
                    "sort_key": "thu a",
                    "class_id": 2 + n % 100,
                    "school_id": 1,
                }
                for n in range(pupils)
            ],
        )
        session.execute(text("SELECT COUNT(*) FROM pupils"))


def _ours(url: str, file: Path, _pupils: int) -> float:
    with closing(open_store(url)) as store:
        context = Context(
            store, definitions(), aliases=load_aliases(ALIASES.read_text(encoding="utf-8"), "aliases.toml")
        )
        begun = perf_counter()
        importing.run(context, "attendance", file.read_bytes(), Options(), NOW)
        return perf_counter() - begun


def _floor(url: str, file: Path, pupils: int) -> float:
    ids = {_code(number): number + 1 for number in range(pupils)}
    begun = perf_counter()
    given = _read_csv(file) if file.suffix == ".csv" else _read_xlsx(file)
    rows = [(ids[code], date, session, mark, reason or None, AT) for code, date, session, mark, reason in given]
    (_executemany if url.startswith("sqlite") else _copy)(url, rows)
    return perf_counter() - begun


def _read_csv(file: Path) -> Iterator[Sequence[str]]:
    reader = csv.reader(io.StringIO(file.read_text(encoding="utf-8")))
    next(reader)
    return reader


def _read_xlsx(file: Path) -> Iterator[Sequence[str]]:
    rows = calamine.load_workbook(io.BytesIO(file.read_bytes())).get_sheet_by_index(0).iter_rows()
    next(rows)
    return rows  # type: ignore[return-value]  # all cells are texts


def _executemany(url: str, rows: Sequence[tuple[object, ...]]) -> None:
    with closing(sqlite3.connect(make_url(url).database or "", isolation_level=None)) as connection:
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-65536"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(
            "INSERT INTO marks (pupil_id, day, session, mark, reason, at) VALUES (?, ?, ?, ?, ?, ?)", rows
        )
        connection.execute("COMMIT")


def _copy(url: str, rows: Sequence[tuple[object, ...]]) -> None:
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    statement = "COPY marks (pupil_id, day, session, mark, reason, at) FROM STDIN"
    with psycopg.connect(plain) as connection, connection.cursor().copy(statement) as copy:
        for row in rows:
            copy.write_row(row)
