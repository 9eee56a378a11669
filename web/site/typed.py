"""What comes with a form beside its fields: numbers of rows, which anybody can forge."""

from __future__ import annotations

MOST_DIGITS = 9  # ids fit into this


def whole(text: str | None) -> int | None:
    """A whole number as a page of ours writes it; None for anything else."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS else None
