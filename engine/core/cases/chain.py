"""The history of a case as a chain: each event carries a hash over itself and the one before.

What a person wrote is not in the chain; its salted hash is. Erasing the text and the salt leaves a chain that still
verifies and tells nothing (Luật 91/2025/QH15 Art. 14: data are deleted when the purpose has ended).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import secrets
from collections.abc import Mapping
from functools import lru_cache

START = ""  # what the first event of a case has before it

_ENCODER = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"))
_quote = json.encoder.encode_basestring  # how the encoder itself writes a string


def canonical(value: object) -> str:
    """JSON in one fixed form: sorted keys, no spaces. Raises `TypeError` for anything JSON does not have."""
    return _ENCODER.encode(value)


def new_salt() -> str:
    """32 hex digits that make a text's hash tell nothing once they are erased."""
    return secrets.token_hex(16)


def text_hash(salt: str, values: Mapping[str, object]) -> str:
    """The salted hash of what a person filled in."""
    return hashlib.sha256((salt + canonical(values)).encode()).hexdigest()


def event_hash(
    previous: str,
    case_id: int,
    seq: int,
    kind: str,
    at: dt.datetime,
    person_id: int | None,
    role: str | None,
    data: Mapping[str, object],
    text: str | None,
) -> str:
    """The hash of one event over everything it says and the hash of the event before."""
    return hash_written(previous, case_id, seq, kind, at, person_id, role, canonical(data), text)


def hash_written(
    previous: str,
    case_id: int,
    seq: int,
    kind: str,
    at: dt.datetime,
    person_id: int | None,
    role: str | None,
    data: str,
    text: str | None,
) -> str:
    """`event_hash` for data that stand in canonical form already."""
    # What `canonical` would make of the list of all of them, without a second look at the data.
    moment = _utc(at)
    person = "null" if person_id is None else person_id
    content = (
        f'["{previous}",{case_id},{seq},{_quoted(kind)},"{moment}",{person},{_quoted(role)},{data},{_quoted(text)}]'
    )
    return hashlib.sha256(content.encode()).hexdigest()


@lru_cache(maxsize=1_024)  # the events of a sweep have their moment in common
def _utc(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).isoformat()


def _quoted(value: str | None) -> str:
    return "null" if value is None else _quote(value)
