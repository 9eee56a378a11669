"""A proxy that the settings do not name is noted for the operator, and forgotten once proxies are declared."""

from __future__ import annotations

import datetime as dt

from engine.store.ops import proxies
from engine.store.session import Store


def note_undeclared(store: Store, address: str, now: dt.datetime, again: dt.timedelta) -> bool:
    """Note that a proxy at `address` is not declared; False if that was noted less than `again` ago."""
    with store.reading("was this proxy noted") as session:
        if proxies.age(proxies.last_noted(session), now) < again:
            return False
    with store.writing("note a proxy that is not declared") as session:
        proxies.note(session, address, now)
    return True


def forget_undeclared(store: Store) -> None:
    """Proxies are declared now."""
    with store.reading("was a proxy noted") as session:
        noted = proxies.last_noted(session)
    if noted:
        with store.writing("forget a proxy that was not declared") as session:
            proxies.forget(session)
