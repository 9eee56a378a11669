"""Reads the names of columns in imported files: the installation's own list, then the shipped one."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from engine.core.files.aliases import Aliases, load_aliases, merged
from web.site.files import read_text

FILE = "import/aliases.toml"  # in `rules` and in `instance/rules`


def read_aliases(instance: Path) -> Aliases:
    """Reads all aliases. Raises Faulty with the faults of a file."""
    shipped = load_aliases(files("rules").joinpath(FILE).read_text(encoding="utf-8"), f"rules/{FILE}")
    own = instance / "rules" / FILE
    if not own.is_file():
        return shipped
    return merged(shipped, load_aliases(read_text(own), str(own.relative_to(instance.parent))))
