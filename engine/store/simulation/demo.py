"""Fills an empty database with the demo's people, pupils and marks, and counts the results."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from engine.core.cases.facts import Facts
from engine.store import tables as t
from engine.store.cases.surroundings import cases, read_facts


def add_pupils(session: Session, pupils: Sequence[Mapping[str, object]]) -> dict[str, int]:
    """Stores pupils; returns their ids by code."""
    statement = insert(t.Pupil).returning(t.Pupil.code, t.Pupil.id)
    return dict(session.execute(statement, [dict(pupil) for pupil in pupils]).all())


def case_of(session: Session, code: str) -> Facts:
    """Returns the facts of a case."""
    return read_facts(session, cases.c.code == code)[0]


def case_states(session: Session) -> Mapping[str, int]:
    """How many cases are in each state."""
    return Counter(dict(session.execute(select(t.Case.state, func.count()).group_by(t.Case.state)).all()))


def overdue(session: Session, now: dt.datetime) -> int:
    """How many open cases are past their deadline."""
    query = select(func.count()).select_from(cases).where(t.OPEN, cases.c.due_at < now)
    return int(session.execute(query).scalar_one())


def raised(session: Session) -> int:
    """Returns how many open cases are on a higher level than at first."""
    query = select(func.count()).select_from(cases).where(t.OPEN, cases.c.level > 0)
    return int(session.execute(query).scalar_one())
