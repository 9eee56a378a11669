"""Cases, what happened to them, and what belongs to them."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.tables.base import Base
from engine.store.tables.types import FAR, Id, OpenInstant


class Case(Base):
    """A pupil at risk, moving through the states of a workflow. `version` is the number of its last event.

    The database itself holds that an open case asks one thing of one seat, and a closed one nothing.
    """

    __tablename__ = "cases"
    __table_args__ = (
        CheckConstraint(
            "(closed_at >= '9999-12-31') = (request IS NOT NULL) AND (request IS NULL) = (asked_role IS NULL)"
            " AND (request IS NULL) = (asked_unit_id IS NULL) AND (request IS NULL) = (asked_at IS NULL)"
            " AND (request IS NULL) = (asked_from IS NULL)",
            name="one_request",
        ),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(24), unique=True)
    pupil_id: Mapped[int] = mapped_column(ForeignKey("pupils.id"), index=True)
    workflow: Mapped[str] = mapped_column(String(40))
    workflow_version: Mapped[int] = mapped_column(Integer)
    rules_version: Mapped[int] = mapped_column(Integer)
    state: Mapped[str] = mapped_column(String(40))
    # The number of its request: how many it opened before; a rule fires once for each.
    entry: Mapped[int] = mapped_column(Integer, default=1)
    # The highest number that any request had: one that was taken back leaves its number unused.
    last_entry: Mapped[int] = mapped_column(Integer, default=1, server_default="1")
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
    request: Mapped[str | None] = mapped_column(String(24))  # what an open case asks now
    asked_role: Mapped[str | None] = mapped_column(String(24))  # … of which role
    asked_unit_id: Mapped[int | None] = mapped_column(ForeignKey("units.id"))  # … in which unit
    asked_at: Mapped[dt.datetime | None]
    asked_from: Mapped[dt.datetime | None]  # from when its time counts: `asked_at`, or the end of an agreed next date
    put_off: Mapped[int] = mapped_column(Integer, default=0)  # how often such a date put it off in this stay
    stay: Mapped[int] = mapped_column(Integer, default=1)  # the entry with which the present state began
    # Until when the seat above is asked beside a holder who is away with nobody to stand in; None: it is not.
    beside_until: Mapped[dt.datetime | None]
    due_at: Mapped[dt.datetime | None] = mapped_column(OpenInstant, nullable=False, insert_default=FAR)
    next_look_at: Mapped[dt.datetime | None] = mapped_column(OpenInstant, nullable=False, insert_default=FAR)
    flags: Mapped[list[Any]] = mapped_column(default=list)
    unreached: Mapped[int] = mapped_column(Integer, default=0)  # contact attempts in a row without reaching anybody
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

# One open case for a pupil and a workflow, held by the database itself.
Index("uq_cases_open_pupil", Case.pupil_id, Case.workflow, unique=True, sqlite_where=OPEN, postgresql_where=OPEN)

# A sweep reads only this index.
Index("ix_cases_next_look_at", Case.next_look_at, sqlite_where=OPEN, postgresql_where=OPEN)

for _column in (
    Case.assignee_id,
    Case.class_id,
    Case.school_id,
    Case.village_id,
    Case.commune_id,
    Case.province_id,
    Case.association_id,
):
    # Work lists: open cases of a scope, next due first.
    Index(f"ix_cases_open_{_column.key}", _column, Case.due_at, Case.id, sqlite_where=OPEN, postgresql_where=OPEN)
    # Lists of all cases of a scope, newest first.
    Index(f"ix_cases_{_column.key}", _column, Case.id)

# Cases on a higher level than at first: few in each area.
URGENT = text("closed_at >= '9999-12-31' AND level > 0")

Index("ix_cases_urgent", Case.commune_id, Case.id, sqlite_where=URGENT, postgresql_where=URGENT)

# Cases on offer to a post and not yet accepted.
WAITING = text("closed_at >= '9999-12-31' AND offered_at IS NOT NULL AND accepted_at IS NULL")

Index(
    "ix_cases_waiting",
    Case.offered_unit_id,
    Case.offered_role,
    Case.due_at,
    Case.id,
    sqlite_where=WAITING,
    postgresql_where=WAITING,
)

# What is asked of a post, the next due first.
Index(
    "ix_cases_asked",
    Case.asked_unit_id,
    Case.asked_role,
    Case.due_at,
    Case.id,
    sqlite_where=OPEN,
    postgresql_where=OPEN,
)

Index("ix_cases_waiting_commune", Case.commune_id, Case.id, sqlite_where=WAITING, postgresql_where=WAITING)


class Referral(Base):
    """A case for the association that was asked to help: its columns do not show the pupil or the place."""

    __table__ = Case.__table__
    __mapper_args__ = {  # noqa: RUF012 - SQLAlchemy reads it once
        "include_properties": [
            "id",
            "code",
            "workflow",
            "workflow_version",
            "rules_version",
            "state",
            "since",
            "level",
            "opened_at",
            "closed_at",
            "assignee_id",
            "offered_role",
            "offered_unit_id",
            "offered_at",
            "accepted_at",
            "request",
            "asked_role",
            "due_at",
            "association_id",
            "version",
        ]
    }


class CaseCause(Base):
    """Why the pupil stays away; a case may have several causes (CV 3237/BGDĐT-KHTC of 8/6/2010)."""

    __tablename__ = "case_causes"
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"), primary_key=True)
    cause: Mapped[str] = mapped_column(String(40), primary_key=True)


class Event(Base):
    """Something that happened to a case.

    Events never change and are never deleted; each has the hash of the one before.

    What a person wrote is in `event_texts`; the chain holds only its salted hash. So the text can be erased by law
    (Luật 91/2025/QH15) without breaking the chain.
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
    """A firing of a rule on a case: the primary key allows one for each repetition in one stay in a state."""

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
    seq: Mapped[int] = mapped_column(Integer, primary_key=True)  # of the event that made the offer
    role: Mapped[str] = mapped_column(String(24))
    unit_id: Mapped[int] = mapped_column(ForeignKey("units.id"))
    made_at: Mapped[dt.datetime]
    answer: Mapped[str | None] = mapped_column(String(12))  # accepted, declined, superseded, handed_back, undone
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
    replaced_seq: Mapped[int | None] = mapped_column(Integer)  # of the event by which it counts no more


class Support(Base):
    """Support that was given: what, how much, by whom, to whom it was handed."""

    __tablename__ = "support"
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"), primary_key=True)
    seq: Mapped[int] = mapped_column(Integer, primary_key=True)
    association_id: Mapped[int | None] = mapped_column(ForeignKey("units.id"), index=True)
    kind: Mapped[str] = mapped_column(String(40))
    quantity: Mapped[str] = mapped_column(String(24))  # a decimal number, exactly as counted
    unit: Mapped[str] = mapped_column(String(24))
    value: Mapped[int | None]  # đồng
    giver: Mapped[str | None] = mapped_column(String(200))
    given_on: Mapped[dt.date]
    received_by: Mapped[str | None] = mapped_column(String(200))
    programme: Mapped[str | None] = mapped_column(String(200))
    logged_by_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    replaced_seq: Mapped[int | None] = mapped_column(Integer)  # of the event by which it counts no more


class Need(Base):
    """What a pupil needs, for the association: the thing, its size, where to hand it over; never the pupil.

    A need that is counted says its `kind` and `quantity` (steps of the kind); `met` of them were given. It is open
    while less was given than is needed.
    """

    __tablename__ = "needs"
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"), primary_key=True)
    seq: Mapped[int] = mapped_column(Integer, primary_key=True)
    association_id: Mapped[int | None] = mapped_column(ForeignKey("units.id"), index=True)
    need: Mapped[str] = mapped_column(Text)
    handover: Mapped[str | None] = mapped_column(String(200))
    kind: Mapped[str | None] = mapped_column(String(40))
    quantity: Mapped[int | None]
    met: Mapped[int] = mapped_column(default=0, server_default="0")
    needed_by: Mapped[dt.date | None]
    raised_at: Mapped[dt.datetime | None]
    replaced_seq: Mapped[int | None] = mapped_column(Integer)  # of the event by which it counts no more


class Correction(Base):
    """The event `seq` says that an earlier one, `entry_seq`, was wrong: what is right, or that it counts no more."""

    __tablename__ = "corrections"
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"), primary_key=True)
    seq: Mapped[int] = mapped_column(Integer, primary_key=True)
    entry_seq: Mapped[int] = mapped_column(Integer)
    void: Mapped[bool]  # withdrawn or taken back


class Doubt(Base):
    """A rule fired because of an entry that was corrected since: somebody decides whether what it did is kept."""

    __tablename__ = "doubts"
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"), primary_key=True)
    fired_seq: Mapped[int] = mapped_column(Integer, primary_key=True)
    seq: Mapped[int] = mapped_column(Integer)  # of the correction
    decided_seq: Mapped[int | None] = mapped_column(Integer)


IN_DOUBT = text("decided_seq IS NULL")

Index("ix_doubts_undecided", Doubt.case_id, sqlite_where=IN_DOUBT, postgresql_where=IN_DOUBT)


class Companion(Base):
    """A companion who helps the pupil (D1.2, D1.3): a friend, the parents' board, the village head …

    Only the text of the event `seq` in `event_texts` says who it is, so that it can be erased there.
    """

    __tablename__ = "companions"
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"), primary_key=True)
    seq: Mapped[int] = mapped_column(Integer, primary_key=True)
    role: Mapped[str] = mapped_column(String(24))
    # Their account, if somebody invited them by it (`engine.core.people.roles.INVITED`). Without a foreign key: SQLite
    # adds one only by making the table anew, which loses its triggers. Nobody deletes a person.
    person_id: Mapped[int | None] = mapped_column(Id, index=True)
    # Of the event that took them off the list, with the reason.
    removed_seq: Mapped[int | None] = mapped_column(Integer)


class Difficulty(Base):
    """A difficulty (khó khăn, vướng mắc) raised on a case (D5.2), and the post that has to decide about it now."""

    __tablename__ = "difficulties"
    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"))
    seq: Mapped[int] = mapped_column(Integer)  # of the event that raised it, which has the words
    kind: Mapped[str] = mapped_column(String(24))
    raised_by_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"), index=True)
    raised_at: Mapped[dt.datetime]
    role: Mapped[str] = mapped_column(String(24))
    unit_id: Mapped[int] = mapped_column(ForeignKey("units.id"))
    moves: Mapped[int] = mapped_column(Integer, default=0, server_default="0")  # how often it was passed on or answered
    due_at: Mapped[dt.datetime | None] = mapped_column(OpenInstant, nullable=False, insert_default=FAR)
    answer: Mapped[str | None] = mapped_column(String(12))  # decided, returned
    answered_at: Mapped[dt.datetime | None]
    __table_args__ = (UniqueConstraint("case_id", "seq"),)


UNANSWERED = text("answer IS NULL")

# What waits for a post, and what goes up next.
Index(
    "ix_difficulties_post",
    Difficulty.unit_id,
    Difficulty.role,
    Difficulty.due_at,
    sqlite_where=UNANSWERED,
    postgresql_where=UNANSWERED,
)

Index("ix_difficulties_due", Difficulty.due_at, sqlite_where=UNANSWERED, postgresql_where=UNANSWERED)


class DifficultyMove(Base):
    """A difficulty was passed on, went up or was answered.

    Each number exists once, also if two people act at the same time.
    """

    __tablename__ = "difficulty_moves"
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"), primary_key=True)
    raised_seq: Mapped[int] = mapped_column(Integer, primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    seq: Mapped[int] = mapped_column(Integer)  # of the event with who, why and to whom


class Reseat(Base):
    """What a change of posts, accounts or absences leaves for the worker: more cases than one transaction takes.

    The worker looks at the cases of these people and seats with an id above `after_id`, and goes on from there if it
    stops. The row goes when all are done.
    """

    __tablename__ = "reseats"
    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[dt.datetime]
    people: Mapped[list[Any]]
    seats: Mapped[list[Any]]  # [[role, unit id], …]
    after_id: Mapped[int]
    moved: Mapped[int]  # cases so far
