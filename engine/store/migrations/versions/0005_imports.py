"""Files on their way in, corrected marks, daily summaries of classes"""

import sqlalchemy as sa
from alembic import op

from engine.store.tables.types import Id, Instant, Json

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "import_jobs",
        sa.Column("id", Id, nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("options", Json, nullable=False),
        sa.Column("person_id", Id, nullable=True),
        sa.Column("made_at", Instant(), nullable=False),
        sa.Column("finished_at", Instant(), nullable=True),
        sa.Column("cancelled_at", Instant(), nullable=True),
        sa.Column("seen_at", Instant(), nullable=True),
        sa.Column("total", sa.Integer(), nullable=True),
        sa.Column("next_row", sa.Integer(), server_default="0", nullable=False),
        sa.Column("new", sa.Integer(), server_default="0", nullable=False),
        sa.Column("changed", sa.Integer(), server_default="0", nullable=False),
        sa.Column("unchanged", sa.Integer(), server_default="0", nullable=False),
        sa.Column("wrong", sa.Integer(), server_default="0", nullable=False),
        sa.Column("report", Json, nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_import_jobs_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_jobs")),
    )
    op.create_index(op.f("ix_import_jobs_person_id"), "import_jobs", ["person_id"], unique=False)
    op.create_table(
        "import_files",
        sa.Column("job_id", Id, nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["job_id"], ["import_jobs.id"], name=op.f("fk_import_files_job_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_import_files")),
    )
    op.create_table(
        "import_wrong",
        sa.Column("job_id", Id, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("sheet", sa.String(length=100), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("names", Json, nullable=False),
        sa.Column("cells", Json, nullable=False),
        sa.Column("why", Json, nullable=False),
        sa.ForeignKeyConstraint(
            ["job_id"], ["import_jobs.id"], name=op.f("fk_import_wrong_job_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("job_id", "number", name=op.f("pk_import_wrong")),
    )
    op.create_table(
        "class_days",
        sa.Column("class_id", Id, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("taken", sa.Boolean(), nullable=False),
        sa.Column("enrolled", sa.Integer(), nullable=True),
        sa.Column("present", sa.Integer(), nullable=True),
        sa.Column("excused", sa.Integer(), nullable=True),
        sa.Column("unexcused", sa.Integer(), nullable=True),
        sa.Column("late", sa.Integer(), nullable=True),
        sa.Column("at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["class_id"], ["units.id"], name=op.f("fk_class_days_class_id")),
        sa.PrimaryKeyConstraint("class_id", "day", name=op.f("pk_class_days")),
    )
    op.create_table(
        "mark_changes",
        sa.Column("id", Id, nullable=False),
        sa.Column("pupil_id", Id, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("session", sa.String(length=1), nullable=False),
        sa.Column("old_mark", sa.String(length=1), nullable=False),
        sa.Column("old_reason", sa.String(length=200), nullable=True),
        sa.Column("old_at", Instant(), nullable=False),
        sa.Column("old_by_id", Id, nullable=True),
        sa.Column("new_mark", sa.String(length=1), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("by_id", Id, nullable=True),
        sa.Column("job_id", Id, nullable=True),
        sa.ForeignKeyConstraint(["by_id"], ["people.id"], name=op.f("fk_mark_changes_by_id")),
        sa.ForeignKeyConstraint(["job_id"], ["import_jobs.id"], name=op.f("fk_mark_changes_job_id")),
        sa.ForeignKeyConstraint(["old_by_id"], ["people.id"], name=op.f("fk_mark_changes_old_by_id")),
        sa.ForeignKeyConstraint(["pupil_id"], ["pupils.id"], name=op.f("fk_mark_changes_pupil_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mark_changes")),
    )
    op.create_index("ix_mark_changes_pupil_id", "mark_changes", ["pupil_id", "day"], unique=False)


def downgrade() -> None:
    for table in ("mark_changes", "class_days", "import_wrong", "import_files", "import_jobs"):
        op.drop_table(table)
