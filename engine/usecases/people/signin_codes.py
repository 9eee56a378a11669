"""Signs in with one-time codes: an administrator makes one for a person who cannot sign in; it works once.

Twelve digits (40 bits): easy on a phone's number keys, and easy to read aloud in any language. Only an argon2 hash is
stored. A wrong code counts like a wrong password of the login. A new code ends the one before. The access log shows
making one and signing in with one; the acts on the account also show making one.
"""

from __future__ import annotations

import datetime as dt
import re
import secrets
from dataclasses import dataclass

from engine.core.people import passwords
from engine.core.people.account_events import CODE, By
from engine.core.refusals import Invalid, NotFound, Refused
from engine.core.words import Sentence
from engine.store.people import account_events, codes, signins
from engine.store.session import Store
from engine.usecases.people import rate_limits, signin
from engine.usecases.people.powers import changing, not_for_oneself
from engine.usecases.people.rate_limits import Origin
from engine.usecases.people.signin import BY_CODE, SignedIn

DIGITS, GROUP = 12, 4
USED_UP = Sentence("The code is wrong, was used already, or has run out. Ask for a new one.")


class WrongCode(Refused):
    """The login does not exist, or this is not its code (any more). The message does not say which."""

    code = "not_allowed"

    def __init__(self) -> None:
        super().__init__(Sentence("The login or the code is wrong, or the code was used already or has run out."))


@dataclass(frozen=True, slots=True)
class Slip:
    """What is handed over, once: for whom, the code in groups to read, and until when it is valid."""

    login: str
    name: str
    code: str
    expires_at: dt.datetime


def make(store: Store, login: str, by: By, lasts: dt.timedelta, now: dt.datetime) -> Slip:
    """Makes a code for a person, who is told of it; it ends an earlier one.

    `by`: who makes it, or the operator at the command line. Raises `NotFound`; `NotAllowed` for a code for oneself. The
    caller has checked that they may make codes.
    """
    digits = "".join(secrets.choice("0123456789") for _ in range(DIGITS))
    with changing(store, "make a sign-in code", by, now) as session:
        holder = codes.holder(session, signin.fold_login(login))
        if holder is None:
            raise NotFound(Sentence("There is nobody with the login “{login}”.", login=login))
        not_for_oneself(holder.id, by)
        maker = by if isinstance(by, int) else None
        codes.replace(session, holder.id, passwords.hash(digits), maker, now, now + lasts)
        if maker is None:
            codes.note(session, holder.id, "sign-in code: command line", now)
        else:
            codes.note(session, maker, f"sign-in code for person {holder.id}", now)
        account_events.note(session, CODE, holder.id, by, now)
    groups = " ".join(digits[at : at + GROUP] for at in range(0, DIGITS, GROUP))
    return Slip(holder.login, holder.name, groups, now + lasts)


def tidy(code: str) -> str:
    """Returns a code as it was made, without what people write between its groups."""
    return re.sub(r"[\s.\-–]", "", code)


def sign_in(store: Store, login: str, code: str, origin: Origin, now: dt.datetime) -> str:
    """Signs in once with a code and returns the device's token. Raises `WrongCode` or `TooManyTries`."""
    login = signin.fold_login(login)
    counted = rate_limits.on_sign_in(login, origin)
    account = rate_limits.admitted(store, login, counted, now)
    kept = _matching(store, account.id if account else None, code, now)
    if account is None or kept is None:
        raise WrongCode
    with store.writing("sign in with a code") as session:
        if not codes.use(session, account.id, kept):
            raise WrongCode
        rate_limits.release(session, counted)
        codes.note(session, account.id, "sign-in code used", now)
        return signin.begin(session, account.id, origin.device, BY_CODE, now)


def prove(store: Store, signed_in: SignedIn, code: str, field: str, now: dt.datetime) -> None:
    """Proves again who the person is, with a new code. Raises `Invalid` (`field`) or `TooManyTries`."""
    account, device = signed_in.account, signed_in.device
    counted = rate_limits.on_device(account.login, device.id)
    rate_limits.admitted(store, account.login, counted, now)
    kept = _matching(store, account.id, code, now)
    with store.writing("prove who one is with a code") as session:
        if kept is None or not codes.use(session, account.id, kept):
            raise Invalid({field: USED_UP})
        rate_limits.release(session, counted)
        codes.note(session, account.id, "sign-in code used", now)
        signins.prove(session, device.id, BY_CODE, now)


def _matching(store: Store, person_id: int | None, code: str, now: dt.datetime) -> str | None:
    """Returns the hash of the person's code if this is it; takes the same time if there is none."""
    kept = None
    if person_id is not None:
        with store.reading("the code of a person") as session:
            kept = codes.code_hash(session, person_id, now)
    return kept if signin.matches(kept, tidy(code)) else None
