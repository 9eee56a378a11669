"""Tells people that cases came to them when others came or went: each once, of one case or of how many."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from engine.core.cases.facts import Facts
from engine.store import tables as t
from engine.store.bulk import among
from engine.store.notices.notices import insert_new

_notices = t.Base.metadata.tables["notices"]


def told_since(session: Session, found: Sequence[Facts]) -> set[tuple[int, int]]:
    """Returns who was told of which case since it asks what it asks: pairs of case and person."""
    since = {facts.id: facts.asked_at for facts in found}
    query = select(_notices.c.case_id, _notices.c.person_id, _notices.c.at).where(among(_notices.c.case_id))
    rows = session.connection().execute(query, {"ids": list(since)}) if since else ()
    return {(case, person) for case, person, at in rows if (asked := since[case]) is None or at >= asked}


@dataclass(frozen=True, slots=True)
class News:
    """What one person is told at once: of how many cases, with the first of them."""

    case_id: int
    seq: int
    person_id: int
    role: str
    kind: str
    urgent: bool = False
    cases: int = 1


def tell(session: Session, news: Iterable[News], at: dt.datetime) -> None:
    """Stores what people are told; who has an unread notice of the same run, not sent yet, gets the number into it."""
    rows = list(news)
    for one in rows:
        same = (
            _notices.c.person_id == one.person_id,
            _notices.c.kind == one.kind,
            _notices.c.at == at,
            _notices.c.planned_at.is_(None),
            _notices.c.read_at.is_(None),
        )
        more = update(_notices).where(*same).values(cases=_notices.c.cases + one.cases)
        if one.cases > 1 and session.connection().execute(more).rowcount:
            continue
        row = {name: getattr(one, name) for name in ("case_id", "seq", "person_id", "role", "kind", "urgent", "cases")}
        session.connection().execute(insert_new(session, _notices), row | {"at": at})
