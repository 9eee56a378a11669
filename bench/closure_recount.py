"""A week without class in a commune with 5,000 open cases: their deadlines counted anew, in one transaction.

The floor is set-based: one INSERT and one UPDATE (SQLite), one statement (PostgreSQL) for all cases whose deadline
counts school days, with the deadlines given. Rounds of ours and of the floor take turns, each in a commune of its own.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import closing
from statistics import median
from typing import NamedTuple

from sqlalchemy import select

from bench import DATABASES, Measurement, floors, measured, seconds
from bench.country import NOW, moment
from bench.data import CountrySize, filled
from engine.store.cases.surroundings import units
from engine.usecases.calendar.closures import announce_closure
from engine.usecases.context import Context

BENCHES = ("closure_recount",)


class Size(NamedTuple):
    """Open cases of a class and of a commune, and how many communes; the first two only warm up."""

    per_class: int = 167
    commune: int = 5_010
    communes: int = 10


FULL, SMALL = Size(), Size(4, 120, 4)
FIRST, LAST = dt.date(2026, 3, 7), dt.date(2026, 3, 14)
DUE = moment(dt.datetime(2026, 3, 20, 10, tzinfo=dt.UTC))
DATA = (
    '{"because":"closure","closure":1,"due":"2026-03-20T10:00:00+00:00","due_before":"2026-03-09T10:00:00+00:00",'
    '"first":"2026-03-07","last":"2026-03-14","scope":"commune"}'
)

SQLITE = """
BEGIN IMMEDIATE;
INSERT INTO closures (unit_id, first_day, last_day, reason, announced_at)
    VALUES (:unit, '2026-03-07', '2026-03-14', 'Mưa lũ', :now);
INSERT INTO events (case_id, seq, kind, at, role, data, previous_hash, hash)
    SELECT id, version + 1, 'recounted', :now, 'rule', :data, last_hash, lower(hex(randomblob(32))) FROM cases
    WHERE closed_at >= '9999-12-31' AND class_id IN (SELECT descendant_id FROM unit_links WHERE ancestor_id = :unit)
    AND state IN ('absent', 'teacher_contact', 'returned');
UPDATE cases SET due_at = :due, next_look_at = :due, version = version + 1,
    last_hash = (SELECT e.hash FROM events e WHERE e.case_id = cases.id AND e.seq = cases.version + 1)
    WHERE closed_at >= '9999-12-31' AND class_id IN (SELECT descendant_id FROM unit_links WHERE ancestor_id = :unit)
    AND state IN ('absent', 'teacher_contact', 'returned');
COMMIT
"""

POSTGRESQL = """
WITH closure AS (
    INSERT INTO closures (unit_id, first_day, last_day, reason, announced_at)
    VALUES (%(unit)s, '2026-03-07', '2026-03-14', 'Mưa lũ', %(now)s)
), held AS (
    SELECT id, version + 1 AS seq, last_hash FROM cases
    WHERE closed_at >= '9999-12-31' AND class_id IN (SELECT descendant_id FROM unit_links WHERE ancestor_id = %(unit)s)
    AND state IN ('absent', 'teacher_contact', 'returned') FOR UPDATE
), event AS (
    INSERT INTO events (case_id, seq, kind, at, role, data, previous_hash, hash)
    SELECT id, seq, 'recounted', %(now)s, 'rule', %(data)s::jsonb, last_hash,
        encode(sha256(convert_to(concat(last_hash, id, seq, %(now)s, %(data)s), 'UTF8')), 'hex')
    FROM held RETURNING case_id, hash
)
UPDATE cases SET due_at = %(due)s, next_look_at = %(due)s, version = held.seq, last_hash = event.hash
FROM held, event WHERE cases.id = held.id AND cases.id = event.case_id
"""

STATEMENTS = {"sqlite": SQLITE, "postgresql": POSTGRESQL}


def run(size: Size = FULL) -> Iterator[Measurement]:
    """The time of one closure, in milliseconds."""
    for database in DATABASES:
        data = filled(database, CountrySize(size.commune * size.communes, per_class=size.per_class))
        ours, floor, events = [], [], []
        with data.context() as context, closing(floors.driver(data.url)) as raw:
            for number, commune in enumerate(_communes(context)):
                before = raw.counts()["events"]
                if number % 2 == 0:
                    ours.append(seconds(lambda: _announce(context, commune)))  # noqa: B023 - called at once
                else:
                    floor.append(seconds(lambda: raw.do(STATEMENTS[database], _values(commune))))  # noqa: B023
                events.append(raw.counts()["events"] - before)
        assert len(set(events)) == 1 and events[0] > size.commune / 2, events  # noqa: PT018 - the same work, and not little
        value, least = median(ours[1:]) * 1e3, median(floor[1:]) * 1e3
        yield measured("closure_recount", database, n=size.commune, value=value, unit="ms", floor=least)


def _announce(context: Context, commune: int) -> None:
    announce_closure(context, None, unit_id=commune, first_day=FIRST, last_day=LAST, reason="Mưa lũ", now=NOW)


def _values(commune: int) -> dict[str, object]:
    return {"unit": commune, "now": moment(NOW), "due": DUE, "data": DATA}


def _communes(context: Context) -> list[int]:
    with context.store.reading("bench") as session:
        query = select(units.c.id).where(units.c.kind == "commune").order_by(units.c.id)
        return list(session.connection().execute(query).scalars())
