"""An open case asks one thing, of one seat, since a moment; the database itself holds that it does"""

import tomllib
from typing import Any

import sqlalchemy as sa
from alembic import op

from engine.store.tables.types import FAR, Id, Instant

revision = "0020"
down_revision = "0019"

OPEN = sa.text("closed_at >= '9999-12-31'")
COLUMNS = (
    ("request", "VARCHAR(24)"),
    ("asked_role", "VARCHAR(24)"),
    ("asked_unit_id", "{id} CONSTRAINT fk_cases_asked_unit_id REFERENCES units (id)"),
    ("asked_at", "{moment}"),
    ("asked_from", "{moment}"),
    ("put_off", "INTEGER DEFAULT 0 NOT NULL"),
)
ONE_REQUEST = (
    "(closed_at >= '9999-12-31') = (request IS NOT NULL) AND (request IS NULL) = (asked_role IS NULL)"
    " AND (request IS NULL) = (asked_unit_id IS NULL) AND (request IS NULL) = (asked_at IS NULL)"
    " AND (request IS NULL) = (asked_from IS NULL)"
)
SEATS = {
    "teacher": "class_id",
    "head": "school_id",
    "commune_officer": "village_id",
    "commune_leader": "commune_id",
    "volunteer": "association_id",
    "association": "association_id",
}
ASKS = {
    "teacher": "contact",
    "head": "contact",
    "commune_officer": "visit",
    "commune_leader": "visit",
    "volunteer": "give_support",
    "association": "give_support",
}

_definitions = sa.table(
    "definitions", *(sa.column(name) for name in ("kind", "name", "text")), sa.column("version", sa.Integer)
)
_cases = sa.table(
    "cases",
    *(sa.column(name, sa.String) for name in ("workflow", "state", "offered_role", "request", "asked_role")),
    sa.column("workflow_version", sa.Integer),
    *(
        sa.column(name, Id)
        for name in ("offered_unit_id", "asked_unit_id", "province_id", *dict.fromkeys(SEATS.values()))
    ),
    *(sa.column(name, Instant) for name in ("since", "offered_at", "accepted_at", "asked_at", "asked_from")),
    sa.column("closed_at", Instant),
)


def upgrade() -> None:
    """In words of both databases: Alembic would copy the whole table in SQLite, and lose what guards it."""
    sqlite = op.get_bind().dialect.name == "sqlite"
    kinds = {"id": "INTEGER" if sqlite else "BIGINT", "moment": "DATETIME" if sqlite else "TIMESTAMP WITH TIME ZONE"}
    for name, kind in COLUMNS:
        op.execute(f"ALTER TABLE cases ADD COLUMN {name} {kind.format(**kinds)}")
    _fill()
    stay = f"stay INTEGER DEFAULT 1 NOT NULL CONSTRAINT ck_cases_one_request CHECK ({ONE_REQUEST})"
    op.execute(f"ALTER TABLE cases ADD COLUMN {stay}")
    op.execute("UPDATE cases SET stay = entry")
    op.create_index(
        "ix_cases_asked",
        "cases",
        ["asked_unit_id", "asked_role", "due_at", "id"],
        sqlite_where=OPEN,
        postgresql_where=OPEN,
    )


def downgrade() -> None:
    op.drop_index("ix_cases_asked", "cases")
    op.execute("ALTER TABLE cases DROP COLUMN stay")  # in SQLite the check goes with it, in PostgreSQL with the next
    for name, _ in reversed(COLUMNS):
        op.execute(f"ALTER TABLE cases DROP COLUMN {name}")


def _fill() -> None:
    """Says of each case what it asks: the offer if nobody has accepted it, else what the owner of its state does."""
    c, bind = _cases.c, op.get_bind()
    here = c.closed_at >= FAR
    owners = _owners(bind)
    states = bind.execute(sa.select(c.workflow, c.workflow_version, c.state).where(here).distinct()).all()
    for workflow, version, state in states:
        owner = owners.get((workflow, version, state)) or _guessed(state)
        request = "confirm_stay" if state == "returned" and owner in {"teacher", "head"} else ASKS.get(owner, "handle")
        unit = c[SEATS[owner]] if owner in SEATS else c.province_id
        seats = {
            "request": request,
            "asked_role": sa.func.coalesce(c.offered_role, owner),
            "asked_unit_id": sa.func.coalesce(c.offered_unit_id, unit, c.commune_id, c.school_id),
            "asked_at": sa.func.coalesce(c.accepted_at, c.since),
            "asked_from": sa.func.coalesce(c.accepted_at, c.since),
        }
        these = here, c.workflow == workflow, c.workflow_version == version, c.state == state
        bind.execute(_cases.update().where(*these).values(seats))
    waiting = c.offered_at.is_not(None), c.accepted_at.is_(None)
    offered = {"request": "accept", "asked_at": c.offered_at, "asked_from": c.offered_at}
    bind.execute(_cases.update().where(here, *waiting).values(offered))


def _owners(bind: sa.Connection) -> dict[tuple[str, int, str], str]:
    """Returns the owner of each state of each workflow that a case ever ran on, by the texts that are kept."""
    d = _definitions.c
    found: dict[tuple[str, int, str], str] = {}
    for name, version, text in bind.execute(sa.select(d.name, d.version, d.text).where(d.kind == "workflow")):
        states: dict[str, Any] = tomllib.loads(text.removeprefix("\ufeff")).get("states", {})
        found |= {(name, version, state): table.get("owner", "") for state, table in states.items()}
    return found


def _guessed(state: str) -> str:
    """Returns the owner of a state of the shipped workflow, for a database whose definitions were never kept."""
    return {"commune_visit": "commune_officer", "support_referral": "volunteer"}.get(state, "teacher")
