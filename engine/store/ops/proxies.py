"""Notes for the operator that requests come through a proxy that the settings do not name."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from engine.core.words import Sentence
from engine.store.ops.settings import get_setting, put_setting
from engine.store.session import Session

UNDECLARED = "undeclared_proxy"  # name of the setting: {"address": its address, "at": when it passed on a sign-in}
RECENT = dt.timedelta(days=1)  # older notes do not count


def undeclared(session: Session, now: dt.datetime) -> str | None:
    """Returns the address of an undeclared proxy, if one was seen lately."""
    noted = get_setting(session, UNDECLARED)
    return str(noted["address"]) if age(noted, now) < RECENT else None


def advice(address: str) -> Sentence:
    """Returns what the operator should know and do."""
    return Sentence(
        "A proxy at {address} stands in front, and the setting trusted_proxies does not count it: everybody seems to "
        "come from there, and a guesser cannot be told from a school. Set trusted_proxies and start again.",
        address=address,
    )


def age(noted: Mapping[str, Any], now: dt.datetime) -> dt.timedelta:
    """How long ago it was noted; longer than ever if nothing was."""
    return abs(now - dt.datetime.fromisoformat(noted["at"])) if noted else dt.timedelta.max


def last_noted(session: Session) -> Mapping[str, Any]:
    """What was noted last: {} if nothing."""
    return get_setting(session, UNDECLARED)


def note(session: Session, address: str, now: dt.datetime) -> None:
    """Note a proxy."""
    put_setting(session, UNDECLARED, {"address": address, "at": now.isoformat()})


def forget(session: Session) -> None:
    """Nothing is noted any more."""
    put_setting(session, UNDECLARED, {})
