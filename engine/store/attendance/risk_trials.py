"""Stores trials of the risk watch: what they ask, their progress, the registers they read and what they counted."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Row, delete, exists, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from engine.store import tables as t
from engine.store.bulk import among
from engine.store.cases.surroundings import cases, links, marks, units
from engine.store.session import now_utc

_TABLES = t.Base.metadata.tables
trials, counts, _proposals, _pupils = (
    _TABLES[name] for name in ("risk_trials", "risk_trial_counts", "proposals", "pupils")
)
OPEN_STATES = ("waiting", "running")
DEAD_AFTER = dt.timedelta(seconds=60)  # after this time without a sign of life another worker may go on with a trial


@dataclass(frozen=True, slots=True)
class PastCase:
    """A case against which a trial judges alarms: its first and last day (None: still open), and how it ended."""

    first: dt.date
    last: dt.date | None
    state: str
    entry: int


class SignalCount(NamedTuple):
    """The results of a signal: its alarms, those that saw an absence first, those that were right and wrong."""

    alarms: int
    led: int
    founded: int
    unfounded: int


def nearest(session: Session, modes: Mapping[int, str]) -> dict[int, str]:
    """Returns the settings for the schools in some units; if several units above a school have one, the nearest
    counts.
    """
    if not modes:
        return {}
    query = (
        select(links.c.descendant_id, links.c.ancestor_id)
        .join(units, units.c.id == links.c.descendant_id)
        .where(among(links.c.ancestor_id, modes), units.c.kind == "school")
        .order_by(links.c.depth.desc())
    )
    return {school: modes[unit] for school, unit in session.connection().execute(query)}


# --- how far a trial is -----------------------------------------------------------------------------------------------


def ask(session: Session, values: Mapping[str, object]) -> int:
    """Adds a trial, or finds the one that has not ended yet; returns its id."""
    connection = session.connection()
    query = select(trials.c.id).where(trials.c.state.in_(OPEN_STATES)).order_by(trials.c.id)
    there = connection.execute(query).scalar()
    if there is not None:
        return int(there)
    return int(connection.execute(insert(trials).values(**values).returning(trials.c.id)).scalar_one())


def latest(session: Session, *states: str) -> Row[Any] | None:
    """Returns the newest trial, of all or of those in some states."""
    query = select(trials).order_by(trials.c.id.desc()).limit(1)
    return session.connection().execute(query.where(trials.c.state.in_(states)) if states else query).one_or_none()


def take(session: Session) -> Row[Any] | None:
    """Takes a trial that waits, or whose worker has died; None if there is neither."""
    free = trials.c.seen_at.is_(None) | (trials.c.seen_at < now_utc() - DEAD_AFTER)
    waits = select(func.min(trials.c.id)).where(trials.c.state.in_(OPEN_STATES), free).scalar_subquery()
    taken = update(trials).where(trials.c.id == waits, free).values(seen_at=now_utc(), state="running")
    return session.connection().execute(taken.returning(trials)).one_or_none()


def advance(session: Session, trial_id: int, before: int, **values: object) -> bool:
    """Notes the progress of a trial, in the transaction of its counts; False if somebody else was faster."""
    same = (trials.c.id == trial_id, trials.c.next_pupil == before, trials.c.state == "running")
    return session.connection().execute(update(trials).where(*same).values(seen_at=now_utc(), **values)).rowcount == 1


def let_go(session: Session, trial_id: int) -> None:
    """Lets another worker go on at once."""
    session.connection().execute(update(trials).where(trials.c.id == trial_id).values(seen_at=None))


def forget_before(session: Session, trial_id: int) -> None:
    """Deletes the trials before this one."""
    session.connection().execute(delete(trials).where(trials.c.id < trial_id))


# --- what it reads ----------------------------------------------------------------------------------------------------


def _absent(first: dt.date, last: dt.date) -> Any:
    missed = (marks.c.pupil_id == _pupils.c.id, marks.c.day.between(first, last), t.ABSENT)
    return exists(select(marks.c.pupil_id).where(*missed).correlate(_pupils))


def absent_between(session: Session, first: dt.date, last: dt.date, after: int, limit: int) -> list[int]:
    """Returns the next enrolled pupils by id (from `after` on) who were absent between two days."""
    where = (_pupils.c.id > after, _pupils.c.status == "enrolled", _absent(first, last))
    query = select(_pupils.c.id).where(*where).order_by(_pupils.c.id).limit(limit)
    return list(session.connection().execute(query).scalars())


def number_absent(session: Session, first: dt.date, last: dt.date) -> int:
    """Returns how many enrolled pupils were absent between two days."""
    query = select(func.count()).select_from(_pupils).where(_pupils.c.status == "enrolled", _absent(first, last))
    return int(session.connection().execute(query).scalar_one())


def cases_of(session: Session, workflow: str, pupil_ids: Collection[int]) -> dict[int, list[PastCase]]:
    """All cases of some pupils."""
    c = cases.c
    query = select(c.pupil_id, c.opened_at, c.closed_at, c.state, c.entry).where(
        among(c.pupil_id, pupil_ids), c.workflow == workflow
    )
    found: dict[int, list[PastCase]] = defaultdict(list)
    for pupil, opened, closed, state, entry in session.connection().execute(query):
        found[pupil].append(PastCase(opened.date(), closed.date() if closed else None, state, entry))
    return found


def sibling_cases(session: Session, workflow: str, pupil_ids: Collection[int]) -> dict[int, list[PastCase]]:
    """Returns the cases of siblings, found as in `watch.with_sibling_case`."""
    other, c = _pupils.alias("sibling"), cases.c
    same = (
        other.c.guardian_phone == _pupils.c.guardian_phone,
        other.c.commune_id == _pupils.c.commune_id,
        (other.c.id != _pupils.c.id) & _pupils.c.guardian_phone.regexp_match("^[0+]"),  # not "không có"
    )
    query = (
        select(_pupils.c.id, c.opened_at, c.closed_at, c.state, c.entry)
        .join(other, same[0] & same[1] & same[2])
        .join(cases, c.pupil_id == other.c.id)
        .where(among(_pupils.c.id, pupil_ids), c.workflow == workflow)
    )
    found: dict[int, list[PastCase]] = defaultdict(list)
    for pupil, opened, closed, state, entry in session.connection().execute(query):
        found[pupil].append(PastCase(opened.date(), closed.date() if closed else None, state, entry))
    return found


def dismissed(session: Session, pupil_ids: Collection[int]) -> dict[int, list[dt.date]]:
    """The days of the proposals that were dismissed, by pupil."""
    p = _proposals.c
    query = select(p.pupil_id, p.day).where(
        among(p.pupil_id, pupil_ids), p.decided_at.is_not(None), p.case_id.is_(None)
    )
    found: dict[int, list[dt.date]] = defaultdict(list)
    for pupil, day in session.connection().execute(query):
        found[pupil].append(day)
    return found


# --- what it counted --------------------------------------------------------------------------------------------------


def add(session: Session, trial_id: int, found: Mapping[tuple[int, str], SignalCount]) -> None:
    """Adds the counts of a piece, by school and signal."""
    if not found:
        return
    dialect: Any = sqlite if session.connection().dialect.name == "sqlite" else postgresql
    rows = [
        {"trial_id": trial_id, "school_id": school, "signal": signal, **count._asdict()}
        for (school, signal), count in found.items()
    ]
    statement = dialect.insert(counts)
    sums = {name: counts.c[name] + statement.excluded[name] for name in SignalCount._fields}
    again = statement.on_conflict_do_update(index_elements=list(counts.primary_key), set_=sums)
    session.connection().execute(again, rows)


def counted(session: Session, trial_id: int, school_ids: Sequence[int] | None) -> dict[str, SignalCount]:
    """Returns the counts of a trial at some schools, or at all."""
    sums = [func.sum(counts.c[name]) for name in SignalCount._fields]
    query = select(counts.c.signal, *sums).where(counts.c.trial_id == trial_id).group_by(counts.c.signal)
    if school_ids is not None:
        query = query.where(among(counts.c.school_id, school_ids))
    return {signal: SignalCount(*map(int, numbers)) for signal, *numbers in session.connection().execute(query)}
