"""Pupils, their marks, imported files, and what the risk watch found."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import (
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.tables.base import Base
from engine.store.tables.types import OpenDay


class Pupil(Base):
    """A pupil on a school's list. The class decides the teacher, the village where the pupil lives the officer.

    A code is unique only within a school. A child on the lists of two schools has two rows.
    """

    __tablename__ = "pupils"
    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(120))
    search_key: Mapped[str] = mapped_column(String(120))
    sort_key: Mapped[str] = mapped_column(String(240))
    birth_date: Mapped[dt.date | None]
    birth_year: Mapped[int | None] = mapped_column(Integer)  # where no more of the birth is known
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
        # Pupils who may be one child at two schools: all columns of that question, so that it reads only the index.
        Index("ix_pupils_birth_date", "birth_date", "search_key", "school_id"),
    )


class ClassMembership(Base):
    """A pupil was on the list of a class from one day on, up to another one.

    Rows are closed or voided, never overwritten, so that a register shows who was in the class that day, and a report
    who was known to be. `valid_from` of an `assumed` row is not known: the pupil was on the list when the rows began,
    or a list named the pupil without saying since when. A trigger adds such a row with each new pupil.
    """

    __tablename__ = "class_memberships"
    id: Mapped[int] = mapped_column(primary_key=True)
    pupil_id: Mapped[int] = mapped_column(ForeignKey("pupils.id", ondelete="CASCADE"))
    class_id: Mapped[int] = mapped_column(ForeignKey("units.id"))
    valid_from: Mapped[dt.date]
    valid_to: Mapped[dt.date | None] = mapped_column(OpenDay())  # the first day on which the pupil was not on it
    assumed: Mapped[bool]
    recorded_at: Mapped[dt.datetime]
    by_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    job_id: Mapped[int | None] = mapped_column(ForeignKey("import_jobs.id"))
    voided_at: Mapped[dt.datetime | None]
    voided_why: Mapped[str | None] = mapped_column(String(80))
    __table_args__ = (
        Index("ix_class_memberships_pupil_id", "pupil_id"),
        Index("ix_class_memberships_class_id", "class_id", "valid_to"),
    )


NOW_MEMBER = text("valid_to >= '9999-12-31' AND voided_at IS NULL")

Index(
    "uq_class_memberships_open",
    ClassMembership.pupil_id,
    unique=True,
    sqlite_where=NOW_MEMBER,
    postgresql_where=NOW_MEMBER,
)


class SessionTaken(Base):
    """A class took attendance of a session. Who was on its list and has no mark was present.

    `as_of` says when the list was made: only who was known to be on it then counts as present. Without it the list was
    not whole, and the row says of nobody that they were there.
    """

    __tablename__ = "sessions_taken"
    class_id: Mapped[int] = mapped_column(ForeignKey("units.id"), primary_key=True)
    day: Mapped[dt.date] = mapped_column(primary_key=True)
    session: Mapped[str] = mapped_column(String(1), primary_key=True)
    as_of: Mapped[dt.datetime | None]
    source: Mapped[str] = mapped_column(String(8))  # roll, sheet, list, summary, marks
    at: Mapped[dt.datetime]
    by_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    job_id: Mapped[int | None] = mapped_column(ForeignKey("import_jobs.id"))
    __table_args__ = (Index("ix_sessions_taken_day", "day"),)


class Mark(Base):
    """The mark of one pupil for one session.

    Without a row the pupil was present if the class took attendance of the session (`SessionTaken`). Else attendance
    was not taken; this is never an absence.
    """

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

# The pupils that the risk watch looks at on a day.
Index("ix_marks_absent", Mark.day, Mark.pupil_id, sqlite_where=ABSENT, postgresql_where=ABSENT)


class RollCall(Base):
    """The attendance of a class was sent for one session.

    `key` belongs to the request: sent again, it changes nothing.
    """

    __tablename__ = "roll_calls"
    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    class_id: Mapped[int] = mapped_column(ForeignKey("units.id"))
    day: Mapped[dt.date]
    session: Mapped[str] = mapped_column(String(1))
    at: Mapped[dt.datetime]
    by_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    __table_args__ = (Index("ix_roll_calls_class_id", "class_id", "day", "session"),)


class ImportJob(Base):
    """One file that is being imported: checked first, then imported in pieces; `next_row` is where the next piece
    begins.

    The transaction of each piece writes `next_row` and the counts, so a killed import goes on where it was.
    """

    __tablename__ = "import_jobs"
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(12))  # pupils, attendance
    state: Mapped[str] = mapped_column(String(12))  # checking, checked, waiting, running, and the ends
    file_name: Mapped[str] = mapped_column(String(200))
    digest: Mapped[str] = mapped_column(String(64))  # of the file and its options
    options: Mapped[dict[str, Any]]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"), index=True)
    made_at: Mapped[dt.datetime]
    finished_at: Mapped[dt.datetime | None]
    cancelled_at: Mapped[dt.datetime | None]  # when it was asked for; the job stops after the present piece
    seen_at: Mapped[dt.datetime | None]  # the last sign of life of whoever works on it
    total: Mapped[int | None] = mapped_column(Integer)  # rows, known once the file was checked
    next_row: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    begun: Mapped[int] = mapped_column(Integer, default=0, server_default="0")  # times since its last progress
    new: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    changed: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    unchanged: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    wrong: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    noted: Mapped[int] = mapped_column(Integer, default=0, server_default="0")  # taken note of, without a change
    cases: Mapped[int] = mapped_column(Integer, default=0, server_default="0")  # open cases whose marks it corrected
    # What was found: missing pupils, likely duplicates, remarks, the reason of a refusal.
    report: Mapped[dict[str, Any]]


class ImportFile(Base):
    """The file of a job, kept until the job has ended."""

    __tablename__ = "import_files"
    job_id: Mapped[int] = mapped_column(ForeignKey("import_jobs.id", ondelete="CASCADE"), primary_key=True)
    data: Mapped[bytes] = mapped_column(LargeBinary)


class ImportWrong(Base):
    """A row of a file that was not taken, as in the file (without personal id numbers), to be given back."""

    __tablename__ = "import_wrong"
    job_id: Mapped[int] = mapped_column(ForeignKey("import_jobs.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    sheet: Mapped[str] = mapped_column(String(100))
    row: Mapped[int] = mapped_column(Integer)
    names: Mapped[list[Any]]
    cells: Mapped[list[Any]]
    why: Mapped[list[Any]]  # [[msgid, values], …]


class MarkChange(Base):
    """A correction of a mark: the old mark, who changed it, when, and the import if it came with one.

    Rows are only added.
    """

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
    """What a person decided about a name, birth date or code that a file gave differently. Rows are only added.

    A row has the old value, the value of the file, and whether it was taken.
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
    """What a daily summary says of a class: numbers of pupils, and whether attendance was taken."""

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


class Alarm(Base):
    """A signal that the risk watch found at a pupil; each threshold once for each stretch of absence."""

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

Index("uq_proposals_undecided", Proposal.pupil_id, unique=True, sqlite_where=UNDECIDED, postgresql_where=UNDECIDED)


class WatchAsked(Base):
    """A class's register of a day that came in or was corrected; the risk watch looks at it and deletes the row.

    `token` changes each time, so that a request that comes while the watch runs is not lost.
    """

    __tablename__ = "watch_asked"
    class_id: Mapped[int] = mapped_column(ForeignKey("units.id"), primary_key=True)
    day: Mapped[dt.date] = mapped_column(primary_key=True)
    token: Mapped[str] = mapped_column(String(32))


class RiskTrial(Base):
    """A trial of the signals on past registers; pupils after `next_pupil` are not yet looked at."""

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
    """What a trial found at one school: how often a signal was reached, and what happened afterwards."""

    __tablename__ = "risk_trial_counts"
    trial_id: Mapped[int] = mapped_column(ForeignKey("risk_trials.id", ondelete="CASCADE"), primary_key=True)
    school_id: Mapped[int] = mapped_column(ForeignKey("units.id"), primary_key=True)
    signal: Mapped[str] = mapped_column(String(60), primary_key=True)
    alarms: Mapped[int] = mapped_column(Integer)
    led: Mapped[int] = mapped_column(Integer)  # the first ones, which would have opened or proposed a case
    founded: Mapped[int] = mapped_column(Integer)
    unfounded: Mapped[int] = mapped_column(Integer)
