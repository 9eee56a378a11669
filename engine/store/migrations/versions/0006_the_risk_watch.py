"""The risk watch: who was absent on a day, roll calls that were sent, alarms and proposals"""

import sqlalchemy as sa
from alembic import op

from engine.store.tables.types import Id, Instant, Json

revision = "0006"
down_revision = "0005"

ABSENT = sa.text("mark IN ('e', 'u')")
UNDECIDED = sa.text("decided_at IS NULL")


def upgrade() -> None:
    op.create_index("ix_marks_absent", "marks", ["day", "pupil_id"], sqlite_where=ABSENT, postgresql_where=ABSENT)
    op.create_table(
        "roll_calls",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("class_id", Id, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("session", sa.String(length=1), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("by_id", Id, nullable=False),
        sa.ForeignKeyConstraint(["by_id"], ["people.id"], name=op.f("fk_roll_calls_by_id")),
        sa.ForeignKeyConstraint(["class_id"], ["units.id"], name=op.f("fk_roll_calls_class_id")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_roll_calls")),
    )
    op.create_index("ix_roll_calls_class_id", "roll_calls", ["class_id", "day", "session"])
    op.create_table(
        "alarms",
        sa.Column("pupil_id", Id, nullable=False),
        sa.Column("signal", sa.String(length=60), nullable=False),
        sa.Column("threshold", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("value", sa.Integer(), nullable=False),
        sa.Column("case_id", Id, nullable=True),
        sa.Column("opened", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_alarms_case_id")),
        sa.ForeignKeyConstraint(["pupil_id"], ["pupils.id"], name=op.f("fk_alarms_pupil_id")),
        sa.PrimaryKeyConstraint("pupil_id", "signal", "threshold", "day", name=op.f("pk_alarms")),
    )
    op.create_index("ix_alarms_day", "alarms", ["day"])
    op.create_table(
        "proposals",
        sa.Column("id", Id, nullable=False),
        sa.Column("pupil_id", Id, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("absent_since", sa.Date(), nullable=False),
        sa.Column("signals", Json, nullable=False),
        sa.Column("made_at", Instant(), nullable=False),
        sa.Column("decided_at", Instant(), nullable=True),
        sa.Column("decided_by_id", Id, nullable=True),
        sa.Column("reason", sa.String(length=300), nullable=True),
        sa.ForeignKeyConstraint(["decided_by_id"], ["people.id"], name=op.f("fk_proposals_decided_by_id")),
        sa.ForeignKeyConstraint(["pupil_id"], ["pupils.id"], name=op.f("fk_proposals_pupil_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proposals")),
    )
    op.create_index(
        "uq_proposals_undecided",
        "proposals",
        ["pupil_id"],
        unique=True,
        sqlite_where=UNDECIDED,
        postgresql_where=UNDECIDED,
    )


def downgrade() -> None:
    for table in ("proposals", "alarms", "roll_calls"):
        op.drop_table(table)
    op.drop_index("ix_marks_absent", "marks")
