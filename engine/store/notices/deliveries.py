"""Stores deliveries: one worker at a time claims, tries and marks each; the operator reads the results."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.orm import Session

from engine.store import tables as t
from engine.store.bulk import among
from engine.store.cases.surroundings import cases, chunks, units
from engine.store.notices.notices import PENDING, deliveries, items, notices, people

FAILED, SENT, DEAD, VOID = "failed", "sent", "dead", "void"
STATES = (PENDING, FAILED, SENT, DEAD, VOID)
OVER = (SENT, DEAD, VOID)  # states after which nothing is tried
FORGOTTEN = "messages_forgotten"  # name of the setting that says when old messages were last deleted, and how many
MOST_ERROR = 300  # characters kept of an error


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that this worker has claimed; nobody else tries it before `until`. `attempts` counts earlier tries."""

    id: int
    key: str
    person_id: int
    channel: str
    kind: str
    day: dt.date | None
    urgent: bool
    attempts: int
    until: dt.datetime


_COLUMNS = (
    deliveries.c.id,
    deliveries.c.key,
    deliveries.c.person_id,
    deliveries.c.channel,
    deliveries.c.kind,
    deliveries.c.day,
    deliveries.c.urgent,
    deliveries.c.attempts,
    deliveries.c.next_try_at,
)


def take_due(session: Session, now: dt.datetime, limit: int, *, lock: bool = True) -> list[Claimed]:
    """Returns deliveries that are due, urgent ones first, locked until the transaction ends."""
    found: list[Claimed] = []
    for urgent in (True, False):
        query = (
            select(*_COLUMNS)
            .where(t.UNSENT, deliveries.c.urgent.is_(urgent), deliveries.c.next_try_at <= now)
            .order_by(deliveries.c.next_try_at)
            .limit(limit - len(found))
        )
        if lock:
            query = query.with_for_update(skip_locked=True)
        found += [Claimed(*row) for row in session.connection().execute(query)] if len(found) < limit else []
    return found


def claim(session: Session, taken: Sequence[Claimed], until: dt.datetime) -> list[Claimed]:
    """Claims these: nobody else tries them before `until`."""
    statement = update(deliveries).where(deliveries.c.id.in_([it.id for it in taken]))
    if taken:
        session.connection().execute(statement.values(next_try_at=until))
    return [replace(it, until=until) for it in taken]


_POSTPONE = update(deliveries).where(deliveries.c.id == bindparam("_id")).values(next_try_at=bindparam("_at"))


def postpone(session: Session, until: Mapping[int, dt.datetime]) -> None:
    """Sets an earliest moment for each of these (by id), without counting an attempt."""
    if until:
        session.connection().execute(_POSTPONE, [{"_id": id, "_at": at} for id, at in until.items()])


def give_back(session: Session, ids: Sequence[int], again_at: dt.datetime) -> None:
    """Releases claimed deliveries that were not tried: from then on anyone may try them."""
    statement = update(deliveries).where(deliveries.c.id.in_(ids)).values(next_try_at=again_at)
    if ids:
        session.connection().execute(statement)


def mark_sent(session: Session, id: int, now: dt.datetime, state: str = SENT) -> None:
    """Marks a delivery as sent (or, with `VOID`, as one that had nothing to say)."""
    values = {"state": state, "sent_at": now, "last_error": None, "attempts": deliveries.c.attempts + 1}
    session.connection().execute(update(deliveries).where(deliveries.c.id == id).values(values))


def mark_failed(session: Session, it: Claimed, why: str, again_at: dt.datetime | None) -> None:
    """Notes that this attempt failed; `again_at` is the next attempt, or None for a dead letter.

    Nothing changes if another worker has it by now, or has already sent it.
    """
    state = DEAD if again_at is None else FAILED
    values: dict[str, Any] = {"state": state, "last_error": why[:MOST_ERROR], "attempts": it.attempts + 1}
    if again_at is not None:
        values["next_try_at"] = again_at
    mine = (deliveries.c.id == it.id, deliveries.c.next_try_at == it.until, t.UNSENT)
    session.connection().execute(update(deliveries).where(*mine).values(values))


@dataclass(frozen=True, slots=True)
class DueNotice:
    """A notice in a delivery, with what its words need, and the places by which leaders count.

    A notice about an act on an account or a post has no case.
    """

    code: str | None
    workflow: str | None
    rules_version: int | None
    due_at: dt.datetime | None
    kind: str
    role: str
    school: str | None
    commune: str | None
    cases: int
    closure_id: int | None
    act_id: int | None


def told_by(session: Session, ids: Collection[int]) -> dict[int, list[DueNotice]]:
    """Returns the notices of some deliveries, the oldest first."""
    school, commune = units.alias("school"), units.alias("commune")
    found: dict[int, list[DueNotice]] = {}
    for chunk in chunks(ids):
        query = (
            select(
                items.c.delivery_id,
                cases.c.code,
                cases.c.workflow,
                cases.c.rules_version,
                cases.c.due_at,
                notices.c.kind,
                notices.c.role,
                school.c.name,
                commune.c.name,
                notices.c.cases,
                notices.c.closure_id,
                notices.c.act_id,
            )
            .join(notices, notices.c.id == items.c.notice_id)
            .outerjoin(cases, cases.c.id == notices.c.case_id)
            .outerjoin(school, school.c.id == cases.c.school_id)
            .outerjoin(commune, commune.c.id == cases.c.commune_id)
            .where(items.c.delivery_id.in_(chunk), notices.c.withdrawn_at.is_(None))
            .order_by(items.c.delivery_id, notices.c.id)
        )
        for delivery, *told in session.connection().execute(query):
            found.setdefault(delivery, []).append(DueNotice(*told))
    return found


# --- for people to look at --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Logged:
    """A line of the delivery log, without the text and the case of a message."""

    id: int
    person_id: int
    name: str
    channel: str
    kind: str
    urgent: bool
    state: str
    attempts: int
    made_at: dt.datetime
    next_try_at: dt.datetime
    sent_at: dt.datetime | None
    last_error: str | None


def log_of(
    session: Session, *, state: str = "", person_id: int | None = None, before: int | None = None, limit: int = 50
) -> list[Logged]:
    """Returns deliveries, the newest first; `before` is the last id of the previous page."""
    names = [field for field in Logged.__dataclass_fields__ if field != "name"]
    columns = {name: deliveries.c[name] for name in names} | {"name": people.c.name}
    where = [
        *([deliveries.c.state == state] if state else []),
        *([deliveries.c.person_id == person_id] if person_id is not None else []),
        *([deliveries.c.id < before] if before is not None else []),
    ]
    query = (
        select(*(columns[field] for field in Logged.__dataclass_fields__))
        .join(people, people.c.id == deliveries.c.person_id)
        .where(*where)
        .order_by(deliveries.c.id.desc())
        .limit(limit)
    )
    return [Logged(*row) for row in session.connection().execute(query)]


def count_by_state(session: Session, states: Collection[str] = (PENDING, FAILED, DEAD)) -> dict[str, int]:
    """Counts the deliveries that wait, that failed, and that were given up."""
    query = select(deliveries.c.state, func.count()).where(deliveries.c.state.in_(states)).group_by(deliveries.c.state)
    return dict.fromkeys(states, 0) | dict(session.connection().execute(query).all())


def oldest(session: Session, state: str, before: dt.datetime, limit: int) -> list[int]:
    """Returns the first `limit` deliveries in a state that were made before a moment."""
    query = (
        select(deliveries.c.id, deliveries.c.made_at)
        .where(deliveries.c.state == state)
        .order_by(deliveries.c.id)
        .limit(limit)
    )  # the index of states gives the oldest first, so the new ones are not read
    return [id for id, made_at in session.connection().execute(query) if made_at < before]


def delete(session: Session, ids: Collection[int]) -> None:
    """Deletes these deliveries; their notices stay."""
    for table, column in ((items, items.c.delivery_id), (deliveries, deliveries.c.id)):
        session.connection().execute(table.delete().where(among(column, ids)))


def revive(session: Session, now: dt.datetime, ids: Collection[int] | None = None) -> int:
    """Gives dead letters (these, or all) new attempts; returns how many."""
    these = [deliveries.c.id.in_(ids)] if ids is not None else []
    statement = update(deliveries).where(deliveries.c.state == DEAD, *these)
    return session.connection().execute(statement.values(state=PENDING, attempts=0, next_try_at=now)).rowcount
