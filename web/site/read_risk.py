"""Reads the signals of the risk watch: the installation's own file, else the shipped one."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from engine.core.attendance.signal_reader import load_risk
from engine.core.attendance.signals import RiskRules
from web.site.files import read_text

FILE = "risk.toml"  # in `rules` and in `instance/rules`


def read_risk(instance: Path) -> RiskRules:
    """Reads the signals. Raises Faulty with the faults of the file."""
    own = instance / "rules" / FILE
    if own.is_file():
        return load_risk(read_text(own), str(own.relative_to(instance.parent)))
    return load_risk(files("rules").joinpath(FILE).read_text(encoding="utf-8"), f"rules/{FILE}")
