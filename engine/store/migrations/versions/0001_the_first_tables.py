"""The first tables"""

import sqlalchemy as sa
from alembic import op

from engine.store.tables.types import Id, Instant, Json, OpenDay, OpenInstant

revision = "0001"
down_revision = None


# What happened is only added to: the database itself refuses to change or delete it.
APPEND_ONLY = ("events", "firings", "access_log")

REFUSE_CHANGE = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$
"""

# Words of pupils' names, folded (no diacritics, d for đ), found by their beginnings.
FORGET = "INSERT INTO pupil_search(pupil_search, rowid, search_key) VALUES ('delete', old.id, old.search_key);"
LEARN = "INSERT INTO pupil_search(rowid, search_key) VALUES (new.id, new.search_key);"
SEARCH_SQLITE = (
    "CREATE VIRTUAL TABLE pupil_search USING fts5(search_key, content='pupils', content_rowid='id', prefix='2 3')",
    f"CREATE TRIGGER pupil_search_added AFTER INSERT ON pupils BEGIN {LEARN} END",
    f"CREATE TRIGGER pupil_search_removed AFTER DELETE ON pupils BEGIN {FORGET} END",
    f"CREATE TRIGGER pupil_search_changed AFTER UPDATE OF search_key ON pupils BEGIN {FORGET} {LEARN} END",
)


def _guard_sqlite(table: str) -> None:
    for act in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER {table}_no_{act.lower()} BEFORE {act} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        )


def _guard_postgresql(table: str) -> None:
    op.execute(
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def upgrade() -> None:
    op.create_table(
        "counters",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("value", Id, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_counters")),
    )
    op.create_table(
        "definitions",
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("loaded_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "name", "version", name=op.f("pk_definitions")),
    )
    op.create_table(
        "leases",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("holder", sa.String(length=80), nullable=False),
        sa.Column("until", Instant(), nullable=False),
        sa.Column("seen_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_leases")),
    )
    op.create_table(
        "people",
        sa.Column("id", Id, nullable=False),
        sa.Column("login", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("phone", sa.String(length=32), nullable=True),
        sa.Column("email", sa.String(length=200), nullable=True),
        sa.Column("language", sa.String(length=2), server_default="vi", nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=True),
        sa.Column("must_change", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("disabled_at", Instant(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people")),
        sa.UniqueConstraint("login", name=op.f("uq_people_login")),
    )
    op.create_table(
        "settings",
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("value", Json, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_settings")),
    )
    op.create_table(
        "units",
        sa.Column("id", Id, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("search_key", sa.String(length=200), nullable=False),
        sa.Column("parent_id", Id, nullable=True),
        sa.Column("successor_id", Id, nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", OpenDay(), server_default=sa.text("'9999-12-31'"), nullable=False),
        sa.Column("grade", sa.Integer(), nullable=True),
        sa.Column("teaching_days", sa.String(length=7), nullable=True),
        sa.Column("contact", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(["parent_id"], ["units.id"], name=op.f("fk_units_parent_id")),
        sa.ForeignKeyConstraint(["successor_id"], ["units.id"], name=op.f("fk_units_successor_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_units")),
        sa.UniqueConstraint("code", "valid_from", name=op.f("uq_units_code_valid_from")),
    )
    op.create_index("ix_units_kind_search_key", "units", ["kind", "search_key"], unique=False)
    op.create_index(op.f("ix_units_parent_id"), "units", ["parent_id"], unique=False)
    op.create_table(
        "appointments",
        sa.Column("id", Id, nullable=False),
        sa.Column("person_id", Id, nullable=False),
        sa.Column("role", sa.String(length=24), nullable=False),
        sa.Column("unit_id", Id, nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", OpenDay(), server_default=sa.text("'9999-12-31'"), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_appointments_person_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_appointments_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appointments")),
    )
    op.create_index(op.f("ix_appointments_person_id"), "appointments", ["person_id"], unique=False)
    op.create_index("ix_appointments_unit_role", "appointments", ["unit_id", "role"], unique=False)
    op.create_table(
        "delegations",
        sa.Column("id", Id, nullable=False),
        sa.Column("person_id", Id, nullable=False),
        sa.Column("delegate_id", Id, nullable=True),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(["delegate_id"], ["people.id"], name=op.f("fk_delegations_delegate_id")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_delegations_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delegations")),
    )
    op.create_index(op.f("ix_delegations_delegate_id"), "delegations", ["delegate_id"], unique=False)
    op.create_index(op.f("ix_delegations_person_id"), "delegations", ["person_id"], unique=False)
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
        sa.Column("class_id", Id, nullable=False),
        sa.Column("school_id", Id, nullable=False),
        sa.Column("village_id", Id, nullable=True),
        sa.Column("commune_id", Id, nullable=True),
        sa.Column("province_id", Id, nullable=True),
        sa.ForeignKeyConstraint(["class_id"], ["units.id"], name=op.f("fk_pupils_class_id")),
        sa.ForeignKeyConstraint(["commune_id"], ["units.id"], name=op.f("fk_pupils_commune_id")),
        sa.ForeignKeyConstraint(["province_id"], ["units.id"], name=op.f("fk_pupils_province_id")),
        sa.ForeignKeyConstraint(["school_id"], ["units.id"], name=op.f("fk_pupils_school_id")),
        sa.ForeignKeyConstraint(["village_id"], ["units.id"], name=op.f("fk_pupils_village_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pupils")),
        sa.UniqueConstraint("code", name=op.f("uq_pupils_code")),
    )
    op.create_index(op.f("ix_pupils_class_id"), "pupils", ["class_id"], unique=False)
    op.create_index(op.f("ix_pupils_commune_id"), "pupils", ["commune_id"], unique=False)
    op.create_index(op.f("ix_pupils_province_id"), "pupils", ["province_id"], unique=False)
    op.create_index(op.f("ix_pupils_school_id"), "pupils", ["school_id"], unique=False)
    op.create_index(op.f("ix_pupils_village_id"), "pupils", ["village_id"], unique=False)
    op.create_table(
        "sign_ins",
        sa.Column("id", Id, nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("person_id", Id, nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("seen_at", Instant(), nullable=False),
        sa.Column("revoked_at", Instant(), nullable=True),
        sa.Column("device", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_sign_ins_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_ins")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_sign_ins_token_hash")),
    )
    op.create_index(op.f("ix_sign_ins_person_id"), "sign_ins", ["person_id"], unique=False)
    op.create_table(
        "unit_links",
        sa.Column("ancestor_id", Id, nullable=False),
        sa.Column("descendant_id", Id, nullable=False),
        sa.Column("depth", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["ancestor_id"], ["units.id"], name=op.f("fk_unit_links_ancestor_id")),
        sa.ForeignKeyConstraint(["descendant_id"], ["units.id"], name=op.f("fk_unit_links_descendant_id")),
        sa.PrimaryKeyConstraint("ancestor_id", "descendant_id", name=op.f("pk_unit_links")),
    )
    op.create_index(op.f("ix_unit_links_descendant_id"), "unit_links", ["descendant_id"], unique=False)
    op.create_table(
        "cases",
        sa.Column("id", Id, nullable=False),
        sa.Column("code", sa.String(length=24), nullable=False),
        sa.Column("pupil_id", Id, nullable=False),
        sa.Column("workflow", sa.String(length=40), nullable=False),
        sa.Column("workflow_version", sa.Integer(), nullable=False),
        sa.Column("rules_version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("entry", sa.Integer(), nullable=False),
        sa.Column("since", Instant(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("absent_since", sa.Date(), nullable=False),
        sa.Column("opened_at", Instant(), nullable=False),
        sa.Column("closed_at", OpenInstant(), nullable=False),
        sa.Column("assignee_id", Id, nullable=True),
        sa.Column("offered_role", sa.String(length=24), nullable=True),
        sa.Column("offered_unit_id", Id, nullable=True),
        sa.Column("offered_at", Instant(), nullable=True),
        sa.Column("accepted_at", Instant(), nullable=True),
        sa.Column("due_at", OpenInstant(), nullable=False),
        sa.Column("next_look_at", OpenInstant(), nullable=False),
        sa.Column("flags", Json, nullable=False),
        sa.Column("unreached", sa.Integer(), nullable=False),
        sa.Column("grade", sa.Integer(), nullable=True),
        sa.Column("class_id", Id, nullable=False),
        sa.Column("school_id", Id, nullable=False),
        sa.Column("village_id", Id, nullable=True),
        sa.Column("commune_id", Id, nullable=True),
        sa.Column("province_id", Id, nullable=True),
        sa.Column("association_id", Id, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("last_hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["assignee_id"], ["people.id"], name=op.f("fk_cases_assignee_id")),
        sa.ForeignKeyConstraint(["association_id"], ["units.id"], name=op.f("fk_cases_association_id")),
        sa.ForeignKeyConstraint(["class_id"], ["units.id"], name=op.f("fk_cases_class_id")),
        sa.ForeignKeyConstraint(["commune_id"], ["units.id"], name=op.f("fk_cases_commune_id")),
        sa.ForeignKeyConstraint(["offered_unit_id"], ["units.id"], name=op.f("fk_cases_offered_unit_id")),
        sa.ForeignKeyConstraint(["province_id"], ["units.id"], name=op.f("fk_cases_province_id")),
        sa.ForeignKeyConstraint(["pupil_id"], ["pupils.id"], name=op.f("fk_cases_pupil_id")),
        sa.ForeignKeyConstraint(["school_id"], ["units.id"], name=op.f("fk_cases_school_id")),
        sa.ForeignKeyConstraint(["village_id"], ["units.id"], name=op.f("fk_cases_village_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cases")),
        sa.UniqueConstraint("code", name=op.f("uq_cases_code")),
    )
    op.create_index("ix_cases_assignee_id", "cases", ["assignee_id", "id"], unique=False)
    op.create_index("ix_cases_association_id", "cases", ["association_id", "id"], unique=False)
    op.create_index("ix_cases_class_id", "cases", ["class_id", "id"], unique=False)
    op.create_index("ix_cases_commune_id", "cases", ["commune_id", "id"], unique=False)
    op.create_index(
        "ix_cases_next_look_at",
        "cases",
        ["next_look_at"],
        unique=False,
        sqlite_where=sa.text("closed_at >= '9999-12-31'"),
        postgresql_where=sa.text("closed_at >= '9999-12-31'"),
    )
    op.create_index(
        "ix_cases_open_assignee_id",
        "cases",
        ["assignee_id", "due_at", "id"],
        unique=False,
        sqlite_where=sa.text("closed_at >= '9999-12-31'"),
        postgresql_where=sa.text("closed_at >= '9999-12-31'"),
    )
    op.create_index(
        "ix_cases_open_association_id",
        "cases",
        ["association_id", "due_at", "id"],
        unique=False,
        sqlite_where=sa.text("closed_at >= '9999-12-31'"),
        postgresql_where=sa.text("closed_at >= '9999-12-31'"),
    )
    op.create_index(
        "ix_cases_open_class_id",
        "cases",
        ["class_id", "due_at", "id"],
        unique=False,
        sqlite_where=sa.text("closed_at >= '9999-12-31'"),
        postgresql_where=sa.text("closed_at >= '9999-12-31'"),
    )
    op.create_index(
        "ix_cases_open_commune_id",
        "cases",
        ["commune_id", "due_at", "id"],
        unique=False,
        sqlite_where=sa.text("closed_at >= '9999-12-31'"),
        postgresql_where=sa.text("closed_at >= '9999-12-31'"),
    )
    op.create_index(
        "ix_cases_open_province_id",
        "cases",
        ["province_id", "due_at", "id"],
        unique=False,
        sqlite_where=sa.text("closed_at >= '9999-12-31'"),
        postgresql_where=sa.text("closed_at >= '9999-12-31'"),
    )
    op.create_index(
        "ix_cases_open_school_id",
        "cases",
        ["school_id", "due_at", "id"],
        unique=False,
        sqlite_where=sa.text("closed_at >= '9999-12-31'"),
        postgresql_where=sa.text("closed_at >= '9999-12-31'"),
    )
    op.create_index(
        "ix_cases_open_village_id",
        "cases",
        ["village_id", "due_at", "id"],
        unique=False,
        sqlite_where=sa.text("closed_at >= '9999-12-31'"),
        postgresql_where=sa.text("closed_at >= '9999-12-31'"),
    )
    op.create_index("ix_cases_province_id", "cases", ["province_id", "id"], unique=False)
    op.create_index(op.f("ix_cases_pupil_id"), "cases", ["pupil_id"], unique=False)
    op.create_index("ix_cases_school_id", "cases", ["school_id", "id"], unique=False)
    op.create_index("ix_cases_village_id", "cases", ["village_id", "id"], unique=False)
    op.create_index(
        "uq_cases_open_pupil",
        "cases",
        ["pupil_id", "workflow"],
        unique=True,
        sqlite_where=sa.text("closed_at >= '9999-12-31'"),
        postgresql_where=sa.text("closed_at >= '9999-12-31'"),
    )
    op.create_table(
        "closures",
        sa.Column("id", Id, nullable=False),
        sa.Column("unit_id", Id, nullable=True),
        sa.Column("pupil_id", Id, nullable=True),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("study_mode", sa.String(length=24), nullable=True),
        sa.Column("announced_by_id", Id, nullable=True),
        sa.Column("announced_at", Instant(), nullable=False),
        sa.Column("lifted_at", Instant(), nullable=True),
        sa.CheckConstraint("(unit_id IS NULL) <> (pupil_id IS NULL)", name=op.f("ck_closures_one_scope")),
        sa.ForeignKeyConstraint(["announced_by_id"], ["people.id"], name=op.f("fk_closures_announced_by_id")),
        sa.ForeignKeyConstraint(["pupil_id"], ["pupils.id"], name=op.f("fk_closures_pupil_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_closures_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_closures")),
    )
    op.create_index(op.f("ix_closures_pupil_id"), "closures", ["pupil_id"], unique=False)
    op.create_index(op.f("ix_closures_unit_id"), "closures", ["unit_id"], unique=False)
    op.create_table(
        "marks",
        sa.Column("pupil_id", Id, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("session", sa.String(length=1), nullable=False),
        sa.Column("mark", sa.String(length=1), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=True),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("by_id", Id, nullable=True),
        sa.ForeignKeyConstraint(["by_id"], ["people.id"], name=op.f("fk_marks_by_id")),
        sa.ForeignKeyConstraint(["pupil_id"], ["pupils.id"], name=op.f("fk_marks_pupil_id")),
        sa.PrimaryKeyConstraint("pupil_id", "day", "session", name=op.f("pk_marks")),
    )
    op.create_index("ix_marks_day", "marks", ["day"], unique=False)
    op.create_table(
        "access_log",
        sa.Column("id", Id, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("person_id", Id, nullable=False),
        sa.Column("what", sa.String(length=40), nullable=False),
        sa.Column("case_id", Id, nullable=True),
        sa.Column("pupil_id", Id, nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_access_log_case_id")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_access_log_person_id")),
        sa.ForeignKeyConstraint(["pupil_id"], ["pupils.id"], name=op.f("fk_access_log_pupil_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_log")),
    )
    op.create_index(op.f("ix_access_log_case_id"), "access_log", ["case_id"], unique=False)
    op.create_index(op.f("ix_access_log_person_id"), "access_log", ["person_id"], unique=False)
    op.create_index(op.f("ix_access_log_pupil_id"), "access_log", ["pupil_id"], unique=False)
    op.create_table(
        "case_causes",
        sa.Column("case_id", Id, nullable=False),
        sa.Column("cause", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_case_causes_case_id")),
        sa.PrimaryKeyConstraint("case_id", "cause", name=op.f("pk_case_causes")),
    )
    op.create_table(
        "event_texts",
        sa.Column("case_id", Id, nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("person_id", Id, nullable=True),
        sa.Column("salt", sa.String(length=32), nullable=False),
        sa.Column("values", Json, nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_event_texts_case_id")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_event_texts_person_id")),
        sa.PrimaryKeyConstraint("case_id", "seq", name=op.f("pk_event_texts")),
    )
    op.create_table(
        "events",
        sa.Column("case_id", Id, nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("person_id", Id, nullable=True),
        sa.Column("role", sa.String(length=24), nullable=True),
        sa.Column("data", Json, nullable=False),
        sa.Column("text_hash", sa.String(length=64), nullable=True),
        sa.Column("previous_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_events_case_id")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_events_person_id")),
        sa.PrimaryKeyConstraint("case_id", "seq", name=op.f("pk_events")),
        sa.UniqueConstraint("key", name=op.f("uq_events_key")),
    )
    op.create_table(
        "firings",
        sa.Column("case_id", Id, nullable=False),
        sa.Column("rule", sa.String(length=60), nullable=False),
        sa.Column("entry", sa.Integer(), nullable=False),
        sa.Column("repetition", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("due_at", Instant(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_firings_case_id")),
        sa.PrimaryKeyConstraint("case_id", "rule", "entry", "repetition", name=op.f("pk_firings")),
    )
    op.create_table(
        "holds",
        sa.Column("case_id", Id, nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("starts_at", Instant(), nullable=False),
        sa.Column("ends_at", OpenInstant(), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_holds_case_id")),
        sa.PrimaryKeyConstraint("case_id", "seq", name=op.f("pk_holds")),
    )
    op.create_table(
        "needs",
        sa.Column("case_id", Id, nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("association_id", Id, nullable=True),
        sa.Column("need", sa.Text(), nullable=False),
        sa.Column("handover", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(["association_id"], ["units.id"], name=op.f("fk_needs_association_id")),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_needs_case_id")),
        sa.PrimaryKeyConstraint("case_id", "seq", name=op.f("pk_needs")),
    )
    op.create_index(op.f("ix_needs_association_id"), "needs", ["association_id"], unique=False)
    op.create_table(
        "notices",
        sa.Column("id", Id, nullable=False),
        sa.Column("case_id", Id, nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("person_id", Id, nullable=False),
        sa.Column("role", sa.String(length=24), nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("read_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_notices_case_id")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_notices_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
        sa.UniqueConstraint("case_id", "seq", "person_id", name=op.f("uq_notices_case_id_seq_person_id")),
    )
    op.create_index("ix_notices_person_id", "notices", ["person_id", "id"], unique=False)
    op.create_table(
        "offers",
        sa.Column("case_id", Id, nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(length=24), nullable=False),
        sa.Column("unit_id", Id, nullable=False),
        sa.Column("made_at", Instant(), nullable=False),
        sa.Column("answer", sa.String(length=12), nullable=True),
        sa.Column("answered_at", Instant(), nullable=True),
        sa.Column("answered_by_id", Id, nullable=True),
        sa.Column("passed_over", Json, nullable=False),
        sa.ForeignKeyConstraint(["answered_by_id"], ["people.id"], name=op.f("fk_offers_answered_by_id")),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_offers_case_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_offers_unit_id")),
        sa.PrimaryKeyConstraint("case_id", "seq", name=op.f("pk_offers")),
    )
    op.create_table(
        "planned",
        sa.Column("case_id", Id, nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("due_at", Instant(), nullable=False),
        sa.Column("done_seq", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_planned_case_id")),
        sa.PrimaryKeyConstraint("case_id", "seq", "kind", "number", name=op.f("pk_planned")),
    )
    op.create_table(
        "support",
        sa.Column("case_id", Id, nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("association_id", Id, nullable=True),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("quantity", sa.String(length=24), nullable=False),
        sa.Column("unit", sa.String(length=24), nullable=False),
        sa.Column("value", Id, nullable=True),
        sa.Column("giver", sa.String(length=200), nullable=True),
        sa.Column("given_on", sa.Date(), nullable=False),
        sa.Column("received_by", sa.String(length=200), nullable=True),
        sa.Column("programme", sa.String(length=200), nullable=True),
        sa.Column("logged_by_id", Id, nullable=True),
        sa.ForeignKeyConstraint(["association_id"], ["units.id"], name=op.f("fk_support_association_id")),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_support_case_id")),
        sa.ForeignKeyConstraint(["logged_by_id"], ["people.id"], name=op.f("fk_support_logged_by_id")),
        sa.PrimaryKeyConstraint("case_id", "seq", name=op.f("pk_support")),
    )
    op.create_index(op.f("ix_support_association_id"), "support", ["association_id"], unique=False)
    if op.get_bind().dialect.name == "sqlite":
        for table in APPEND_ONLY:
            _guard_sqlite(table)
        for statement in SEARCH_SQLITE:
            op.execute(statement)
    else:
        op.execute(REFUSE_CHANGE)
        for table in APPEND_ONLY:
            _guard_postgresql(table)
        op.execute("CREATE INDEX ix_pupils_words ON pupils USING gin (to_tsvector('simple', search_key))")


def downgrade() -> None:
    """There was nothing before the first tables: drop the database instead."""
