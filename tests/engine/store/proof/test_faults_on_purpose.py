"""Somebody who may write to the database changes it by hand: each change is found, and the sentence says where."""

import datetime as dt
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from sqlalchemy import Connection, select, text
from sqlalchemy.exc import DBAPIError

from engine.core.cases import chain
from engine.core.cases.act import Act
from engine.core.proof.merkle import Head, Part, case_leaf, merkle, read_head, root
from engine.store import tables as t
from engine.store.cases.verify import breaks, broken
from engine.store.proof import checkpoints
from engine.store.session import Store, open_store
from engine.store.simulation import seed
from engine.usecases.cases import case_acts
from engine.usecases.context import Context
from tests import databases
from tests.histories import OFFERED, eventful
from tests.installation import CastInstallation, at, definitions


class Proven(NamedTuple):
    """A database in which much happened, and the head that somebody kept."""

    store: Store
    head: Head


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def proven(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path
) -> Iterator[Proven]:
    server = None if request.param == "sqlite" else str(request.getfixturevalue("postgresql_server"))
    name = f"ralop_test_{uuid.uuid4().hex[:12]}"
    if server is None:
        url = databases.copy_sqlite(sqlite_template, tmp_path_factory.mktemp("proven") / "ralop.db")
    else:
        url = databases.create_postgresql(server, name, template=request.getfixturevalue("postgresql_template"))
    store = open_store(url)
    with store.writing("add the cast") as session:
        cast = seed.add_cast(session, at("2026-03-01 08:00"))
    installed = CastInstallation(Context(store, definitions()), cast)
    eventful(installed)
    assert list(breaks(store)) == []
    head = checkpoints.make(store, at("2026-03-16 13:00"))
    assert head is not None
    assert head.n == 1
    when = at("2026-03-16 14:00")
    case_acts.note(installed.context, Act(installed.viewer("head", when), "RL-2026-000004", {"note": "Sau"}, when))
    assert checkpoints.make(store, at("2026-03-16 15:00")) != head
    assert list(breaks(store)) == []
    yield Proven(store, head)
    store.close()
    if server is not None:
        databases.drop_postgresql(server, name)


GUARDS_OFF = "SET LOCAL session_replication_role = replica"  # PostgreSQL's way past all triggers, for its owner


def without_guards(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text(GUARDS_OFF))
        return
    guards = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE '%_no_%'"))
    for name in guards.scalars().all():
        connection.execute(text(f"DROP TRIGGER {name}"))


def said_after(proven: Proven, *statements: str) -> list[str]:
    """What verify says after these statements; nothing of it is kept."""
    with proven.store.engine.connect() as connection:
        without_guards(connection)
        for statement in statements:
            assert connection.execute(text(statement)).rowcount > 0, statement
        found = [sentence.in_("en") for sentence in broken(connection)]
        connection.rollback()
    return found


ONE = "case_id = (SELECT id FROM cases WHERE code = 'RL-2026-000001')"
TWO = "case_id = (SELECT id FROM cases WHERE code = 'RL-2026-000002')"
FAULTS = {
    "a column of the case": (
        "UPDATE cases SET level = level + 1 WHERE code = 'RL-2026-000001'",
        "Case RL-2026-000001: the column level holds ",
    ),
    "the pupil of the case": (
        "UPDATE cases SET pupil_id = (SELECT max(id) FROM pupils) WHERE code = 'RL-2026-000003'",
        "Case RL-2026-000003: the column pupil_id holds ",
    ),
    "the assignee taken away": (
        "UPDATE cases SET assignee_id = NULL WHERE code = 'RL-2026-000001'",
        "Case RL-2026-000001: the column assignee_id holds –",
    ),
    "an event deleted": (f"DELETE FROM events WHERE {ONE} AND seq = 2", "Case RL-2026-000001: event 2 is missing."),
    "an event changed": (
        f"UPDATE events SET person_id = NULL WHERE {ONE} AND seq = 2",
        "Case RL-2026-000001: event 2 was changed.",
    ),
    "a text changed": (
        f"UPDATE event_texts SET salt = 'x' WHERE {ONE} AND seq = 2",
        "Case RL-2026-000001: what was written with event 2 was changed.",
    ),
    "a firing added": (
        f"INSERT INTO firings SELECT case_id, rule, entry, 7, 1, due_at, at FROM firings WHERE {ONE}",
        "Case RL-2026-000001: event 1 stored 0 rows in firings, and 1 are there.",
    ),
    "a firing changed": (
        f"UPDATE firings SET entry = 9 WHERE {ONE}",
        "Case RL-2026-000001: a row in firings is not the one that event ",
    ),
    "the unit of an offer": (
        f"UPDATE offers SET unit_id = (SELECT min(id) FROM units) WHERE {ONE} AND answer = 'declined'",
        "Case RL-2026-000001: a row in offers names another unit than event ",
    ),
    "the answer to an offer": (
        f"UPDATE offers SET answer = 'accepted' WHERE {ONE} AND answer = 'declined'",
        "Case RL-2026-000001: the answer to the offer of event ",
    ),
    "a notice removed": (
        f"DELETE FROM notices WHERE id = (SELECT min(id) FROM notices WHERE {ONE} AND closure_id IS NULL)",
        "rows in notices, and ",
    ),
    "a quantity of support": (
        "UPDATE support SET quantity = '150'",
        "Case RL-2026-000001: a row in support is not the one that event ",
    ),
    "who gave it": (
        "UPDATE support SET giver = 'Người khác'",
        "Case RL-2026-000001: a row in support says something else than what was written with event ",
    ),
    "a need": (
        "UPDATE needs SET need = 'Không cần'",
        "Case RL-2026-000001: a row in needs says something else than what was written with event ",
    ),
    "how much is needed": (
        "UPDATE needs SET kind = 'rice', quantity = 5",
        "Case RL-2026-000001: what became of the row in needs of event ",
    ),
    "since when it is needed": (
        "UPDATE needs SET raised_at = NULL",
        "Case RL-2026-000001: what became of the row in needs of event ",
    ),
    "an entry of the ledger": (
        "UPDATE ledger_entries SET quantity = quantity + 1",
        "ledger_entries: a row among numbers 1 to 1 is no longer as it was at checkpoint 1.",
    ),
    "a planned date moved": (
        f"UPDATE planned SET due_at = (SELECT opened_at FROM cases WHERE id = planned.case_id) WHERE {TWO}",
        "Case RL-2026-000002: a row in planned is not the one that event ",
    ),
    "a lesson that nobody held": (
        f"UPDATE planned SET done_seq = 99 WHERE {TWO}",
        "Case RL-2026-000002: what became of the row in planned of event ",
    ),
    "a hold that ends later": (
        "UPDATE holds SET starts_at = ends_at",
        "Case RL-2026-000003: a row in holds is not the one that event ",
    ),
    "a companion back on the list": (
        "UPDATE companions SET removed_seq = NULL",
        "Case RL-2026-000002: what became of the row in companions of event ",
    ),
    "a difficulty answered": (
        "UPDATE difficulties SET answer = 'returned'",
        "Case RL-2026-000001: the difficulty of event ",
    ),
    "a move of it removed": ("DELETE FROM difficulty_moves WHERE number = 1", "rows in difficulty_moves, and 0"),
    "a cause": (
        f"UPDATE case_causes SET cause = 'poverty' WHERE {ONE}",
        "Case RL-2026-000001: the causes are not those written with event 1.",
    ),
    "a mark": (
        "UPDATE marks SET mark = 'p' WHERE mark = 'u' AND day = '2026-02-25'",
        "the mark is not the one that its last",
    ),
    "a change of a mark, of several": (
        "DELETE FROM mark_changes WHERE id = (SELECT min(id) FROM mark_changes)",
        "mark_changes: numbers 1 to 3 were 3 rows at checkpoint 1, and 2 are there.",
    ),
    "what was done to an account": (
        "UPDATE staff_acts SET operator = NULL",
        "staff_acts: a row among numbers 1 to 2 is no longer as it was at checkpoint 1.",
    ),
    "who read what": (
        "DELETE FROM access_log WHERE id = 1",
        "access_log: numbers 1 to 2 were 2 rows at checkpoint 1, and 1 are there.",
    ),
    "an act on a closure": (
        "UPDATE closure_acts SET first_day = '2026-03-01'",
        "closure_acts: a row among numbers 1 to 2 is no longer as it was at checkpoint 1.",
    ),
    "the root of a checkpoint": (
        f"UPDATE checkpoints SET root = '{'0' * 64}' WHERE n = 1",
        "Checkpoint 1: its root is not the one of what it holds.",
    ),
    "a checkpoint taken out": (
        "DELETE FROM checkpoint_cases WHERE n = 1",
        "Checkpoint 1: its list of cases was changed.",
    ),
}


@pytest.mark.parametrize(("statement", "expected"), FAULTS.values(), ids=FAULTS)
def test_a_change_by_hand_is_found(proven: Proven, statement: str, expected: str) -> None:
    found = said_after(proven, statement)
    assert any(expected in sentence for sentence in found), found


ADDED_TO = {
    "events": "case_id, seq",
    "firings": "case_id, rule, entry, repetition",
    "access_log": "id",
    "staff_acts": "id",
    "ledger_entries": "id",
    "mark_changes": "id",
    "pupil_changes": "id",
    "checkpoints": "n",
    "checkpoint_parts": "n, stream, first",
    "checkpoint_cases": "case_id, n",
}


@pytest.mark.parametrize(("table", "key"), ADDED_TO.items(), ids=ADDED_TO)
def test_what_is_only_added_to_refuses_change_deletion_and_replacement(proven: Proven, table: str, key: str) -> None:
    name = key.split(", ", maxsplit=1)[0]
    statements = [f"UPDATE {table} SET {name} = {name}", f"DELETE FROM {table}"]
    if proven.store.is_sqlite:
        statements += [
            f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}",
            f"REPLACE INTO {table} SELECT * FROM {table}",
        ]
    else:
        again = f"INSERT INTO {table} SELECT * FROM {table}"
        statements += [
            f"{again} ON CONFLICT ({key}) DO UPDATE SET {name} = excluded.{name}",
            f"TRUNCATE {table} CASCADE",
        ]
    for statement in statements:
        with proven.store.engine.connect() as connection, pytest.raises(DBAPIError, match="append-only"):
            connection.execute(text(statement))


def test_an_event_is_not_replaced_by_the_key_of_its_request_either(proven: Proven) -> None:
    columns = "case_id, seq, kind, at, data, previous_hash, hash, key"
    one = "SELECT case_id, {seq}, kind, at, data, previous_hash, hash, 'k' FROM events WHERE case_id = 1 AND seq = 1"
    word, end = ("OR REPLACE ", "") if proven.store.is_sqlite else ("", " ON CONFLICT (key) DO UPDATE SET seq = 97")
    with proven.store.engine.connect() as connection:
        connection.execute(text(f"INSERT INTO events ({columns}) {one.format(seq=99)}"))
        with pytest.raises(DBAPIError, match="append-only"):
            connection.execute(text(f"INSERT {word}INTO events ({columns}) {one.format(seq=98)}{end}"))


def test_a_case_that_was_deleted_past_all_keys_is_missed(proven: Proven) -> None:
    with proven.store.engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        if proven.store.is_sqlite:
            driver.execute("PRAGMA foreign_keys = OFF")  # before the transaction: within it would do nothing
        without_guards(connection)
        connection.execute(text("DELETE FROM cases WHERE id = 1"))
        found = [sentence.in_("en") for sentence in broken(connection)]
        connection.rollback()
        connection.invalidate()
    assert "events: there are rows of case number 1, which is not there." in found
    assert "checkpoint_cases: there are rows of case number 1, which is not there." in found


def test_words_that_the_law_erased_break_nothing(proven: Proven) -> None:
    assert said_after(proven, "DELETE FROM event_texts") == []


def rewrite(connection: Connection) -> int:
    """Changes an event of the first case and counts its whole chain anew, and that of the case; returns the case."""
    events, cases = (t.Base.metadata.tables[name] for name in ("events", "cases"))
    case: int = connection.execute(select(cases.c.id).where(cases.c.code == OFFERED)).scalar_one()
    previous, version = chain.START, 0
    rows = connection.execute(select(events).where(events.c.case_id == case).order_by(events.c.seq)).mappings().all()
    for row in rows:
        person = None if row["seq"] == 2 else row["person_id"]
        said = (case, row["seq"], row["kind"], row["at"], person, row["role"], row["data"], row["text_hash"])
        own = chain.event_hash(previous, *said)
        new = {"person_id": person, "previous_hash": previous, "hash": own}
        connection.execute(events.update().where(events.c.case_id == case, events.c.seq == row["seq"]).values(new))
        previous, version = own, row["seq"]
    connection.execute(cases.update().where(cases.c.id == case).values(last_hash=previous))
    assert version == rows[-1]["seq"]
    return case


def test_a_chain_that_was_written_anew_is_not_the_one_of_the_checkpoint(proven: Proven) -> None:
    with proven.store.engine.connect() as connection:
        without_guards(connection)
        rewrite(connection)
        found = [sentence.in_("en") for sentence in broken(connection)]
        connection.rollback()
    assert len(found) == 1
    assert f"Case {OFFERED}: its history up to event " in found[0]


def test_who_counts_the_checkpoints_anew_too_is_found_by_the_head_that_somebody_kept(proven: Proven) -> None:
    points, parts, taken, events = (
        t.Base.metadata.tables[name] for name in ("checkpoints", "checkpoint_parts", "checkpoint_cases", "events")
    )
    with proven.store.engine.connect() as connection:
        without_guards(connection)
        case = rewrite(connection)
        version = connection.execute(select(taken.c.version).where(taken.c.case_id == case)).scalar_one()
        own = select(events.c.hash).where(events.c.case_id == case, events.c.seq == version).scalar_subquery()
        connection.execute(taken.update().where(taken.c.case_id == case).values(hash=own))
        before = ""
        for n, at_ in connection.execute(select(points.c.n, points.c.at).order_by(points.c.n)).all():
            leaves = connection.execute(
                select(taken.c.case_id, taken.c.version, taken.c.hash).where(taken.c.n == n).order_by(taken.c.case_id)
            )
            its = merkle(case_leaf(*leaf) for leaf in leaves.all())
            of_cases = parts.update().where(parts.c.n == n, parts.c.stream == "cases")
            connection.execute(of_cases.values(root=its))
            rows = connection.execute(select(*(parts.c[name] for name in Part._fields)).where(parts.c.n == n)).all()
            before = root(before, n, at_, (Part(*row) for row in rows))
            connection.execute(points.update().where(points.c.n == n).values(root=before))
        assert list(broken(connection)) == []  # all fits together again
        said = checkpoints.against(connection, proven.head)
        connection.rollback()
    assert said is not None
    assert "Checkpoint 1 is not the one of this head" in said.in_("en")
    with proven.store.reading("test") as session:
        assert checkpoints.against(session.connection(), proven.head) is None
        copied = read_head(f" {proven.head}\n")
        assert copied is not None
        assert checkpoints.against(session.connection(), copied) is None


def test_a_checkpoint_is_made_only_if_something_is_new_and_costs_by_it(proven: Proven) -> None:
    assert checkpoints.make(proven.store, at("2026-03-17 08:00")) == checkpoints.make(
        proven.store, at("2026-03-17 09:00")
    )
    with proven.store.reading("test") as session:
        taken = t.Base.metadata.tables["checkpoint_cases"]
        second = session.connection().execute(select(taken.c.case_id).where(taken.c.n == 2)).scalars().all()
        newest = checkpoints.newest(session.connection())
    assert len(second) == 1, "only the case that changed since the first"
    assert newest is not None
    assert newest[1] == at("2026-03-16 15:00")
    assert newest[1].tzinfo is dt.UTC
