"""Comments, docstrings and names are plain English: what newcomers stumbled over does not come back."""

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
# Metaphors that gave way to standard terms: context, layer, limit, seeded, demo case, request, definitions.
METAPHORS = re.compile(r"house[sd]?|shells?|brakes?|stages?|stor(y|ies)|placing|asking|handbooks?")
PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


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


def metaphors(root: Path, folder: str) -> list[str]:
    """Returns the names given in a folder (of modules, functions, classes, arguments, variables) that are metaphors."""
    return [
        f"{file.relative_to(root)}:{line}: {name}"
        for file in sorted((root / folder).rglob("*.py"))
        if file.parent.name != "versions"  # a migration keeps the names that it had when it was written
        for line, name in names(file, root)
        if any(METAPHORS.fullmatch(part.lower()) for part in PARTS.findall(name))
    ]


def names(file: Path, root: Path) -> Iterator[tuple[int, str]]:
    """Yields the names that a module gives, its own path first, with their lines."""
    yield 1, ".".join(file.relative_to(root).with_suffix("").parts)
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield node.lineno, name
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()) | ast.arg(arg=name):
                yield node.lineno, name
            case ast.alias(asname=str(name)) | ast.ExceptHandler(name=str(name)):
                yield node.lineno, name
            case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)) | ast.MatchMapping(rest=str(name)):
                yield node.lineno, name


@pytest.mark.parametrize("folder", ["engine", "web"])
def test_no_name_is_a_metaphor_for_which_there_is_a_standard_term(folder: str) -> None:
    found = metaphors(ROOT, folder)
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("engine/house.py", ""),
        ("engine/handbook/reader.py", ""),
        ("engine/good.py", "def opened_house(): ..."),
        ("engine/good.py", "async def _asking(): ..."),
        ("engine/good.py", "class StoryAct: ..."),
        ("engine/good.py", "def admitted(brakes): ..."),
        ("engine/good.py", "def admitted(*, brakes): ..."),
        ("engine/good.py", "HOUSE_RULES: int = 1"),
        ("engine/good.py", "self.stage = 1"),
        ("engine/good.py", "found = [1 for story in ()]"),
        ("engine/good.py", "with it as housed: ..."),
        ("engine/good.py", "import context as shell"),
        ("engine/good.py", "try: ...\nexcept OSError as shell: ..."),
        ("engine/good.py", "match it:\n    case [_, *stories]: ..."),
    ],
)
def test_a_metaphor_in_a_name_is_found_wherever_it_is_given(tmp_path: Path, path: str, text: str) -> None:
    file = tmp_path / path
    file.parent.mkdir(parents=True)
    file.write_text(text, encoding="utf-8")
    assert len(metaphors(tmp_path, "engine")) == 1


def test_a_name_that_only_holds_such_a_word_or_comes_from_elsewhere_is_not_a_metaphor(tmp_path: Path) -> None:
    (tmp_path / "engine").mkdir()
    text = "import shell\nhistory, warehouse = run(shell=True), it.story"
    (tmp_path / "engine" / "good.py").write_text(text, encoding="utf-8")
    assert metaphors(tmp_path, "engine") == []
