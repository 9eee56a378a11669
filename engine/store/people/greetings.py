"""Stores for which roles a person has dismissed the first steps."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from engine.store import tables as t

_GREETED = select(t.Greeting.role).where(t.Greeting.person_id == bindparam("person"))


def greeted(session: Session, person_id: int) -> frozenset[str]:
    """Returns the roles whose first steps the person has dismissed."""
    return frozenset(session.execute(_GREETED, {"person": person_id}).scalars())


def greet(session: Session, person_id: int, roles: Collection[str], now: dt.datetime) -> None:
    """Notes that they are dismissed; earlier notes stay."""
    dialect: Any = sqlite if session.connection().dialect.name == "sqlite" else postgresql
    rows = [{"person_id": person_id, "role": role, "at": now} for role in sorted(roles)]
    if rows:
        session.execute(dialect.insert(t.Greeting).values(rows).on_conflict_do_nothing())
