"""Stores signed-in devices, passwords and failed sign-ins, for `engine.usecases.people.signin`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, bindparam, delete, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from engine.core.people.access import Viewer
from engine.store.tables import Person, SignIn, SignInFailure, Unit, UnitLink

Key = tuple[str, str]  # login, source
SELF, OTHER, PASSWORD, ADMIN = "self", "other", "password", "admin"  # who or what ended a sign-in


@dataclass(frozen=True, slots=True)
class Account:
    """A person who may sign in."""

    id: int
    login: str
    name: str
    language: str
    password_hash: str | None
    must_change: bool


@dataclass(frozen=True, slots=True)
class Device:
    """One signed-in device of a person."""

    id: int
    device: str
    created_at: dt.datetime
    seen_at: dt.datetime
    method: str
    proved_at: dt.datetime
    proved_by: str


_DEVICE = (
    SignIn.id,
    func.coalesce(SignIn.device, ""),
    SignIn.created_at,
    SignIn.seen_at,
    SignIn.method,
    func.coalesce(SignIn.proved_at, SignIn.created_at),
    func.coalesce(SignIn.proved_by, SignIn.method),
)
_ACCOUNT = (Person.id, Person.login, Person.name, Person.language, Person.password_hash, Person.must_change)


def account(session: Session, login: str) -> Account | None:
    """The account of this login, unless it was disabled."""
    row = session.execute(select(*_ACCOUNT).where(Person.login == login, Person.disabled_at.is_(None))).one_or_none()
    return Account(*row) if row else None


# Made once: every page runs this first.
_SIGNED_IN = (
    select(*_ACCOUNT, *_DEVICE)
    .join(Person, Person.id == SignIn.person_id)
    .where(SignIn.token_hash == bindparam("token_hash"), SignIn.revoked_at.is_(None))
    .where(SignIn.seen_at > bindparam("seen_after"), Person.disabled_at.is_(None))
)


def signed_in(session: Session, token_hash: str, seen_after: dt.datetime) -> tuple[Account, Device] | None:
    """Returns the account and the device of a token, if it is still valid."""
    row = session.execute(_SIGNED_IN, {"token_hash": token_hash, "seen_after": seen_after}).one_or_none()
    values: tuple[Any, ...] = tuple(row or ())
    return (Account(*values[:6]), Device(*values[6:])) if row else None


def ended_by(session: Session, token_hash: str) -> str | None:
    """Returns who ended the sign-in of a token; None if nobody did, or the token is unknown."""
    return session.scalar(select(SignIn.ended_by).where(SignIn.token_hash == token_hash))


def devices(session: Session, person_id: int, seen_after: dt.datetime) -> list[Device]:
    """Returns the devices on which a person is signed in, the last used first."""
    rows = session.execute(
        select(*_DEVICE)
        .where(SignIn.person_id == person_id, SignIn.revoked_at.is_(None), SignIn.seen_at > seen_after)
        .order_by(SignIn.seen_at.desc(), SignIn.id.desc())
    )
    return [Device(*row) for row in rows]


def add(session: Session, person_id: int, token_hash: str, device: str, method: str, now: dt.datetime) -> None:
    """Notes that a person signed in on a device."""
    row = SignIn(person_id=person_id, token_hash=token_hash, device=device, method=method, created_at=now, seen_at=now)
    session.add(row)


def prove(session: Session, sign_in_id: int, method: str, now: dt.datetime) -> None:
    """Notes that the person has proved again, on this device, who they are."""
    session.execute(update(SignIn).where(SignIn.id == sign_in_id).values(proved_at=now, proved_by=method))


def touch(session: Session, sign_in_id: int, now: dt.datetime) -> None:
    """Notes that the device was used."""
    session.execute(update(SignIn).where(SignIn.id == sign_in_id).values(seen_at=now))


def revoke(
    session: Session, person_id: int, now: dt.datetime, by: str, *, only: int | None = None, but: int | None = None
) -> int:
    """Ends a person's sign-ins: all, `only` one, or all `but` one; `by` as in `SignIn.ended_by`. Returns how many."""
    statement = update(SignIn).where(SignIn.person_id == person_id, SignIn.revoked_at.is_(None))
    if only is not None:
        statement = statement.where(SignIn.id == only)
    if but is not None:
        statement = statement.where(SignIn.id != but)
    ended = session.execute(statement.values(revoked_at=now, ended_by=by).returning(SignIn.id))
    return len(ended.all())


def set_password(session: Session, person_id: int, password_hash: str) -> None:
    """Stores the password that the person chose; they need not change it any more."""
    session.execute(update(Person).where(Person.id == person_id).values(password_hash=password_hash, must_change=False))


def refresh_hash(session: Session, person_id: int, password_hash: str) -> None:
    """Stores a new hash of the same password, with the parameters of today."""
    session.execute(update(Person).where(Person.id == person_id).values(password_hash=password_hash))


def places(session: Session, viewer: Viewer) -> list[str]:
    """Returns the names of the units in which a person holds a post, and of those above them."""
    held = {unit for units in viewer.units.values() for unit in units}
    above = select(UnitLink.ancestor_id).where(UnitLink.descendant_id.in_(held))
    return list(session.scalars(select(Unit.name).where(or_(Unit.id.in_(held), Unit.id.in_(above)))))


def set_language(session: Session, person_id: int, language: str) -> None:
    """The language in which the person reads."""
    session.execute(update(Person).where(Person.id == person_id).values(language=language))


def failures(session: Session, keys: Iterable[Key]) -> Mapping[Key, tuple[int, dt.datetime]]:
    """Returns the number of wrong passwords in a row, and the time of the last one, for keys that have any.

    The rows stay locked until the transaction ends: so each of several simultaneous tries sees those before it.
    """
    found = {}
    for key in keys:
        query = select(SignInFailure.count, SignInFailure.last_at).where(*_of(key)).with_for_update()
        if row := session.execute(query).one_or_none():
            found[key] = (row[0], row[1])
    return found


def _of(key: Key) -> tuple[ColumnElement[bool], ...]:
    return SignInFailure.login == key[0], SignInFailure.source == key[1]


def count_failure(session: Session, key: Key, now: dt.datetime) -> None:
    """Counts one more failure."""
    values = {"login": key[0], "source": key[1], "count": 1, "last_at": now}
    more = {"count": SignInFailure.count + 1, "last_at": now}
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    statement = insert(SignInFailure).values(values)
    session.execute(statement.on_conflict_do_update(index_elements=("login", "source"), set_=more))


def uncount_failure(session: Session, key: Key) -> None:
    """Takes one failure back: the password was right."""
    session.execute(update(SignInFailure).where(*_of(key)).values(count=SignInFailure.count - 1))


def clear_failures(session: Session, key: Key) -> None:
    """Sets the count of one key to zero."""
    session.execute(delete(SignInFailure).where(*_of(key)))


def forget_failures(session: Session, before: dt.datetime) -> None:
    """Deletes counts from before a moment."""
    session.execute(delete(SignInFailure).where(SignInFailure.last_at < before))
