"""Checkpoints; append-only tables refuse INSERT OR REPLACE; each case says how it stood when its events began to prove"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from typing import Any

import sqlalchemy as sa
from alembic import op

from engine.core.cases import chain
from engine.core.cases.changes import STORED
from engine.core.proof import beside
from engine.store import bulk
from engine.store.tables import Base
from engine.store.tables.types import Id, Instant

revision = "0022"
down_revision = "0021"

BATCH = 2_000  # cases
NEW = ("checkpoints", "checkpoint_parts", "checkpoint_cases")
# By table, its keys: a row with one of them that is there already would replace the old one.
KEYS = {
    "events": (("case_id", "seq"), ("key",)),
    "firings": (("case_id", "rule", "entry", "repetition"),),
    "access_log": (("id",),),
    "staff_acts": (("id",),),
    "mark_changes": (("id",),),
    "pupil_changes": (("id",),),
    "checkpoints": (("n",),),
    "checkpoint_parts": (("n", "stream", "first"),),
    "checkpoint_cases": (("case_id", "n"),),
}
GUARDED_FIRST_HERE = ("mark_changes", "pupil_changes", *NEW)


def upgrade() -> None:
    op.create_table(
        "checkpoints",
        sa.Column("n", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("root", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("n", name=op.f("pk_checkpoints")),
    )
    op.create_table(
        "checkpoint_parts",
        sa.Column("n", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("stream", sa.String(length=24), nullable=False),
        sa.Column("first", Id, autoincrement=False, nullable=False),
        sa.Column("last", Id, nullable=False),
        sa.Column("form", sa.Integer(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("root", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["n"], ["checkpoints.n"], name=op.f("fk_checkpoint_parts_n")),
        sa.PrimaryKeyConstraint("n", "stream", "first", name=op.f("pk_checkpoint_parts")),
    )
    op.create_index("ix_checkpoint_parts_stream", "checkpoint_parts", ["stream", "last"])
    op.create_table(
        "checkpoint_cases",
        sa.Column("case_id", Id, autoincrement=False, nullable=False),
        sa.Column("n", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_checkpoint_cases_case_id")),
        sa.ForeignKeyConstraint(["n"], ["checkpoints.n"], name=op.f("fk_checkpoint_cases_n")),
        sa.PrimaryKeyConstraint("case_id", "n", name=op.f("pk_checkpoint_cases")),
    )
    op.create_index("ix_checkpoint_cases_n", "checkpoint_cases", ["n", "case_id"])
    op.create_table(
        "cases_touched",
        sa.Column("id", Id, nullable=False),
        sa.Column("case_id", Id, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cases_touched")),
    )
    _guard(op.get_bind().dialect.name)
    _adopt(op.get_bind(), dt.datetime.now(dt.UTC))


def _guard(dialect: str) -> None:
    """The database itself refuses to change, delete or replace what is only added to."""
    if dialect != "sqlite":  # there ON CONFLICT DO UPDATE is an UPDATE, which is refused
        for table in GUARDED_FIRST_HERE:
            op.execute(
                f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
            )
        return
    for table, keys in KEYS.items():
        for act in ("UPDATE", "DELETE") if table in GUARDED_FIRST_HERE else ():
            op.execute(
                f"CREATE TRIGGER {table}_no_{act.lower()} BEFORE {act} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
        there = " OR ".join(
            f"EXISTS (SELECT 1 FROM {table} WHERE {' AND '.join(f'{name} = NEW.{name}' for name in key)})"  # noqa: S608
            for key in keys
        )
        op.execute(
            f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} WHEN {there} "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        )


def _adopt(connection: sa.Connection, now: dt.datetime) -> None:
    """Adds an event to each case that says how its row and the rows of other tables stand: earlier ones do not."""
    tables = Base.metadata.tables
    there = {column["name"] for column in sa.inspect(connection).get_columns("cases")}
    names = tuple(name for name in STORED if name in there)
    cases, last = tables["cases"], 0
    fixed = ("id", "version", "last_hash", "code", "pupil_id", "workflow")
    query = sa.select(*(cases.c[name] for name in (*fixed, *names))).order_by(cases.c.id).limit(BATCH)
    while found := connection.execute(query.where(cases.c.id > last)).all():
        first, last = found[0].id, found[-1].id
        rows = _rows_beside(connection, first, last)
        events, moved, touched = [], [], []
        for id, version, last_hash, code, pupil, workflow, *values in found:
            data = {
                beside.CASE: {"code": code, "pupil": pupil, "workflow": workflow},
                beside.ROW: {name: beside.plain(value) for name, value in zip(names, values, strict=True)},
                beside.BESIDE: beside.digests(rows[id]),
            }
            said = (id, version + 1, beside.ADOPTED, now, None, None, chain.canonical(data), None)
            hashed = chain.hash_written(last_hash, *said)
            events.append((*said, last_hash, hashed))
            moved.append((version + 1, hashed, id, version))
            touched.append((id,))
        columns = ("case_id", "seq", "kind", "at", "person_id", "role", "data", "text_hash", "previous_hash", "hash")
        bulk.insert_rows(connection, tables["events"], columns, events)
        bulk.update_rows(connection, cases, ("version", "last_hash"), ("id", "version"), moved)
        bulk.insert_rows(connection, tables["cases_touched"], ("case_id",), touched)


def _rows_beside(connection: sa.Connection, first: int, last: int) -> dict[int, dict[str, list[Any]]]:
    found: dict[int, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
    for name, columns in beside.COLUMNS.items():
        table = Base.metadata.tables[name]
        query = sa.select(table.c.case_id, table.c.seq, *(table.c[column] for column in columns))
        query = query.where(table.c.case_id.between(first, last))
        if name == "notices":
            query = query.where(table.c.closure_id.is_(None), table.c.act_id.is_(None))
        for case, *row in connection.execute(query):
            found[case][name].append(row)
    return found


def downgrade() -> None:
    """The events stay: nobody can take them out of the chains."""
    if op.get_bind().dialect.name == "sqlite":
        for table in KEYS:
            op.execute(f"DROP TRIGGER {table}_no_replace")
        for table in ("mark_changes", "pupil_changes"):
            op.execute(f"DROP TRIGGER {table}_no_update")
            op.execute(f"DROP TRIGGER {table}_no_delete")
    else:
        for table in ("mark_changes", "pupil_changes"):
            op.execute(f"DROP TRIGGER {table}_append_only ON {table}")
    for table in ("cases_touched", "checkpoint_cases", "checkpoint_parts", "checkpoints"):
        op.drop_table(table)
