"""What `make bench` measures: modules here with a function `run()` that yields measurements.

    BENCHES = ("sweep", "sweep_idle")          # the names it can yield

    class Size(NamedTuple):
        cases: int

    FULL, SMALL = Size(100_000), Size(960)     # what is measured, and what a test runs in a second or so

    def run(size: Size = FULL) -> Iterator[Measurement]:
        with migrated("sqlite") as url:
            yield measured("sweep", "sqlite", n=size.cases, value=31.0, unit="ms", floor=20.0)

`tests/test_benches.py` runs each with SMALL, so that none rots; one without it fails there.

A floor is the same reads, writes and commit done by the raw driver, or one set-based statement, in the same run.
"""

import atexit
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Literal, TypedDict

from sqlalchemy import make_url

from tests import databases

Database = Literal["sqlite", "postgresql"]
Nowhere = Literal["none"]  # for what needs no database
Unit = Literal["ms", "us", "per_s"]
DATABASES: tuple[Database, ...] = ("sqlite", "postgresql")


class Measurement(TypedDict):
    """One line of output. `ratio`: how many times the floor's cost ours is, whatever the unit; 1 is as cheap."""

    bench: str
    database: str
    n: int
    value: float
    unit: str
    floor: float
    ratio: float


def measured(
    bench: str, database: Database | Nowhere, *, n: int, value: float, unit: Unit, floor: float
) -> Measurement:
    """A measurement of `n` things; `value` and `floor` in `unit`. For a rate the ratio is the floor's over ours."""
    ratio = floor / value if unit == "per_s" else value / floor
    return {
        "bench": bench,
        "database": database,
        "n": n,
        "value": _rounded(value),
        "unit": unit,
        "floor": _rounded(floor),
        "ratio": _rounded(ratio),
    }


def _rounded(number: float) -> float:
    """Four digits that count: more is noise."""
    return float(f"{number:.4g}")


def seconds(work: Callable[[], object]) -> float:
    """How long the work takes, once, in seconds."""
    begun = perf_counter()
    work()
    return perf_counter() - begun


def typical(work: Callable[[], object], times: int = 7) -> float:
    """The median of how long the work takes, in seconds, after one run that does not count."""
    work()
    return median(seconds(work) for _ in range(times))


@contextmanager
def migrated(database: Database) -> Iterator[str]:
    """The URL of an empty, migrated database as durable as in real use, gone afterwards."""
    with _empty(database) as url:
        databases.migrate(url)
        yield url


@contextmanager
def copy_of(database: Database, url: str) -> Iterator[str]:
    """The URL of a copy of the database at `url`, to which nobody is connected; the copy is gone afterwards."""
    if database == "sqlite":
        with TemporaryDirectory(prefix="ralop-bench-") as directory:
            yield databases.copy_sqlite(Path(str(make_url(url).database)), Path(directory) / "ralop.db")
        return
    name = f"ralop_bench_{uuid.uuid4().hex[:12]}"
    yield databases.create_postgresql(_server(), name, template=str(make_url(url).database))
    databases.drop_postgresql(_server(), name)


@contextmanager
def _empty(database: Database) -> Iterator[str]:
    if database == "sqlite":
        with TemporaryDirectory(prefix="ralop-bench-") as directory:
            yield f"sqlite:///{directory}/ralop.db"
        return
    name = f"ralop_bench_{uuid.uuid4().hex[:12]}"
    yield databases.create_postgresql(_server(), name)
    databases.drop_postgresql(_server(), name)


@cache
def _server() -> str:
    """The PostgreSQL server of this run, its data on the disk, where real data would be."""
    if given := databases.given_server():
        return given
    databases.clear_directories()
    data = databases.new_directory(databases.DISK)
    atexit.register(databases.stop_postgresql, data)
    return databases.start_postgresql(data, databases.DURABLE)
