"""Entries that are corrected or withdrawn, acts that are taken back, and firings to decide about"""

import sqlalchemy as sa
from alembic import op

from engine.store.tables.types import Id, Instant

revision = "0021"
down_revision = "0019"

REPLACED = ("support", "needs", "planned")
UNDECIDED = sa.text("decided_seq IS NULL")


def upgrade() -> None:
    op.create_table(
        "corrections",
        sa.Column("case_id", Id, nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("entry_seq", sa.Integer(), nullable=False),
        sa.Column("void", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_corrections_case_id")),
        sa.PrimaryKeyConstraint("case_id", "seq", name=op.f("pk_corrections")),
    )
    op.create_table(
        "doubts",
        sa.Column("case_id", Id, nullable=False),
        sa.Column("fired_seq", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("decided_seq", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_doubts_case_id")),
        sa.PrimaryKeyConstraint("case_id", "fired_seq", name=op.f("pk_doubts")),
    )
    op.create_index("ix_doubts_undecided", "doubts", ["case_id"], sqlite_where=UNDECIDED, postgresql_where=UNDECIDED)
    for table in REPLACED:
        op.add_column(table, sa.Column("replaced_seq", sa.Integer(), nullable=True))
    op.add_column("notices", sa.Column("withdrawn_at", Instant(), nullable=True))
    op.add_column("cases", sa.Column("last_entry", sa.Integer(), server_default="1", nullable=False))
    op.execute("UPDATE cases SET last_entry = entry")


def downgrade() -> None:
    op.drop_column("cases", "last_entry")
    op.drop_column("notices", "withdrawn_at")
    for table in REPLACED:
        op.drop_column(table, "replaced_seq")
    op.drop_table("doubts")
    op.drop_table("corrections")
