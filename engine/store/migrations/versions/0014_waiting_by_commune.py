"""What waits for acceptance in a commune is counted by an index, however many open cases the commune has"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

WAITING = sa.text("closed_at >= '9999-12-31' AND offered_at IS NOT NULL AND accepted_at IS NULL")


def upgrade() -> None:
    op.create_index(
        "ix_cases_waiting_commune", "cases", ["commune_id", "id"], sqlite_where=WAITING, postgresql_where=WAITING
    )


def downgrade() -> None:
    op.drop_index("ix_cases_waiting_commune", "cases")
