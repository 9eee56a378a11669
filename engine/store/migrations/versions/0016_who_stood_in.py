"""Whom an act on an account concerns beside its person: who stands in for them, or for whom they stand in"""

from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    kind = "INTEGER" if op.get_bind().dialect.name == "sqlite" else "BIGINT"
    # In words of both databases: Alembic would copy the whole table in SQLite, and lose what guards it.
    reference = "CONSTRAINT fk_staff_acts_other_id REFERENCES people (id)"
    op.execute(f"ALTER TABLE staff_acts ADD COLUMN other_id {kind} {reference}")


def downgrade() -> None:
    op.execute("ALTER TABLE staff_acts DROP COLUMN other_id")
