"""The next one up is asked beside a holder who is away, until a moment; and what re-seating leaves for the worker"""

import sqlalchemy as sa
from alembic import op

from engine.store.tables.types import Id, Instant, Json

revision = "0023"
down_revision = "0020"


def upgrade() -> None:
    op.add_column("cases", sa.Column("beside_until", Instant))
    op.create_table(
        "reseats",
        sa.Column("id", Id, primary_key=True),
        sa.Column("at", Instant, nullable=False),
        sa.Column("people", Json, nullable=False),
        sa.Column("seats", Json, nullable=False),
        sa.Column("after_id", Id, nullable=False),
        sa.Column("moved", Id, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("reseats")
    op.drop_column("cases", "beside_until")
