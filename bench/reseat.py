"""An officer with 5,000 accepted cases leaves: every case is asked anew of the leader, at once and by the worker.

The floor is set-based: the same rows of events and offers by one INSERT each, one UPDATE of the cases, one notice.
Rounds of ours and of the floor take turns, each in a commune of its own, whose villages all have the one officer.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from statistics import median
from typing import NamedTuple

from sqlalchemy import select, update

from bench import DATABASES, Measurement, floors, measured, seconds
from bench.country import NOW, moment
from bench.data import CountrySize, filled
from engine.store import tables as t
from engine.usecases.cases.reseat import work_on_rest
from engine.usecases.context import Context
from engine.usecases.people.accounts import leave

BENCHES = ("reseat",)


class Size(NamedTuple):
    """Open cases of a class and of a commune, and how many communes; the first two only warm up."""

    per_class: int = 167
    commune: int = 5_010
    communes: int = 10


FULL, SMALL = Size(), Size(4, 120, 4)
DATA = (
    '{"offered_to":"commune_leader","unit":1,"request":"accept","requested_of":"commune_leader","requested_unit":1,'
    '"passed_over":[["commune_officer",1,"vacant"]]}'
)
HAS = "closed_at >= '9999-12-31' AND assignee_id = "

SQLITE = f"""
BEGIN IMMEDIATE;
UPDATE appointments SET valid_to = '2026-03-02' WHERE person_id = :officer;
INSERT INTO events (case_id, seq, kind, at, role, data, previous_hash, hash)
    SELECT id, version + 1, 'assigned', :now, 'rule', :data, last_hash, lower(hex(randomblob(32))) FROM cases
    WHERE {HAS} :officer;
INSERT INTO offers (case_id, seq, role, unit_id, made_at, passed_over)
    SELECT id, version + 1, 'commune_leader', commune_id, :now, '[["commune_officer",1,"vacant"]]' FROM cases
    WHERE {HAS} :officer;
INSERT INTO notices (case_id, seq, person_id, role, kind, urgent, at, cases)
    SELECT id, version + 1, :officer, 'commune_leader', 'came_many', 0, :now, 5000 FROM cases
    WHERE {HAS} :officer LIMIT 1;
UPDATE cases SET assignee_id = NULL, offered_role = 'commune_leader', offered_unit_id = commune_id, offered_at = :now,
    accepted_at = NULL, request = 'accept', asked_role = 'commune_leader', asked_unit_id = commune_id, asked_at = :now,
    asked_from = :now, entry = entry + 1, due_at = :now, next_look_at = :now, version = version + 1,
    last_hash = (SELECT e.hash FROM events e WHERE e.case_id = cases.id AND e.seq = cases.version + 1)
    WHERE {HAS} :officer;
COMMIT
"""

POSTGRESQL = f"""
WITH gone AS (
    UPDATE appointments SET valid_to = '2026-03-02' WHERE person_id = %(officer)s
), held AS (
    SELECT id, version + 1 AS seq, last_hash, commune_id FROM cases WHERE {HAS} %(officer)s FOR UPDATE
), event AS (
    INSERT INTO events (case_id, seq, kind, at, role, data, previous_hash, hash)
    SELECT id, seq, 'assigned', %(now)s::timestamptz, 'rule', %(data)s::jsonb, last_hash,
        encode(sha256(convert_to(concat(last_hash, id, seq, %(now)s::text, %(data)s::text), 'UTF8')), 'hex')
    FROM held RETURNING case_id, hash
), offer AS (
    INSERT INTO offers (case_id, seq, role, unit_id, made_at, passed_over)
    SELECT id, seq, 'commune_leader', commune_id, %(now)s::timestamptz, '[["commune_officer",1,"vacant"]]'::jsonb
    FROM held
), told AS (
    INSERT INTO notices (case_id, seq, person_id, role, kind, urgent, at, cases)
    SELECT id, seq, %(officer)s, 'commune_leader', 'came_many', false, %(now)s::timestamptz, 5000 FROM held LIMIT 1
)
UPDATE cases SET assignee_id = NULL, offered_role = 'commune_leader', offered_unit_id = cases.commune_id,
    offered_at = %(now)s::timestamptz, accepted_at = NULL, request = 'accept', asked_role = 'commune_leader',
    asked_unit_id = cases.commune_id, asked_at = %(now)s::timestamptz, asked_from = %(now)s::timestamptz,
    entry = entry + 1, due_at = %(now)s::timestamptz, next_look_at = %(now)s::timestamptz,
    version = held.seq, last_hash = event.hash
FROM held, event WHERE cases.id = held.id AND cases.id = event.case_id
"""

STATEMENTS = {"sqlite": SQLITE, "postgresql": POSTGRESQL}


def run(size: Size = FULL) -> Iterator[Measurement]:
    """The time until every case of one who leaves is with somebody else, in milliseconds."""
    for database in DATABASES:
        data = filled(database, CountrySize(size.commune * size.communes, per_class=size.per_class))
        ours, floor, moved = [], [], 0
        with data.context() as context, closing(floors.driver(data.url)) as raw:
            for number, commune in enumerate(_communes(context)):
                officer, moved = _one_officer(context, commune)
                before = raw.counts()["events"]
                if number % 2 == 0:
                    ours.append(seconds(lambda: _leave(context, officer)))  # noqa: B023 - called at once
                else:
                    values = {"officer": officer, "now": moment(NOW), "data": DATA}
                    floor.append(seconds(lambda: raw.do(STATEMENTS[database], values)))  # noqa: B023
                added = raw.counts()["events"] - before
                assert added == moved, (added, moved)
        value, base = median(ours[1:]) * 1e3, median(floor[1:]) * 1e3
        yield measured("reseat", database, n=moved, value=value, unit="ms", floor=base)


def _leave(context: Context, officer: int) -> None:
    leave(context, officer, NOW, "bench")
    work_on_rest(context, NOW)


def _communes(context: Context) -> list[int]:
    with context.store.reading("bench") as session:
        return list(session.execute(select(t.Unit.id).where(t.Unit.kind == "commune").order_by(t.Unit.id)).scalars())


def _one_officer(context: Context, commune: int) -> tuple[int, int]:
    """Gives all villages of a commune to one officer, who has accepted every open case there; returns who, how many."""
    case, post = t.Case, t.Appointment
    with context.store.writing("bench") as session:
        villages = select(t.Unit.id).where(t.Unit.parent_id == commune, t.Unit.kind == "village")
        theirs = post.unit_id.in_(villages), post.role == "commune_officer"
        officer = int(session.execute(select(post.person_id).where(*theirs).limit(1)).scalar_one())
        session.execute(update(post).where(*theirs).values(person_id=officer))
        session.execute(update(case).where(t.OPEN, case.assignee_id == officer).values(assignee_id=None))
        has = {
            "state": "commune_visit",
            "assignee_id": officer,
            "offered_role": "commune_officer",
            "offered_unit_id": case.village_id,
            "offered_at": case.since,
            "accepted_at": case.since,
            "request": "visit",
            "asked_role": "commune_officer",
            "asked_unit_id": case.village_id,
        }
        done = session.execute(update(case).where(t.OPEN, case.commune_id == commune).values(has))
        return officer, int(done.rowcount)  # type: ignore[attr-defined]
