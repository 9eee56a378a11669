"""The sweep as set-based statements: what it costs a database to let `contact-failed` fire on all cases that are due.

One statement where the database allows it (PostgreSQL), one for each table otherwise (SQLite), in one transaction: the
same rows in the same tables with the same indexes, keys and triggers. Nothing is decided here: the state, the deadline
and the words are given, and SQLite, which has no SHA-256, takes random digits for the hash.
"""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Mapping

import psycopg
from sqlalchemy import make_url

from bench.country import moment

DUE = "closed_at >= '9999-12-31' AND next_look_at <= :now"
DATA = (
    '{"due":"2026-03-05T10:00:00+00:00","from":"teacher_contact","offered_to":"commune_officer","repetition":0,'
    '"rule":"contact-failed","rules":1,"start":"2026-03-02T09:00:00+00:00","state":"teacher_contact","step":"ask_commune",'
    '"time":"3 school days","to":"commune_visit","told":["commune_officer","head"],"unit":'
)

SQLITE = f"""
BEGIN IMMEDIATE;
INSERT INTO events (case_id, seq, kind, at, role, data, previous_hash, hash)
    SELECT id, version + 1, 'contact-failed', :now, 'rule', :data || village_id || '}}', last_hash,
        lower(hex(randomblob(32)))
    FROM cases WHERE {DUE};
INSERT INTO firings (case_id, rule, entry, repetition, seq, due_at, at)
    SELECT id, 'contact-failed', entry, 0, version + 1, due_at, :now FROM cases WHERE {DUE};
INSERT INTO offers (case_id, seq, role, unit_id, made_at, passed_over)
    SELECT id, version + 1, 'commune_officer', village_id, :now, '[]' FROM cases WHERE {DUE};
INSERT INTO notices (case_id, seq, person_id, role, kind, urgent, at)
    SELECT c.id, c.version + 1, a.person_id, a.role, 'offered', 0, :now
    FROM cases c JOIN appointments a ON a.unit_id = c.village_id AND a.role = 'commune_officer' WHERE {DUE}
    UNION ALL SELECT c.id, c.version + 1, a.person_id, a.role, 'contact-failed', 0, :now
    FROM cases c JOIN appointments a ON a.unit_id = c.school_id AND a.role = 'head' WHERE {DUE};
UPDATE cases SET state = 'commune_visit', entry = entry + 1, since = :now, assignee_id = NULL,
    offered_role = 'commune_officer', offered_unit_id = village_id, offered_at = :now, due_at = :due,
    request = 'accept', asked_role = 'commune_officer', asked_unit_id = village_id, asked_at = :now, asked_from = :now,
    put_off = 0, stay = entry + 1,
    next_look_at = :due, version = version + 1,
    last_hash = (SELECT e.hash FROM events e WHERE e.case_id = cases.id AND e.seq = cases.version + 1)
    WHERE {DUE};
COMMIT
"""

POSTGRESQL = """
WITH due AS (
    SELECT id, version + 1 AS seq, entry, due_at, village_id, school_id, last_hash FROM cases
    WHERE closed_at >= '9999-12-31' AND next_look_at <= %(now)s FOR UPDATE SKIP LOCKED
), event AS (
    INSERT INTO events (case_id, seq, kind, at, role, data, previous_hash, hash)
    SELECT id, seq, 'contact-failed', %(now)s, 'rule', (%(data)s || village_id || '}')::jsonb, last_hash,
        encode(sha256(convert_to(concat(last_hash, id, seq, %(now)s, %(data)s, village_id), 'UTF8')), 'hex')
    FROM due RETURNING case_id, hash
), firing AS (
    INSERT INTO firings (case_id, rule, entry, repetition, seq, due_at, at)
    SELECT id, 'contact-failed', entry, 0, seq, due_at, %(now)s FROM due
), offer AS (
    INSERT INTO offers (case_id, seq, role, unit_id, made_at, passed_over)
    SELECT id, seq, 'commune_officer', village_id, %(now)s, '[]' FROM due
), officer AS (
    INSERT INTO notices (case_id, seq, person_id, role, kind, urgent, at)
    SELECT due.id, seq, person_id, role, 'offered', false, %(now)s
    FROM due JOIN appointments ON unit_id = village_id AND role = 'commune_officer'
), head AS (
    INSERT INTO notices (case_id, seq, person_id, role, kind, urgent, at)
    SELECT due.id, seq, person_id, role, 'contact-failed', false, %(now)s
    FROM due JOIN appointments ON unit_id = school_id AND role = 'head'
)
UPDATE cases SET state = 'commune_visit', entry = cases.entry + 1, since = %(now)s, assignee_id = NULL,
    offered_role = 'commune_officer', offered_unit_id = cases.village_id, offered_at = %(now)s, due_at = %(due)s,
    request = 'accept', asked_role = 'commune_officer', asked_unit_id = cases.village_id, asked_at = %(now)s,
    asked_from = %(now)s, put_off = 0, stay = cases.entry + 1,
    next_look_at = %(due)s, version = due.seq, last_hash = event.hash
FROM due, event WHERE cases.id = due.id AND cases.id = event.case_id
"""

IDLE = "SELECT id FROM cases WHERE closed_at >= '9999-12-31' AND next_look_at <= {now} ORDER BY next_look_at LIMIT 1"
COUNT, WRITTEN = "SELECT count(*) FROM ", ("events", "firings", "offers", "notices")
UNTIL = dt.datetime(2026, 3, 9, 10, tzinfo=dt.UTC)  # Monday's closing: nobody has accepted by then


class Sqlite:
    """The raw driver on a SQLite file, set up as the program's own connections are."""

    def __init__(self, url: str) -> None:
        self.connection = sqlite3.connect(str(make_url(url).database), isolation_level=None, cached_statements=500)
        for pragma in ("synchronous=FULL", "foreign_keys=ON", "cache_size=-65536", "busy_timeout=15000"):
            self.connection.execute(f"PRAGMA {pragma}")

    def sweep(self, now: dt.datetime) -> None:
        self.do(SQLITE, {"now": moment(now), "due": moment(UNTIL), "data": DATA})

    def do(self, statements: str, values: Mapping[str, object]) -> None:
        """Statements of one transaction, each ended by a semicolon."""
        for statement in statements.split(";"):
            self.connection.execute(statement, values)

    def idle(self, now: dt.datetime) -> None:
        self.connection.execute(IDLE.format(now="?"), (moment(now),)).fetchone()

    def counts(self) -> dict[str, int]:
        return {table: self.connection.execute(COUNT + table).fetchone()[0] for table in WRITTEN}

    def close(self) -> None:
        self.connection.close()


class Postgresql:
    """The raw driver on PostgreSQL."""

    def __init__(self, url: str) -> None:
        plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self.connection = psycopg.connect(plain, autocommit=True, prepare_threshold=0)

    def sweep(self, now: dt.datetime) -> None:
        self.do(POSTGRESQL, {"now": now, "due": UNTIL, "data": DATA})

    def do(self, statement: str, values: Mapping[str, object]) -> None:
        """One statement, a transaction of its own."""
        self.connection.execute(statement.encode(), values)

    def idle(self, now: dt.datetime) -> None:
        self.connection.execute(IDLE.format(now="%s").encode(), (now,)).fetchone()

    def counts(self) -> dict[str, int]:
        rows = {table: self.connection.execute((COUNT + table).encode()).fetchone() for table in WRITTEN}
        return {table: row[0] for table, row in rows.items() if row}

    def close(self) -> None:
        self.connection.close()


def driver(url: str) -> Sqlite | Postgresql:
    """The raw driver on a database."""
    return Sqlite(url) if make_url(url).get_backend_name() == "sqlite" else Postgresql(url)
