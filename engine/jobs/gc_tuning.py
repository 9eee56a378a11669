"""How the program lives with Python's garbage collections, for `ralop serve`, `ralop worker` and the benches alike."""

from __future__ import annotations

import gc

NEW_OBJECTS = 20_000  # Python's own 700 are made by looking at twenty cases, and none of them is garbage in a ring


def keep_what_is_loaded() -> None:
    """What is there by now stays: no collection goes through it again, and collections come less often.

    One that goes through all modules takes 50 ms in the middle of a sweep; those between take a twentieth of it.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS, 10, 10)
