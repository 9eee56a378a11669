"""Checkpoints: each has a root over all that was added since the one before, and over that one's root.

So one short text, the head, stands for everything that was stored until then. Who keeps it outside the installation can
show later that nothing of that was changed, even by somebody who may write to the database and counts all hashes anew.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from engine.core.cases.chain import canonical

NOTHING = hashlib.sha256(b"").hexdigest()  # the root of nothing
SHOWN = 32  # hex digits of a root in a head: short enough to copy, too long to be met by another root
_HEAD = re.compile(rf"\s*(\d{{1,9}})-([0-9a-f]{{{SHOWN}}})\s*", re.IGNORECASE)


class Head(NamedTuple):
    """The number of a checkpoint, and the beginning of its root."""

    n: int
    root: str

    def __str__(self) -> str:
        return f"{self.n}-{self.root[:SHOWN]}"


class Part(NamedTuple):
    """What one checkpoint has of one stream: a piece of at most `engine.store.proof.streams.PIECE` rows, or all cases.

    `form` is the formula of its digest; `first` and `last` are the numbers of its first and last row.
    """

    stream: str
    form: int
    first: int
    last: int
    rows: int
    root: str


def read_head(text: str) -> Head | None:
    """Reads a head as `ralop verify --head` prints it; None if it is none."""
    found = _HEAD.fullmatch(text)
    return Head(int(found[1]), found[2].lower()) if found else None


def hashed(text: str) -> str:
    """Returns the digest of one leaf."""
    return hashlib.sha256(b"\x00" + text.encode()).hexdigest()  # the prefix keeps leaves and knots apart (RFC 6962)


def merkle(leaves: Iterable[str]) -> str:
    """Returns the root of a tree over digests, in their order; an odd one goes up as it is (RFC 6962, 2.1)."""
    row: Sequence[str] = list(leaves)
    while len(row) > 1:
        pairs = [_knot(row[at], row[at + 1]) for at in range(0, len(row) - 1, 2)]
        row = pairs + list(row[len(row) - len(row) % 2 :])
    return row[0] if row else NOTHING


def _knot(left: str, right: str) -> str:
    return hashlib.sha256(b"\x01" + bytes.fromhex(left) + bytes.fromhex(right)).hexdigest()


def case_leaf(case_id: int, version: int, last_hash: str) -> str:
    """Returns the digest of a case at a checkpoint: its history until then. The history says what else is stored."""
    return hashed(canonical([case_id, version, last_hash]))


def root(before: str, n: int, at: dt.datetime, parts: Iterable[Part]) -> str:
    """Returns the root of checkpoint `n`, made at `at`: over the root before and all parts, ordered by stream."""
    over = merkle(hashed(canonical(list(part))) for part in sorted(parts))
    return hashed(canonical([before, n, at.astimezone(dt.UTC).isoformat(), over]))
