"""A companion of a case may be somebody with an account, invited to help: a subject teacher, a mass organisation"""

import sqlalchemy as sa
from alembic import op

from engine.store.tables.types import Id

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    op.add_column("companions", sa.Column("person_id", Id, nullable=True))
    op.create_index("ix_companions_person_id", "companions", ["person_id"])


def downgrade() -> None:
    op.drop_index("ix_companions_person_id", "companions")
    op.drop_column("companions", "person_id")
