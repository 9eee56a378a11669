"""Pages and commands read from the store where they like; they write only through `engine.usecases` (and the jobs)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import engine
import web

OPENING = "writing"  # `store.writing(why)` opens a transaction that may change everything


def trees(package: object, below: str = "") -> Iterator[tuple[str, ast.Module]]:
    root = Path(str(package.__file__)).parent  # type: ignore[attr-defined]
    for path in sorted((root / below).rglob("*.py")):
        name = ".".join([root.name, *path.relative_to(root).with_suffix("").parts])
        yield name, ast.parse(path.read_text("utf-8"))


def opens(tree: ast.AST) -> bool:
    """Whether a transaction that writes is named anywhere in it."""
    return any(isinstance(node, ast.Attribute) and node.attr == OPENING for node in ast.walk(tree))


def writers_of_the_store() -> set[tuple[str, str]]:
    """The functions of the store that open a transaction by themselves, by module."""
    return {
        (name, node.name)
        for name, tree in trees(engine, "store")
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and opens(node)
    }


def imported(tree: ast.Module) -> set[tuple[str, str]]:
    """What a module takes from others: by name, or as part of a module that it takes whole."""
    taken: set[tuple[str, str]] = set()
    whole: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            taken |= {(node.module or "", alias.name) for alias in node.names}
            whole |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    parts = (node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name))
    return taken | {(whole[node.value.id], node.attr) for node in parts if node.value.id in whole}  # type: ignore[attr-defined]


def side_doors(tree: ast.Module, writers: set[tuple[str, str]]) -> list[str]:
    """What in a module of the pages writes by itself, or through a function of the store."""
    found = ["opens a transaction that writes"] if opens(tree) else []
    return found + [f"{module}.{name}" for module, name in sorted(imported(tree) & writers)]


def test_no_page_and_no_command_writes_but_through_a_use_case() -> None:
    writers = writers_of_the_store()
    found = {name: doors for name, tree in trees(web) if (doors := side_doors(tree, writers))}
    assert found == {}


@pytest.mark.parametrize(
    "lines",
    [
        "def f(store):\n    with store.writing('x') as session: pass",
        "def f(store):\n    opened = store.writing",
        "from engine.store.ops.leases import take",
        "from engine.store.ops import leases\ndef f(store): leases.take(store)",
    ],
)
def test_a_new_side_door_is_found(lines: str) -> None:
    assert side_doors(ast.parse(lines), {("engine.store.ops.leases", "take")})
