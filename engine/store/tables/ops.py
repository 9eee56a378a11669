"""What the program stores for itself."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import (
    Integer,
    String,
    Text,
)
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.tables.base import Base


class SentForm(Base):
    """The digest of a processed form, salted with the form's key (`engine.usecases.idempotency`)."""

    __tablename__ = "sent_forms"
    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))
    at: Mapped[dt.datetime]


class Definition(Base):
    """The text of each workflow, rule set and calendar that a case ever ran on; a version never changes."""

    __tablename__ = "definitions"
    kind: Mapped[str] = mapped_column(String(12), primary_key=True)  # workflow, rules, calendar
    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))
    text: Mapped[str] = mapped_column(Text)
    loaded_at: Mapped[dt.datetime]


class Counter(Base):
    """Numbers that are given out in order, such as the case codes of a year."""

    __tablename__ = "counters"
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[int]


class Setting(Base):
    """A setting of the installation that people change while it runs."""

    __tablename__ = "settings"
    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    value: Mapped[dict[str, Any]]


class Lease(Base):
    """The holder of the jobs: one at a time, until it releases the lease or the time is over."""

    __tablename__ = "leases"
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    holder: Mapped[str] = mapped_column(String(80))
    until: Mapped[dt.datetime]
    seen_at: Mapped[dt.datetime]
