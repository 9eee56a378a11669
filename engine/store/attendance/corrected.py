"""Reads which cases of the risk watch rest on marks that were corrected, and what holds them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from engine.core.cases.facts import Facts
from engine.store import tables as t
from engine.store.bulk import among
from engine.store.cases.surroundings import cases, read_facts
from engine.store.tables.types import FAR

_TABLES = t.Base.metadata.tables
_changes, _alarms, _holds = (_TABLES[name] for name in ("mark_changes", "alarms", "holds"))
MARK_ERROR = "mark_error"  # the step that is proposed
REASON = "marks_corrected"  # of a hold until somebody decides whether the case was opened in error


def corrected(session: Session, pupil_ids: Collection[int], at: dt.datetime) -> set[int]:
    """Returns those of the pupils of whom an absence was corrected at this moment."""
    c = _changes.c
    query = select(c.pupil_id).where(
        among(c.pupil_id, pupil_ids), c.at == at, c.old_mark.in_(("e", "u")), c.new_mark != "u"
    )
    return set(session.connection().execute(query).scalars())


def opened_by_watch(session: Session, workflow: str, pupil_ids: Collection[int]) -> list[Facts]:
    """Returns the open cases of some pupils that the risk watch opened, locked."""
    if not pupil_ids:
        return []
    opened = select(_alarms.c.pupil_id).where(_alarms.c.case_id == cases.c.id, _alarms.c.opened).exists()
    where = (t.OPEN, cases.c.workflow == workflow, among(cases.c.pupil_id, pupil_ids), opened)
    return read_facts(session, *where, lock=True, order=cases.c.id)


def is_held(session: Session, case_id: int) -> bool:
    """Returns whether a case is held until somebody decides about it."""
    query = select(_holds.c.case_id).where(*_open(case_id))
    return session.connection().execute(query.limit(1)).first() is not None


def proposed(session: Session, case_id: int) -> str:
    """Returns the step that is proposed for a case; "" for none."""
    return MARK_ERROR if is_held(session, case_id) else ""


def _open(case_id: int) -> tuple[ColumnElement[bool], ...]:
    return _holds.c.case_id == case_id, _holds.c.reason == REASON, _holds.c.ends_at >= FAR


def release(session: Session, case_id: int, now: dt.datetime) -> list[int]:
    """Ends the hold of a case; returns the numbers of the events that began it."""
    ended = update(_holds).where(*_open(case_id)).values(ends_at=now).returning(_holds.c.seq)
    return sorted(session.connection().execute(ended).scalars())
