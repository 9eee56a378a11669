"""Filters of the list of cases that a person keeps under a name."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from engine.store.cases import saved
from engine.store.session import Store


def keep(store: Store, person_id: int, name: str, filters: Mapping[str, str], now: dt.datetime) -> None:
    """Keep filters under a name. Raises what `engine.store.cases.saved.keep` raises."""
    with store.writing("keep filters") as session:
        saved.keep(session, person_id, name, filters, now)


def rename(store: Store, person_id: int, id: int, name: str) -> None:
    """Give filters another name. Raises what `keep` raises, and `NotFound` for filters of somebody else."""
    with store.writing("rename kept filters") as session:
        saved.rename(session, person_id, id, name)


def forget(store: Store, person_id: int, id: int) -> None:
    """Delete filters; nothing happens where they are gone already, or are somebody else's."""
    with store.writing("delete kept filters") as session:
        saved.forget(session, person_id, id)
