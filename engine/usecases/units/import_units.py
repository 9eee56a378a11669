"""Imports a file of units: all of it or nothing, repeatable with the same result."""

from __future__ import annotations

from engine.core.units.tree import load_units
from engine.store.session import Store
from engine.store.units import units as stored
from engine.store.units.units import Imported


def import_units(store: Store, text: str, file: str, *, dry_run: bool = False) -> Imported:
    """Adds the new units of a file and changes those that differ; deletes nothing.

    Args:
        store: the database.
        text: the content of a csv or TOML file.
        file: its name, for the faults; the ending tells csv from TOML.
        dry_run: do it, return the result, and store nothing.

    Raises:
        Faulty: lists every fault of the file, by itself or against the existing units.
    """
    with store.writing("import units") as session:
        done = stored.store_units(session, load_units(text, file, stored.known_units(session)))
        if dry_run:
            session.rollback()
    return done
