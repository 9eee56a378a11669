"""Checkpoints; what is only added to refuses INSERT OR REPLACE; each case says how it stands"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from engine.store.proof.adopting import adopt
from engine.store.session import now_utc
from engine.store.tables.types import Id, Instant

revision = "0022"
down_revision = "0021"

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
    adopt(op.get_bind(), now_utc())


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
