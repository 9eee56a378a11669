"""An association is named by a case only while it is asked to help"""

import sqlalchemy as sa
from alembic import op

from engine.store.tables.types import FAR, Instant

revision = "0013"
down_revision = "0012"

_cases = sa.table(
    "cases",
    sa.column("association_id", sa.BigInteger),
    sa.column("offered_role", sa.String),
    sa.column("closed_at", Instant),
)
ASKED = ("volunteer", "association")


def upgrade() -> None:
    """Of cases that have ended or went on to somebody else the association has no duty any more (decision 10)."""
    over = sa.or_(_cases.c.offered_role.not_in(ASKED), _cases.c.closed_at < FAR)
    op.execute(_cases.update().where(_cases.c.association_id.is_not(None), over).values(association_id=None))


def downgrade() -> None:
    """Which association was asked stands in the needs of a case; nothing has to be put back."""
