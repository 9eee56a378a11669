"""Makes sure that a form is processed once, and that the same key with other content is not silently ignored.

A form has a key. Sent again with the same content (two clicks, a bad line), it does nothing and gets the same answer.
Sent again with other content (a page from the browser's memory), it is a new form that was not processed: `SentBefore`
says so, and the page gives it a new key. The database stores a digest, with the key as its salt. Older keys have no
digest; for them any content counts as the same.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from engine.core.cases.chain import text_hash
from engine.core.refusals import Conflict
from engine.core.words import Sentence
from engine.store.ops import idempotency as stored
from engine.store.session import Session


class SentBefore(Conflict):
    """A form with this key and other content was already processed; nothing was done now."""

    def __init__(self) -> None:
        super().__init__(
            Sentence(
                "This form was sent before with other answers, and those are kept. What you filled in now was "
                "not stored yet: send it once more if it is to be done as well."
            )
        )


def digest(key: str, act: str, content: Mapping[str, object]) -> str:
    """Returns the digest of a form: of its act and what was filled in, without empty fields."""
    return text_hash(key, {"act": act, "content": _plain(content)})


def _plain(value: Any) -> Any:
    """Returns a value in the form of JSON: numbers and days as text, as a form sends them."""
    if isinstance(value, Mapping):
        return {str(name): said for name, item in value.items() if (said := _plain(item))}
    if isinstance(value, list | tuple | set | frozenset):
        items = [_plain(item) for item in value]
        return sorted(items, key=str) if isinstance(value, set | frozenset) else items
    if isinstance(value, dt.date):
        return value.isoformat()
    return "" if value is None else str(value).strip()


def check(session: Session, key: str, content: str) -> None:
    """Raises `SentBefore` if the form with this key was processed with another digest than `content`."""
    found = stored.digest_of(session, key)
    if found is not None and found != content:
        raise SentBefore


def note(session: Session, key: str, content: str, now: dt.datetime) -> None:
    """Stores the digest of a form that this transaction processes."""
    stored.keep(session, key, content, now)
