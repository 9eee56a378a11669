"""What an event changed on its case, in the form in which the event stores it, and back.

Each event says which columns of the case's row it changed: `{"state": ["absent", "teacher_contact"], …}`. So the row is
the sum of its events, also after a person's words were erased by law, and the last act can be taken back.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, get_type_hints

from engine.core.cases.chain import plain
from engine.core.cases.facts import CHANGING, Facts

CHANGED = "changed"  # key in an event's data

# The number and the hash of the event itself say as much as these two.
_OWN = frozenset({"version", "last_hash"})
# Counted anew when a closure or the rules change: the other columns decide them.
_COUNTED = frozenset({"due_at", "next_look_at"})
# They follow from causes, and tell of violence or a disability: the chain, which nobody can erase, must not keep them
# (Luật 91/2025/QH15).
_PERSONAL = frozenset({"flags"})
STORED: tuple[str, ...] = tuple(name for name in CHANGING if name not in _OWN | _COUNTED | _PERSONAL)
"""The columns that an event tells of."""

_AT = tuple((number, name) for number, name in enumerate(CHANGING) if name in STORED)
_HINTS = get_type_hints(Facts)
_MOMENTS = frozenset(name for name in STORED if _HINTS[name] in (dt.datetime, dt.datetime | None))
_DAYS = frozenset(name for name in STORED if _HINTS[name] is dt.date)


def changes(before: tuple[Any, ...], after: tuple[Any, ...], *, first: bool = False) -> dict[str, list[Any]]:
    """Returns what was changed between two states of a case (`engine.core.cases.facts.changing`).

    Args:
        before: the columns before the event.
        after: the columns after it.
        first: the event is the first one of the case: before it there was nothing.
    """
    found = {}
    for number, name in _AT:
        old, new = None if first else before[number], after[number]
        if old is not new and old != new:
            found[name] = [plain(old), plain(new)]
    return found


def stored_value(name: str, value: Any) -> Any:
    """Returns a value of an event's `changed` as the column has it."""
    if value is None:
        return None
    if name in _MOMENTS:
        return dt.datetime.fromisoformat(value)
    return dt.date.fromisoformat(value) if name in _DAYS else value


def told_of(data: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Returns the columns that an event changed, each as it was before and after it; empty for old events."""
    found: Mapping[str, Any] = data.get(CHANGED) or {}
    return {
        name: (stored_value(name, old), stored_value(name, new)) for name, (old, new) in found.items() if name in STORED
    }
