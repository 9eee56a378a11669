"""Stores one-time codes, for `engine.usecases.people.signin_codes`: one for each person, only as a hash."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from engine.store.tables import AccessLog, Person, SignInCode


@dataclass(frozen=True, slots=True)
class CodeHolder:
    """A person for whom a code is made."""

    id: int
    login: str
    name: str


def holder(session: Session, login: str) -> CodeHolder | None:
    """Returns the person with this login, unless the account is disabled.

    The row is locked, so that of two codes made at once only one is left.
    """
    query = select(Person.id, Person.login, Person.name).where(Person.login == login, Person.disabled_at.is_(None))
    row = session.execute(query.with_for_update()).one_or_none()
    return CodeHolder(*row) if row else None


def replace(
    session: Session, person_id: int, code_hash: str, by: int | None, now: dt.datetime, expires_at: dt.datetime
) -> None:
    """Sets the person's code; an earlier one is no longer valid."""
    session.execute(delete(SignInCode).where(SignInCode.person_id == person_id))
    values = {"person_id": person_id, "code_hash": code_hash, "made_at": now, "made_by_id": by}
    session.execute(insert(SignInCode).values(**values, expires_at=expires_at))


def code_hash(session: Session, person_id: int, now: dt.datetime) -> str | None:
    """Returns the hash of the person's code, if it has not run out."""
    held = SignInCode.person_id == person_id, SignInCode.expires_at > now
    return session.scalar(select(SignInCode.code_hash).where(*held))


def use(session: Session, person_id: int, code_hash: str) -> bool:
    """Deletes the used code; returns False if another try was faster, or another code was made."""
    mine = SignInCode.person_id == person_id, SignInCode.code_hash == code_hash
    return session.execute(delete(SignInCode).where(*mine).returning(SignInCode.person_id)).first() is not None


def note(session: Session, person_id: int, what: str, now: dt.datetime) -> None:
    """Writes into the access log what was done to a way of signing in."""
    session.execute(insert(AccessLog).values(at=now, person_id=person_id, what=what[:40]))
