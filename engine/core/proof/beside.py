"""What an event says about the rows that were stored with it in other tables: how many, and a digest of them.

The digest takes the columns that never change and that tell nothing of a person beyond ids. What people wrote stays out
of it: the chain keeps this digest for ever, and the words may be erased by law (Luật 91/2025/QH15).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from engine.core.cases.chain import canonical, plain

BESIDE = "beside"  # key in an event's data: by table, how many rows and their digest
ANSWERS = "answers"  # key in an event's data: how it answered the offer before
CASE = "case"  # key in the data of a case's first event: pupil, code and workflow
ADOPTED = "adopted"  # kind of the event that says how a case stood when events began to say what they change
ROW = "row"  # key in its data: the columns of the case
NEEDED = "needed"  # key in an event's data: what kind of support is needed, how many steps of it, by when
COUNTED = ("kind", "quantity", "needed_by")  # the columns of a need that it tells
LENGTH = 32  # hex digits: nobody finds other rows with the same digest

# By table, the columns of a digest after `seq`. To change one, add a new name with another number ("notices.2") and
# let the writer use that: events of before keep theirs, and verify by it.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "firings": ("rule", "entry", "repetition", "due_at", "at"),
    "offers": ("role", "made_at", "passed_over"),
    "notices": ("person_id", "role", "kind", "urgent", "at"),
    "support": ("kind", "quantity", "unit", "value", "given_on", "logged_by_id"),
    "needs": (),
    "planned": ("kind", "number", "due_at"),
    "holds": ("starts_at", "ends_at"),
    "companions": ("role",),
    "corrections": ("entry_seq", "void"),
    "doubts": ("fired_seq",),
    "difficulties": ("kind", "raised_by_id", "raised_at"),
    "difficulty_moves": ("raised_seq", "number"),
}

Row = Sequence[Any]


def line(row: Row) -> str:
    """Returns one row in canonical form."""
    return canonical([plain(value) for value in row])


def digest(rows: Iterable[Row]) -> str:
    """Returns how many rows there are and their digest, whatever their order: "2-0f3c…"."""
    lines = sorted(map(line, rows))
    return f"{len(lines)}-{hashlib.sha256(chr(10).join(lines).encode()).hexdigest()[:LENGTH]}"


def number_of(said: str) -> int:
    """Returns how many rows a digest is of."""
    return int(said.partition("-")[0])


def digests(rows: Mapping[str, Sequence[Row]]) -> dict[str, str]:
    """Returns what an event says about its rows: by table, for the tables that have some."""
    return {table: digest(found) for table, found in rows.items() if found}
