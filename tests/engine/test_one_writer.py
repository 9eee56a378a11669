"""The rows of the table `cases` change in one place, with the version they had: who else writes there is named here."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import sqlalchemy

import engine
from engine.store import tables as t

ROOT = Path(engine.__file__).parent
CASES = t.Base.metadata.tables["cases"]
WRITING = re.compile(r"insert|update|delete")
STATEMENT = re.compile(r"insert|update|delete|insert_rows|update_rows")
TEXT = re.compile(r"\b(insert\s+into|update|delete\s+from|copy)\s+\"?cases\b", re.IGNORECASE)

# Who writes to `cases`, by module and function, and why that is right.
WRITERS = {
    "store.cases.writer:Batch.write": "the one writer: only where the version is the one that was read",
    "store.cases.cases:insert_case": "a new case, which nobody else has seen yet",
    "store.proof.adopting:adopt": (
        "a revision, which runs while nobody works, adds an event to each case: only where the version is the one that"
        " was read"
    ),
    "store.attendance.watch:insert_cases": "new cases, which nobody else has seen yet",
    "store.units.mergers:move": (
        "units are renumbered in one statement for all cases, ended ones too; the open ones are locked before, and each"
        " gets its entry and its next version from the writer in the same transaction (usecases.units.mergers)"
    ),
    "store.units.mergers:_follow": "the same, for the commune and the province that lie above",
    "store.units.merger_undo:revert": (
        "a merger is undone: each column is put back only where it still is as the merger left it; open cases get their"
        " entry and next version from the writer in the same transaction (usecases.units.merger_undo)"
    ),
    "store.units.merger_undo:follow": "the same, for whatever names a unit that goes",
    "store.units.merger_undo:to_own_communes": "the same, for offers to a commune that goes",
}
# Statements on a table that only running shows, none of which is `cases`, and why.
ELSEWHERE = {
    "store.cases.writer:Batch.write": "the tables in WRITTEN and BESIDE",
    "store.cases.corrections:replace": "support and needs, in REPLACED",
    "store.attendance.watch:_insert": "who calls it with `cases` is found at the call",
    "store.notices.notices:insert_new": "who calls it with `cases` is found at the call",
    "store.notices.deliveries:delete": "deliveries and what they tell",
    "store.units.merger_undo:remove": "rows that the merger made: units, posts, closures",
}


def modules() -> Iterator[tuple[str, ModuleType, ast.Module]]:
    """The modules of the engine but for the migrations, which run while nobody works."""
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        if "migrations" not in parts and parts[-1] != "__init__":
            name = ".".join(parts)
            yield name, importlib.import_module(f"engine.{name}"), ast.parse(path.read_text("utf-8"))


Names = dict[str, Any]
PLAIN = (ast.Name, ast.Attribute, ast.Subscript, ast.Constant, ast.Load)


def functions(tree: ast.AST, names: Names, above: str = "") -> Iterator[tuple[str, ast.AST, Names]]:
    """Each node with the function or class that it stands in, and what the names there stand for."""
    for node in ast.iter_child_nodes(tree):
        here, known = above, names
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            here = f"{above}.{node.name}".lstrip(".")
            known = {**names, **short_names(node, names)}
        yield here, node, known
        yield from functions(node, known, here)


def short_names(node: ast.AST, names: Names) -> Names:
    """Names that a function gives to what the module knows: `p = t.Planned`; its parameters stand for nothing."""
    found: Names = {arg.arg: None for arg in ast.walk(node) if isinstance(arg, ast.arg)}
    for line in ast.walk(node):
        if isinstance(line, ast.Assign) and len(line.targets) == 1 and isinstance(line.targets[0], ast.Name):
            found[line.targets[0].id] = value(line.value, {**names, **found})
    return found


def value(node: ast.expr, names: Names) -> Any:
    """What a name, or a part of what it names, stands for; None where only running shows it."""
    if not all(isinstance(part, PLAIN) for part in ast.walk(node)):
        return None
    try:
        return eval(compile(ast.Expression(node), "", "eval"), dict(names))
    except (NameError, AttributeError, TypeError, LookupError):  # a parameter, a local name
        return None


def is_cases(found: object) -> bool:
    return found is CASES or found is t.Case


def is_statement(call: ast.Call, names: Names) -> bool:
    """Whether this makes a statement that changes a table: `insert(x)`, `dialect.insert(x)`, `x.delete()`."""
    func = call.func
    if isinstance(func, ast.Name):
        return value(func, names) in {sqlalchemy.insert, sqlalchemy.update, sqlalchemy.delete}
    if not isinstance(func, ast.Attribute) or not STATEMENT.fullmatch(func.attr):
        return False
    if isinstance(func.value, ast.Name) and func.value.id in {"dialect", "bulk"}:
        return True
    return not call.args and not call.keywords


def table_of(call: ast.Call) -> ast.expr | None:
    func = call.func
    if not call.args:
        return func.value if isinstance(func, ast.Attribute) else None
    return call.args[1] if isinstance(func, ast.Attribute) and func.attr.endswith("_rows") else call.args[0]


def statements(name: str, names: Names, tree: ast.Module) -> Iterator[tuple[str, bool]]:
    """Where a module may write to `cases`: the function, and whether that is sure or only running shows it."""
    for where, node, known in functions(tree, names):
        at = f"{name}:{where}"
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and TEXT.search(node.value):
            yield at, True
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        given = [value(arg, known) for arg in (*node.args, *(word.value for word in node.keywords))]
        if (WRITING.search(called) and any(map(is_cases, given))) or is_cases(value(node.func, known)):
            yield at, True
        elif is_statement(node, known):
            table = table_of(node)
            found = value(table, known) if table is not None else None
            if found is None:
                yield at, False
            elif is_cases(found):
                yield at, True


@pytest.fixture(scope="module")
def found() -> dict[str, set[bool]]:
    """Every place that may write to `cases`."""
    places: dict[str, set[bool]] = {}
    for name, module, tree in modules():
        for at, sure in statements(name, vars(module), tree):
            places.setdefault(at, set()).add(sure)
    return places


def test_no_statement_changes_cases_but_the_writers_and_those_that_say_why(found: dict[str, set[bool]]) -> None:
    assert sorted(found.keys() - WRITERS.keys() - ELSEWHERE.keys()) == []


def test_who_is_named_here_still_writes(found: dict[str, set[bool]]) -> None:
    assert sorted((WRITERS.keys() | ELSEWHERE.keys()) - found.keys()) == []


def test_who_is_said_to_write_elsewhere_names_no_cases(found: dict[str, set[bool]]) -> None:
    assert [at for at in ELSEWHERE.keys() - WRITERS.keys() if True in found[at]] == []


@pytest.mark.parametrize(
    "line",
    [
        "def f(s): s.execute(update(cases).values(level=1))",
        "def f(s): s.execute(cases.update())",
        "def f(s): s.execute(t.Base.metadata.tables['cases'].delete())",
        "def f(s): bulk.update_rows(s, cases, (), (), [])",
        "def f(s): s.add(t.Case())",
        "def f(s): s.execute(text('UPDATE cases SET level = 1'))",
        "def f(s, table): s.execute(update(table).values(level=1))",
    ],
)
def test_a_new_statement_is_found(line: str) -> None:
    names = {"update": sqlalchemy.update, "text": sqlalchemy.text, "t": t, "cases": CASES}
    assert [at for at, _sure in statements("new", names, ast.parse(line))] == ["new:f"]
