"""Checks the history of all cases: every chain, every count, every text that still exists."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter

from sqlalchemy import func, select

from engine.core.cases import chain
from engine.core.words import Sentence
from engine.store.session import Store
from engine.store.tables import Base

_cases, _events, _texts = (Base.metadata.tables[name] for name in ("cases", "events", "event_texts"))
FETCH = 2_000


def breaks(store: Store) -> Iterator[Sentence]:
    """Yields a sentence for each place where the chain of a case is broken; nothing if all chains are whole."""
    query = (
        select(
            _events.c.case_id,
            _events.c.seq,
            _events.c.kind,
            _events.c.at,
            _events.c.person_id,
            _events.c.role,
            _events.c.data,
            _events.c.text_hash,
            _events.c.previous_hash,
            _events.c.hash,
            _texts.c.salt,
            _texts.c["values"],
            _cases.c.code,
            _cases.c.version,
            _cases.c.last_hash,
        )
        .join(_cases, _cases.c.id == _events.c.case_id)
        .outerjoin(_texts, (_texts.c.case_id == _events.c.case_id) & (_texts.c.seq == _events.c.seq))
        .order_by(_events.c.case_id, _events.c.seq)
    )
    with store.reading("verify") as session:
        rows = session.connection().execution_options(yield_per=FETCH).execute(query)
        for _case, events in groupby(rows, key=itemgetter(0)):
            yield from _broken(events)
        silent = select(_cases.c.code).where(~select(_events.c.seq).where(_events.c.case_id == _cases.c.id).exists())
        for code in session.connection().execute(silent).scalars():
            yield Sentence("Case {code} has no event at all.", code=code)


def _broken(events: Iterator[tuple]) -> Iterator[Sentence]:  # type: ignore[type-arg]
    expected, previous, end = 1, chain.START, None
    for case, seq, kind, at, person, role, data, text, before, own, salt, values, code, version, last in events:
        end = (code, version, last)
        if seq != expected:
            yield Sentence("Case {code}: event {seq} is missing.", code=code, seq=expected)
        if before != previous:
            yield Sentence("Case {code}: event {seq} does not follow the one before.", code=code, seq=seq)
        if own != chain.event_hash(before, case, seq, kind, at, person, role, data, text):
            yield Sentence("Case {code}: event {seq} was changed.", code=code, seq=seq)
        if salt is not None and chain.text_hash(salt, values) != text:
            yield Sentence("Case {code}: what was written with event {seq} was changed.", code=code, seq=seq)
        expected, previous = seq + 1, own
    if end and (end[1] != expected - 1 or end[2] != previous):
        yield Sentence("Case {code}: the last event is not the one the case remembers.", code=end[0])


def count(store: Store) -> int:
    """Returns how many events there are to check."""
    with store.reading("verify") as session:
        return session.connection().execute(select(func.count()).select_from(_events)).scalar_one()
