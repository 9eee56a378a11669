"""An association is named by a case only while it is asked to help"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

_cases = sa.table("cases", sa.column("association_id", sa.BigInteger), sa.column("offered_role", sa.String))
ASKED = ("volunteer", "association")


def upgrade() -> None:
    """Cases that went on before: the association has no duty towards the pupil any more (decision 10)."""
    role = _cases.c.offered_role
    over = sa.or_(role.is_(None), role.not_in(ASKED))
    op.execute(_cases.update().where(_cases.c.association_id.is_not(None), over).values(association_id=None))


def downgrade() -> None:
    """Which association was asked stands in the needs of a case; nothing has to be put back."""
