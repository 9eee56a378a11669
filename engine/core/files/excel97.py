"""The values about an Excel 97 file (.xls). Another process opens such a file: `engine.channels.excel97`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

BATCH = 1_000  # rows in one message


class Locked(Exception):
    """The file has a password."""


class Damaged(Exception):
    """The file cannot be read, or not within the memory and time allowed."""


class SheetHead(NamedTuple):
    """One visible sheet: where its cells begin, how far they reach, its merged areas. Its rows follow."""

    name: str
    start: tuple[int, int] | None
    height: int
    width: int
    merged: list[tuple[tuple[int, int], tuple[int, int]]]


# Reads the bytes of a file: yields each sheet, then its rows in batches. Raises `Locked` or `Damaged`, at once or
# later.
ReadExcel97 = Callable[[bytes], Iterator[SheetHead | list[list[Any]]]]
