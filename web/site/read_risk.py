"""Reads the signals of the risk watch and the kinds of support: the installation's own file, else the shipped one."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import TypeVar

from engine.core.attendance.signal_reader import load_risk
from engine.core.attendance.signals import RiskRules
from engine.core.support.catalogue import Catalogue, load_catalogue
from web.site.files import read_text

T = TypeVar("T")
FILE, SUPPORT = "risk.toml", "support.toml"  # in `rules` and in `instance/rules`


def read_risk(instance: Path) -> RiskRules:
    """Reads the signals. Raises Faulty with the faults of the file."""
    return _own_or_shipped(instance, FILE, load_risk)


def read_support(instance: Path) -> Catalogue:
    """Reads the kinds of support. Raises Faulty with the faults of the file."""
    return _own_or_shipped(instance, SUPPORT, load_catalogue)


def _own_or_shipped(instance: Path, name: str, load: Callable[[str, str], T]) -> T:
    own = instance / "rules" / name
    if own.is_file():
        return load(read_text(own), str(own.relative_to(instance.parent)))
    return load(files("rules").joinpath(name).read_text(encoding="utf-8"), f"rules/{name}")
