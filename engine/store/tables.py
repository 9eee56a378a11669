"""What Ra Lớp keeps, as typed SQLAlchemy models.

Three habits run through all tables. Moments are aware UTC datetimes. "No deadline", "no end" and "never" are the far
future in the database and `None` in Python (`OpenInstant`, `OpenDay`), so lists sort and ranges compare without NULLs.
Where a pupil lives and learns is copied onto the case when it changes, so that a list for a class, a school, a village
or a commune is one probe of one index, whatever the number of cases.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from engine.core.text import fold
from engine.store.types import FAR, FAR_DAY, Id, Instant, Json, OpenDay, OpenInstant


class Base(DeclarativeBase):
    """All tables; constraint names are fixed so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it once
        dt.datetime: Instant(), dt.date: Date(), int: Id, dict[str, Any]: Json, list[Any]: Json,
    }  # fmt: skip


# --- units and people ------------------------------------------------------------------------------------------------


class Unit(Base):
    """A place or body of the dated tree: province, district, commune, village, school, site, class, association …

    Official codes are re-used with another meaning after a merger (23392 was xã Đăk Kan and is now xã Sa Loong), so
    a unit is (code, valid from), and one that ended names its successor.
    """

    __tablename__ = "units"
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    code: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(200))
    search_key: Mapped[str] = mapped_column(String(200))
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("units.id"), index=True)
    successor_id: Mapped[int | None] = mapped_column(ForeignKey("units.id"))
    valid_from: Mapped[dt.date]
    valid_to: Mapped[dt.date | None] = mapped_column(
        OpenDay, nullable=False, default=None, server_default=text(f"'{FAR_DAY}'")
    )
    grade: Mapped[int | None] = mapped_column(Integer)
    teaching_days: Mapped[str | None] = mapped_column(String(7))  # ISO weekdays, "123456": Monday to Saturday
    contact: Mapped[str | None] = mapped_column(String(200))  # hand-over point: where and whom to ask
    __table_args__ = (UniqueConstraint("code", "valid_from"), Index("ix_units_kind_search_key", "kind", "search_key"))


class UnitLink(Base):
    """Every unit under every unit above it, and itself: a whole area in one indexed probe."""

    __tablename__ = "unit_links"
    ancestor_id: Mapped[int] = mapped_column(ForeignKey("units.id"), primary_key=True)
    descendant_id: Mapped[int] = mapped_column(ForeignKey("units.id"), primary_key=True, index=True)
    depth: Mapped[int] = mapped_column(Integer)


def _folded_name(context: DefaultExecutionContext) -> str:
    """By what a person is found, from the name in the same INSERT."""
    given: dict[str, Any] = context.get_current_parameters()  # type: ignore[no-untyped-call]
    return fold(given["name"])[:120]


class Person(Base):
    """Someone who signs in: teacher, officer, volunteer, … Never a pupil or a parent."""

    __tablename__ = "people"
    id: Mapped[int] = mapped_column(primary_key=True)
    login: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    search_key: Mapped[str] = mapped_column(String(120), insert_default=_folded_name, server_default="")
    phone: Mapped[str | None] = mapped_column(String(32))
    email: Mapped[str | None] = mapped_column(String(200))
    language: Mapped[str] = mapped_column(String(2), default="vi", server_default="vi")
    password_hash: Mapped[str | None] = mapped_column(String(200))
    must_change: Mapped[bool] = mapped_column(default=True, server_default=text("true"))
    disabled_at: Mapped[dt.datetime | None]
    created_at: Mapped[dt.datetime]


class Appointment(Base):
    """A person holds a role in a unit from one day to another; one person may hold several."""

    __tablename__ = "appointments"
    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), index=True)
    role: Mapped[str] = mapped_column(String(24))
    unit_id: Mapped[int] = mapped_column(ForeignKey("units.id"))
    valid_from: Mapped[dt.date]
    valid_to: Mapped[dt.date | None] = mapped_column(
        OpenDay, nullable=False, default=None, server_default=text(f"'{FAR_DAY}'")
    )
    __table_args__ = (Index("ix_appointments_unit_role", "unit_id", "role"),)


class Delegation(Base):
    """A person is away, both days included; a delegate acts meanwhile, or the post counts as away."""

    __tablename__ = "delegations"
    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), index=True)
    delegate_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"), index=True)
    first_day: Mapped[dt.date]
    last_day: Mapped[dt.date]
    reason: Mapped[str | None] = mapped_column(String(200))


class StaffAct(Base):
    """What was done to somebody's account, posts or absences, by whom and when. Only added to. On the command line
    `operator` is who the machine says it was.

    For a post: which one, and from when to when it is held since. For an absence: its days, and who stands in or, of
    who stands in, who is away.
    """

    __tablename__ = "staff_acts"
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))  # see engine.core.people.account_events
    at: Mapped[dt.datetime]
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    by_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    role: Mapped[str | None] = mapped_column(String(24))
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("units.id"))
    first_day: Mapped[dt.date | None]
    last_day: Mapped[dt.date | None]
    other_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    operator: Mapped[str | None] = mapped_column(String(64))
    __table_args__ = (Index("ix_staff_acts_person_id", "person_id", "id"),)


class SignIn(Base):
    """One signed-in device; only the hash of its token is kept, and it can be revoked.

    `proved_at` and `proved_by` tell when and how the person last showed who they are, if after the sign-in.
    """

    __tablename__ = "sign_ins"
    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), index=True)
    created_at: Mapped[dt.datetime]
    seen_at: Mapped[dt.datetime]
    revoked_at: Mapped[dt.datetime | None]
    device: Mapped[str | None] = mapped_column(String(200))
    method: Mapped[str] = mapped_column(String(8), default="password", server_default="password")  # passkey, code
    proved_at: Mapped[dt.datetime | None]
    proved_by: Mapped[str | None] = mapped_column(String(8))
    ended_by: Mapped[str | None] = mapped_column(String(8))  # self, other, password, admin


class SignInFailure(Base):
    """Wrong passwords in a row for a login from one source: an address, a known device, or "*" for all others."""

    __tablename__ = "sign_in_failures"
    login: Mapped[str] = mapped_column(String(64), primary_key=True)
    source: Mapped[str] = mapped_column(String(80), primary_key=True)
    count: Mapped[int] = mapped_column(Integer)
    last_at: Mapped[dt.datetime] = mapped_column(index=True)


class Passkey(Base):
    """A key of one person's in a phone, a computer or a stick; what signs never leaves it, this is the public half."""

    __tablename__ = "passkeys"
    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), index=True)
    handle: Mapped[str] = mapped_column(String(64))  # what devices know the person by: drawn by lot
    credential: Mapped[str] = mapped_column(String(1400), unique=True)  # base64url of at most 1023 bytes
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    sign_count: Mapped[int] = mapped_column(BigInteger)
    name: Mapped[str] = mapped_column(String(60))
    created_at: Mapped[dt.datetime]
    used_at: Mapped[dt.datetime | None]


class PasskeyChallenge(Base):
    """What a key was asked to sign and has not signed yet; taken out when it is answered, so each is answered once."""

    __tablename__ = "passkey_challenges"
    challenge: Mapped[str] = mapped_column(String(64), primary_key=True)
    purpose: Mapped[str] = mapped_column(String(8))  # sign in, register, prove
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    handle: Mapped[str | None] = mapped_column(String(64))
    expires_at: Mapped[dt.datetime] = mapped_column(index=True)


class SignInCode(Base):
    """The one code with which a person may sign in once, made by an administrator; only its hash is kept."""

    __tablename__ = "sign_in_codes"
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True)
    code_hash: Mapped[str] = mapped_column(String(200))
    made_at: Mapped[dt.datetime]
    made_by_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))  # None: on the command line
    expires_at: Mapped[dt.datetime]


class Greeting(Base):
    """A person has put away the first steps of a role: they are not shown again."""

    __tablename__ = "greetings"
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True)
    role: Mapped[str] = mapped_column(String(24), primary_key=True)
    at: Mapped[dt.datetime]


# --- pupils and their attendance -------------------------------------------------------------------------------------


class Pupil(Base):
    """A pupil on a school's list. The class decides the teacher, the village where the pupil lives the officer.

    A code says who somebody is within a school only. A child whom two schools have on their lists is two rows.
    """

    __tablename__ = "pupils"
    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(120))
    search_key: Mapped[str] = mapped_column(String(120))
    sort_key: Mapped[str] = mapped_column(String(240))
    birth_date: Mapped[dt.date | None]
    sex: Mapped[str | None] = mapped_column(String(1))  # m, f
    ethnicity: Mapped[str | None] = mapped_column(String(40))  # sensitive: NĐ 356/2025 Art. 4
    disability: Mapped[str | None] = mapped_column(String(80))  # sensitive
    guardian: Mapped[str | None] = mapped_column(String(120))
    guardian_phone: Mapped[str | None] = mapped_column(String(32))
    address: Mapped[str | None] = mapped_column(String(200))
    status: Mapped[str] = mapped_column(String(16), default="enrolled", server_default="enrolled")
    class_id: Mapped[int] = mapped_column(ForeignKey("units.id"), index=True)
    school_id: Mapped[int] = mapped_column(ForeignKey("units.id"), index=True)
    village_id: Mapped[int | None] = mapped_column(ForeignKey("units.id"), index=True)
    commune_id: Mapped[int | None] = mapped_column(ForeignKey("units.id"), index=True)
    province_id: Mapped[int | None] = mapped_column(ForeignKey("units.id"), index=True)
    __table_args__ = (
        UniqueConstraint("code", "school_id"),
        # Who may be one child at two schools: the columns that this is asked by, so that no row is read.
        Index("ix_pupils_birth_date", "birth_date", "search_key", "school_id"),
    )


class Mark(Base):
    """What the register says of one pupil for one session. No row means that attendance was not taken, never absent."""

    __tablename__ = "marks"
    pupil_id: Mapped[int] = mapped_column(ForeignKey("pupils.id"), primary_key=True)
    day: Mapped[dt.date] = mapped_column(primary_key=True)
    session: Mapped[str] = mapped_column(String(1), primary_key=True)  # m morning, a afternoon
    mark: Mapped[str] = mapped_column(String(1))  # p present, e excused, u unexcused, l late
    reason: Mapped[str | None] = mapped_column(String(200))
    at: Mapped[dt.datetime]
    by_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    __table_args__ = (Index("ix_marks_day", "day"),)


ABSENT = text("mark IN ('e', 'u')")
# Whom the risk watch looks at on a day.
Index("ix_marks_absent", Mark.day, Mark.pupil_id, sqlite_where=ABSENT, postgresql_where=ABSENT)


class RollCall(Base):
    """A class's attendance was sent for one session. `key` is the request's: sent again, it changes nothing more."""

    __tablename__ = "roll_calls"
    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    class_id: Mapped[int] = mapped_column(ForeignKey("units.id"))
    day: Mapped[dt.date]
    session: Mapped[str] = mapped_column(String(1))
    at: Mapped[dt.datetime]
    by_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    __table_args__ = (Index("ix_roll_calls_class_id", "class_id", "day", "session"),)


class SentForm(Base):
    """What was sent with the key of a form that was done, as a digest that the key salts
    (`engine.usecases.idempotency`)."""

    __tablename__ = "sent_forms"
    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))
    at: Mapped[dt.datetime]


class Closure(Base):
    """Days without teaching in class for a pupil or for all under a unit: they do not count, and no absence counts."""

    __tablename__ = "closures"
    id: Mapped[int] = mapped_column(primary_key=True)
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("units.id"), index=True)
    pupil_id: Mapped[int | None] = mapped_column(ForeignKey("pupils.id"), index=True)
    first_day: Mapped[dt.date]
    last_day: Mapped[dt.date]
    reason: Mapped[str] = mapped_column(String(200))
    study_mode: Mapped[str | None] = mapped_column(String(24))  # online, worksheets, guided, zalo
    announced_by_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    announced_at: Mapped[dt.datetime]
    lifted_at: Mapped[dt.datetime | None]
    __table_args__ = (
        CheckConstraint("(unit_id IS NULL) <> (pupil_id IS NULL)", name="one_scope"),
        Index("ix_closures_last_day", "last_day", "id"),
    )


class ClosureAct(Base):
    """What was done to a closure: announced, changed or lifted, by whom, its days since, and what came of it.

    `recounted` is the number of open cases it touched, `moved` of those whose deadline is another one now. `key` is
    the request's: sent again, it does nothing more. Only added to.
    """

    __tablename__ = "closure_acts"
    id: Mapped[int] = mapped_column(primary_key=True)
    closure_id: Mapped[int] = mapped_column(ForeignKey("closures.id"))
    kind: Mapped[str] = mapped_column(String(12))  # announced, changed, lifted
    at: Mapped[dt.datetime]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    first_day: Mapped[dt.date]
    last_day: Mapped[dt.date]
    recounted: Mapped[int] = mapped_column(Integer)
    moved: Mapped[int] = mapped_column(Integer)
    key: Mapped[str | None] = mapped_column(String(64), unique=True)
    __table_args__ = (Index("ix_closure_acts_closure_id", "closure_id", "id"),)


# --- cases -----------------------------------------------------------------------------------------------------------


class Case(Base):
    """A pupil at risk, moving through the states of a workflow. `version` is the number of its last event."""

    __tablename__ = "cases"
    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(24), unique=True)
    pupil_id: Mapped[int] = mapped_column(ForeignKey("pupils.id"), index=True)
    workflow: Mapped[str] = mapped_column(String(40))
    workflow_version: Mapped[int] = mapped_column(Integer)
    rules_version: Mapped[int] = mapped_column(Integer)
    state: Mapped[str] = mapped_column(String(40))
    entry: Mapped[int] = mapped_column(Integer, default=1)  # how many states it has entered: one firing a rule an entry
    since: Mapped[dt.datetime]  # when it entered the state
    level: Mapped[int] = mapped_column(Integer, default=0)
    absent_since: Mapped[dt.date]
    opened_at: Mapped[dt.datetime]
    closed_at: Mapped[dt.datetime | None] = mapped_column(OpenInstant, nullable=False, insert_default=FAR)
    assignee_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    offered_role: Mapped[str | None] = mapped_column(String(24))
    offered_unit_id: Mapped[int | None] = mapped_column(ForeignKey("units.id"))
    offered_at: Mapped[dt.datetime | None]
    accepted_at: Mapped[dt.datetime | None]
    due_at: Mapped[dt.datetime | None] = mapped_column(OpenInstant, nullable=False, insert_default=FAR)
    next_look_at: Mapped[dt.datetime | None] = mapped_column(OpenInstant, nullable=False, insert_default=FAR)
    flags: Mapped[list[Any]] = mapped_column(default=list)
    unreached: Mapped[int] = mapped_column(Integer, default=0)  # contact attempts in a row that reached nobody
    grade: Mapped[int | None] = mapped_column(Integer)
    class_id: Mapped[int] = mapped_column(ForeignKey("units.id"))
    school_id: Mapped[int] = mapped_column(ForeignKey("units.id"))
    village_id: Mapped[int | None] = mapped_column(ForeignKey("units.id"))
    commune_id: Mapped[int | None] = mapped_column(ForeignKey("units.id"))
    province_id: Mapped[int | None] = mapped_column(ForeignKey("units.id"))
    association_id: Mapped[int | None] = mapped_column(ForeignKey("units.id"))
    version: Mapped[int] = mapped_column(Integer, default=0)
    last_hash: Mapped[str] = mapped_column(String(64), default="")


OPEN = text("closed_at >= '9999-12-31'")

# One open case for a pupil and a workflow, whatever the code above believes.
Index("uq_cases_open_pupil", Case.pupil_id, Case.workflow, unique=True, sqlite_where=OPEN, postgresql_where=OPEN)
# A sweep asks only this one.
Index("ix_cases_next_look_at", Case.next_look_at, sqlite_where=OPEN, postgresql_where=OPEN)
for _column in (Case.assignee_id, Case.class_id, Case.school_id, Case.village_id, Case.commune_id, Case.province_id,
                Case.association_id):  # fmt: skip
    # Work lists: open cases of a scope, next due first.
    Index(f"ix_cases_open_{_column.key}", _column, Case.due_at, Case.id, sqlite_where=OPEN, postgresql_where=OPEN)
    # Lists of all cases of a scope, newest first.
    Index(f"ix_cases_{_column.key}", _column, Case.id)

# What stands on a higher level than at first: few of an area's cases.
URGENT = text("closed_at >= '9999-12-31' AND level > 0")
Index("ix_cases_urgent", Case.commune_id, Case.id, sqlite_where=URGENT, postgresql_where=URGENT)

# What is on offer to a post and not yet accepted.
WAITING = text("closed_at >= '9999-12-31' AND offered_at IS NOT NULL AND accepted_at IS NULL")
Index(
    "ix_cases_waiting", Case.offered_unit_id, Case.offered_role, Case.due_at, Case.id,
    sqlite_where=WAITING, postgresql_where=WAITING,
)  # fmt: skip
Index("ix_cases_waiting_commune", Case.commune_id, Case.id, sqlite_where=WAITING, postgresql_where=WAITING)


class Referral(Base):
    """A case as the association that was asked to help may see it: no column here tells who or where."""

    __table__ = Case.__table__
    __mapper_args__ = {  # noqa: RUF012 - SQLAlchemy reads it once
        "include_properties": [
            "id", "code", "workflow", "workflow_version", "rules_version", "state", "since", "level", "opened_at",
            "closed_at", "assignee_id", "offered_role", "offered_unit_id", "offered_at", "accepted_at", "due_at",
            "association_id", "version",
        ]
    }  # fmt: skip


class CaseCause(Base):
    """Why the pupil stays away; a case may have several causes (CV 3237/BGDĐT-KHTC of 8/6/2010)."""

    __tablename__ = "case_causes"
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"), primary_key=True)
    cause: Mapped[str] = mapped_column(String(40), primary_key=True)


class Event(Base):
    """Something that happened to a case: never changed, never deleted, each carrying the hash of the one before.

    What a person wrote lies beside it in `event_texts`; the chain holds only its salted hash, so that the text can be
    erased by law (Luật 91/2025/QH15) without breaking the chain.
    """

    __tablename__ = "events"
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"), primary_key=True)
    seq: Mapped[int] = mapped_column(Integer, primary_key=True)
    kind: Mapped[str] = mapped_column(String(40))
    at: Mapped[dt.datetime]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    role: Mapped[str | None] = mapped_column(String(24))
    data: Mapped[dict[str, Any]]
    text_hash: Mapped[str | None] = mapped_column(String(64))
    previous_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))
    key: Mapped[str | None] = mapped_column(String(64), unique=True)  # idempotency key of the request that made it


class EventText(Base):
    """What a person wrote with an event, and the salt of its hash; the row can be erased."""

    __tablename__ = "event_texts"
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"), primary_key=True)
    seq: Mapped[int] = mapped_column(Integer, primary_key=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    salt: Mapped[str] = mapped_column(String(32))
    values: Mapped[dict[str, Any]]


class Firing(Base):
    """A rule fired on a case: once for each repetition within one stay in a state, by the primary key."""

    __tablename__ = "firings"
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"), primary_key=True)
    rule: Mapped[str] = mapped_column(String(60), primary_key=True)
    entry: Mapped[int] = mapped_column(Integer, primary_key=True)
    repetition: Mapped[int] = mapped_column(Integer, primary_key=True)
    seq: Mapped[int] = mapped_column(Integer)
    due_at: Mapped[dt.datetime]
    at: Mapped[dt.datetime]


class Offer(Base):
    """A case is handed to a role in a unit; a person accepts it or returns it with a reason."""

    __tablename__ = "offers"
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"), primary_key=True)
    seq: Mapped[int] = mapped_column(Integer, primary_key=True)  # of the event that made it
    role: Mapped[str] = mapped_column(String(24))
    unit_id: Mapped[int] = mapped_column(ForeignKey("units.id"))
    made_at: Mapped[dt.datetime]
    answer: Mapped[str | None] = mapped_column(String(12))  # accepted, declined, superseded
    answered_at: Mapped[dt.datetime | None]
    answered_by_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    passed_over: Mapped[list[Any]] = mapped_column(default=list)  # [[role, unit id, why], …] on the way to this one


class Hold(Base):
    """The clock of a case stands still from one moment to another, for a reason."""

    __tablename__ = "holds"
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"), primary_key=True)
    seq: Mapped[int] = mapped_column(Integer, primary_key=True)
    starts_at: Mapped[dt.datetime]
    ends_at: Mapped[dt.datetime | None] = mapped_column(OpenInstant, nullable=False, insert_default=FAR)
    reason: Mapped[str] = mapped_column(String(200))


class Planned(Base):
    """Something to be done by a moment: a check-in on the pupil, a catch-up lesson, the next visit (D1.5 to D1.7)."""

    __tablename__ = "planned"
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"), primary_key=True)
    seq: Mapped[int] = mapped_column(Integer, primary_key=True)
    kind: Mapped[str] = mapped_column(String(24), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True, default=0)
    due_at: Mapped[dt.datetime]
    done_seq: Mapped[int | None] = mapped_column(Integer)


class Support(Base):
    """Support that was given: what, how much, by whom, to whom it was handed."""

    __tablename__ = "support"
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"), primary_key=True)
    seq: Mapped[int] = mapped_column(Integer, primary_key=True)
    association_id: Mapped[int | None] = mapped_column(ForeignKey("units.id"), index=True)
    kind: Mapped[str] = mapped_column(String(40))
    quantity: Mapped[str] = mapped_column(String(24))  # a decimal, exactly as counted
    unit: Mapped[str] = mapped_column(String(24))
    value: Mapped[int | None]  # đồng
    giver: Mapped[str | None] = mapped_column(String(200))
    given_on: Mapped[dt.date]
    received_by: Mapped[str | None] = mapped_column(String(200))
    programme: Mapped[str | None] = mapped_column(String(200))
    logged_by_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))


class Need(Base):
    """What a pupil needs, as the association may see it: the thing, its size, where to hand it over; never who."""

    __tablename__ = "needs"
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"), primary_key=True)
    seq: Mapped[int] = mapped_column(Integer, primary_key=True)
    association_id: Mapped[int | None] = mapped_column(ForeignKey("units.id"), index=True)
    need: Mapped[str] = mapped_column(Text)
    handover: Mapped[str | None] = mapped_column(String(200))


class Companion(Base):
    """Somebody around the pupil who helps (D1.2, D1.3): a friend, the parents' board, the village head …

    Who it is stands beside the event `seq` in `event_texts` and nowhere else, so that it can be erased there.
    """

    __tablename__ = "companions"
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"), primary_key=True)
    seq: Mapped[int] = mapped_column(Integer, primary_key=True)
    role: Mapped[str] = mapped_column(String(24))
    removed_seq: Mapped[int | None] = mapped_column(Integer)  # of the event that took them off, with the reason


class Difficulty(Base):
    """A difficulty (khó khăn, vướng mắc) raised on a case (D5.2), and the post that has to decide about it now."""

    __tablename__ = "difficulties"
    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"))
    seq: Mapped[int] = mapped_column(Integer)  # of the event that raised it; its words stand there
    kind: Mapped[str] = mapped_column(String(24))
    raised_by_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"), index=True)
    raised_at: Mapped[dt.datetime]
    role: Mapped[str] = mapped_column(String(24))
    unit_id: Mapped[int] = mapped_column(ForeignKey("units.id"))
    moves: Mapped[int] = mapped_column(Integer, default=0, server_default="0")  # how often it was moved on or answered
    due_at: Mapped[dt.datetime | None] = mapped_column(OpenInstant, nullable=False, insert_default=FAR)
    answer: Mapped[str | None] = mapped_column(String(12))  # decided, returned
    answered_at: Mapped[dt.datetime | None]
    __table_args__ = (UniqueConstraint("case_id", "seq"),)


UNANSWERED = text("answer IS NULL")
# What waits for a post, and what climbs next.
Index(
    "ix_difficulties_post", Difficulty.unit_id, Difficulty.role, Difficulty.due_at,
    sqlite_where=UNANSWERED, postgresql_where=UNANSWERED,
)  # fmt: skip
Index("ix_difficulties_due", Difficulty.due_at, sqlite_where=UNANSWERED, postgresql_where=UNANSWERED)


class DifficultyMove(Base):
    """A difficulty was passed on, climbed or was answered: each number once, whoever was at it at the same time."""

    __tablename__ = "difficulty_moves"
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"), primary_key=True)
    raised_seq: Mapped[int] = mapped_column(Integer, primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    seq: Mapped[int] = mapped_column(Integer)  # of the event that says who, why, to whom


class Notice(Base):
    """A message to one person about one event of a case, or about an act on an account or a post (`act_id`; no case):
    written with it, delivered afterwards, shown once; no name in it."""

    __tablename__ = "notices"
    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int | None] = mapped_column(ForeignKey("cases.id"))
    seq: Mapped[int] = mapped_column(Integer)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    role: Mapped[str] = mapped_column(String(24))
    kind: Mapped[str] = mapped_column(String(60))  # a rule's id, or offered, handed_over, …
    urgent: Mapped[bool] = mapped_column(default=False)
    at: Mapped[dt.datetime]
    read_at: Mapped[dt.datetime | None]
    planned_at: Mapped[dt.datetime | None]  # when it was decided by which channels it goes out
    cases: Mapped[int] = mapped_column(Integer, default=1, server_default="1")  # of how many it tells
    closure_id: Mapped[int | None] = mapped_column(ForeignKey("closures.id"))  # that moved their deadlines
    act_id: Mapped[int | None] = mapped_column(ForeignKey("staff_acts.id"))
    __table_args__ = (
        UniqueConstraint("case_id", "seq", "person_id"),
        Index("ix_notices_person_id", "person_id", "id"),
    )


NEW = text("planned_at IS NULL")
Index("ix_notices_new", Notice.id, sqlite_where=NEW, postgresql_where=NEW)


# --- running the house -----------------------------------------------------------------------------------------------


class Definition(Base):
    """The text of each workflow, rule set and calendar that a case ever ran on; a version never changes."""

    __tablename__ = "definitions"
    kind: Mapped[str] = mapped_column(String(12), primary_key=True)  # workflow, rules, calendar
    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))
    text: Mapped[str] = mapped_column(Text)
    loaded_at: Mapped[dt.datetime]


class AccessLog(Base):
    """Who read what restricted thing, when (NĐ 356/2025 Art. 4); only added to."""

    __tablename__ = "access_log"
    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[dt.datetime]
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), index=True)
    what: Mapped[str] = mapped_column(String(40))
    case_id: Mapped[int | None] = mapped_column(ForeignKey("cases.id"), index=True)
    pupil_id: Mapped[int | None] = mapped_column(ForeignKey("pupils.id"), index=True)


class Counter(Base):
    """Numbers given out in order, such as the case codes of a year."""

    __tablename__ = "counters"
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[int]


class Setting(Base):
    """A setting of the installation that people change while it runs."""

    __tablename__ = "settings"
    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    value: Mapped[dict[str, Any]]


class Lease(Base):
    """Who runs the jobs: one holder at a time, until it lets go or its time is over."""

    __tablename__ = "leases"
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    holder: Mapped[str] = mapped_column(String(80))
    until: Mapped[dt.datetime]
    seen_at: Mapped[dt.datetime]


# --- notices on their way out -----------------------------------------------------------------------------------------


class NoticeHours(Base):
    """When a person wants to be left alone, and when the daily digest comes; minutes after midnight, local time."""

    __tablename__ = "notice_hours"
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True)
    quiet_from: Mapped[int] = mapped_column(Integer)
    quiet_to: Mapped[int] = mapped_column(Integer)
    digest_at: Mapped[int] = mapped_column(Integer)


class ChannelChoice(Base):
    """By which channel a person wants to be told beside the app: at once, or once a day in a digest."""

    __tablename__ = "channel_choices"
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True)
    channel: Mapped[str] = mapped_column(String(24), primary_key=True)
    enabled: Mapped[bool]
    digest: Mapped[bool]
    address: Mapped[str | None] = mapped_column(String(200))


class PushSubscription(Base):
    """A browser in which a person said yes to push messages: where to send, and the browser's public key and secret."""

    __tablename__ = "push_subscriptions"
    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), index=True)
    endpoint: Mapped[str] = mapped_column(String(1000), unique=True)
    p256dh: Mapped[str] = mapped_column(String(120))
    auth: Mapped[str] = mapped_column(String(40))
    device: Mapped[str | None] = mapped_column(String(200))
    created_at: Mapped[dt.datetime]


class Delivery(Base):
    """A message on its way to one person by one channel. `key` makes it one message however often it is tried.

    States: pending (not tried yet), failed (to be tried again), sent, dead (given up: the operator's), void (a digest
    that had nothing to say any more). Who tries it moves `next_try_at` ahead first, so that nobody else tries it
    meanwhile, and so that a try that was killed is tried again.
    """

    __tablename__ = "deliveries"
    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(80), unique=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    channel: Mapped[str] = mapped_column(String(24))
    kind: Mapped[str] = mapped_column(String(8))  # notice, digest, trial
    day: Mapped[dt.date | None]  # of a digest
    urgent: Mapped[bool]
    state: Mapped[str] = mapped_column(String(8))
    attempts: Mapped[int] = mapped_column(Integer)
    made_at: Mapped[dt.datetime]
    next_try_at: Mapped[dt.datetime]
    sent_at: Mapped[dt.datetime | None]
    last_error: Mapped[str | None] = mapped_column(String(300))
    __table_args__ = (
        Index("ix_deliveries_person_id", "person_id", "id"),
        Index("ix_deliveries_state", "state", "id"),
    )


UNSENT = text("state IN ('pending', 'failed')")
Index("ix_deliveries_unsent", Delivery.urgent, Delivery.next_try_at, sqlite_where=UNSENT, postgresql_where=UNSENT)


class DeliveryItem(Base):
    """A notice that a delivery tells: one, or all that a digest gathers."""

    __tablename__ = "delivery_items"
    delivery_id: Mapped[int] = mapped_column(ForeignKey("deliveries.id"), primary_key=True)
    notice_id: Mapped[int] = mapped_column(ForeignKey("notices.id"), primary_key=True, index=True)


# --- what comes in from files ----------------------------------------------------------------------------------------


class ImportJob(Base):
    """One file on its way in: checked first, then brought in by pieces; `next_row` is where the next piece begins.

    `next_row` and the counts are written in the transaction of each piece, so a killed import goes on where it was.
    """

    __tablename__ = "import_jobs"
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(12))  # pupils, attendance
    state: Mapped[str] = mapped_column(String(12))  # checking, checked, waiting, running, and the ends
    file_name: Mapped[str] = mapped_column(String(200))
    digest: Mapped[str] = mapped_column(String(64))  # of the file and what was asked for with it
    options: Mapped[dict[str, Any]]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"), index=True)
    made_at: Mapped[dt.datetime]
    finished_at: Mapped[dt.datetime | None]
    cancelled_at: Mapped[dt.datetime | None]  # asked for; the job stops after the piece at hand
    seen_at: Mapped[dt.datetime | None]  # the last sign of life of whoever works on it
    total: Mapped[int | None] = mapped_column(Integer)  # rows, known once the file was checked
    next_row: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    begun: Mapped[int] = mapped_column(Integer, default=0, server_default="0")  # times, since it last got any further
    new: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    changed: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    unchanged: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    wrong: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    report: Mapped[dict[str, Any]]  # what was found: vanished pupils, likely duplicates, notes, why it was refused


class ImportFile(Base):
    """The file of a job, kept until the job has ended."""

    __tablename__ = "import_files"
    job_id: Mapped[int] = mapped_column(ForeignKey("import_jobs.id", ondelete="CASCADE"), primary_key=True)
    data: Mapped[bytes] = mapped_column(LargeBinary)


class ImportWrong(Base):
    """A row of a file that was not taken, as it stood there (without personal id numbers), to be given back."""

    __tablename__ = "import_wrong"
    job_id: Mapped[int] = mapped_column(ForeignKey("import_jobs.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    sheet: Mapped[str] = mapped_column(String(100))
    row: Mapped[int] = mapped_column(Integer)
    names: Mapped[list[Any]]
    cells: Mapped[list[Any]]
    why: Mapped[list[Any]]  # [[msgid, values], …]


class MarkChange(Base):
    """A mark was corrected: what it was, who changed it, when, through which import if through one. Only added to."""

    __tablename__ = "mark_changes"
    id: Mapped[int] = mapped_column(primary_key=True)
    pupil_id: Mapped[int] = mapped_column(ForeignKey("pupils.id"))
    day: Mapped[dt.date]
    session: Mapped[str] = mapped_column(String(1))
    old_mark: Mapped[str] = mapped_column(String(1))
    old_reason: Mapped[str | None] = mapped_column(String(200))
    old_at: Mapped[dt.datetime]
    old_by_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    new_mark: Mapped[str] = mapped_column(String(1))
    at: Mapped[dt.datetime]
    by_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    job_id: Mapped[int | None] = mapped_column(ForeignKey("import_jobs.id"))
    __table_args__ = (Index("ix_mark_changes_pupil_id", "pupil_id", "day"),)


class PupilChange(Base):
    """A file gave a name, birth date or code otherwise, and a person decided: what was, what the file says, whether it
    was taken. Only added to.
    """

    __tablename__ = "pupil_changes"
    id: Mapped[int] = mapped_column(primary_key=True)
    pupil_id: Mapped[int] = mapped_column(ForeignKey("pupils.id"), index=True)
    field: Mapped[str] = mapped_column(String(12))  # name, birth_date, code
    old: Mapped[str] = mapped_column(String(120))
    new: Mapped[str] = mapped_column(String(120))
    taken: Mapped[bool]
    at: Mapped[dt.datetime]
    by_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))  # None: on the command line
    job_id: Mapped[int | None] = mapped_column(ForeignKey("import_jobs.id"))


class ClassDay(Base):
    """What a daily summary says of a class: counts of pupils, and whether attendance was taken at all."""

    __tablename__ = "class_days"
    class_id: Mapped[int] = mapped_column(ForeignKey("units.id"), primary_key=True)
    day: Mapped[dt.date] = mapped_column(primary_key=True)
    taken: Mapped[bool]
    enrolled: Mapped[int | None] = mapped_column(Integer)
    present: Mapped[int | None] = mapped_column(Integer)
    excused: Mapped[int | None] = mapped_column(Integer)
    unexcused: Mapped[int | None] = mapped_column(Integer)
    late: Mapped[int | None] = mapped_column(Integer)
    at: Mapped[dt.datetime]


# --- the risk watch ---------------------------------------------------------------------------------------------------


class Alarm(Base):
    """The risk watch found a signal at a pupil: each threshold once for each stretch of absence."""

    __tablename__ = "alarms"
    pupil_id: Mapped[int] = mapped_column(ForeignKey("pupils.id"), primary_key=True)
    signal: Mapped[str] = mapped_column(String(60), primary_key=True)
    threshold: Mapped[int] = mapped_column(Integer, primary_key=True)
    day: Mapped[dt.date] = mapped_column(primary_key=True)
    value: Mapped[int] = mapped_column(Integer)
    case_id: Mapped[int | None] = mapped_column(ForeignKey("cases.id"))
    opened: Mapped[bool] = mapped_column(default=False)  # the case was opened because of it
    __table_args__ = (Index("ix_alarms_day", "day"),)


class Proposal(Base):
    """The risk watch proposes a case to the homeroom teacher, who opens it or says why not."""

    __tablename__ = "proposals"
    id: Mapped[int] = mapped_column(primary_key=True)
    pupil_id: Mapped[int] = mapped_column(ForeignKey("pupils.id"))
    day: Mapped[dt.date]
    absent_since: Mapped[dt.date]
    signals: Mapped[list[Any]]  # [[id, threshold, value], …]
    made_at: Mapped[dt.datetime]
    decided_at: Mapped[dt.datetime | None]
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    reason: Mapped[str | None] = mapped_column(String(300))  # why no case was opened
    case_id: Mapped[int | None] = mapped_column(ForeignKey("cases.id"))  # the case that was opened


UNDECIDED = text("decided_at IS NULL")
Index(
    "uq_proposals_undecided", Proposal.pupil_id, unique=True, sqlite_where=UNDECIDED, postgresql_where=UNDECIDED
)  # fmt: skip


class WatchAsked(Base):
    """A class's register of a day came in or was corrected and is to be watched; the row goes when that is done.

    `token` is another one each time it is asked, so that what is asked while the watch runs is not lost.
    """

    __tablename__ = "watch_asked"
    class_id: Mapped[int] = mapped_column(ForeignKey("units.id"), primary_key=True)
    day: Mapped[dt.date] = mapped_column(primary_key=True)
    token: Mapped[str] = mapped_column(String(32))


class RiskTrial(Base):
    """The signals tried on the registers of a time that is over, pupils after `next_pupil` still to be looked at."""

    __tablename__ = "risk_trials"
    id: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(String(12))  # waiting, running, done, cancelled
    first_day: Mapped[dt.date]
    last_day: Mapped[dt.date]
    rules: Mapped[dict[str, Any]]  # the version of the file, the count rule
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    asked_at: Mapped[dt.datetime]
    seen_at: Mapped[dt.datetime | None]
    finished_at: Mapped[dt.datetime | None]
    next_pupil: Mapped[int] = mapped_column(default=0, server_default="0")
    done: Mapped[int] = mapped_column(Integer, default=0, server_default="0")  # pupils
    total: Mapped[int] = mapped_column(Integer, default=0, server_default="0")


class RiskTrialCount(Base):
    """What a trial found at one school: how often a signal was reached, and what had become of it."""

    __tablename__ = "risk_trial_counts"
    trial_id: Mapped[int] = mapped_column(ForeignKey("risk_trials.id", ondelete="CASCADE"), primary_key=True)
    school_id: Mapped[int] = mapped_column(ForeignKey("units.id"), primary_key=True)
    signal: Mapped[str] = mapped_column(String(60), primary_key=True)
    alarms: Mapped[int] = mapped_column(Integer)
    led: Mapped[int] = mapped_column(Integer)  # those that would have opened or proposed a case: the first ones
    founded: Mapped[int] = mapped_column(Integer)
    unfounded: Mapped[int] = mapped_column(Integer)


# --- what people keep for themselves ----------------------------------------------------------------------------------


class SavedFilter(Base):
    """Filters of the list of cases that a person keeps under a name."""

    __tablename__ = "saved_filters"
    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    name: Mapped[str] = mapped_column(String(40))
    filters: Mapped[dict[str, Any]]  # as they stand in the address
    made_at: Mapped[dt.datetime]
    __table_args__ = (UniqueConstraint("person_id", "name"),)
