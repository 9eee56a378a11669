"""What the risk watch is asked for: registers that came in, trials of its rules; how often an import was begun"""

import sqlalchemy as sa
from alembic import op

from engine.store.tables.types import Id, Instant, Json

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.create_table(
        "watch_asked",
        sa.Column("class_id", Id, sa.ForeignKey("units.id"), primary_key=True),
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("token", sa.String(32), nullable=False),
    )
    op.add_column("import_jobs", sa.Column("begun", sa.Integer, nullable=False, server_default="0"))
    op.create_table(
        "risk_trials",
        sa.Column("id", Id, primary_key=True),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("first_day", sa.Date, nullable=False),
        sa.Column("last_day", sa.Date, nullable=False),
        sa.Column("rules", Json, nullable=False),
        sa.Column("person_id", Id, sa.ForeignKey("people.id")),
        sa.Column("asked_at", Instant, nullable=False),
        sa.Column("seen_at", Instant),
        sa.Column("finished_at", Instant),
        sa.Column("next_pupil", Id, nullable=False, server_default="0"),
        sa.Column("done", sa.Integer, nullable=False, server_default="0"),
        sa.Column("total", sa.Integer, nullable=False, server_default="0"),
    )
    op.create_table(
        "risk_trial_counts",
        sa.Column("trial_id", Id, sa.ForeignKey("risk_trials.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("school_id", Id, sa.ForeignKey("units.id"), primary_key=True),
        sa.Column("signal", sa.String(60), primary_key=True),
        sa.Column("alarms", sa.Integer, nullable=False),
        sa.Column("led", sa.Integer, nullable=False),
        sa.Column("founded", sa.Integer, nullable=False),
        sa.Column("unfounded", sa.Integer, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("risk_trial_counts")
    op.drop_table("risk_trials")
    op.drop_column("import_jobs", "begun")
    op.drop_table("watch_asked")
