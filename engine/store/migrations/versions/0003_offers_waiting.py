"""What waits for a post is one probe of one index, however many cases its area has"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

WAITING = sa.text("closed_at >= '9999-12-31' AND offered_at IS NOT NULL AND accepted_at IS NULL")


def upgrade() -> None:
    op.create_index(
        "ix_cases_waiting",
        "cases",
        ["offered_unit_id", "offered_role", "due_at", "id"],
        sqlite_where=WAITING,
        postgresql_where=WAITING,
    )


def downgrade() -> None:
    op.drop_index("ix_cases_waiting", table_name="cases")
