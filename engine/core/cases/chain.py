"""Links the history of a case into a chain: each event has a hash over itself and over the event before.

The chain does not contain what a person wrote, only a salted hash of it. After the text and the salt are erased, the
chain still verifies and tells nothing (Luật 91/2025/QH15 Art. 14: data are deleted when the purpose has ended).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import secrets
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

START = ""  # the "previous hash" of the first event of a case

_ENCODER = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"))
_quote = json.encoder.encode_basestring  # the way in which the encoder itself writes a string
_AS_IT_IS = frozenset({int, str, bool})


def plain(value: Any) -> Any:
    """Returns a value as JSON has it: moments in UTC, days as text."""
    if value is None or type(value) in _AS_IT_IS:  # most values are
        return value
    if isinstance(value, dt.datetime):
        return _utc(value)
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def canonical(value: object) -> str:
    """Returns JSON in one fixed form: sorted keys, no spaces. Raises `TypeError` for anything JSON does not have."""
    return _ENCODER.encode(value)


def new_salt() -> str:
    """Returns 32 random hex digits. Once they are erased, the hash of the text tells nothing."""
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
    """Returns the hash of an event, over everything it says and the hash of the event before."""
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
    """The same as `event_hash`, for data that are already in canonical form."""
    # The same text that `canonical` makes of the whole list, without reading the data a second time.
    moment = _utc(at)
    person = "null" if person_id is None else person_id
    content = (
        f'["{previous}",{case_id},{seq},{_quoted(kind)},"{moment}",{person},{_quoted(role)},{data},{_quoted(text)}]'
    )
    return hashlib.sha256(content.encode()).hexdigest()


@lru_cache(maxsize=1_024)  # all events of a sweep have the same moment
def _utc(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).isoformat()


def _quoted(value: str | None) -> str:
    return "null" if value is None else _quote(value)
