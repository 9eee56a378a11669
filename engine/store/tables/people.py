"""People, their posts, and how they sign in."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.orm import Mapped, mapped_column

from engine.core.text import fold
from engine.store.tables.base import Base
from engine.store.tables.types import FAR_DAY, OpenDay


def _folded_name(context: DefaultExecutionContext) -> str:
    """Returns the search key of a person, from the name in the same INSERT."""
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
    """An absence, both days included. A delegate acts meanwhile, or the post counts as away."""

    __tablename__ = "delegations"
    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), index=True)
    delegate_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"), index=True)
    first_day: Mapped[dt.date]
    last_day: Mapped[dt.date]
    reason: Mapped[str | None] = mapped_column(String(200))


class StaffAct(Base):
    """What was done to somebody's account, posts or absences, by whom and when. Rows are only added.

    On the command line `operator` is the user of the machine. An act on a post has the post, and from when to when it
    is held since then. An act on an absence has its days and the other person: who stands in, or who is away.
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
    """One signed-in device. Only the hash of its token is stored, and it can be revoked.

    `proved_at` and `proved_by` say when and how the person last proved who they are, if after the sign-in.
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
    """A passkey of one person in a phone, a computer or a stick; this is the public half, the other never leaves the
    device.
    """

    __tablename__ = "passkeys"
    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), index=True)
    handle: Mapped[str] = mapped_column(String(64))  # random; devices know the person by it
    credential: Mapped[str] = mapped_column(String(1400), unique=True)  # base64url of at most 1023 bytes
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    sign_count: Mapped[int] = mapped_column(BigInteger)
    name: Mapped[str] = mapped_column(String(60))
    created_at: Mapped[dt.datetime]
    used_at: Mapped[dt.datetime | None]


class PasskeyChallenge(Base):
    """What a key was asked to sign and has not signed yet. The answer deletes it, so each is answered once."""

    __tablename__ = "passkey_challenges"
    challenge: Mapped[str] = mapped_column(String(64), primary_key=True)
    purpose: Mapped[str] = mapped_column(String(8))  # sign in, register, prove
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    handle: Mapped[str | None] = mapped_column(String(64))
    expires_at: Mapped[dt.datetime] = mapped_column(index=True)


class SignInCode(Base):
    """A one-time code with which a person may sign in, made by an administrator; only its hash is stored."""

    __tablename__ = "sign_in_codes"
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True)
    code_hash: Mapped[str] = mapped_column(String(200))
    made_at: Mapped[dt.datetime]
    made_by_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))  # None: on the command line
    expires_at: Mapped[dt.datetime]


class Greeting(Base):
    """A person has dismissed the first steps of a role: they are not shown again."""

    __tablename__ = "greetings"
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True)
    role: Mapped[str] = mapped_column(String(24), primary_key=True)
    at: Mapped[dt.datetime]


class AccessLog(Base):
    """Who read which restricted thing, and when (NĐ 356/2025 Art. 4). Rows are only added."""

    __tablename__ = "access_log"
    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[dt.datetime]
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), index=True)
    what: Mapped[str] = mapped_column(String(40))
    case_id: Mapped[int | None] = mapped_column(ForeignKey("cases.id"), index=True)
    pupil_id: Mapped[int | None] = mapped_column(ForeignKey("pupils.id"), index=True)


class SavedFilter(Base):
    """Filters of the list of cases that a person saved under a name."""

    __tablename__ = "saved_filters"
    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    name: Mapped[str] = mapped_column(String(40))
    filters: Mapped[dict[str, Any]]  # as in the address of the list
    made_at: Mapped[dt.datetime]
    __table_args__ = (UniqueConstraint("person_id", "name"),)
