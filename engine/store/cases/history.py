"""Reads what happened to cases, to explain it and to play it again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from engine.core.cases.facts import Facts
from engine.core.cases.past import PastEvent, as_it_counts
from engine.core.people.access import Viewer
from engine.store import tables as t
from engine.store.cases.rows import any_of, known_arms
from engine.store.cases.surroundings import cases, chunks, read_facts

_TABLES = t.Base.metadata.tables
_events, _texts, _notices, _marks = (_TABLES[name] for name in ("events", "event_texts", "notices", "marks"))


def events_of(
    session: Session, case_ids: Collection[int], until: dt.datetime | None = None
) -> dict[int, list[PastEvent]]:
    """Returns the events of some cases, those of each case in order; with `until` only earlier ones."""
    found: dict[int, list[PastEvent]] = {case: [] for case in case_ids}
    for chunk in chunks(case_ids):
        query = (
            select(
                _events.c.case_id,
                _events.c.seq,
                _events.c.kind,
                _events.c.at,
                _events.c.person_id,
                _events.c.role,
                _events.c.data,
                _texts.c["values"],
            )
            .outerjoin(_texts, and_(_texts.c.case_id == _events.c.case_id, _texts.c.seq == _events.c.seq))
            .where(_events.c.case_id.in_(chunk), *([_events.c.at < until] if until else []))
            .order_by(_events.c.case_id, _events.c.seq)
        )
        for case, seq, kind, at, person, role, data, values in session.connection().execute(query):
            found[case].append(PastEvent(case, seq, kind, at, person, role, data, values or {}))
    return found


def entry_of(session: Session, case_id: int, entry: int | str) -> PastEvent | None:
    """Returns an entry as it counts: by its number, or the last one of a kind."""
    counted = as_it_counts(events_of(session, [case_id])[case_id])
    return next((event for event in reversed(counted) if entry in {event.seq, event.kind}), None)


def cases_between(
    session: Session, workflow: str, first: dt.datetime, end: dt.datetime, viewer: Viewer | None, after: int, limit: int
) -> list[Facts]:
    """Returns cases that were open at some time from `first` to `end`, with an id above `after`; `viewer` None sees
    all.
    """
    arms = known_arms(viewer) if viewer else []
    if viewer and not arms:
        return []
    return read_facts(
        session,
        cases.c.workflow == workflow,
        cases.c.opened_at < end,
        cases.c.closed_at >= first,
        cases.c.id > after,
        *([any_of(arms)] if arms else []),
        order=cases.c.id,
        limit=limit,
    )


def told_between(
    session: Session, case_ids: Collection[int], first: dt.datetime, end: dt.datetime
) -> Iterator[tuple[int, int, dt.datetime]]:
    """Returns case, person and moment of each notice of some cases from `first` to `end`, without notices of
    closures.
    """
    for chunk in chunks(case_ids):
        query = select(_notices.c.case_id, _notices.c.person_id, _notices.c.at).where(
            _notices.c.case_id.in_(chunk), _notices.c.at >= first, _notices.c.at < end, _notices.c.closure_id.is_(None)
        )
        yield from session.connection().execute(query)


def absences(
    session: Session, pupil_ids: Collection[int], first: dt.date, last: dt.date
) -> dict[int, list[tuple[dt.date, str]]]:
    """Returns the absent sessions of some pupils between two days, in the form of `Facts.marks`."""
    found: dict[int, list[tuple[dt.date, str]]] = {pupil: [] for pupil in pupil_ids}
    for chunk in chunks(pupil_ids):
        query = select(_marks.c.pupil_id, _marks.c.day, _marks.c.mark).where(
            _marks.c.pupil_id.in_(chunk), _marks.c.day >= first, _marks.c.day <= last, _marks.c.mark.in_(("e", "u"))
        )
        for pupil, day, mark in session.connection().execute(query.order_by(_marks.c.day)):
            found[pupil].append((day, mark))
    return found


def people_named(session: Session, ids: Collection[int]) -> dict[int, str]:
    """The names of some people."""
    found: dict[int, str] = {}
    for chunk in chunks(ids):
        rows = session.execute(
            select(_TABLES["people"].c.id, _TABLES["people"].c.name).where(_TABLES["people"].c.id.in_(chunk))
        )
        found |= dict(rows.all())
    return found


def version_after(session: Session, key: str) -> int | None:
    """Returns the version of the case after the request with this idempotency key; None if the key is new.

    Only the first event of an act has the key. Its other events have the same moment and no key.
    """
    first = select(_events.c.case_id, _events.c.at, _events.c.seq).where(_events.c.key == key).subquery()
    later = select(_events.c.seq, _events.c.key).join(
        first, (_events.c.case_id == first.c.case_id) & (_events.c.at == first.c.at) & (_events.c.seq >= first.c.seq)
    )
    version = None
    for seq, other in session.connection().execute(later.order_by(_events.c.seq)):
        if other not in {None, key}:
            break
        version = seq
    return version
