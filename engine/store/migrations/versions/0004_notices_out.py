"""How notices leave the house: what each person chose, what is on its way, what was sent"""

import sqlalchemy as sa
from alembic import op

from engine.store.tables.types import Id, Instant

revision = "0004"
down_revision = "0003"

NEW = sa.text("planned_at IS NULL")
UNSENT = sa.text("state IN ('pending', 'failed')")


def upgrade() -> None:
    op.add_column("notices", sa.Column("planned_at", Instant(), nullable=True))
    op.execute("UPDATE notices SET planned_at = at")  # what was told in the app so far is not sent out now
    op.create_index("ix_notices_new", "notices", ["id"], sqlite_where=NEW, postgresql_where=NEW)
    op.create_table(
        "notice_hours",
        sa.Column("person_id", Id, nullable=False),
        sa.Column("quiet_from", sa.Integer(), nullable=False),
        sa.Column("quiet_to", sa.Integer(), nullable=False),
        sa.Column("digest_at", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_notice_hours_person_id")),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_notice_hours")),
    )
    op.create_table(
        "channel_choices",
        sa.Column("person_id", Id, nullable=False),
        sa.Column("channel", sa.String(length=24), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("digest", sa.Boolean(), nullable=False),
        sa.Column("address", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_channel_choices_person_id")),
        sa.PrimaryKeyConstraint("person_id", "channel", name=op.f("pk_channel_choices")),
    )
    op.create_table(
        "push_subscriptions",
        sa.Column("id", Id, nullable=False),
        sa.Column("person_id", Id, nullable=False),
        sa.Column("endpoint", sa.String(length=1000), nullable=False),
        sa.Column("p256dh", sa.String(length=120), nullable=False),
        sa.Column("auth", sa.String(length=40), nullable=False),
        sa.Column("device", sa.String(length=200), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_push_subscriptions_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_push_subscriptions")),
        sa.UniqueConstraint("endpoint", name=op.f("uq_push_subscriptions_endpoint")),
    )
    op.create_index(op.f("ix_push_subscriptions_person_id"), "push_subscriptions", ["person_id"])
    op.create_table(
        "deliveries",
        sa.Column("id", Id, nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("person_id", Id, nullable=False),
        sa.Column("channel", sa.String(length=24), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("day", sa.Date(), nullable=True),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("made_at", Instant(), nullable=False),
        sa.Column("next_try_at", Instant(), nullable=False),
        sa.Column("sent_at", Instant(), nullable=True),
        sa.Column("last_error", sa.String(length=300), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_deliveries_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        sa.UniqueConstraint("key", name=op.f("uq_deliveries_key")),
    )
    op.create_index("ix_deliveries_person_id", "deliveries", ["person_id", "id"])
    op.create_index("ix_deliveries_state", "deliveries", ["state", "id"])
    op.create_index(
        "ix_deliveries_unsent", "deliveries", ["urgent", "next_try_at"], sqlite_where=UNSENT, postgresql_where=UNSENT
    )
    op.create_table(
        "delivery_items",
        sa.Column("delivery_id", Id, nullable=False),
        sa.Column("notice_id", Id, nullable=False),
        sa.ForeignKeyConstraint(["delivery_id"], ["deliveries.id"], name=op.f("fk_delivery_items_delivery_id")),
        sa.ForeignKeyConstraint(["notice_id"], ["notices.id"], name=op.f("fk_delivery_items_notice_id")),
        sa.PrimaryKeyConstraint("delivery_id", "notice_id", name=op.f("pk_delivery_items")),
    )
    op.create_index(op.f("ix_delivery_items_notice_id"), "delivery_items", ["notice_id"])


def downgrade() -> None:
    for table in ("delivery_items", "deliveries", "push_subscriptions", "channel_choices", "notice_hours"):
        op.drop_table(table)
    op.drop_index("ix_notices_new", table_name="notices")
    op.drop_column("notices", "planned_at")
