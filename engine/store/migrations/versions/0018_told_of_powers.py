"""A notice may be about an act on an account or a post, not about a case; who did an act on the command line"""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from alembic import op

from engine.store.tables.types import Id

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.add_column("staff_acts", sa.Column("operator", sa.String(length=64), nullable=True))
    sqlite = op.get_bind().dialect.name == "sqlite"
    reference = "CONSTRAINT fk_notices_act_id REFERENCES staff_acts (id)"
    op.execute(f"ALTER TABLE notices ADD COLUMN act_id {'INTEGER' if sqlite else 'BIGINT'} {reference}")
    _let_case_be_missing(missing=True)


def _let_case_be_missing(*, missing: bool) -> None:
    """A notice needs no case, or needs one again."""
    if op.get_bind().dialect.name != "sqlite":
        op.alter_column("notices", "case_id", existing_type=Id, nullable=missing)
        return
    with _nothing_refers_to_notices(), op.batch_alter_table("notices") as notices:
        notices.alter_column("case_id", existing_type=Id, nullable=missing)


@contextmanager
def _nothing_refers_to_notices() -> Iterator[None]:
    """SQLite makes the whole table anew and would refuse it under what refers to it: that steps aside meanwhile."""
    op.execute("CREATE TABLE delivery_items_kept AS SELECT * FROM delivery_items")
    op.execute("DELETE FROM delivery_items")
    yield
    op.execute("INSERT INTO delivery_items SELECT * FROM delivery_items_kept")
    op.execute("DROP TABLE delivery_items_kept")


def downgrade() -> None:
    op.execute("DELETE FROM delivery_items WHERE notice_id IN (SELECT id FROM notices WHERE act_id IS NOT NULL)")
    op.execute("DELETE FROM notices WHERE act_id IS NOT NULL")
    _let_case_be_missing(missing=False)
    if op.get_bind().dialect.name == "sqlite":
        with _nothing_refers_to_notices(), op.batch_alter_table("notices") as notices:
            notices.drop_column("act_id")
    else:
        op.drop_column("notices", "act_id")
    op.drop_column("staff_acts", "operator")
