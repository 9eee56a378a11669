"""What the program relies on, said where it relies on it: it raises in production too, which an `assert` may not."""

from __future__ import annotations

from typing import TypeVar

T = TypeVar("T")


class Broken(Exception):
    """What the program relies on does not hold: a fault of the program, never of who uses it."""


def hold(condition: bool, why: str) -> None:
    """Raise `Broken` unless the condition holds; `why` says what holds and because of what."""
    if not condition:
        raise Broken(why)


def given(value: T | None, why: str) -> T:
    """The value, which cannot be None here. Raises `Broken`; `why` says what makes sure of it."""
    if value is None:
        raise Broken(why)
    return value
