"""Stores digests of processed forms by their keys; see `engine.usecases.idempotency`."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from engine.store.tables import SentForm


def digest_of(session: Session, key: str) -> str | None:
    """Returns the digest stored with this key; None for a new key, or one from before there were digests."""
    return session.execute(select(SentForm.digest).where(SentForm.key == key)).scalar()


def keep(session: Session, key: str, digest: str, at: dt.datetime) -> None:
    """Stores a digest; an existing one stays."""
    dialect: Any = sqlite if session.connection().dialect.name == "sqlite" else postgresql
    row = {"key": key, "digest": digest, "at": at}
    session.execute(dialect.insert(SentForm).values(row).on_conflict_do_nothing())
