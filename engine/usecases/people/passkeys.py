"""Signs in with passkeys (WebAuthn): a key in a phone or computer signs a challenge, only for our own pages.

A challenge is stored for a few minutes and for one answer. The device decides whether it also checks a finger or a face
("preferred"), because old phones cannot. A key whose count of signatures does not grow was copied, and is refused. The
specification is https://www.w3.org/TR/webauthn-3/, section 7.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import secrets
import struct
from dataclasses import dataclass
from typing import Any

import webauthn
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, options_to_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from engine.core.people.account_events import KEY_ADDED, KEY_REMOVED
from engine.core.refusals import Invalid, NotFound, Refused
from engine.core.text import tidy
from engine.core.words import Sentence
from engine.store.people import account_events, codes, passkeys, signins
from engine.store.people.passkeys import PROVE, REGISTER, SIGN_IN, Key, StoredPasskey
from engine.store.session import Session, Store
from engine.usecases.people import signin
from engine.usecases.people.signin import BY_PASSKEY, SignedIn
from engine.usecases.people.signin_settings import Party

NAME = "Ra Lớp"
ANSWERED_WITHIN = dt.timedelta(minutes=5)
LONGEST_NAME = 60
LONGEST_ANSWER = 20_000  # characters; an answer with a certificate has 4,000
MOST_KEYS = 20
DRAWN = 32  # random bytes, for a challenge or a handle
_ID = re.compile(r"[A-Za-z0-9_=-]{1,2000}")
PREFERRED = UserVerificationRequirement.PREFERRED
# Exceptions of the library: one for a wrong answer; the others for something that is not an answer: wrong types, cut
# off, or nested thousands deep.
WRONG = (
    WebAuthnException,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    RecursionError,
    struct.error,
    UnsupportedAlgorithm,
    InvalidSignature,
)


class PasskeyRefused(Refused):
    """The answer is not from a known key, not to our challenge, or not from our pages.

    The message does not say which.
    """

    code = "not_allowed"

    def __init__(self) -> None:
        super().__init__(Sentence("This passkey was not taken. Try again, or sign in with your password."))


@dataclass(frozen=True, slots=True)
class Question:
    """What the browser should ask of the key, as JSON, and its challenge, which the browser's session gives back."""

    options: str
    challenge: str


# --- a new key --------------------------------------------------------------------------------------------------------


def ask_for_new(store: Store, party: Party, signed_in: SignedIn, now: dt.datetime) -> Question:
    """Asks a device to make a key for this person; a device that already has a key of theirs refuses by itself."""
    account = signed_in.account
    with store.reading("the passkeys of a person") as session:
        handle = passkeys.handle(session, account.id) or secrets.token_urlsafe(DRAWN)
        known = passkeys.credentials(session, account.id)
    options = webauthn.generate_registration_options(
        rp_id=party.rp_id,
        rp_name=NAME,
        user_name=account.login,
        user_id=base64url_to_bytes(handle),
        user_display_name=account.name,
        challenge=secrets.token_bytes(DRAWN),
        exclude_credentials=_descriptors(known),
        timeout=_ms(ANSWERED_WITHIN),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=PREFERRED
        ),
    )
    return _asked(store, REGISTER, account.id, options, now, handle)


def add(
    store: Store, party: Party, signed_in: SignedIn, name: str, answer: str, challenge: str, now: dt.datetime
) -> None:
    """Stores the key that a device has made. Raises `Invalid` (name) or `PasskeyRefused`.

    Args:
        name: what the person calls the device.
        answer: of the browser, as JSON.
        challenge: from the browser's session.
    """
    person_id, name = signed_in.account.id, tidy(name)
    if not name or len(name) > LONGEST_NAME:
        raise Invalid({"name": Sentence("Give the device a name of up to {most} characters.", most=LONGEST_NAME)})
    asked = _take(store, challenge, REGISTER, person_id, now)
    try:
        made = webauthn.verify_registration_response(
            credential=_answer(answer),
            expected_challenge=base64url_to_bytes(challenge),
            expected_rp_id=party.rp_id,
            expected_origin=party.origin,
        )
    except WRONG as wrong:
        raise PasskeyRefused from wrong
    credential = bytes_to_base64url(made.credential_id)
    with store.writing("keep a passkey") as session:
        if passkeys.find(session, credential) or len(passkeys.of(session, person_id)) >= MOST_KEYS:
            raise PasskeyRefused
        passkeys.add(
            session, person_id, asked.handle or "", credential, made.credential_public_key, made.sign_count, name, now
        )
        codes.note(session, person_id, "passkey added", now)
        account_events.note(session, KEY_ADDED, person_id, person_id, now)


def of(store: Store, person_id: int) -> list[Key]:
    """A person's passkeys, the newest first."""
    with store.reading("the passkeys of a person") as session:
        return passkeys.of(session, person_id)


def remove(store: Store, signed_in: SignedIn, key_id: int, now: dt.datetime) -> None:
    """Deletes one of the person's passkeys, so that it no longer signs in. Raises `NotFound`."""
    person_id = signed_in.account.id
    with store.writing("remove a passkey") as session:
        if not passkeys.remove(session, person_id, key_id):
            raise NotFound(Sentence("There is no such passkey."))
        codes.note(session, person_id, "passkey removed", now)
        account_events.note(session, KEY_REMOVED, person_id, person_id, now)


# --- signing in and proving -------------------------------------------------------------------------------------------


def ask_whoever(store: Store, party: Party, now: dt.datetime) -> Question:
    """Asks for any known key: the device shows those it has, and the person chooses one."""
    options = webauthn.generate_authentication_options(
        rp_id=party.rp_id,
        challenge=secrets.token_bytes(DRAWN),
        user_verification=PREFERRED,
        timeout=_ms(ANSWERED_WITHIN),
    )
    return _asked(store, SIGN_IN, None, options, now)


def ask_again(store: Store, party: Party, signed_in: SignedIn, now: dt.datetime) -> Question:
    """Asks for a key of the signed-in person."""
    with store.reading("the passkeys of a person") as session:
        known = passkeys.credentials(session, signed_in.account.id)
    options = webauthn.generate_authentication_options(
        rp_id=party.rp_id,
        challenge=secrets.token_bytes(DRAWN),
        user_verification=PREFERRED,
        timeout=_ms(ANSWERED_WITHIN),
        allow_credentials=_descriptors(known),
    )
    return _asked(store, PROVE, signed_in.account.id, options, now)


def sign_in(store: Store, party: Party, answer: str, challenge: str, device: str, now: dt.datetime) -> tuple[str, str]:
    """Signs in with a key's answer; returns the device's token and the login. Raises `PasskeyRefused`."""
    _take(store, challenge, SIGN_IN, None, now)
    with store.writing("sign in with a passkey") as session:
        key = _signed(session, party, answer, challenge, now, anonymous=True)
        return signin.begin(session, key.person_id, device, BY_PASSKEY, now), key.login


def prove(store: Store, party: Party, signed_in: SignedIn, answer: str, challenge: str, now: dt.datetime) -> None:
    """Proves again who the person is, with one of their own keys. Raises `PasskeyRefused`."""
    _take(store, challenge, PROVE, signed_in.account.id, now)
    with store.writing("prove who one is with a passkey") as session:
        if _signed(session, party, answer, challenge, now).person_id != signed_in.account.id:
            raise PasskeyRefused
        signins.prove(session, signed_in.device.id, BY_PASSKEY, now)


def _signed(
    session: Session, party: Party, answer: str, challenge: str, now: dt.datetime, *, anonymous: bool = False
) -> StoredPasskey:
    """Returns the key that has signed the challenge, and stores its count. Raises `PasskeyRefused`.

    `anonymous`: nobody is signed in, so the device must say whose key it is.
    """
    try:
        credential = _answer(answer)
        key = passkeys.find(session, str(credential["id"]))
        if key is None or not _is_named(key, credential["response"].get("userHandle"), anonymous):
            raise PasskeyRefused
        found = webauthn.verify_authentication_response(
            credential=credential,
            expected_challenge=base64url_to_bytes(challenge),
            expected_rp_id=party.rp_id,
            expected_origin=party.origin,
            credential_public_key=key.public_key,
            credential_current_sign_count=key.sign_count,
        )
    except WRONG as wrong:
        raise PasskeyRefused from wrong
    if not passkeys.use(session, key, found.new_sign_count, now):
        raise PasskeyRefused
    return key


def _is_named(key: StoredPasskey, handle: object, needed: bool) -> bool:
    return handle == key.handle or (handle is None and not needed)


# --- what they share --------------------------------------------------------------------------------------------------


def _descriptors(credentials: list[str]) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=base64url_to_bytes(it)) for it in credentials]


def _ms(span: dt.timedelta) -> int:
    return int(span.total_seconds() * 1000)


def _asked(
    store: Store, purpose: str, person_id: int | None, options: Any, now: dt.datetime, handle: str | None = None
) -> Question:
    challenge = bytes_to_base64url(options.challenge)
    with store.writing("ask for a passkey") as session:
        passkeys.ask(session, challenge, purpose, person_id, handle, now, ANSWERED_WITHIN)
    return Question(options_to_json(options), challenge)


def _take(store: Store, challenge: str, purpose: str, person_id: int | None, now: dt.datetime) -> passkeys.Challenge:
    """Takes the challenge; it is used up, whatever the answer is."""
    with store.writing("a passkey answers") as session:
        asked = passkeys.take(session, challenge, purpose, now)
    if asked is None or asked.person_id != person_id:
        raise PasskeyRefused
    return asked


def _answer(text: str) -> dict[str, Any]:
    """Returns the browser's answer as an object. Raises ValueError."""
    found = json.loads(text[:LONGEST_ANSWER])
    if not isinstance(found, dict) or not isinstance(found.get("response"), dict):
        raise ValueError("no answer")  # noqa: TRY004 - the text is wrong, not its type
    if not _ID.fullmatch(str(found.get("id"))):  # the database is searched for it
        raise ValueError("no credential")
    return found
