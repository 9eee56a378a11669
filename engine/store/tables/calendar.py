"""Days without class, days of shut offices, harvests."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    String,
)
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.tables.base import Base


class Closure(Base):
    """Days announced for a pupil or for all in a unit: without class (neither these days nor absences on them count),
    of a shut office (its working days do not count), or of a harvest (times are half).
    """

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
    what: Mapped[str] = mapped_column(String(8), default="class", server_default="class")  # class, office, harvest
    __table_args__ = (
        CheckConstraint("(unit_id IS NULL) <> (pupil_id IS NULL)", name="one_scope"),
        Index("ix_closures_last_day", "last_day", "id"),
    )


class ClosureAct(Base):
    """An act on a closure: announced, changed or lifted, by whom, its days after that, and the results.

    `recounted` is the number of open cases it touched, `moved` the number of those whose deadline moved. `key` belongs
    to the request: sent again, it does nothing. Rows are only added.
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
