"""Comments and docstrings are plain English: phrases that newcomers stumbled over do not come back."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PHRASES = (
    r"(?<!there )\b(is|are) no (?!longer)",  # "it is no case": write "it is not a case"
    r"\bstands? (here|there|nowhere|beside|where)\b",
    r"\bof (its|their) own accord\b",
    r"\bis let\b",
    r"\bhow-manieth\b",
    r"\b(lies|stands) beside\b",
    r"\bby the way\b",
    r"\bcame of (it|a|an|the)\b",
    r"\bbecame of\b",
    r"\bin the house\b|\bthe house\b|\bhandbook\b",  # old names of the context and the definitions
)


def prose(file: Path) -> Iterator[tuple[int, str]]:
    """Yields the comments and docstrings of a module with their lines."""
    text = file.read_text(encoding="utf-8")
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if any("click." in ast.unparse(it) for it in getattr(node, "decorator_list", [])):
            continue  # the docstring of a command is its help: a message, not prose about code
        yield getattr(node, "lineno", 1), " ".join((ast.get_docstring(node) or "").split())


@pytest.mark.parametrize("folder", ["engine", "web"])
def test_comments_and_docstrings_hold_no_phrase_that_newcomers_stumbled_over(folder: str) -> None:
    found = [
        f"{file.relative_to(ROOT)}:{line}: {match.group()!r} in: {words}"
        for file in sorted((ROOT / folder).rglob("*.py"))
        if file.parent.name != "versions"  # a migration says what it did when it was written
        for line, words in prose(file)
        for phrase in PHRASES
        if (match := re.search(phrase, words, re.IGNORECASE))
    ]
    assert not found, "\n".join(found)
