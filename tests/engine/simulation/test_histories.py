"""Random histories: each open case has one request, of somebody who is there, and rules keep what pages promise.

`make test` plays some histories, always the same; `make histories` plays many, and counts what happened in them.
"""

import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from engine.core.scenario.reader import Scenario
from engine.store.session import Store, open_store
from tests import databases
from tests.engine.simulation.histories import HAPPENINGS, History
from web.cli.play import read_scenario
from web.site.definition_files import ROOT

STEPS = 24
FEWEST = 0.05  # of the histories have each kind of happening
STEADY = settings(
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
seeds = st.integers(0, 2**32)


@cache
def shipped() -> Scenario:
    """The shipped workflow, rules and calendar, from a Monday without holidays near."""
    return read_scenario(ROOT / "tests" / "scenarios" / "accepted-then-vacant.toml", roots=(ROOT,))


def played(store: Store, seed: int) -> History:
    """A whole history; what must be true is looked at after each step."""
    history = History(shipped(), store, seed)
    for _ in range(STEPS):
        history.go_on()
        history.check()
    return history


@contextmanager
def copy_of(template: Path, directory: Path) -> Iterator[Store]:
    """An empty store of its own for each history."""
    for old in directory.glob("history.db*"):
        old.unlink()
    with closing(open_store(databases.copy_sqlite(template, directory / "history.db"))) as store:
        yield store


@settings(STEADY, max_examples=8)
@given(seeds)
def test_each_case_is_somebodys_at_every_moment(sqlite_template: Path, tmp_path: Path, seed: int) -> None:
    with copy_of(sqlite_template, tmp_path) as store:
        played(store, seed)


@pytest.mark.parametrize("seed", [2, 39, 58])
def test_each_case_is_somebodys_at_every_moment_on_postgresql(postgresql_url: str, seed: int) -> None:
    with closing(open_store(postgresql_url)) as store:
        played(store, seed)


def main(first: int, number: int) -> None:
    """Plays many histories, tells in how many each thing happened, and ends with 1 if one of them is too rare."""
    happened: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as directory:
        template = Path(directory) / "template.db"
        databases.migrate(f"sqlite:///{template}")
        for seed in range(first, first + number):
            print(f"history {seed}", flush=True)
            with copy_of(template, Path(directory)) as store:
                happened.update(set(played(store, seed).happened))
    for kind in sorted(HAPPENINGS, key=lambda kind: -happened[kind]):
        print(f"{happened[kind] / number:6.0%}  {kind}")
    rare = [kind for kind in HAPPENINGS if happened[kind] < FEWEST * number]
    sys.exit(f"Too rare: {', '.join(rare)}" if rare else 0)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
