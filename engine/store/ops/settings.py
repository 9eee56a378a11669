"""Stores settings that people change while the program runs, each as one small JSON object."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite

from engine.store.session import Session
from engine.store.tables import Setting

DEMO = "demo"  # {"on": true}: the people in this database are invented, and every page says so


def get_setting(session: Session, name: str) -> Mapping[str, Any]:
    """Returns the value of a setting; empty if nobody set it."""
    found = session.get(Setting, name)
    return found.value if found else {}


def put_setting(session: Session, name: str, value: Mapping[str, object]) -> None:
    """Sets a setting, whether or not it was set before."""
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    row = {"name": name, "value": dict(value)}
    statement = dialect.insert(Setting).values(row)  # two processes may set it at once
    session.execute(statement.on_conflict_do_update(index_elements=["name"], set_={"value": row["value"]}))
