"""Tunes Python's garbage collection, for `ralop serve`, `ralop worker` and the benches."""

from __future__ import annotations

import gc

NEW_OBJECTS = 20_000  # twenty cases already make Python's own 700, and none of them is garbage in a cycle


def keep_what_is_loaded() -> None:
    """Excludes all existing objects from garbage collection, and makes collections rarer.

    A collection over all modules takes 50 ms in the middle of a sweep; smaller ones take a twentieth of its time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS, 10, 10)
