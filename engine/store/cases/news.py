"""Finds what others, people or rules, did lately to the cases that a person looks at."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, or_, select
from sqlalchemy.orm import Session

from engine.store import tables as t
from engine.store.bulk import among

QUIET = ("migrated", "placed", "return_confirmed", "adopted")  # events that nobody has to look at
_NEWS = (
    select(t.Event.case_id, t.Event.kind, t.Event.at, t.Event.person_id)
    .where(
        among(t.Event.case_id, name="cases"),
        t.Event.at >= bindparam("since"),
        or_(t.Event.person_id.is_(None), t.Event.person_id != bindparam("person")),
        *(t.Event.kind != kind for kind in QUIET),
    )
    .order_by(t.Event.case_id, t.Event.seq)
)


@dataclass(frozen=True, slots=True)
class News:
    """The newest event that somebody else, or a rule, made on a case: its kind and moment."""

    kind: str
    at: dt.datetime
    by_rule: bool


def news_of(session: Session, person_id: int, case_ids: Sequence[int], since: dt.datetime) -> dict[int, News]:
    """Returns the newest event for each case that others changed since a moment."""
    if not case_ids:
        return {}
    asked = {"cases": case_ids, "since": since, "person": person_id}
    return {case: News(kind, at, by is None) for case, kind, at, by in session.execute(_NEWS, asked)}
