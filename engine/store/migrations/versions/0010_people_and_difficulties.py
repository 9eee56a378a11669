"""People around a case, and difficulties that climb to who can decide"""

import sqlalchemy as sa
from alembic import op

from engine.store.tables.types import Id, Instant, OpenInstant

revision = "0010"
down_revision = "0009"

UNANSWERED = sa.text("answer IS NULL")


def upgrade() -> None:
    op.create_table(
        "companions",
        sa.Column("case_id", Id, nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(length=24), nullable=False),
        sa.Column("removed_seq", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_companions_case_id")),
        sa.PrimaryKeyConstraint("case_id", "seq", name=op.f("pk_companions")),
    )
    op.create_table(
        "difficulties",
        sa.Column("id", Id, nullable=False),
        sa.Column("case_id", Id, nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("raised_by_id", Id, nullable=True),
        sa.Column("raised_at", Instant(), nullable=False),
        sa.Column("role", sa.String(length=24), nullable=False),
        sa.Column("unit_id", Id, nullable=False),
        sa.Column("moves", sa.Integer(), server_default="0", nullable=False),
        sa.Column("due_at", OpenInstant(), nullable=False),
        sa.Column("answer", sa.String(length=12), nullable=True),
        sa.Column("answered_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_difficulties_case_id")),
        sa.ForeignKeyConstraint(["raised_by_id"], ["people.id"], name=op.f("fk_difficulties_raised_by_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_difficulties_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_difficulties")),
        sa.UniqueConstraint("case_id", "seq", name=op.f("uq_difficulties_case_id_seq")),
    )
    op.create_index("ix_difficulties_raised_by_id", "difficulties", ["raised_by_id"])
    op.create_index(
        "ix_difficulties_post",
        "difficulties",
        ["unit_id", "role", "due_at"],
        sqlite_where=UNANSWERED,
        postgresql_where=UNANSWERED,
    )
    op.create_index(
        "ix_difficulties_due", "difficulties", ["due_at"], sqlite_where=UNANSWERED, postgresql_where=UNANSWERED
    )
    op.create_table(
        "difficulty_moves",
        sa.Column("case_id", Id, nullable=False),
        sa.Column("raised_seq", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_difficulty_moves_case_id")),
        sa.PrimaryKeyConstraint("case_id", "raised_seq", "number", name=op.f("pk_difficulty_moves")),
    )


def downgrade() -> None:
    for table in ("difficulty_moves", "difficulties", "companions"):
        op.drop_table(table)
