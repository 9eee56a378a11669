"""Reads the names of columns and values in the files of schools.

They are data (`rules/import/aliases.toml`), not code.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from engine.core.text import fold
from engine.core.toml_reader import format_of, read_toml
from engine.core.words import Faulty, Sentence

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "pupils": (
        "code",
        "name",
        "family_name",
        "given_name",
        "birth_date",
        "sex",
        "ethnicity",
        "disability",
        "status",
        "school",
        "class",
        "village",
        "commune",
        "address",
        "guardian",
        "guardian_phone",
    ),
    "attendance": ("code", "name", "class", "date", "session", "mark", "reason"),
    "summary": ("class", "date", "enrolled", "present", "excused", "unexcused", "late", "taken"),
    "dropped": ("columns",),
    "empty": ("cells",),
}
VALUES: Mapping[str, tuple[str, ...]] = {
    "sex": ("m", "f"),
    "status": ("enrolled", "arrived", "transferred", "long_leave", "dropped_out", "left"),
    "session": ("m", "a", "ma"),
    "mark": ("p", "e", "u", "l", "other"),
    "taken": ("yes", "no"),
}
TABLES = {**COLUMNS, **VALUES}


@dataclass(frozen=True)
class Aliases:
    """The names for each table and key, in their order, as written in the file."""

    names: Mapping[str, Mapping[str, tuple[str, ...]]]

    def columns(self, table: str) -> dict[str, tuple[str, int]]:
        """Folded name → (column, rank): of two names for one column the lower rank is taken."""
        return {
            fold(name): (key, rank)
            for key, names in reversed(list(self.names[table].items()))
            for rank, name in reversed(list(enumerate(names)))
        }

    def values(self, table: str) -> dict[str, str]:
        """Folded name → value."""
        return {name: key for name, (key, _) in self.columns(table).items()}

    @cached_property
    def dropped(self) -> frozenset[str]:
        """Folded names of columns that are never stored."""
        return frozenset(fold(name) for name in self.names["dropped"]["columns"])

    @cached_property
    def empty(self) -> frozenset[str]:
        """Returns the texts that mean an empty cell, in small letters."""
        return frozenset(name.lower() for name in self.names["empty"]["cells"])


def load_aliases(text: str, file: str) -> Aliases:
    """The aliases of one file; keys that it does not have are empty. Raises Faulty with all faults."""
    reader = read_toml(text, file)
    format_of(reader)
    names = {}
    for table, keys in TABLES.items():
        inner = reader.table(table)
        names[table] = {key: tuple(inner.texts(key)) for key in keys}
        for name in sorted(_doubled(names[table])):
            inner.fault("", Sentence("“{name}” stands for two things.", name=name))
    reader.close()
    if reader.faults:
        raise Faulty(reader.faults)
    return Aliases(names)


def _doubled(names: Mapping[str, Iterable[str]]) -> set[str]:
    keys: dict[str, str] = {}
    return {name for key, found in names.items() for name in found if keys.setdefault(fold(name), key) != key}


def merged(shipped: Aliases, own: Aliases) -> Aliases:
    """Joins the names of an installation with the shipped ones; the installation's come first."""
    return Aliases(
        {
            table: {key: (*own.names[table][key], *shipped.names[table][key]) for key in keys}
            for table, keys in TABLES.items()
        }
    )


NONE = Aliases({table: dict.fromkeys(keys, ()) for table, keys in TABLES.items()})
