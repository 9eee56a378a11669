"""That a proxy stands in front which the settings do not name: noted for the operator."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from engine.core.words import Sentence
from engine.store.ops.settings import get_setting, put_setting
from engine.store.session import Session, Store

UNDECLARED = "undeclared_proxy"  # the setting: {"address": its address, "at": when it passed a try to sign in on}
RECENT = dt.timedelta(days=1)  # what was seen before is over


def note_undeclared(store: Store, address: str, now: dt.datetime, again: dt.timedelta) -> bool:
    """Note that a proxy at `address` is not declared; False if that was noted less than `again` ago."""
    with store.reading("was this proxy noted") as session:
        if _age(get_setting(session, UNDECLARED), now) < again:
            return False
    with store.writing("note a proxy that is not declared") as session:
        put_setting(session, UNDECLARED, {"address": address, "at": now.isoformat()})
    return True


def undeclared(session: Session, now: dt.datetime) -> str | None:
    """The address of a proxy that is not declared, if one was seen of late."""
    noted = get_setting(session, UNDECLARED)
    return str(noted["address"]) if _age(noted, now) < RECENT else None


def told(address: str) -> Sentence:
    """What the operator is to know and do."""
    return Sentence(
        "A proxy at {address} stands in front, and the setting trusted_proxies does not count it: everybody seems to "
        "come from there, and a guesser cannot be told from a school. Set trusted_proxies and start again.",
        address=address,
    )


def forget_undeclared(store: Store) -> None:
    """Proxies are declared now."""
    with store.reading("was a proxy noted") as session:
        noted = get_setting(session, UNDECLARED)
    if noted:
        with store.writing("forget a proxy that was not declared") as session:
            put_setting(session, UNDECLARED, {})


def _age(noted: Mapping[str, Any], now: dt.datetime) -> dt.timedelta:
    return abs(now - dt.datetime.fromisoformat(noted["at"])) if noted else dt.timedelta.max
