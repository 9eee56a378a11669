"""What was done to a closure, each act once; which roles' first steps a person has put away"""

import sqlalchemy as sa
from alembic import op

from engine.store.tables.types import Id, Instant

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "closure_acts",
        sa.Column("id", Id, nullable=False),
        sa.Column("closure_id", Id, nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("person_id", Id, nullable=True),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("recounted", sa.Integer(), nullable=False),
        sa.Column("moved", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["closure_id"], ["closures.id"], name=op.f("fk_closure_acts_closure_id")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_closure_acts_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_closure_acts")),
        sa.UniqueConstraint("key", name=op.f("uq_closure_acts_key")),
    )
    op.create_index("ix_closure_acts_closure_id", "closure_acts", ["closure_id", "id"])
    op.create_table(
        "greetings",
        sa.Column("person_id", Id, nullable=False),
        sa.Column("role", sa.String(length=24), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_greetings_person_id")),
        sa.PrimaryKeyConstraint("person_id", "role", name=op.f("pk_greetings")),
    )


def downgrade() -> None:
    op.drop_table("greetings")
    op.drop_table("closure_acts")
