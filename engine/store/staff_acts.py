"""What was done to accounts, posts and absences as rows: only added to, read by administrators, without a scope."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session, aliased

from engine.store import tables as t

PAGE = 20

_by, _other = aliased(t.Person), aliased(t.Person)
_ACTS = (
    select(
        t.StaffAct.id, t.StaffAct.kind, t.StaffAct.at, _by.name, t.StaffAct.role, t.Unit.kind, t.Unit.name,
        t.StaffAct.first_day, t.StaffAct.last_day, _other.name,
    )
    .outerjoin(_by, _by.id == t.StaffAct.by_id)
    .outerjoin(_other, _other.id == t.StaffAct.other_id)
    .outerjoin(t.Unit, t.Unit.id == t.StaffAct.unit_id)
    .order_by(t.StaffAct.id.desc())
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Post:
    """A role held in a unit from one day to another, both included; `last` None: without an end."""

    role: str
    unit_id: int
    first: dt.date
    last: dt.date | None


@dataclass(frozen=True, slots=True)
class ActRow:
    """One act: by whom (None: on the command line); of a post its role, its unit and its days since then; of an absence
    its days, and the `other`: who stands in, or for whom."""

    id: int
    kind: str
    at: dt.datetime
    by: str | None
    role: str | None
    unit_kind: str | None
    unit: str | None
    first_day: dt.date | None
    last_day: dt.date | None
    other: str | None


def note(session: Session, kind: str, person: int, by: int | None, now: dt.datetime, post: Post | None = None) -> None:
    """Write down that somebody did this to a person's account, or to a post of theirs."""
    row = {"kind": kind, "at": now, "person_id": person, "by_id": by}
    if post is not None:
        row |= {"role": post.role, "unit_id": post.unit_id, "first_day": post.first, "last_day": post.last}
    session.execute(insert(t.StaffAct).values(row))


def note_absence(
    session: Session, kinds: tuple[str, str], person: int, delegate: int | None, days: tuple[dt.date, dt.date],
    by: int, now: dt.datetime,
) -> None:  # fmt: skip
    """Write down what was done about a person's absence: with them and, if somebody stands in, with that person too."""
    row = {"at": now, "by_id": by, "first_day": days[0], "last_day": days[1]}
    rows = [row | {"kind": kinds[0], "person_id": person, "other_id": delegate}]
    if delegate is not None:
        rows.append(row | {"kind": kinds[1], "person_id": delegate, "other_id": person})
    session.execute(insert(t.StaffAct), rows)


def acts_on(session: Session, person: int, before: int | None = None, limit: int = PAGE) -> list[ActRow]:
    """What was done to a person's account, posts and absences, the newest first; one more than `limit` if more."""
    own = [t.StaffAct.person_id == person, *([t.StaffAct.id < before] if before else [])]
    rows: Any = session.execute(_ACTS.where(*own).limit(limit + 1))
    return [ActRow(*row) for row in rows]
