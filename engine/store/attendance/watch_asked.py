"""Stores the classes whose registers came in, until the risk watch has looked at them."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection
from typing import Any, NamedTuple

from sqlalchemy import bindparam, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from engine.store import tables as t
from engine.store.bulk import among
from engine.store.cases.surroundings import marks

_TABLES = t.Base.metadata.tables
_asked, _pupils, _taken, _members = (
    _TABLES[name] for name in ("watch_asked", "pupils", "sessions_taken", "class_memberships")
)


class AskedRegister(NamedTuple):
    """The register of a class on a day that the watch should look at; `token` changes when it is asked for again."""

    class_id: int
    day: dt.date
    token: str


def ask(session: Session, registers: Collection[tuple[int, dt.date]]) -> None:
    """Notes the registers of some classes and days, also if they were noted before."""
    if not registers:
        return
    dialect: Any = sqlite if session.connection().dialect.name == "sqlite" else postgresql
    token = uuid.uuid4().hex
    rows = [{"class_id": class_id, "day": day, "token": token} for class_id, day in sorted(registers)]
    statement = dialect.insert(_asked)
    again = statement.on_conflict_do_update(index_elements=["class_id", "day"], set_={"token": token})
    session.connection().execute(again, rows)


def asked(session: Session, limit: int) -> list[AskedRegister]:
    """Returns what is asked for on the oldest day."""
    a = _asked.c
    oldest = select(func.min(a.day)).scalar_subquery()
    query = select(a.class_id, a.day, a.token).where(a.day == oldest).order_by(a.class_id).limit(limit)
    return [AskedRegister(*row) for row in session.connection().execute(query)]


def answered(session: Session, done: Collection[AskedRegister]) -> None:
    """Deletes what was looked at, unless it was asked for again meanwhile."""
    a = _asked.c
    same = (a.class_id == bindparam("_class"), a.day == bindparam("_day"), a.token == bindparam("_token"))
    rows = [{"_class": one.class_id, "_day": one.day, "_token": one.token} for one in done]
    session.connection().execute(delete(_asked).where(*same), rows)


def not_seen_since(session: Session, class_ids: Collection[int], day: dt.date) -> list[int]:
    """Returns the pupils of some classes who, as far as is known, were not there after a day."""
    present = (marks.c.pupil_id == _pupils.c.id, marks.c.day > day, marks.c.mark.in_(("p", "l")))
    marked = select(marks.c.pupil_id).where(*present).correlate(_pupils).exists()
    same = (marks.c.pupil_id == _pupils.c.id, marks.c.day == _taken.c.day, marks.c.session == _taken.c.session)
    other = select(marks.c.pupil_id).where(*same).correlate(_pupils, _taken).exists()
    on_list = (
        select(_taken.c.day)
        .join(_members, _members.c.class_id == _taken.c.class_id)
        .where(
            _members.c.pupil_id == _pupils.c.id,
            _members.c.voided_at.is_(None),
            _members.c.recorded_at <= _taken.c.as_of,
            _members.c.valid_from <= _taken.c.day,
            _members.c.valid_to > _taken.c.day,
            _taken.c.day > day,
            ~other,
        )
        .correlate(_pupils)
        .exists()
    )
    where = (among(_pupils.c.class_id, class_ids), ~marked, ~on_list)
    query = select(_pupils.c.id).where(*where).order_by(_pupils.c.id)
    return list(session.connection().execute(query).scalars())
