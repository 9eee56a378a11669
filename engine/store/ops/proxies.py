"""Notes for the operator that requests come through a proxy that the settings do not name."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from engine.core.words import Sentence
from engine.store.ops.settings import get_setting, put_setting
from engine.store.session import Session, Store

UNDECLARED = "undeclared_proxy"  # name of the setting: {"address": its address, "at": when it passed on a sign-in}
RECENT = dt.timedelta(days=1)  # older notes do not count


def note_undeclared(store: Store, address: str, now: dt.datetime, again: dt.timedelta) -> bool:
    """Notes that a proxy at `address` is not declared; returns False if that was noted less than `again` ago."""
    with store.reading("was this proxy noted") as session:
        if _age(get_setting(session, UNDECLARED), now) < again:
            return False
    with store.writing("note a proxy that is not declared") as session:
        put_setting(session, UNDECLARED, {"address": address, "at": now.isoformat()})
    return True


def undeclared(session: Session, now: dt.datetime) -> str | None:
    """Returns the address of an undeclared proxy, if one was seen lately."""
    noted = get_setting(session, UNDECLARED)
    return str(noted["address"]) if _age(noted, now) < RECENT else None


def advice(address: str) -> Sentence:
    """Returns what the operator should know and do."""
    return Sentence(
        "A proxy at {address} stands in front, and the setting trusted_proxies does not count it: everybody seems to "
        "come from there, and a guesser cannot be told from a school. Set trusted_proxies and start again.",
        address=address,
    )


def forget_undeclared(store: Store) -> None:
    """Deletes the note: proxies are declared now."""
    with store.reading("was a proxy noted") as session:
        noted = get_setting(session, UNDECLARED)
    if noted:
        with store.writing("forget a proxy that was not declared") as session:
            put_setting(session, UNDECLARED, {})


def _age(noted: Mapping[str, Any], now: dt.datetime) -> dt.timedelta:
    return abs(now - dt.datetime.fromisoformat(noted["at"])) if noted else dt.timedelta.max
