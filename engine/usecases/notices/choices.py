"""Stores what a person chooses about notices: reads the form, checks all of it, stores it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping

from engine.core.notices.planning import EMAIL, PUSH, ChosenChannel, Recipient, ToldWhen
from engine.core.refusals import Invalid
from engine.core.words import Sentence
from engine.store.notices import notices as stored
from engine.store.notices.notices import Browser
from engine.usecases.context import Context

OFF, DIGEST, AT_ONCE = "off", "digest", "at_once"
WAYS = (OFF, DIGEST, AT_ONCE)
LONGEST_ADDRESS = 200
LONGEST_ENDPOINT, LONGEST_KEY, LONGEST_SECRET = 1000, 120, 40
# 6:30, 06:30, 6h30, 6 giờ 30, 22h
_TIME = re.compile(r"(\d{1,2})\s*(?::|\.|h|g|giờ)\s*(\d{2})?", re.IGNORECASE)
_EMAIL = re.compile(r"[^\s@<>,;]+@[^\s@<>,;]+\.[^\s@<>,;]+")


def reader(context: Context, person_id: int) -> Recipient:
    """Returns what the person has chosen so far."""
    with context.store.reading("one's own choices") as session:
        return stored.read_readers(session, [person_id])[person_id]


def way_of(found: Recipient, channel: str) -> str:
    """Returns the setting of a channel for the person: one of `WAYS`; the digest by e-mail if they never chose."""
    choice = next((choice for choice in found.stored if choice.channel == channel), None)
    if choice is None:
        return DIGEST if channel == EMAIL else OFF
    return (DIGEST if choice.digest else AT_ONCE) if choice.enabled else OFF


def choose(context: Context, person_id: int, values: Mapping[str, str]) -> None:
    """Stores the choices of a form.

    `values`: for each channel NAME of the installation `NAME_way` (one of `WAYS`) and `NAME_address`; `quiet_from`,
    `quiet_to` and `digest_at` as people write times. Raises `Invalid` with everything that is wrong.
    """
    faults: dict[str, Sentence] = {}
    hours = ToldWhen(*(_minutes(name, values, faults) for name in ("quiet_from", "quiet_to", "digest_at")))
    choices = [_choice(name, values, faults) for name in context.outbox.channels]
    if faults:
        raise Invalid(faults)
    with context.store.writing("choose how to be told") as session:
        stored.put_choices(session, person_id, hours, choices)


def _minutes(name: str, values: Mapping[str, str], faults: dict[str, Sentence]) -> int:
    found = _TIME.fullmatch(values.get(name, "").strip())
    hour, minute = (int(found[1]), int(found[2] or 0)) if found else (24, 0)
    if hour > 23 or minute > 59:
        faults[name] = Sentence("Write a time of day, for example 06:30.")
        return 0
    return hour * 60 + minute


def _choice(channel: str, values: Mapping[str, str], faults: dict[str, Sentence]) -> ChosenChannel:
    way, address = values.get(f"{channel}_way", OFF), values.get(f"{channel}_address", "").strip()
    if way not in WAYS:
        faults[f"{channel}_way"] = Sentence("Choose one of these.")
    if fault := _address_fault(channel, address, needed=way != OFF):
        faults[f"{channel}_address"] = fault
    return ChosenChannel(channel, way != OFF, way == DIGEST, address)


def _address_fault(channel: str, address: str, *, needed: bool) -> Sentence | None:
    if len(address) > LONGEST_ADDRESS or any(char.isspace() or not char.isprintable() for char in address):
        return Sentence("This is no address: it has blanks in it, or is too long.")
    if channel == EMAIL and address and not _EMAIL.fullmatch(address):
        return Sentence("Write an e-mail address, for example lan@example.vn.")
    if needed and not address and channel not in {EMAIL, PUSH}:
        return Sentence("Without this nothing can reach you there.")
    return None


def allow_browser(context: Context, person_id: int, browser: Browser, device: str, now: dt.datetime) -> None:
    """Turns on push messages to this browser, at once unless the person chose otherwise.

    Raises `Invalid` for an address of an unknown push service.
    """
    accepts = getattr(context.outbox.channels.get(PUSH), "accepts", None)
    fits = len(browser.endpoint) <= LONGEST_ENDPOINT and len(browser.p256dh) <= LONGEST_KEY
    if not (accepts and fits and len(browser.auth) <= LONGEST_SECRET and accepts(browser.endpoint)):
        raise Invalid({"endpoint": Sentence("Push messages cannot be sent to this browser.")})
    found = reader(context, person_id)
    with context.store.writing("allow a browser") as session:
        stored.add_browser(session, person_id, browser, device, now)
        if way_of(found, PUSH) == OFF:
            stored.put_choices(session, person_id, found.hours, [ChosenChannel(PUSH, enabled=True, digest=False)])


def forbid_browser(context: Context, person_id: int, endpoint: str) -> None:
    """Turns off push messages to this browser of the person."""
    with context.store.writing("forbid a browser") as session:
        stored.drop_browser(session, endpoint, person_id)
