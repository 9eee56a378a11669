"""What only the database itself refuses is there whatever schema a database came from: triggers, checks, indexes."""

import gzip
import re
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from engine.core.cases.act import Act
from engine.core.refusals import Conflict
from engine.store import tables as t
from engine.store.cases.verify import breaks, broken
from engine.store.ops import schema
from engine.store.proof import checkpoints
from engine.store.session import Store, open_store
from engine.usecases.cases import case_acts
from tests import databases
from tests.histories import AWAY, ENDED, eventful
from tests.installation import CastInstallation, at, installed

__all__ = ["installed"]  # a fixture

OLD = Path(__file__).parents[3] / "vectors" / "schema-0019.db.gz"
"""A history as in `tests/histories.py`, stored by the build of 1 December 2026, before events proved rows."""


def guards(store: Store) -> set[tuple[str, str]]:
    """The names and texts of all triggers, checks and indexes, without spaces."""
    with store.engine.connect() as connection:
        return {(name, "".join(str(sql).split())) for name, sql in _guards(connection) if name != "alembic_version"}


def _guards(connection: Connection) -> Iterator[tuple[str, str]]:
    if connection.dialect.name == "sqlite":
        listed = "SELECT name, sql FROM sqlite_master WHERE type IN ('trigger', 'index') AND sql IS NOT NULL"
        yield from connection.execute(text(listed)).all()
        whole = connection.execute(
            text("SELECT name, sql FROM sqlite_master WHERE type = 'table' AND sql LIKE '%CHECK (%'")
        )
        for name, sql in whole:
            yield from ((name, _balanced(sql[found.start() :])) for found in re.finditer(r"CHECK \(", sql))
        return
    for listed in (
        "SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
        "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
        "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'c' AND conrelid > 0",
    ):
        yield from connection.execute(text(listed)).all()


def _balanced(sql: str) -> str:
    """The text up to the bracket that closes the first one: a later revision may add a column on the same line."""
    depth = 0
    for place, sign in enumerate(sql):
        depth += {"(": 1, ")": -1}.get(sign, 0)
        if sign == ")" and depth == 0:
            return sql[: place + 1]
    raise ValueError(sql)


def test_going_back_through_every_schema_and_forth_again_loses_none(store: Store) -> None:
    newest, config = guards(store), schema.alembic_config(store)
    revisions = [it.revision for it in ScriptDirectory.from_config(config).walk_revisions()]  # the newest first
    command.downgrade(config, revisions[-1])
    before: set[tuple[str, str]] = set()
    for revision in reversed(revisions):
        command.upgrade(config, revision)
        now = guards(store)
        triggers = {it for it in before if "CREATETRIGGER" in it[1]}
        assert triggers <= now, f"{revision} loses triggers"
        before = now
    assert newest - before == set()
    assert before - newest == set()


def test_a_fresh_database_has_the_indexes_and_checks_of_the_models(
    store: Store, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    server = None if store.is_sqlite else request.getfixturevalue("postgresql_server")
    name = f"ralop_test_{uuid.uuid4().hex[:12]}"
    url = databases.create_postgresql(server, name) if server else f"sqlite:///{tmp_path / 'models.db'}"
    with closing(open_store(url)) as of_models:
        t.Base.metadata.create_all(of_models.engine)
        expected = guards(of_models)
    if server:
        databases.drop_postgresql(server, name)
    assert expected - guards(store) == set()


def old_database(path: Path) -> Store:
    path.write_bytes(gzip.decompress(OLD.read_bytes()))
    path.chmod(0o600)
    return open_store(f"sqlite:///{path}")


def test_a_database_of_the_build_before_is_brought_up_and_proved(sqlite_url: str, tmp_path: Path) -> None:
    with closing(old_database(tmp_path / "old.db")) as old, closing(open_store(sqlite_url)) as fresh:
        schema.upgrade(old)
        assert guards(old) == guards(fresh)
        assert [sentence.in_("en") for sentence in breaks(old)] == []
        with old.reading("test") as session:
            adopted = session.connection().execute(text("SELECT count(*) FROM events WHERE kind = 'adopted'")).scalar()
            assert adopted == session.connection().execute(text("SELECT count(*) FROM cases")).scalar() == 4
        assert checkpoints.make(old, at("2026-12-01 08:00")) is not None
        by_hand = {
            "UPDATE support SET quantity = '1'": "a row in support is not the one that was there at event ",
            "UPDATE cases SET accepted_at = since WHERE code = 'RL-2026-000001'": "the column accepted_at holds ",
            "UPDATE offers SET answer = 'accepted' WHERE answer = 'declined'": "the answer to the offer of event ",
            "DELETE FROM notices WHERE case_id = 1 AND closure_id IS NULL": "rows in notices, and 0 are there.",
        }
        for statement, expected in by_hand.items():
            with old.engine.connect() as connection:
                assert connection.execute(text(statement)).rowcount > 0
                assert expected in "\n".join(sentence.in_("en") for sentence in broken(connection))
                connection.rollback()


def test_an_upgrade_adopts_cases_on_either_database_and_their_histories_go_on(installed: CastInstallation) -> None:
    eventful(installed)
    seen, now = installed.case(AWAY).version, at("2026-03-16 13:00")
    config = schema.alembic_config(installed.store)
    command.downgrade(config, "0019")
    schema.upgrade(installed.store)
    assert [sentence.in_("en") for sentence in breaks(installed.store)] == []
    assert installed.kinds(ENDED)[-1] == "adopted"
    of_before = Act(installed.viewer("head", now), AWAY, {"note": "Ghi lúc chưa nâng cấp"}, now, seen)
    case_acts.note(installed.context, of_before)  # as from a phone that was without a line meanwhile
    with pytest.raises(Conflict):
        case_acts.note(installed.context, of_before)
    assert [sentence.in_("en") for sentence in breaks(installed.store)] == []
