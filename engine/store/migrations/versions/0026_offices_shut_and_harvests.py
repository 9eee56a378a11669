"""Days announced for a place are days without class, days of a shut office, or a harvest"""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    op.add_column("closures", sa.Column("what", sa.String(8), nullable=False, server_default="class"))


def downgrade() -> None:
    op.execute("DELETE FROM closure_acts WHERE closure_id IN (SELECT id FROM closures WHERE what <> 'class')")
    op.execute(
        "UPDATE notices SET closure_id = NULL WHERE closure_id IN (SELECT id FROM closures WHERE what <> 'class')"
    )
    op.execute(
        "DELETE FROM closures WHERE what <> 'class'"
    )  # an earlier program would take them for days without class
    op.drop_column("closures", "what")
