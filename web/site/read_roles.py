"""Reads the role files: the shipped ones, each replaced by the installation's own file with the same name."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from engine.core.people.role_reader import check_together, load_roles
from engine.core.people.roles import RoleBook, Roles, book_of
from engine.core.words import Fault, Faulty
from web.site.files import read_text

FOLDER = "roles"  # in `rules` and in `instance/rules`


def role_texts(instance: Path) -> Mapping[str, str]:
    """Returns the texts of the role files by file name, each name once."""
    shipped = sorted(files("rules").joinpath(FOLDER).iterdir(), key=lambda path: path.name)
    found = {
        path.name: (f"rules/{FOLDER}/{path.name}", path.read_text(encoding="utf-8"))
        for path in shipped
        if path.name.endswith(".toml")
    }
    for path in sorted((instance / "rules" / FOLDER).glob("*.toml")):
        found[path.name] = str(path.relative_to(instance.parent)), read_text(path)
    return dict(found.values())


def read_trees(texts: Mapping[str, str]) -> Mapping[str, Roles]:
    """Reads role files (text by file name). Raises Faulty with all faults of all files."""
    trees, faults = {}, list[Fault]()
    for file, text in texts.items():
        try:
            trees[file] = load_roles(text, file)
        except Faulty as error:
            faults += error.faults
    if faults or (faults := check_together(trees)):
        raise Faulty(faults)
    return trees


def read_roles(instance: Path) -> RoleBook:
    """Reads the roles of an installation. Raises Faulty."""
    return book_of(read_trees(role_texts(instance)).values())
