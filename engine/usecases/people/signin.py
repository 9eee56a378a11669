"""Signs in: each device gets a random token. Before important acts a person proves again who they are.

The database has only the SHA-256 of the token, so a stolen copy opens nothing. A person signs in with a password, a
passkey (`engine.usecases.people.passkeys`) or a one-time code (`engine.usecases.people.signin_codes`); the device's row
stores which, and when the person last proved who they are.
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
from engine.core.people.roles import RoleBook
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
TOUCHED = dt.timedelta(minutes=1)  # how exactly the last use is stored
LONGEST_LOGIN = 64
LONGEST_PASSWORD = 256
BY_PASSWORD, BY_PASSKEY, BY_CODE = "password", "passkey", "code"
# The person gave up the device, or somebody took it from them: the data on it must be deleted. A changed password is
# not such a reason: then a phone in the villages only asks for the new one.
GIVEN_UP = frozenset({signins.OTHER, signins.ADMIN})


class WrongPassword(Refused):
    """The login does not exist, or has another password; the message does not say which."""

    code = "not_allowed"

    def __init__(self) -> None:
        super().__init__(Sentence("The login or the password is wrong."))


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The signed-in person, the device, and what they may reach today."""

    account: Account
    device: Device
    viewer: Viewer

    def proved(self, now: dt.datetime, within: dt.timedelta) -> bool:
        """Returns whether the person has proved who they are within this time."""
        return now - self.device.proved_at <= within

    @property
    def must_change(self) -> bool:
        """Returns whether they signed in with a password from somebody else, and must first choose their own."""
        return self.account.must_change and self.device.method == BY_PASSWORD


def fold_login(text: str) -> str:
    """Returns a login as it is stored: without spaces at the ends, in lower case."""
    return unicodedata.normalize("NFC", text).strip().casefold()[:LONGEST_LOGIN]


def sign_in(store: Store, login: str, password: str, origin: Origin, now: dt.datetime) -> str:
    """Signs in and returns the device's token. Raises `WrongPassword` or `TooManyTries`."""
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
    """Signs a device in after a proof; returns its token."""
    token = secrets.token_urlsafe(32)
    signins.add(session, person_id, _hash(token), device[:200], method, now)
    return token


@cache
def _nobodys_hash() -> str:
    return passwords.hash(secrets.token_urlsafe(16))


def matches(kept: str | None, given: str) -> bool:
    """Returns whether this is the secret of a hash; takes the same time without a hash."""
    right = passwords.verify(kept or _nobodys_hash(), given[:LONGEST_PASSWORD])
    return right and kept is not None


def _right(account: Account | None, password: str) -> bool:
    return matches(account.password_hash if account else None, password)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def who(store: Store, token: str, now: dt.datetime, today: dt.date, roles: RoleBook) -> SignedIn | None:
    """Returns who is signed in with this token; None if it is not valid (any more)."""
    with store.reading("who is signed in") as session:
        found = signins.signed_in(session, _hash(token), now - IDLE)
        if found is None:
            return None
        signed_in = SignedIn(*found, viewer_of(session, found[0].id, today, roles))
    if now - signed_in.device.seen_at > TOUCHED:
        with store.writing("a device was used") as session:
            signins.touch(session, signed_in.device.id, now)
    return signed_in


def was_given_up(store: Store, token: str) -> bool:
    """Returns whether the sign-in of this token was ended from another device or by an administrator.

    Then the device must delete what it stores. False if it ran out, was signed out on the device, or never existed.
    """
    with store.reading("who ended a sign-in") as session:
        return signins.ended_by(session, _hash(token)) in GIVEN_UP


def devices(store: Store, person_id: int, now: dt.datetime) -> list[Device]:
    """Returns the devices on which a person is signed in, the last used first."""
    with store.reading("devices of a person") as session:
        return signins.devices(session, person_id, now - IDLE)


def sign_out(store: Store, signed_in: SignedIn, now: dt.datetime) -> None:
    """Ends the sign-in of the device in the person's hands. Raises `NotFound` if it has already ended."""
    _end(store, signed_in, signed_in.device.id, signins.SELF, now)


def end_device(store: Store, signed_in: SignedIn, device_id: int, now: dt.datetime) -> None:
    """Ends the sign-in of one of the person's devices from another. Raises `NotFound` if it is unknown."""
    by = signins.SELF if device_id == signed_in.device.id else signins.OTHER
    _end(store, signed_in, device_id, by, now)


def _end(store: Store, signed_in: SignedIn, device_id: int, by: str, now: dt.datetime) -> None:
    with store.writing("sign out") as session:
        if not signins.revoke(session, signed_in.account.id, now, by, only=device_id):
            raise NotFound(Sentence("This device is not signed in."))


def prove(store: Store, signed_in: SignedIn, password: str, field: str, now: dt.datetime) -> None:
    """Proves again who the person is, with the password. Raises `Invalid` (`field`) or `TooManyTries`."""
    check_password(store, signed_in, password, field, now)
    with store.writing("prove who one is") as session:
        signins.prove(session, signed_in.device.id, BY_PASSWORD, now)


def check_password(store: Store, signed_in: SignedIn, password: str, field: str, now: dt.datetime) -> None:
    """Checks the person's password; a wrong one counts. Raises `Invalid` (field) or `TooManyTries`."""
    account = signed_in.account
    counted = rate_limits.on_device(account.login, signed_in.device.id)
    if not _right(rate_limits.admitted(store, account.login, counted, now), password):
        raise Invalid({field: Sentence("This is not your password.")})
    with store.writing("a right password") as session:
        rate_limits.release(session, counted)


def change_password(store: Store, signed_in: SignedIn, old: str | None, new: str, again: str, now: dt.datetime) -> None:
    """Sets a new password; all other devices must sign in again. Raises `Invalid` by field, or `TooManyTries`.

    `old` is None for a person who has just proved in another way who they are, and may have forgotten it.
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
        if not signed_in.must_change:  # the first own password is not a news item
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
