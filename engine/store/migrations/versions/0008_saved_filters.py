"""Filters of the list of cases that people keep under a name, and the case that a proposal was taken up with"""

import sqlalchemy as sa
from alembic import op

from engine.store.tables.types import Id, Instant, Json

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "saved_filters",
        sa.Column("id", Id, nullable=False),
        sa.Column("person_id", Id, nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("filters", Json, nullable=False),
        sa.Column("made_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_saved_filters_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_filters")),
        sa.UniqueConstraint("person_id", "name", name=op.f("uq_saved_filters_person_id_name")),
    )
    with op.batch_alter_table("proposals") as proposals:
        proposals.add_column(sa.Column("case_id", Id, nullable=True))
        proposals.create_foreign_key(op.f("fk_proposals_case_id"), "cases", ["case_id"], ["id"])


def downgrade() -> None:
    with op.batch_alter_table("proposals") as proposals:
        proposals.drop_constraint(op.f("fk_proposals_case_id"), type_="foreignkey")
        proposals.drop_column("case_id")
    op.drop_table("saved_filters")
