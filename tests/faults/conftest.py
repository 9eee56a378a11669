"""What the fault tests found, as figures: a line of JSON each at the end of the run. Their SQLite lies in memory."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import databases

FIGURES = "figures"


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> Iterator[str]:
    """A database of the test's own, in memory where there is room: what is killed is a process, not the machine.

    A thousand kills are then a matter of what the workers do, not of how fast the disk is.
    """
    roomy = databases.MEMORY.is_dir() and os.access(databases.MEMORY, os.W_OK)
    folder = databases.new_directory(databases.MEMORY) if roomy else tmp_path / "database"
    folder.mkdir()
    yield databases.copy_sqlite(sqlite_template, folder / "ralop.db")
    shutil.rmtree(folder)


@pytest.fixture
def figures(record_property: Callable[[str, object], None], request: pytest.FixtureRequest) -> Callable[..., None]:
    """Takes the figures of a test, to be shown whether they are as they should be or not."""
    parameters = request.node.callspec.params if hasattr(request.node, "callspec") else {}
    database = {"database": parameters["database_url"]} if "database_url" in parameters else {}

    def tell(**found: Any) -> None:
        record_property(FIGURES, json.dumps({"faults": request.node.originalname, **database, **found}))

    return tell


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show them all, those of failed tests too."""
    reports = [it for outcome in ("passed", "failed") for it in terminalreporter.stats.get(outcome, ())]
    lines = [line for it in reports for name, line in it.user_properties if name == FIGURES]
    if lines:
        terminalreporter.section("what was killed, and what became of it")
    for line in lines:
        terminalreporter.write_line(line)
