"""A pupil's code is unique within a school; what a person decided about names, birth dates and codes of a file"""

import sqlalchemy as sa
from alembic import op

from engine.store.tables.types import Id, Instant

revision = "0017"
down_revision = "0016"

PLACES = ("class_id", "commune_id", "province_id", "school_id", "village_id")
FORGET = "INSERT INTO pupil_search(pupil_search, rowid, search_key) VALUES ('delete', old.id, old.search_key);"
LEARN = "INSERT INTO pupil_search(rowid, search_key) VALUES (new.id, new.search_key);"
SEARCH = (
    f"CREATE TRIGGER pupil_search_added AFTER INSERT ON pupils BEGIN {LEARN} END",
    f"CREATE TRIGGER pupil_search_removed AFTER DELETE ON pupils BEGIN {FORGET} END",
    f"CREATE TRIGGER pupil_search_changed AFTER UPDATE OF search_key ON pupils BEGIN {FORGET} {LEARN} END",
)


def upgrade() -> None:
    _unique("code", "school_id")
    op.create_index("ix_pupils_birth_date", "pupils", ["birth_date", "search_key", "school_id"])
    op.create_table(
        "pupil_changes",
        sa.Column("id", Id, nullable=False),
        sa.Column("pupil_id", Id, nullable=False),
        sa.Column("field", sa.String(length=12), nullable=False),
        sa.Column("old", sa.String(length=120), nullable=False),
        sa.Column("new", sa.String(length=120), nullable=False),
        sa.Column("taken", sa.Boolean(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("by_id", Id, nullable=True),
        sa.Column("job_id", Id, nullable=True),
        sa.ForeignKeyConstraint(["by_id"], ["people.id"], name=op.f("fk_pupil_changes_by_id")),
        sa.ForeignKeyConstraint(["job_id"], ["import_jobs.id"], name=op.f("fk_pupil_changes_job_id")),
        sa.ForeignKeyConstraint(["pupil_id"], ["pupils.id"], name=op.f("fk_pupil_changes_pupil_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pupil_changes")),
    )
    op.create_index(op.f("ix_pupil_changes_pupil_id"), "pupil_changes", ["pupil_id"])


def downgrade() -> None:
    op.drop_table("pupil_changes")
    op.drop_index("ix_pupils_birth_date", "pupils")
    _unique("code")


def _unique(*columns: str) -> None:
    """Make these columns of a pupil unique, in place of the code and whatever stood with it."""
    name = f"uq_pupils_{'_'.join(columns)}"
    if op.get_bind().dialect.name != "sqlite":
        op.drop_constraint("uq_pupils_code" if len(columns) > 1 else "uq_pupils_code_school_id", "pupils")
        op.create_unique_constraint(name, "pupils", columns)
        return
    # SQLite cannot drop a constraint. The table is made anew under its own name, and filled again: the keys of others
    # are looked at when the transaction ends, and the index of words, which lies beside the table, still fits.
    op.execute("PRAGMA defer_foreign_keys = ON")
    op.create_index("ix_proposals_kept", "proposals", ["pupil_id"])  # or each pupil looks through all of them
    op.execute("CREATE TEMPORARY TABLE kept_pupils AS SELECT * FROM pupils")
    op.drop_table("pupils")
    _make(sa.UniqueConstraint(*columns, name=op.f(name)))
    op.execute("INSERT INTO pupils SELECT * FROM kept_pupils")
    op.execute("DROP TABLE kept_pupils")
    op.drop_index("ix_proposals_kept", "proposals")
    for place in PLACES:
        op.create_index(op.f(f"ix_pupils_{place}"), "pupils", [place], unique=False)
    for statement in SEARCH:
        op.execute(statement)


def _make(unique: sa.UniqueConstraint) -> None:
    """The table as 0001 made it, with the columns in the same order."""
    op.create_table(
        "pupils",
        sa.Column("id", Id, nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("search_key", sa.String(length=120), nullable=False),
        sa.Column("sort_key", sa.String(length=240), nullable=False),
        sa.Column("birth_date", sa.Date(), nullable=True),
        sa.Column("sex", sa.String(length=1), nullable=True),
        sa.Column("ethnicity", sa.String(length=40), nullable=True),
        sa.Column("disability", sa.String(length=80), nullable=True),
        sa.Column("guardian", sa.String(length=120), nullable=True),
        sa.Column("guardian_phone", sa.String(length=32), nullable=True),
        sa.Column("address", sa.String(length=200), nullable=True),
        sa.Column("status", sa.String(length=16), server_default="enrolled", nullable=False),
        *(
            sa.Column(place, Id, nullable=place not in {"class_id", "school_id"})
            for place in (
                "class_id",
                "school_id",
                "village_id",
                "commune_id",
                "province_id",
            )
        ),
        *(sa.ForeignKeyConstraint([place], ["units.id"], name=op.f(f"fk_pupils_{place}")) for place in PLACES),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pupils")),
        unique,
    )
