"""Which roles' first steps a person has put away."""

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
    """The roles whose first steps the person has put away."""
    return frozenset(session.execute(_GREETED, {"person": person_id}).scalars())


def greet(session: Session, person_id: int, roles: Collection[str], now: dt.datetime) -> None:
    """They are put away; what was so before stays as it was."""
    dialect: Any = sqlite if session.connection().dialect.name == "sqlite" else postgresql
    rows = [{"person_id": person_id, "role": role, "at": now} for role in sorted(roles)]
    if rows:
        session.execute(dialect.insert(t.Greeting).values(rows).on_conflict_do_nothing())
