"""What the roles' rooms ask: people by folded name, closures by their end, urgent cases of a commune"""

import sqlalchemy as sa
from alembic import op

from engine.core.text import fold
from engine.store.tables.types import Id

revision = "0011"
down_revision = "0010"

URGENT = sa.text("closed_at >= '9999-12-31' AND level > 0")
people = sa.table("people", sa.column("id", Id), sa.column("name", sa.String), sa.column("search_key", sa.String))


def upgrade() -> None:
    op.add_column("people", sa.Column("search_key", sa.String(length=120), nullable=False, server_default=""))
    connection = op.get_bind()
    found = [
        {"_id": id, "_key": fold(name)[:120]} for id, name in connection.execute(sa.select(people.c.id, people.c.name))
    ]
    if found:
        key = sa.update(people).where(people.c.id == sa.bindparam("_id")).values(search_key=sa.bindparam("_key"))
        connection.execute(key, found)
    op.create_index("ix_closures_last_day", "closures", ["last_day", "id"])
    op.create_index("ix_cases_urgent", "cases", ["commune_id", "id"], sqlite_where=URGENT, postgresql_where=URGENT)


def downgrade() -> None:
    op.drop_index("ix_cases_urgent", "cases")
    op.drop_index("ix_closures_last_day", "closures")
    op.drop_column("people", "search_key")
