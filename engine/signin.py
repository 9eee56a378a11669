"""Signing in: an opaque token for each device, and brakes on guessing that lock nobody out for good.

The database holds only the token's SHA-256, so that a stolen copy opens nothing. Three brakes make a guesser wait: one
on a login from one source, one on a login from all strangers together, one on an address whatever the login. A device
on which the person has signed in before is a source of its own that strangers' guesses do not slow down, and every
wait ends: an attacker can hold up a new device for minutes, never the person's own phone.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
import unicodedata
from dataclasses import dataclass
from functools import cache

from engine import passwords
from engine.access import Viewer
from engine.refusals import Invalid, NotFound, Refused
from engine.store import signins
from engine.store.session import Session, Store
from engine.store.signins import Account, Device, Key
from engine.store.staff import viewer_of
from engine.words import Sentence

IDLE = dt.timedelta(days=14)  # a device that was not used for so long must sign in again
TOUCHED = dt.timedelta(minutes=1)  # how exact the last use is kept
REMEMBERED = dt.timedelta(days=1)  # a brake is off when nobody guessed for so long
LONGEST_LOGIN = 64
LONGEST_PASSWORD = 256
STRANGERS, ANY_LOGIN = "*", "*"


@dataclass(frozen=True, slots=True)
class Brake:
    """After `free` wrong passwords in a row each further one doubles the wait, from `first` up to `most`."""

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


class WrongPassword(Refused):
    """There is no such login, or it has another password; which of the two is not said."""

    code = "not_allowed"

    def __init__(self) -> None:
        super().__init__(Sentence("The login or the password is wrong."))


class TooManyTries(Refused):
    """Too many wrong passwords; `wait` says how long until the next try is heard."""

    code = "too_many"

    def __init__(self, wait: dt.timedelta) -> None:
        self.wait = wait
        minutes = -(-int(wait.total_seconds()) // 60)
        super().__init__(Sentence("Too many wrong passwords. Try again in {minutes} minutes.", minutes=max(1, minutes)))


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a try comes from: the client's address, what the device calls itself, and its mark if it is a known one.

    The caller has made sure that the mark was given to this login.
    """

    address: str
    device: str = ""
    known: str | None = None


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who is signed in, on which device, and what they may reach today."""

    account: Account
    device: Device
    viewer: Viewer


def fold_login(text: str) -> str:
    """A login as it is kept: no spaces around it, lower case."""
    return unicodedata.normalize("NFC", text).strip().casefold()[:LONGEST_LOGIN]


def sign_in(store: Store, login: str, password: str, origin: Origin, now: dt.datetime) -> str:
    """Sign in and return the device's token. Raises `WrongPassword` or `TooManyTries`.

    The try is counted as a wrong one before the password is looked at, so that many at once are counted, too.
    """
    login = fold_login(login)
    brakes = _brakes(login, origin)
    account = _admitted(store, login, brakes, now)
    if not _right(account, password) or account is None:
        raise WrongPassword
    token = secrets.token_urlsafe(32)
    with store.writing("sign in") as session:
        _release(session, brakes)
        signins.add(session, account.id, _hash(token), origin.device[:200], now)
        if passwords.needs_rehash(account.password_hash or ""):
            signins.refresh_hash(session, account.id, passwords.hash(password))
    return token


def _brakes(login: str, origin: Origin) -> dict[Key, Brake]:
    """The brakes on a try, the source's own one first."""
    if origin.known:
        return {(login, f"device:{origin.known}"[:80]): ONE_SOURCE}
    address = origin.address[:60]
    return {
        (login, f"address:{address}"): ONE_SOURCE,
        (login, STRANGERS): ALL_STRANGERS,
        (ANY_LOGIN, f"address:{address}"): ONE_ADDRESS,
    }


def _admitted(store: Store, login: str, brakes: dict[Key, Brake], now: dt.datetime) -> Account | None:
    """The account that a try is for, if any, once the try has been counted. Raises `TooManyTries`."""
    with store.writing("count a try to sign in") as session:
        signins.forget_failures(session, now - REMEMBERED)
        counted = signins.failures(session, brakes)
        wait = max((brakes[key].wait(*found, now) for key, found in counted.items()), default=dt.timedelta())
        if wait > dt.timedelta():
            raise TooManyTries(wait)
        for key in brakes:
            signins.count_failure(session, key, now)
        return signins.account(session, login)


def _release(session: Session, brakes: dict[Key, Brake]) -> None:
    own, *others = brakes
    signins.clear_failures(session, own)
    for key in others:
        signins.uncount_failure(session, key)


@cache
def _nobodys_hash() -> str:
    return passwords.hash(secrets.token_urlsafe(16))


def _right(account: Account | None, password: str) -> bool:
    """Whether this is the account's password; takes as long where there is no account."""
    kept = account.password_hash if account else None
    right = passwords.verify(kept or _nobodys_hash(), password[:LONGEST_PASSWORD])
    return right and kept is not None


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def who(store: Store, token: str, now: dt.datetime, today: dt.date) -> SignedIn | None:
    """Who is signed in with this token, or None if it does not hold (any more)."""
    with store.reading("who is signed in") as session:
        found = signins.signed_in(session, _hash(token), now - IDLE)
        if found is None:
            return None
        signed_in = SignedIn(*found, viewer_of(session, found[0].id, today))
    if now - signed_in.device.seen_at > TOUCHED:
        with store.writing("a device was used") as session:
            signins.touch(session, signed_in.device.id, now)
    return signed_in


def devices(store: Store, person_id: int, now: dt.datetime) -> list[Device]:
    """The devices on which a person is signed in, the one used last first."""
    with store.reading("devices of a person") as session:
        return signins.devices(session, person_id, now - IDLE)


def sign_out(store: Store, person_id: int, device_id: int, now: dt.datetime) -> None:
    """End the sign-in of one device of a person. Raises `NotFound` if the person is not signed in on it."""
    with store.writing("sign out") as session:
        if not signins.revoke(session, person_id, now, only=device_id):
            raise NotFound(Sentence("This device is not signed in."))


def change_password(store: Store, signed_in: SignedIn, old: str, new: str, again: str, now: dt.datetime) -> None:
    """Take a new password; all other devices must sign in again. Raises `Invalid` by field, or `TooManyTries`."""
    account = signed_in.account
    brakes: dict[Key, Brake] = {(account.login, f"signed-in:{signed_in.device.id}"): ONE_SOURCE}
    if not _right(_admitted(store, account.login, brakes, now), old):
        raise Invalid({"old": Sentence("This is not your password.")})
    with store.writing("change a password") as session:
        _release(session, brakes)
    if sentence := _unfit(account, old, new):
        raise Invalid({"new": sentence})
    if new != again:
        raise Invalid({"again": Sentence("The two new passwords differ.")})
    with store.writing("change a password") as session:
        signins.set_password(session, account.id, passwords.hash(new))
        signins.revoke(session, account.id, now, but=signed_in.device.id)


def _unfit(account: Account, old: str, new: str) -> Sentence | None:
    if len(new) > LONGEST_PASSWORD:
        return Sentence("A password can have {most} characters at most.", most=LONGEST_PASSWORD)
    if new == old:
        return Sentence("Choose another password than the one you have.")
    return passwords.is_too_weak(new, account.login, account.name)
