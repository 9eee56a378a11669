"""What is said of an Excel 97 file (.xls), which another process opens: `engine.channels.excel97`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

BATCH = 1_000  # rows in one message


class Locked(Exception):
    """The file has a password."""


class Damaged(Exception):
    """The file cannot be read, or only with more memory or time than is given."""


class SheetHead(NamedTuple):
    """One visible sheet: where its cells begin, how far they reach, its merged areas; its rows come behind."""

    name: str
    start: tuple[int, int] | None
    height: int
    width: int
    merged: list[tuple[tuple[int, int], tuple[int, int]]]


# The sheets of a file's bytes, each followed by its rows in batches; raises `Locked` or `Damaged`, at once or later.
ReadExcel97 = Callable[[bytes], Iterator[SheetHead | list[list[Any]]]]
