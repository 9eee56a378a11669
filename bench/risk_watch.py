"""The risk watch after one day's marks of 500,000 pupils, of whom one in twenty is absent and has a month of marks.

The floor is one set-based statement that finds, for the same pupils, the run of unexcused sessions that ends that day,
the days missed in ten, the sessions missed this year and their share. It is less than the watch decides (closures,
seasons, weekdays, breaks, siblings, what was raised before), and opens nothing; so the watch is measured up to there.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import text

import rules
from bench import DATABASES, Measurement, measured, migrated, typical
from bench.data import definitions
from engine.core.attendance.signal_reader import load_risk
from engine.jobs.risk_watch import watch
from engine.store import bulk
from engine.store import tables as t
from engine.store.session import Store, open_store
from engine.usecases.context import Context

BENCHES = ("risk_watch",)
CLASS, ABSENT = 35, 20  # one in ABSENT is absent on the day
DAY = dt.date(2026, 4, 24)  # a Friday
NOW = dt.datetime(2026, 4, 24, 11, tzinfo=dt.UTC)
BEFORE = [day for n in range(1, 29) if (day := DAY - dt.timedelta(days=n)).weekday() < 5]


class Size(NamedTuple):
    """How many pupils, and how often they are watched."""

    pupils: int = 500_000
    times: int = 3


FULL, SMALL = Size(), Size(2_000, 1)
FLOOR = """
WITH absent AS (SELECT DISTINCT pupil_id FROM marks WHERE day = :day AND mark IN ('e', 'u')),
taken AS (
    SELECT m.pupil_id, m.day, m.session, m.mark,
           SUM(CASE WHEN m.mark <> 'u' THEN 1 ELSE 0 END)
               OVER (PARTITION BY m.pupil_id ORDER BY m.day DESC, m.session) AS broken
    FROM marks m JOIN absent a ON a.pupil_id = m.pupil_id WHERE m.day BETWEEN :first AND :day
)
SELECT pupil_id, SUM(CASE WHEN broken = 0 THEN 1 ELSE 0 END) AS in_a_row,
       COUNT(DISTINCT CASE WHEN mark = 'u' AND day > :ten THEN day END) AS of_ten,
       SUM(CASE WHEN mark IN ('e', 'u') THEN 1 ELSE 0 END) AS year, COUNT(*) AS taken
FROM taken GROUP BY pupil_id
"""


def run(size: Size = FULL) -> Iterator[Measurement]:
    """The time of one watch, in milliseconds."""
    signals = load_risk((Path(str(rules.__file__)).parent / "risk.toml").read_text(encoding="utf-8"), "risk.toml")
    for database in DATABASES:
        with migrated(database) as url, closing(open_store(url)) as store:
            _fill(store, size.pupils)
            context = Context(store, definitions(), risk=signals)
            looked = watch(context, DAY, NOW, dry_run=True).looked
            assert looked == _floor(store) == size.pupils // ABSENT, looked
            value = typical(lambda: watch(context, DAY, NOW, dry_run=True), size.times)  # noqa: B023 - called at once
            floor = typical(lambda: _floor(store), size.times)
            yield measured("risk_watch", database, n=size.pupils, value=value * 1e3, unit="ms", floor=floor * 1e3)


def _floor(store: Store) -> int:
    """How many pupils the statement finds something of."""
    days = {"day": DAY, "first": dt.date(2025, 9, 5), "ten": DAY - dt.timedelta(days=14)}
    with store.reading("bench") as session:
        values: dict[str, Any] = {name: day.isoformat() for name, day in days.items()} if store.is_sqlite else days
        return len(session.execute(text(FLOOR), values).all())


def _fill(store: Store, count: int) -> None:
    classes = range(2, 2 + -(-count // CLASS))
    places: list[tuple[Any, ...]] = [(1, "school", "S", "S", "s", None, DAY.replace(year=2000))]
    places += [(id, "class", f"C{id}", f"C{id}", f"c{id}", 1, DAY.replace(year=2000)) for id in classes]
    with store.writing("fill") as session:
        columns = ("id", "kind", "code", "name", "search_key", "parent_id", "valid_from")
        _insert(session.connection(), t.Unit, columns, places)
        links = [(1, id, 1) for id in classes] + [(id, id, 0) for id in (1, *classes)]
        _insert(session.connection(), t.UnitLink, ("ancestor_id", "descendant_id", "depth"), links)
        columns = ("id", "code", "name", "search_key", "sort_key", "class_id", "school_id")
        pupils = [(id, f"P{id}", "A", "a", "a", 2 + id // CLASS, 1) for id in range(count)]
        _insert(session.connection(), t.Pupil, columns, pupils)
        marks = [(id, DAY, "m", _mark(id), NOW) for id in range(count)]
        marks += [(id, day, "m", _before(id, n), NOW) for id in range(0, count, ABSENT) for n, day in enumerate(BEFORE)]
        _insert(session.connection(), t.Mark, ("pupil_id", "day", "session", "mark", "at"), marks)
    with store.engine.connect() as connection:
        connection.exec_driver_sql("ANALYZE")


def _mark(id: int) -> str:
    return "p" if id % ABSENT else "u" if id % (2 * ABSENT) else "e"


def _before(id: int, days_ago: int) -> str:
    """Of those absent, one in fifty missed the whole week; the others had missed one day in forty, as pupils do."""
    if id % 1000 == 0 and days_ago < 4:
        return "u"
    missed = (id // ABSENT * 7 + days_ago * 13) % 40 == 0
    return ("e" if id % 3 else "u") if missed else "p"


def _insert(connection: Any, table: Any, columns: tuple[str, ...], rows: Sequence[tuple[Any, ...]]) -> None:
    bulk.insert_rows(connection, table.__table__, columns, rows)
