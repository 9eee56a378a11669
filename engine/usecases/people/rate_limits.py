"""Brakes on guessing that lock nobody out for good.

Three brakes make a guesser wait: one on a login from one source, one on a login from all strangers together, one on an
address whatever the login. A device on which the person has signed in before is a source of its own that strangers'
guesses do not slow down, and every wait ends: an attacker can hold up a new device for minutes, never the person's own
phone. Passwords and one-time codes are counted together.

An address that stands for everybody (that of a proxy which the settings do not name) is no source: only the login's own
brake counts then, so that whoever guesses holds up nobody else.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from engine.core.refusals import Refused
from engine.core.words import Sentence
from engine.store.people import signins
from engine.store.people.signins import Account, Key
from engine.store.session import Session, Store

REMEMBERED = dt.timedelta(days=1)  # a brake is off when nobody guessed for so long
STRANGERS, ANY_LOGIN = "*", "*"


@dataclass(frozen=True, slots=True)
class Brake:
    """After `free` wrong tries in a row each further one doubles the wait, from `first` up to `most`."""

    free: int
    first: dt.timedelta
    most: dt.timedelta

    def wait(self, count: int, last_at: dt.datetime, now: dt.datetime) -> dt.timedelta:
        """How long from `now` until the next try is heard; zero or less: at once."""
        if count < self.free or now - last_at > REMEMBERED:
            return dt.timedelta()
        doubled: dt.timedelta = self.first * 2 ** min(count - self.free, 16)
        return min(doubled, self.most) - (now - last_at)


ONE_SOURCE = Brake(5, dt.timedelta(seconds=30), dt.timedelta(minutes=15))
ALL_STRANGERS = Brake(30, dt.timedelta(seconds=2), dt.timedelta(minutes=5))
# A whole school may share one address.
ONE_ADDRESS = Brake(100, dt.timedelta(seconds=1), dt.timedelta(minutes=1))

Brakes = Mapping[Key, Brake]


class TooManyTries(Refused):
    """Too many wrong tries; `wait` says how long until the next one is heard."""

    code = "too_many"

    def __init__(self, wait: dt.timedelta) -> None:
        self.wait = wait
        minutes = -(-int(wait.total_seconds()) // 60)
        super().__init__(Sentence("Too many wrong passwords. Try again in {minutes} minutes.", minutes=max(1, minutes)))


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a try comes from: the client's address ("" where it is nobody's own), what the device calls itself, and its
    mark if it is a known one.

    The caller has made sure that the mark was given to this login.
    """

    address: str
    device: str = ""
    known: str | None = None


def on_sign_in(login: str, origin: Origin) -> Brakes:
    """The brakes on a try to sign in, the source's own one first."""
    if origin.known:
        return {(login, f"device:{origin.known}"[:80]): ONE_SOURCE}
    if not origin.address:
        return {(login, STRANGERS): ALL_STRANGERS}
    address = origin.address[:60]
    return {
        (login, f"address:{address}"): ONE_SOURCE,
        (login, STRANGERS): ALL_STRANGERS,
        (ANY_LOGIN, f"address:{address}"): ONE_ADDRESS,
    }


def on_device(login: str, device_id: int) -> Brakes:
    """The brake on tries from a device that is signed in."""
    return {(login, f"signed-in:{device_id}"): ONE_SOURCE}


def admitted(store: Store, login: str, brakes: Brakes, now: dt.datetime) -> Account | None:
    """The account that a try is for, if any, once the try has been counted as a wrong one. Raises `TooManyTries`.

    It is counted before anything is compared, so that of many tries at once each sees those before it.
    """
    with store.writing("count a try to sign in") as session:
        signins.forget_failures(session, now - REMEMBERED)
        counted = signins.failures(session, brakes)
        wait = max((brakes[key].wait(*found, now) for key, found in counted.items()), default=dt.timedelta())
        if wait > dt.timedelta():
            raise TooManyTries(wait)
        for key in brakes:
            signins.count_failure(session, key, now)
        return signins.account(session, login)


def release(session: Session, brakes: Brakes) -> None:
    """The try was a right one: its source begins anew; what it shares with others has not counted it."""
    for login, source in brakes:
        shared = login == ANY_LOGIN or source == STRANGERS
        (signins.uncount_failure if shared else signins.clear_failures)(session, (login, source))
