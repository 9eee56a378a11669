"""Stores what was done to accounts, posts and absences. Rows are only added; administrators read them without a scope.

The same transaction tells the people concerned, and the education office over the place. If there is no office (or
nobody in it except the person who acts), it tells the administrators.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session, aliased

from engine.core.people.account_events import AT_ONCE, BESIDE, By
from engine.store import tables as t
from engine.store.people.concerned import told_beside

PAGE = 20
LONGEST_OPERATOR = 64

_by, _other = aliased(t.Person), aliased(t.Person)
_ACTS = (
    select(
        t.StaffAct.id,
        t.StaffAct.kind,
        t.StaffAct.at,
        _by.name,
        t.StaffAct.role,
        t.Unit.kind,
        t.Unit.name,
        t.StaffAct.first_day,
        t.StaffAct.last_day,
        _other.name,
        t.StaffAct.operator,
        t.Person.id,
        t.Person.name,
        t.Person.login,
    )
    .join(t.Person, t.Person.id == t.StaffAct.person_id)
    .outerjoin(_by, _by.id == t.StaffAct.by_id)
    .outerjoin(_other, _other.id == t.StaffAct.other_id)
    .outerjoin(t.Unit, t.Unit.id == t.StaffAct.unit_id)
    .order_by(t.StaffAct.id.desc())
)


@dataclass(frozen=True, slots=True)
class PostHeld:
    """A role held in a unit from one day to another, both included; `last` None: without an end."""

    role: str
    unit_id: int
    first: dt.date
    last: dt.date | None


@dataclass(frozen=True, slots=True)
class AccountEventRow:
    """One act on an account, a post or an absence: by whom, on whom, and what it was about.

    `by` is None for the command line, where `operator` is set. An act on a post has role, unit and the days since then.
    An act on an absence has its days and `other`: the person who stands in, or who is away.
    """

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
    operator: str | None
    person_id: int
    person: str
    login: str


def note(
    session: Session,
    kind: str,
    person: int,
    by: By,
    now: dt.datetime,
    post: PostHeld | None = None,
    *,
    tell_office: bool = True,
) -> None:
    """Notes an act on a person's account or post, and tells the people concerned."""
    row: dict[str, Any] = {"kind": kind, "at": now, "person_id": person, **_actor(by)}
    if post is not None:
        row |= {"role": post.role, "unit_id": post.unit_id, "first_day": post.first, "last_day": post.last}
    _add(session, row, by, post.unit_id if post else None, office=tell_office)


def note_absence(
    session: Session,
    kinds: tuple[str, str],
    person: int,
    delegate: int | None,
    days: tuple[dt.date, dt.date],
    by: By,
    now: dt.datetime,
) -> None:
    """Notes an act on a person's absence, for them and, if somebody stands in, for that person too.

    Nobody is told if a person entered their own absence and nobody stands in.
    """
    row = {"at": now, "first_day": days[0], "last_day": days[1], **_actor(by)}
    quiet = delegate is None and person == by
    _add(session, row | {"kind": kinds[0], "person_id": person, "other_id": delegate}, by, told=not quiet)
    if delegate is not None:
        _add(session, row | {"kind": kinds[1], "person_id": delegate, "other_id": person}, by, office=False)


def _actor(by: By) -> dict[str, Any]:
    if isinstance(by, str):
        return {"by_id": None, "operator": by[:LONGEST_OPERATOR]}
    return {"by_id": by, "operator": None}


def _add(
    session: Session, row: dict[str, Any], by: By, unit: int | None = None, *, told: bool = True, office: bool = True
) -> None:
    act = session.execute(insert(t.StaffAct).values(row).returning(t.StaffAct.id)).scalar_one()
    if not told:
        return
    person, kind, now = row["person_id"], row["kind"], row["at"]
    told_of = {"seq": 0, "at": now, "act_id": act}
    rows = [{"person_id": person, "role": "", "kind": kind, "urgent": kind in AT_ONCE, **told_of}]
    if office:
        beside = told_beside(session, person, by, unit, now.astimezone(dt.UTC).date())
        rows += [
            {"person_id": id, "role": role, "kind": BESIDE + kind, "urgent": False, **told_of}
            for id, role in sorted(beside.items())
        ]
    session.execute(insert(t.Notice), rows)


def acts_on(session: Session, person: int, before: int | None = None, limit: int = PAGE) -> list[AccountEventRow]:
    """Returns the acts on a person's account, posts and absences, the newest first; one more than `limit` if more."""
    own = [t.StaffAct.person_id == person, *([t.StaffAct.id < before] if before else [])]
    rows: Any = session.execute(_ACTS.where(*own).limit(limit + 1))
    return [AccountEventRow(*row) for row in rows]


def acts_of(session: Session, ids: Collection[int]) -> dict[int, AccountEventRow]:
    """Returns these acts, by number."""
    rows: Any = session.execute(_ACTS.where(t.StaffAct.id.in_(ids))) if ids else ()
    return {row[0]: AccountEventRow(*row) for row in rows}
