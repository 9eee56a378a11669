"""Checkpoints: what was stored at a moment, kept so that it can be shown that nothing of it was changed since."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.tables.base import Base


class Checkpoint(Base):
    """A root over all that was added since the checkpoint before, and over that one's root. Rows are only added."""

    __tablename__ = "checkpoints"
    n: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    at: Mapped[dt.datetime]
    root: Mapped[str] = mapped_column(String(64))


class CheckpointPart(Base):
    """A piece of one stream (`engine.store.proof.streams`) in a checkpoint, by the numbers of its rows."""

    __tablename__ = "checkpoint_parts"
    n: Mapped[int] = mapped_column(ForeignKey("checkpoints.n"), primary_key=True, autoincrement=False)
    stream: Mapped[str] = mapped_column(String(24), primary_key=True)
    first: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last: Mapped[int]
    form: Mapped[int] = mapped_column(Integer)  # the formula of its digest
    rows: Mapped[int] = mapped_column(Integer)
    root: Mapped[str] = mapped_column(String(64))
    __table_args__ = (Index("ix_checkpoint_parts_stream", "stream", "last"),)


class CheckpointCase(Base):
    """A case that had changed since the checkpoint before: the number and the hash of its last event then."""

    __tablename__ = "checkpoint_cases"
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"), primary_key=True, autoincrement=False)
    n: Mapped[int] = mapped_column(ForeignKey("checkpoints.n"), primary_key=True, autoincrement=False)
    version: Mapped[int] = mapped_column(Integer)
    hash: Mapped[str] = mapped_column(String(64))
    __table_args__ = (Index("ix_checkpoint_cases_n", "n", "case_id"),)


class CaseTouched(Base):
    """A case got events that no checkpoint has yet; the next one takes it and deletes the row.

    Not unique by case: a row that says so a second time must not wait for the checkpoint that deletes the first.
    """

    __tablename__ = "cases_touched"
    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int]
