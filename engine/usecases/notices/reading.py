"""A person has read what they were told; the operator has what could not be sent tried again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence

from engine.store.calendar import closures
from engine.store.cases import work_list
from engine.store.notices import deliveries
from engine.store.session import Store


def mark_read(store: Store, person_id: int, ids: Sequence[int], now: dt.datetime) -> int:
    """Note that a person has read some of their notices; how many were new."""
    with store.writing("mark notices as read") as session:
        return work_list.mark_read(session, person_id, ids, now)


def read_closure(store: Store, person_id: int, closure_id: int, now: dt.datetime) -> None:
    """Note that a person has read what they were told of a closure; nothing is written where nothing is new."""
    with store.reading("is there anything to note of this reading") as session:
        new = closures.unread(session, person_id, closure_id)
    if new:
        with store.writing("a notice about a closure is read") as session:
            closures.read(session, person_id, closure_id, now)


def try_again(store: Store, now: dt.datetime, ids: Collection[int] | None = None) -> int:
    """Give dead letters (these, or all) their attempts again; how many."""
    with store.writing("try dead letters again") as session:
        return deliveries.revive(session, now, ids)
