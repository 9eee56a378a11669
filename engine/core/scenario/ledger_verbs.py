"""The verbs of a scenario for the ledger of an association, and what can be expected of its balances."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from engine.core.support.catalogue import CASH
from engine.core.support.ledger import FUND, STOCK
from engine.core.toml_reader import NUMBER, TABLE, Reader, is_whole
from engine.core.words import Sentence

PLACES = (FUND, STOCK)
MONEY = "money"  # another word for cash
ONE_PLACE = Sentence("Name a fund or a stock, not both.")

Values = dict[str, Any]


def _moved(reader: Reader, at: dt.date) -> Values:
    """Returns how much of which kind, in which place, on which day. Money lies in a fund, goods lie in a stock."""
    said = reader.text("kind", CASH)
    kind = CASH if said == MONEY else said
    if all(place in reader for place in PLACES):
        reader.fault(STOCK, ONE_PLACE)
    usual = FUND if kind == CASH else STOCK
    where = next((place for place in PLACES if place in reader), usual)
    for place in PLACES:
        reader.raw(place)
    return {
        "kind": kind,
        "quantity": _amount(reader, "quantity"),
        "place": (where, reader.text(where, where)),
        "on": reader.day("on") or at,
    }


def _amount(reader: Reader, key: str) -> Decimal:
    value = reader.raw(key)
    try:
        found = Decimal(str(value)) if value is not None and not isinstance(value, bool) else None
    except InvalidOperation:
        found = None
    if found is None or not found.is_finite():
        reader.wrong(key, NUMBER) if key in reader else reader.fault(
            key, Sentence("This is missing; it must be {kind}.", kind=NUMBER)
        )
        return Decimal(1)
    return found


def _pledge(reader: Reader, at: dt.date) -> Values:
    return {**_moved(reader, at), "donor": reader.text("donor", "donor"), "until": reader.day("until")}


def _receive(reader: Reader, at: dt.date) -> Values:
    return {**_moved(reader, at), "donor": reader.text("donor", "donor"), "pledged": reader.flag("pledged")}


def _move(reader: Reader, at: dt.date) -> Values:
    return {**_moved(reader, at), "to": reader.text("to")}


def _with_reason(reader: Reader, at: dt.date) -> Values:
    return {**_moved(reader, at), "reason": reader.text("reason", "") if "reason" in reader else ""}


def _reason(reader: Reader, _at: dt.date) -> Values:
    return {"reason": reader.text("reason", "") if "reason" in reader else ""}


def _nothing(_reader: Reader, _at: dt.date) -> Values:
    return {}


LEDGER_VERBS: Mapping[str, Callable[[Reader, dt.date], Values]] = {
    "pledge": _pledge,
    "receive": _receive,
    "give": _moved,
    "agree": _nothing,
    "move": _move,
    "lose": _with_reason,
    "bring_back": _with_reason,
    "reverse": _reason,
}
"""A transition of the same name in a workflow comes first."""


def balance_of(reader: Reader, key: str) -> dict[str, Any]:
    """Returns what places must hold: by the name of each a number, or a number by kind."""
    inner = reader.table(key)
    if not isinstance(reader.data.get(key), dict):
        reader.wrong(key, TABLE)
    found: dict[str, Any] = {}
    for name in inner.data:
        value = inner.raw(name)
        if isinstance(value, dict):
            kinds = inner.table(name)
            found[name] = {kind: _amount(kinds, kind) for kind in kinds.data}
        elif is_whole(value) or isinstance(value, float):
            found[name] = _amount(inner, name)
        else:
            inner.wrong(name, NUMBER)
    return found
