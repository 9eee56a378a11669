"""Who was on the list of which class, from when to when, and since when that was known"""

# ruff: noqa: ISC004, S608 - statements of constants, in pieces

import sqlalchemy as sa
from alembic import op

from engine.store.tables.types import Id, Instant

revision = "0027"
down_revision = "0026"

TABLE = "class_memberships"
OPEN = "valid_to >= '9999-12-31' AND voided_at IS NULL"
COLUMNS = "pupil_id, class_id, valid_from, valid_to, assumed, recorded_at"
# What is not known: since always, as far as anybody can tell, and known since before the first day.
SQLITE_ASSUMED = "'1900-01-01', '9999-12-31', 1, '1970-01-01 00:00:00.000000'"
POSTGRESQL_ASSUMED = "DATE '1900-01-01', DATE '9999-12-31', TRUE, TIMESTAMPTZ '1970-01-01 00:00:00+00'"
OVERLAPS = "the memberships of a pupil overlap"

_OTHER = (
    "EXISTS (SELECT 1 FROM class_memberships o WHERE o.pupil_id = NEW.pupil_id AND o.id <> NEW.id "
    "AND o.voided_at IS NULL AND o.valid_from < NEW.valid_to AND NEW.valid_from < o.valid_to)"
)
_NO_OTHER = "NOT EXISTS (SELECT 1 FROM class_memberships o WHERE o.pupil_id = NEW.id AND o.voided_at IS NULL)"
_FOLLOW = (
    "UPDATE class_memberships SET class_id = NEW.class_id WHERE pupil_id = NEW.id AND class_id = OLD.class_id "
    f"AND {OPEN}"
)
SQLITE = (
    "CREATE TRIGGER pupil_member_added AFTER INSERT ON pupils WHEN NEW.status = 'enrolled' BEGIN "
    f"INSERT INTO class_memberships ({COLUMNS}) VALUES (NEW.id, NEW.class_id, {SQLITE_ASSUMED}); END",
    "CREATE TRIGGER pupil_member_again AFTER UPDATE OF status ON pupils "
    f"WHEN NEW.status = 'enrolled' AND {_NO_OTHER} BEGIN "
    f"INSERT INTO class_memberships ({COLUMNS}) VALUES (NEW.id, NEW.class_id, {SQLITE_ASSUMED}); END",
    f"CREATE TRIGGER pupil_member_follows AFTER UPDATE OF class_id ON pupils WHEN NEW.class_id <> OLD.class_id BEGIN "
    f"{_FOLLOW}; END",
    *(
        f"CREATE TRIGGER class_memberships_apart_{name} AFTER {act} ON class_memberships "
        f"WHEN NEW.voided_at IS NULL AND {_OTHER} BEGIN SELECT RAISE(ABORT, '{OVERLAPS}'); END"
        for name, act in (("added", "INSERT"), ("changed", "UPDATE OF pupil_id, valid_from, valid_to, voided_at"))
    ),
)
POSTGRESQL = (
    f"""CREATE FUNCTION pupil_member_added() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO class_memberships ({COLUMNS})
    SELECT id, class_id, {POSTGRESQL_ASSUMED} FROM added WHERE status = 'enrolled'; RETURN NULL; END $$""",
    "CREATE TRIGGER pupil_member_added AFTER INSERT ON pupils REFERENCING NEW TABLE AS added "
    "FOR EACH STATEMENT EXECUTE FUNCTION pupil_member_added()",
    f"""CREATE FUNCTION pupil_member_again() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF {_NO_OTHER} THEN INSERT INTO class_memberships ({COLUMNS}) VALUES (NEW.id, NEW.class_id, {POSTGRESQL_ASSUMED});
    END IF; RETURN NULL; END $$""",
    "CREATE TRIGGER pupil_member_again AFTER UPDATE OF status ON pupils FOR EACH ROW "
    "WHEN (NEW.status = 'enrolled') EXECUTE FUNCTION pupil_member_again()",
    f"""CREATE FUNCTION pupil_member_follows() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    {_FOLLOW}; RETURN NULL; END $$""",
    "CREATE TRIGGER pupil_member_follows AFTER UPDATE OF class_id ON pupils FOR EACH ROW "
    "WHEN (NEW.class_id <> OLD.class_id) EXECUTE FUNCTION pupil_member_follows()",
    f"""CREATE FUNCTION class_memberships_apart() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF {_OTHER} THEN RAISE EXCEPTION '{OVERLAPS}'; END IF; RETURN NULL; END $$""",
    "CREATE TRIGGER class_memberships_apart_added AFTER INSERT ON class_memberships FOR EACH ROW "
    "WHEN (NEW.voided_at IS NULL) EXECUTE FUNCTION class_memberships_apart()",
    "CREATE TRIGGER class_memberships_apart_changed AFTER UPDATE OF pupil_id, valid_from, valid_to, voided_at "
    "ON class_memberships FOR EACH ROW WHEN (NEW.voided_at IS NULL) EXECUTE FUNCTION class_memberships_apart()",
)
FUNCTIONS = ("pupil_member_added", "pupil_member_again", "pupil_member_follows", "class_memberships_apart")


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("id", Id, nullable=False),
        sa.Column("pupil_id", Id, nullable=False),
        sa.Column("class_id", Id, nullable=False),
        sa.Column("valid_from", sa.Date, nullable=False),
        sa.Column("valid_to", sa.Date, nullable=False),
        sa.Column("assumed", sa.Boolean, nullable=False),
        sa.Column("recorded_at", Instant, nullable=False),
        sa.Column("by_id", Id, nullable=True),
        sa.Column("job_id", Id, nullable=True),
        sa.Column("voided_at", Instant, nullable=True),
        sa.Column("voided_why", sa.String(length=80), nullable=True),
        sa.ForeignKeyConstraint(
            ["pupil_id"], ["pupils.id"], name=op.f("fk_class_memberships_pupil_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["class_id"], ["units.id"], name=op.f("fk_class_memberships_class_id")),
        sa.ForeignKeyConstraint(["by_id"], ["people.id"], name=op.f("fk_class_memberships_by_id")),
        sa.ForeignKeyConstraint(["job_id"], ["import_jobs.id"], name=op.f("fk_class_memberships_job_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_class_memberships")),
    )
    sqlite = op.get_bind().dialect.name == "sqlite"
    op.execute(
        f"INSERT INTO {TABLE} ({COLUMNS}) SELECT id, class_id, {SQLITE_ASSUMED if sqlite else POSTGRESQL_ASSUMED} "
        "FROM pupils WHERE status = 'enrolled' ORDER BY id"
    )
    op.create_index("ix_class_memberships_pupil_id", TABLE, ["pupil_id"])
    op.create_index("ix_class_memberships_class_id", TABLE, ["class_id", "valid_to"])
    where = sa.text(OPEN)
    op.create_index(
        "uq_class_memberships_open", TABLE, ["pupil_id"], unique=True, sqlite_where=where, postgresql_where=where
    )
    for statement in SQLITE if sqlite else POSTGRESQL:
        op.execute(statement)


def downgrade() -> None:
    sqlite = op.get_bind().dialect.name == "sqlite"
    for name in ("added", "again", "follows"):
        op.execute(f"DROP TRIGGER pupil_member_{name}" + ("" if sqlite else " ON pupils"))
    op.drop_table(TABLE)
    for name in () if sqlite else FUNCTIONS:
        op.execute(f"DROP FUNCTION {name}()")
