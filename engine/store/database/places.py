"""Where files and folders lie, and what stands in the header of SQLite's own file."""

from __future__ import annotations

import os
from pathlib import Path

Place = tuple[int, int] | None
"""A file or folder by device and inode, whatever it is called; None where there is none."""

_COUNT_AT, _COUNT_SIZE = 60, 4  # where SQLite keeps `user_version`
_open: dict[tuple[int, int], int] = {}  # never closed: with a file, all locks that SQLite has on it here would go


def place_of(path: Path) -> Place:
    """Where a file or folder lies now."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def count_on_disk(path: Path, place: Place = None) -> int:
    """The number `user_version` in a SQLite file, whatever its write-ahead log says.

    Args:
        path: the file.
        place: where it lies, if that is known.

    Raises:
        OSError: it is not there.
    """
    key = place or place_of(path)
    if key is None:
        raise FileNotFoundError(path)
    if key not in _open:
        _open[key] = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    return int.from_bytes(os.pread(_open[key], _COUNT_SIZE, _COUNT_AT), "big")
