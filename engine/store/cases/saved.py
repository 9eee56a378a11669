"""Stores the filters that people save under a name, each for themselves."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, delete, func, insert, select, update
from sqlalchemy.orm import Session

from engine.core.refusals import Conflict, Invalid, NotFound
from engine.core.words import Sentence
from engine.store import tables as t

LONGEST, MOST = 40, 20  # characters of a name, filters of one person
_saved = t.Base.metadata.tables["saved_filters"]


@dataclass(frozen=True, slots=True)
class Saved:
    """Saved filters with their name, in the form of the list's address."""

    id: int
    name: str
    filters: Mapping[str, str]


_OWN = (
    select(t.SavedFilter.id, t.SavedFilter.name, t.SavedFilter.filters)
    .where(t.SavedFilter.person_id == bindparam("person"))
    .order_by(t.SavedFilter.name)
)


def saved_of(session: Session, person_id: int) -> list[Saved]:
    """Returns the saved filters of a person, by name."""
    rows: Any = session.execute(_OWN, {"person": person_id})
    return [Saved(*row) for row in rows]


def keep(session: Session, person_id: int, name: str, filters: Mapping[str, str], now: dt.datetime) -> None:
    """Saves filters under a name; if they are already saved under that name, nothing changes.

    Raises `Invalid` for a name or filters that are empty or a name too long; `Conflict` if the name belongs to other
    filters, or there are too many.
    """
    name = _name(name)
    if not filters:
        raise Invalid({"name": Sentence("Choose a filter first, then keep it.")})
    own = saved_of(session, person_id)
    if same := next((it for it in own if it.name == name), None):
        if same.filters == filters:
            return
        raise Conflict(Sentence("You have other filters of this name: give another name."))
    if len(own) >= MOST:
        raise Conflict(Sentence("You have {most} filters already: delete one first.", most=MOST))
    row = {"person_id": person_id, "name": name, "filters": dict(filters), "made_at": now}
    session.connection().execute(insert(_saved), row)


def rename(session: Session, person_id: int, id: int, name: str) -> None:
    """Gives filters another name. Raises the same exceptions as `keep`, and `NotFound` for filters of somebody else."""
    name = _name(name)
    taken = select(func.count()).where(_saved.c.person_id == person_id, _saved.c.name == name, _saved.c.id != id)
    if session.connection().execute(taken).scalar():
        raise Conflict(Sentence("You have other filters of this name: give another name."))
    own = update(_saved).where(_saved.c.id == id, _saved.c.person_id == person_id)
    if not session.connection().execute(own.values(name=name)).rowcount:
        raise NotFound(Sentence("There are no such filters of yours."))


def forget(session: Session, person_id: int, id: int) -> None:
    """Deletes filters; does nothing if they do not exist or belong to somebody else."""
    session.connection().execute(delete(_saved).where(_saved.c.id == id, _saved.c.person_id == person_id))


def _name(name: str) -> str:
    name = " ".join(name.split())
    if not name or len(name) > LONGEST:
        raise Invalid({"name": Sentence("Give a name of at most {most} characters.", most=LONGEST)})
    return name
