"""What was sent with a form's key, as a digest: the same key with other content is another form"""

import sqlalchemy as sa
from alembic import op

from engine.store.tables.types import Instant

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    op.create_table(
        "sent_forms",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("at", Instant, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("sent_forms")
