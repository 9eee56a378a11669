"""Finds where files and folders are, and reads the header of the SQLite file."""

from __future__ import annotations

import os
from pathlib import Path

Place = tuple[int, int] | None
"""A file or folder by device and inode, whatever it is called; None where there is none."""

_COUNT_AT, _COUNT_SIZE = 60, 4  # where SQLite stores `user_version`
# Never closed: closing a file would drop all locks that SQLite has on it in this process.
_open: dict[tuple[int, int], int] = {}


def place_of(path: Path) -> Place:
    """Returns where a file or folder is now."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def count_on_disk(path: Path, place: Place = None) -> int:
    """Returns the number `user_version` in a SQLite file, without its write-ahead log.

    Args:
        path: the file.
        place: its place, if known.

    Raises:
        OSError: the file is missing.
    """
    key = place or place_of(path)
    if key is None:
        raise FileNotFoundError(path)
    if key not in _open:
        _open[key] = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    return int.from_bytes(os.pread(_open[key], _COUNT_SIZE, _COUNT_AT), "big")
