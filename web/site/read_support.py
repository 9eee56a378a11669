"""Reads the kinds of support: the installation's own file, else the shipped one."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from engine.core.support.catalogue import Catalogue, load_catalogue
from web.site.files import read_text

FILE = "support.toml"  # in `rules` and in `instance/rules`


def read_support(instance: Path) -> Catalogue:
    """Reads the kinds. Raises Faulty with the faults of the file."""
    own = instance / "rules" / FILE
    if own.is_file():
        return load_catalogue(read_text(own), str(own.relative_to(instance.parent)))
    return load_catalogue(files("rules").joinpath(FILE).read_text(encoding="utf-8"), f"rules/{FILE}")
