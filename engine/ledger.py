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
from typing import Any

START = ""  # what the first event of a case has before it

_ENCODER = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def canonical(value: Any) -> str:
    """JSON in one fixed form: sorted keys, no spaces. Raises `TypeError` for anything JSON does not have."""
    return _ENCODER.encode(value)


def new_salt() -> str:
    """32 hex digits that make a text's hash tell nothing once they are erased."""
    return secrets.token_hex(16)


def text_hash(salt: str, values: Mapping[str, Any]) -> str:
    """The salted hash of what a person filled in."""
    return hashlib.sha256((salt + canonical(values)).encode()).hexdigest()


def event_hash(
    previous: str, case_id: int, seq: int, kind: str, at: dt.datetime, person_id: int | None, role: str | None,
    data: Mapping[str, Any], text: str | None,
) -> str:  # fmt: skip
    """The hash of one event over everything it says and the hash of the event before."""
    moment = at.astimezone(dt.UTC).isoformat()
    content = _ENCODER.encode([previous, case_id, seq, kind, moment, person_id, role, data, text])
    return hashlib.sha256(content.encode()).hexdigest()
