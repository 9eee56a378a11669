"""The tree of units."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import (
    ForeignKey,
    Index,
    Integer,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.tables.base import Base
from engine.store.tables.types import FAR_DAY, OpenDay


class Unit(Base):
    """A place or body of the dated tree: province, district, commune, village, school, site, class, association …

    After a merger an official code gets another meaning (23392 was xã Đăk Kan and is now xã Sa Loong). So the key of a
    unit is (code, valid from), and a unit that ended names its successor.
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
    """Every unit below every unit above it, and itself: one look into an index gives a whole area."""

    __tablename__ = "unit_links"
    ancestor_id: Mapped[int] = mapped_column(ForeignKey("units.id"), primary_key=True)
    descendant_id: Mapped[int] = mapped_column(ForeignKey("units.id"), primary_key=True, index=True)
    depth: Mapped[int] = mapped_column(Integer)
