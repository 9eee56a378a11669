"""Limits the rate of guessing, without locking anybody out for ever.

Three limits make a guesser wait: one for a login from one source, one for a login from all unknown devices together,
one for an address with any login. A device on which the person has signed in before is a separate source, which guesses
from elsewhere do not slow down. Every wait ends: an attacker can delay a new device for minutes, but never the person's
own phone. Passwords and one-time codes are counted together.

An address shared by everybody (of a proxy that the settings do not name) does not count as a source. Then only the
limit of the login counts, so that a guesser delays nobody else.
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

REMEMBERED = dt.timedelta(days=1)  # a limit is forgotten when nobody guessed for so long
STRANGERS, ANY_LOGIN = "*", "*"


@dataclass(frozen=True, slots=True)
class RateLimit:
    """A limit: after `free` wrong tries in a row each further one doubles the wait, from `first` up to `most`."""

    free: int
    first: dt.timedelta
    most: dt.timedelta

    def wait(self, count: int, last_at: dt.datetime, now: dt.datetime) -> dt.timedelta:
        """Returns how long from `now` until the next try is allowed; zero or less: at once."""
        if count < self.free or now - last_at > REMEMBERED:
            return dt.timedelta()
        doubled: dt.timedelta = self.first * 2 ** min(count - self.free, 16)
        return min(doubled, self.most) - (now - last_at)


ONE_SOURCE = RateLimit(5, dt.timedelta(seconds=30), dt.timedelta(minutes=15))
ALL_STRANGERS = RateLimit(30, dt.timedelta(seconds=2), dt.timedelta(minutes=5))
# A whole school may share one address.
ONE_ADDRESS = RateLimit(100, dt.timedelta(seconds=1), dt.timedelta(minutes=1))

RateLimits = Mapping[Key, RateLimit]


class TooManyTries(Refused):
    """Too many wrong tries; `wait` says how long until the next one is allowed."""

    code = "too_many"

    def __init__(self, wait: dt.timedelta) -> None:
        self.wait = wait
        minutes = -(-int(wait.total_seconds()) // 60)
        super().__init__(Sentence("Too many wrong passwords. Try again in {minutes} minutes.", minutes=max(1, minutes)))


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a try comes from: the client's address, the device's name, and its mark if it is a known device.

    The address is "" if many share it.

    The caller has checked that the mark belongs to this login.
    """

    address: str
    device: str = ""
    known: str | None = None


def on_sign_in(login: str, origin: Origin) -> RateLimits:
    """Returns the limits for a try to sign in, that of the source first."""
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


def on_device(login: str, device_id: int) -> RateLimits:
    """Returns the limit for tries from a signed-in device."""
    return {(login, f"signed-in:{device_id}"): ONE_SOURCE}


def admitted(store: Store, login: str, rate_limits: RateLimits, now: dt.datetime) -> Account | None:
    """Counts the try as wrong, and returns its account, if any. Raises `TooManyTries`.

    It counts before it compares, so that each of many simultaneous tries sees those before it.
    """
    with store.writing("count a try to sign in") as session:
        signins.forget_failures(session, now - REMEMBERED)
        counted = signins.failures(session, rate_limits)
        wait = max((rate_limits[key].wait(*found, now) for key, found in counted.items()), default=dt.timedelta())
        if wait > dt.timedelta():
            raise TooManyTries(wait)
        for key in rate_limits:
            signins.count_failure(session, key, now)
        return signins.account(session, login)


def release(session: Session, rate_limits: RateLimits) -> None:
    """Takes back a correct try: its source begins again at zero; shared limits do not count it."""
    for login, source in rate_limits:
        shared = login == ANY_LOGIN or source == STRANGERS
        (signins.uncount_failure if shared else signins.clear_failures)(session, (login, source))
