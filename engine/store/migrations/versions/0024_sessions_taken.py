"""Which sessions a class took, so that a blank means that the pupil was there; what an import noted; years of birth"""

import sqlalchemy as sa
from alembic import op

from engine.store.tables.types import Id, Instant

revision = "0024"
down_revision = "0023"

KEY = ("class_id", "day", "session")
ADDED = ("noted", "cases")


def upgrade() -> None:
    op.create_table(
        "sessions_taken",
        sa.Column("class_id", Id, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("session", sa.String(length=1), nullable=False),
        sa.Column("as_of", Instant, nullable=True),
        sa.Column("source", sa.String(length=8), nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.Column("by_id", Id, nullable=True),
        sa.Column("job_id", Id, nullable=True),
        sa.ForeignKeyConstraint(["class_id"], ["units.id"], name=op.f("fk_sessions_taken_class_id")),
        sa.ForeignKeyConstraint(["by_id"], ["people.id"], name=op.f("fk_sessions_taken_by_id")),
        sa.ForeignKeyConstraint(["job_id"], ["import_jobs.id"], name=op.f("fk_sessions_taken_job_id")),
        sa.PrimaryKeyConstraint(*KEY, name=op.f("pk_sessions_taken")),
    )
    # Up to now each pupil who was there has a mark of presence: the rows say that the class took the session, and
    # nothing of who has no mark (as_of is empty).
    op.execute(
        "INSERT INTO sessions_taken (class_id, day, session, source, at) "
        "SELECT p.class_id, m.day, m.session, 'marks', MIN(m.at) FROM marks m JOIN pupils p ON p.id = m.pupil_id "
        "GROUP BY p.class_id, m.day, m.session"
    )
    op.create_index("ix_sessions_taken_day", "sessions_taken", ["day"])
    op.add_column("pupils", sa.Column("birth_year", sa.Integer, nullable=True))
    for name in ADDED:
        op.add_column("import_jobs", sa.Column(name, sa.Integer, nullable=False, server_default="0"))


def downgrade() -> None:
    """Goes back to a register in which a present pupil has a mark."""
    op.execute(
        "INSERT INTO marks (pupil_id, day, session, mark, at, by_id) "
        "SELECT p.id, s.day, s.session, 'p', s.at, s.by_id FROM sessions_taken s "
        "JOIN pupils p ON p.class_id = s.class_id AND p.status = 'enrolled' WHERE s.as_of IS NOT NULL "
        "ON CONFLICT DO NOTHING"
    )
    op.drop_column("pupils", "birth_year")
    for name in ADDED:
        op.drop_column("import_jobs", name)
    op.drop_table("sessions_taken")
