"""Compares marks with the changes that led to them: each change begins where the one before ended."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, and_, select

from engine.core.words import Sentence
from engine.store.tables import Base

_changes, _marks = (Base.metadata.tables[name] for name in ("mark_changes", "marks"))
FETCH = 2_000
_QUERY = (
    select(
        _changes.c.pupil_id,
        _changes.c.day,
        _changes.c.session,
        _changes.c.old_mark,
        _changes.c.old_at,
        _changes.c.old_by_id,
        _changes.c.new_mark,
        _changes.c.at,
        _changes.c.by_id,
        _marks.c.mark,
        _marks.c.at,
        _marks.c.by_id,
    )
    .outerjoin(
        _marks,
        and_(
            _marks.c.pupil_id == _changes.c.pupil_id,
            _marks.c.day == _changes.c.day,
            _marks.c.session == _changes.c.session,
        ),
    )
    .order_by(_changes.c.pupil_id, _changes.c.day, _changes.c.session, _changes.c.id)
)


def wrong_marks(connection: Connection) -> Iterator[Sentence]:
    """Yields a sentence for each mark that is not what its changes left, and for each change that is missing."""
    rows: Any = connection.execution_options(yield_per=FETCH).execute(_QUERY)
    for (pupil, day, session), changes in groupby(rows, key=itemgetter(0, 1, 2)):
        before: tuple[Any, ...] | None = None
        kept: tuple[Any, ...] = ()
        for row in changes:
            old, new, kept = tuple(row[3:6]), tuple(row[6:9]), tuple(row[9:12])
            if before is not None and old != before:
                yield Sentence(
                    "Pupil number {pupil}, {day} ({session}): a change of the mark is missing or was changed.",
                    pupil=pupil,
                    day=day,
                    session=session,
                )
            before = new
        if kept != before:
            yield Sentence(
                "Pupil number {pupil}, {day} ({session}): the mark is not the one that its last change left.",
                pupil=pupil,
                day=day,
                session=session,
            )
