"""Who reads past the scope names the reason, and all of them stand in a list: a new one is seen by a reviewer."""

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.store import scopes

ROOT = Path(__file__).parents[3]
LISTED = Path(__file__).with_name("unscoped_reads.txt")
PAST_THE_SCOPE = ("reading", "trying", "writing", "changing", "beyond_scope")


def calls(folder: str) -> Iterator[str]:
    """Each call that reads past the scope: file, way, reason."""
    for path in sorted((ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and (way := _name(node.func)) in PAST_THE_SCOPE:
                given = [*node.args, *(it.value for it in node.keywords if it.arg in {None, "why"})]
                yield f"{path.relative_to(ROOT).as_posix()}: {way}: {_reason(given[-1]) if given else ''}"
            if (
                isinstance(node, ast.Attribute)
                and node.attr == "engine"
                and not path.is_relative_to(ROOT / "engine/store")
            ):
                yield f"{path.relative_to(ROOT).as_posix()}: engine: {ast.unparse(node)}"


def _name(called: ast.expr) -> str:
    return called.attr if isinstance(called, ast.Attribute) else called.id if isinstance(called, ast.Name) else ""


def _reason(it: ast.expr) -> str:
    return str(it.value) if isinstance(it, ast.Constant) else ast.unparse(it)


def found() -> list[str]:
    counted = Counter([*calls("engine"), *calls("web")])
    return [f"{call} ({count})" if count > 1 else call for call, count in sorted(counted.items())]


def test_every_place_that_reads_past_the_scope_is_listed_with_its_reason() -> None:
    listed = LISTED.read_text(encoding="utf-8").splitlines()
    assert found() == listed, (
        "python -m tests.engine.store.test_unscoped_reads writes the list anew: look at what changed"
    )


def test_each_of_them_names_a_reason() -> None:
    assert [call for call in found() if call.endswith(": ")] == []


def test_a_statement_beyond_the_scope_without_a_reason_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a reason"):
        scopes.beyond_scope(None, (), "")


if __name__ == "__main__":
    LISTED.write_text("\n".join(found()) + "\n", encoding="utf-8")
