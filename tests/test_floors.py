"""The floors as a folder shows them: imports point down, no folder is in a circle with another, no folder is crowded.

import-linter holds the layers between packages (setup.cfg). This file holds what it does not see: the folders. A folder
is the modules that lie directly in it. Every import counts, also one inside a function or for type checkers only.
"""

import ast
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("engine", "web")
ENTRY = "__main__.py"  # starts the program and is imported by nobody, so it closes no circle
MOST_MODULES = 22  # in one folder; `__init__.py` and the numbered revisions of the schema are not counted

# From the top floor to the lowest. A module may import its own floor and any below it, and nothing above.
# Two floors beside each other have the same height and do not know each other.
FLOORS = {
    "web": 5,
    "engine.simulation": 4,
    "engine.jobs": 3,
    "engine.usecases": 2,
    "engine.store": 1,
    "engine.channels": 1,
    "engine.core": 0,
}


@dataclass(frozen=True)
class Arrow:
    """One module imports another."""

    source: str
    target: str


def modules(root: Path) -> dict[str, Path]:
    """Every module of the program by its dotted name, packages by the name of the folder."""
    found = {}
    for package in PACKAGES:
        for path in sorted(it for it in (root / package).rglob("*.py") if it.name != ENTRY):
            parts = path.relative_to(root).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def arrows(root: Path) -> list[Arrow]:
    known = modules(root)
    return [Arrow(name, target) for name, path in known.items() for target in imports_of(path, known) if target != name]


def imports_of(path: Path, known: Mapping[str, Path]) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                if whole in known or node.module in known:
                    yield whole if whole in known else node.module


def folder(module: str, known: Mapping[str, Path]) -> str:
    return module if known[module].name == "__init__.py" else module.rpartition(".")[0]


def between_folders(root: Path) -> dict[str, set[str]]:
    known = modules(root)
    found: dict[str, set[str]] = defaultdict(set)
    for arrow in arrows(root):
        source, target = folder(arrow.source, known), folder(arrow.target, known)
        if source != target:
            found[source].add(target)
    return found


def circles(graph: Mapping[str, Iterable[str]]) -> list[set[str]]:
    """The sets of folders of which each reaches each other (Tarjan's strongly connected components, of two or more)."""
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[set[str]] = []

    def visit(node: str) -> None:
        order[node] = low[node] = len(order)
        stack.append(node)
        for target in graph.get(node, ()):
            if target not in order:
                visit(target)
                low[node] = min(low[node], low[target])
            elif target in stack:
                low[node] = min(low[node], order[target])
        if low[node] == order[node]:
            circle = set(stack[stack.index(node) :])
            del stack[stack.index(node) :]
            if len(circle) > 1:
                found.append(circle)

    for node in graph:
        if node not in order:
            visit(node)
    return found


def floor(module: str) -> str:
    return next((it for it in FLOORS if module == it or module.startswith(f"{it}.")), "")


def upward(root: Path) -> list[Arrow]:
    """The imports that go up, or across to the floor beside."""
    found = []
    for arrow in arrows(root):
        source, target = floor(arrow.source), floor(arrow.target)
        if source and target and source != target and FLOORS[source] <= FLOORS[target]:
            found.append(arrow)
    return found


def crowded(root: Path) -> dict[str, int]:
    counted: dict[str, int] = defaultdict(int)
    for path in modules(root).values():
        if path.name != "__init__.py" and path.parent.name != "versions":
            counted[path.parent.relative_to(root).as_posix()] += 1
    return {name: count for name, count in counted.items() if count > MOST_MODULES}


def test_no_import_goes_up_or_across_to_the_floor_beside() -> None:
    assert upward(ROOT) == []


def test_no_folder_is_in_a_circle_with_another() -> None:
    assert circles(between_folders(ROOT)) == []


def test_no_folder_has_more_modules_than_a_person_takes_in() -> None:
    assert crowded(ROOT) == {}


def test_every_module_of_the_engine_is_on_a_floor() -> None:
    assert [name for name in modules(ROOT) if name != "engine" and not floor(name)] == []


def test_the_tests_of_the_program_are_in_the_same_folders_as_the_program() -> None:
    tested = {
        path.parent.relative_to(ROOT / "tests") for it in PACKAGES for path in (ROOT / "tests" / it).rglob("*.py")
    }
    assert [folder for folder in sorted(tested) if not (ROOT / folder).is_dir()] == []


# --- each guard finds what it is for ----------------------------------------------------------------------------------


@pytest.fixture
def planted(tmp_path: Path) -> Path:
    """A small installation without a fault."""
    plant(tmp_path, "engine/core/cases/facts.py", "")
    plant(tmp_path, "engine/store/cases/rows.py", "from engine.core.cases import facts")
    plant(tmp_path, "engine/channels/email.py", "")
    plant(tmp_path, "web/cases/page.py", "import engine.store.cases.rows")
    return tmp_path


def plant(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    for package in path.relative_to(root).parents:
        if package.name:
            (root / package / "__init__.py").touch()


def test_an_installation_without_a_fault_passes_each_guard(planted: Path) -> None:
    assert arrows(planted) == [
        Arrow("engine.store.cases.rows", "engine.core.cases.facts"),
        Arrow("web.cases.page", "engine.store.cases.rows"),
    ]
    assert upward(planted) == []
    assert circles(between_folders(planted)) == []
    assert crowded(planted) == {}


@pytest.mark.parametrize(
    ("name", "text", "target"),
    [
        ("engine/core/cases/late.py", "def f():\n    from engine.store.cases import rows", "engine.store.cases.rows"),
        ("engine/store/cases/sends.py", "import engine.channels.email", "engine.channels.email"),
        ("engine/channels/reads.py", "from engine.store.cases.rows import x", "engine.store.cases.rows"),
        ("engine/store/shows.py", "from web.cases import page", "web.cases.page"),
    ],
)
def test_an_import_that_goes_up_or_across_is_found(planted: Path, name: str, text: str, target: str) -> None:
    plant(planted, name, text)
    assert [arrow.target for arrow in upward(planted)] == [target]


def test_a_circle_through_three_folders_is_found(planted: Path) -> None:
    plant(planted, "engine/store/people/staff.py", "from engine.store.units.tree import x")
    plant(planted, "engine/store/units/tree.py", "from engine.store.cases.rows import x")
    assert circles(between_folders(planted)) == []
    plant(planted, "engine/store/cases/back.py", "if TYPE_CHECKING:\n    from engine.store.people.staff import y")
    assert circles(between_folders(planted)) == [{"engine.store.people", "engine.store.units", "engine.store.cases"}]


def test_a_crowded_folder_is_found(planted: Path) -> None:
    for number in range(MOST_MODULES):
        plant(planted, f"engine/core/cases/one_of_many_{number}.py", "")
    assert crowded(planted) == {"engine/core/cases": MOST_MODULES + 1}


# --- the contracts of setup.cfg ---------------------------------------------------------------------------------------

PLANTED = {
    "Imports point down": ("engine/store/bulk.py", "import engine.channels.email"),
    "The core decides": ("engine/core/text.py", "import subprocess"),
    "The engine knows nothing": ("engine/jobs/sweep.py", "import flask"),
    "Workflows and rules are data": ("rules/__init__.py", "import engine"),
    "The pages know nothing": ("web/app.py", "import tests"),
    "Pages and commands write": ("web/lists.py", "import engine.store.tables"),
    "Only the store speaks": ("engine/usecases/context.py", "import sqlalchemy"),
    "Only engine.jobs.procrastinate_queue": ("engine/jobs/worker.py", "import procrastinate"),
    "Only the channels speak": ("engine/jobs/deliver.py", "import smtplib"),
    "Only engine.core.workflow.machine": ("engine/core/cases/facts.py", "import transitions"),
}


def contracts(root: Path) -> dict[str, str]:
    """What `lint-imports` says of each contract: KEPT or BROKEN."""
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-logo", "--no-cache"]
    said = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False).stdout
    return {line[1]: line[2] for line in re.finditer(r"^(.+?) (KEPT|BROKEN)(?: \(.*\))?$", said, re.MULTILINE)}


def test_each_contract_of_setup_cfg_finds_what_it_is_for(tmp_path: Path) -> None:
    for name in (*PACKAGES, "workflows", "rules", "bench", "tests"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "static", "help"))
    shutil.copy(ROOT / "setup.cfg", tmp_path)
    for name, line in PLANTED.values():
        with (tmp_path / name).open("a", encoding="utf-8") as file:
            file.write(f"\n{line}\n")
    found = contracts(tmp_path)
    assert {start: [verdict for name, verdict in found.items() if name.startswith(start)] for start in PLANTED} == {
        start: ["BROKEN"] for start in PLANTED
    }
    assert len(found) == len(PLANTED)
