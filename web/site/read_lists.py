"""Reads what an installation has one file of: the signals of the risk watch, the kinds of support, the names of columns
in imported files.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import TypeVar

from engine.core.attendance.signal_reader import load_risk
from engine.core.attendance.signals import RiskRules
from engine.core.files.aliases import Aliases, load_aliases, merged
from engine.core.support.catalogue import Catalogue, load_catalogue
from web.site.files import read_text

T = TypeVar("T")
FILE, SUPPORT = "risk.toml", "support.toml"  # in `rules` and in `instance/rules`, like the other
ALIASES = "import/aliases.toml"


def read_risk(instance: Path) -> RiskRules:
    """Reads the signals: the installation's own file, else the shipped one. Raises Faulty with its faults."""
    return _own_or_shipped(instance, FILE, load_risk)


def read_support(instance: Path) -> Catalogue:
    """Reads the kinds of support: the installation's own file, else the shipped one. Raises Faulty with its faults."""
    return _own_or_shipped(instance, SUPPORT, load_catalogue)


def _own_or_shipped(instance: Path, name: str, load: Callable[[str, str], T]) -> T:
    own = instance / "rules" / name
    if own.is_file():
        return load(read_text(own), str(own.relative_to(instance.parent)))
    return load(_shipped(name), f"rules/{name}")


def read_aliases(instance: Path) -> Aliases:
    """Reads all names: the installation's own, then the shipped ones. Raises Faulty with the faults of a file."""
    shipped = load_aliases(_shipped(ALIASES), f"rules/{ALIASES}")
    own = instance / "rules" / ALIASES
    if not own.is_file():
        return shipped
    return merged(shipped, load_aliases(read_text(own), str(own.relative_to(instance.parent))))


def _shipped(name: str) -> str:
    return files("rules").joinpath(name).read_text(encoding="utf-8")
