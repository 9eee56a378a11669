"""Stores passkeys and their challenges, for `engine.usecases.people.passkeys`."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from engine.store.tables import Passkey, PasskeyChallenge, Person

REGISTER, SIGN_IN, PROVE = "register", "sign in", "prove"


@dataclass(frozen=True, slots=True)
class Key:
    """A passkey in the list of its owner."""

    id: int
    name: str
    created_at: dt.datetime
    used_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class StoredPasskey:
    """What the check of a passkey's signature needs."""

    id: int
    person_id: int
    login: str
    handle: str
    public_key: bytes
    sign_count: int


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a key was asked to sign: for what, by whom (None: anybody), and the handle of the person of a new key."""

    person_id: int | None
    handle: str | None


def ask(
    session: Session,
    challenge: str,
    purpose: str,
    person_id: int | None,
    handle: str | None,
    now: dt.datetime,
    lasts: dt.timedelta,
) -> None:
    """Stores a challenge until it is answered or runs out; deletes those that ran out."""
    session.execute(delete(PasskeyChallenge).where(PasskeyChallenge.expires_at <= now))
    values = {"challenge": challenge, "purpose": purpose, "person_id": person_id, "handle": handle}
    session.execute(insert(PasskeyChallenge).values(**values, expires_at=now + lasts))


def take(session: Session, challenge: str, purpose: str, now: dt.datetime) -> Challenge | None:
    """Takes the challenge out of the database, so that nobody answers it again.

    None if it does not exist or ran out.
    """
    asked = PasskeyChallenge.challenge == challenge, PasskeyChallenge.purpose == purpose
    returned = PasskeyChallenge.person_id, PasskeyChallenge.handle, PasskeyChallenge.expires_at
    row = session.execute(delete(PasskeyChallenge).where(*asked).returning(*returned)).one_or_none()
    return Challenge(row[0], row[1]) if row and row[2] > now else None


def of(session: Session, person_id: int) -> list[Key]:
    """A person's passkeys, the newest first."""
    columns = Passkey.id, Passkey.name, Passkey.created_at, Passkey.used_at
    query = select(*columns).where(Passkey.person_id == person_id).order_by(Passkey.id.desc())
    return [Key(*row) for row in session.execute(query)]


def credentials(session: Session, person_id: int) -> list[str]:
    """Returns the names by which devices know a person's passkeys."""
    return list(session.scalars(select(Passkey.credential).where(Passkey.person_id == person_id)))


def handle(session: Session, person_id: int) -> str | None:
    """Returns the handle by which devices know the person, if they have a passkey."""
    return session.scalar(select(Passkey.handle).where(Passkey.person_id == person_id).limit(1))


def find(session: Session, credential: str) -> StoredPasskey | None:
    """Returns the passkey of this name, unless the account of its person is disabled."""
    query = (
        select(Passkey.id, Passkey.person_id, Person.login, Passkey.handle, Passkey.public_key, Passkey.sign_count)
        .join(Person, Person.id == Passkey.person_id)
        .where(Passkey.credential == credential, Person.disabled_at.is_(None))
    )
    row = session.execute(query).one_or_none()
    return StoredPasskey(*row) if row else None


def add(
    session: Session,
    person_id: int,
    handle: str,
    credential: str,
    public_key: bytes,
    sign_count: int,
    name: str,
    now: dt.datetime,
) -> None:
    """Stores a new passkey."""
    values = {"person_id": person_id, "handle": handle, "credential": credential, "public_key": public_key}
    session.execute(insert(Passkey).values(**values, sign_count=sign_count, name=name, created_at=now))


def use(session: Session, key: StoredPasskey, sign_count: int, now: dt.datetime) -> bool:
    """Notes that the key has signed, and its count.

    Returns False if the key is gone, or has signed something else meanwhile.
    """
    same = Passkey.id == key.id, Passkey.sign_count == key.sign_count
    used = update(Passkey).where(*same).values(sign_count=sign_count, used_at=now).returning(Passkey.id)
    return session.execute(used).first() is not None


def remove(session: Session, person_id: int, key_id: int) -> bool:
    """Deletes a passkey of a person; returns False if they do not have it."""
    mine = Passkey.person_id == person_id, Passkey.id == key_id
    return session.execute(delete(Passkey).where(*mine).returning(Passkey.id)).first() is not None
