"""Who did what to accounts and posts; a notice of many cases at once, about days without class"""

import sqlalchemy as sa
from alembic import op

from engine.store.tables.types import Id, Instant

revision = "0015"
down_revision = "0014"

TABLE = "staff_acts"


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("id", Id, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("person_id", Id, nullable=False),
        sa.Column("by_id", Id, nullable=True),
        sa.Column("role", sa.String(length=24), nullable=True),
        sa.Column("unit_id", Id, nullable=True),
        sa.Column("first_day", sa.Date(), nullable=True),
        sa.Column("last_day", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["by_id"], ["people.id"], name=op.f("fk_staff_acts_by_id")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_staff_acts_person_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_staff_acts_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_acts")),
    )
    op.create_index("ix_staff_acts_person_id", TABLE, ["person_id", "id"])
    _guard(op.get_bind().dialect.name)
    op.add_column("notices", sa.Column("cases", sa.Integer(), nullable=False, server_default="1"))
    kind = "INTEGER" if op.get_bind().dialect.name == "sqlite" else "BIGINT"
    # In words of both databases: Alembic would copy the whole table in SQLite, for a column that begins empty.
    reference = "CONSTRAINT fk_notices_closure_id REFERENCES closures (id)"
    op.execute(f"ALTER TABLE notices ADD COLUMN closure_id {kind} {reference}")


def _guard(dialect: str) -> None:
    """What was done is only added to, as in 0001: the database itself refuses to change or delete it."""
    if dialect == "sqlite":
        for act in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {TABLE}_no_{act.lower()} BEFORE {act} ON {TABLE} "
                f"BEGIN SELECT RAISE(ABORT, '{TABLE} is append-only'); END"
            )
        return
    op.execute(
        f"CREATE TRIGGER {TABLE}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {TABLE} "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    with op.batch_alter_table("notices") as notices:
        notices.drop_column("closure_id")
        notices.drop_column("cases")
    op.drop_table(TABLE)
