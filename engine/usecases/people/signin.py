"""Signing in: an opaque token for each device, and the proof, asked for again before what matters, of who holds it.

The database holds only the token's SHA-256, so that a stolen copy opens nothing. A person signs in with a password, a
passkey (`engine.usecases.people.passkeys`) or a one-time code (`engine.usecases.people.signin_codes`); how is kept with
the device, and so is when the person last proved who they are.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
import unicodedata
from dataclasses import dataclass
from functools import cache

from engine.core.people import passwords
from engine.core.people.access import Viewer
from engine.core.people.account_events import CHOSEN
from engine.core.refusals import Invalid, NotFound, Refused
from engine.core.words import Sentence
from engine.store.people import signins
from engine.store.people.account_events import note
from engine.store.people.signins import Account, Device
from engine.store.people.staff import viewer_of
from engine.store.session import Session, Store
from engine.usecases.people import rate_limits
from engine.usecases.people.rate_limits import Origin

IDLE = dt.timedelta(days=14)  # a device that was not used for so long must sign in again
TOUCHED = dt.timedelta(minutes=1)  # how exact the last use is kept
LONGEST_LOGIN = 64
LONGEST_PASSWORD = 256
BY_PASSWORD, BY_PASSKEY, BY_CODE = "password", "passkey", "code"
# The person gave the device up, or it was taken from them: what it keeps of them is to be wiped. Not after a change of
# the password, when a phone out in the villages only asks for the new one.
GIVEN_UP = frozenset({signins.OTHER, signins.ADMIN})


class WrongPassword(Refused):
    """There is no such login, or it has another password; which of the two is not said."""

    code = "not_allowed"

    def __init__(self) -> None:
        super().__init__(Sentence("The login or the password is wrong."))


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who is signed in, on which device, and what they may reach today."""

    account: Account
    device: Device
    viewer: Viewer

    def proved(self, now: dt.datetime, within: dt.timedelta) -> bool:
        """Whether the person has proved who they are no longer ago than this."""
        return now - self.device.proved_at <= within

    @property
    def must_change(self) -> bool:
        """Whether they came with a password that somebody handed them, and must choose their own first."""
        return self.account.must_change and self.device.method == BY_PASSWORD


def fold_login(text: str) -> str:
    """A login as it is kept: no spaces around it, lower case."""
    return unicodedata.normalize("NFC", text).strip().casefold()[:LONGEST_LOGIN]


def sign_in(store: Store, login: str, password: str, origin: Origin, now: dt.datetime) -> str:
    """Sign in and return the device's token. Raises `WrongPassword` or `TooManyTries`."""
    login = fold_login(login)
    counted = rate_limits.on_sign_in(login, origin)
    account = rate_limits.admitted(store, login, counted, now)
    if not _right(account, password) or account is None:
        raise WrongPassword
    with store.writing("sign in") as session:
        rate_limits.release(session, counted)
        token = begin(session, account.id, origin.device, BY_PASSWORD, now)
        if passwords.needs_rehash(account.password_hash or ""):
            signins.refresh_hash(session, account.id, passwords.hash(password))
    return token


def begin(session: Session, person_id: int, device: str, method: str, now: dt.datetime) -> str:
    """A device is signed in, by a method that has been proved; returns its token."""
    token = secrets.token_urlsafe(32)
    signins.add(session, person_id, _hash(token), device[:200], method, now)
    return token


@cache
def _nobodys_hash() -> str:
    return passwords.hash(secrets.token_urlsafe(16))


def matches(kept: str | None, given: str) -> bool:
    """Whether this is the secret of a hash; takes as long where there is none."""
    right = passwords.verify(kept or _nobodys_hash(), given[:LONGEST_PASSWORD])
    return right and kept is not None


def _right(account: Account | None, password: str) -> bool:
    return matches(account.password_hash if account else None, password)


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


def was_given_up(store: Store, token: str) -> bool:
    """Whether the sign-in of this token was ended from another device or by an administrator: the device is to wipe
    what it keeps. False for one that ran out, was signed out on the device itself, or never was."""
    with store.reading("who ended a sign-in") as session:
        return signins.ended_by(session, _hash(token)) in GIVEN_UP


def devices(store: Store, person_id: int, now: dt.datetime) -> list[Device]:
    """The devices on which a person is signed in, the one used last first."""
    with store.reading("devices of a person") as session:
        return signins.devices(session, person_id, now - IDLE)


def sign_out(store: Store, signed_in: SignedIn, now: dt.datetime) -> None:
    """End the sign-in of the device in the person's hands. Raises `NotFound` if it has ended already."""
    _end(store, signed_in, signed_in.device.id, signins.SELF, now)


def end_device(store: Store, signed_in: SignedIn, device_id: int, now: dt.datetime) -> None:
    """End the sign-in of one of the person's devices from another. Raises `NotFound` if there is none."""
    by = signins.SELF if device_id == signed_in.device.id else signins.OTHER
    _end(store, signed_in, device_id, by, now)


def _end(store: Store, signed_in: SignedIn, device_id: int, by: str, now: dt.datetime) -> None:
    with store.writing("sign out") as session:
        if not signins.revoke(session, signed_in.account.id, now, by, only=device_id):
            raise NotFound(Sentence("This device is not signed in."))


def prove(store: Store, signed_in: SignedIn, password: str, field: str, now: dt.datetime) -> None:
    """Show again who one is, by the password. Raises `Invalid` (`field`) or `TooManyTries`."""
    check_password(store, signed_in, password, field, now)
    with store.writing("prove who one is") as session:
        signins.prove(session, signed_in.device.id, BY_PASSWORD, now)


def check_password(store: Store, signed_in: SignedIn, password: str, field: str, now: dt.datetime) -> None:
    """Look whether this is the person's password; a wrong one counts. Raises `Invalid` (field) or `TooManyTries`."""
    account = signed_in.account
    counted = rate_limits.on_device(account.login, signed_in.device.id)
    if not _right(rate_limits.admitted(store, account.login, counted, now), password):
        raise Invalid({field: Sentence("This is not your password.")})
    with store.writing("a right password") as session:
        rate_limits.release(session, counted)


def change_password(store: Store, signed_in: SignedIn, old: str | None, new: str, again: str, now: dt.datetime) -> None:
    """Take a new password; all other devices must sign in again. Raises `Invalid` by field, or `TooManyTries`.

    `old` is None for somebody who has just proved who they are otherwise, and may have forgotten it.
    """
    if old is not None:
        check_password(store, signed_in, old, "old", now)
    if sentence := _unfit(store, signed_in, new):
        raise Invalid({"new": sentence})
    if new != again:
        raise Invalid({"again": Sentence("The two new passwords differ.")})
    with store.writing("change a password") as session:
        signins.set_password(session, signed_in.account.id, passwords.hash(new))
        signins.revoke(session, signed_in.account.id, now, signins.PASSWORD, but=signed_in.device.id)
        if not signed_in.must_change:  # the first one of one's own is no news
            note(session, CHOSEN, signed_in.account.id, signed_in.account.id, now, tell_office=False)


def _unfit(store: Store, signed_in: SignedIn, new: str) -> Sentence | None:
    account = signed_in.account
    if len(new) > LONGEST_PASSWORD:
        return Sentence("A password can have {most} characters at most.", most=LONGEST_PASSWORD)
    if matches(account.password_hash, new):
        return Sentence("Choose another password than the one you have.")
    with store.reading("what the places of a person are called") as session:
        places = signins.places(session, signed_in.viewer)
    return passwords.is_too_weak(new, account.login, account.name, places)
