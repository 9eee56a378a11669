"""Random histories: each open case has one request, of somebody who is there, and rules keep what pages promise."""

from collections import Counter
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from engine.store.session import open_store
from tests import databases
from tests.engine.simulation.histories import History
from web.cli.play import read_scenario
from web.site.definition_files import ROOT

SCENARIO = read_scenario(Path(__file__).parents[2] / "scenarios" / "accepted-then-vacant.toml", roots=(ROOT,))
HAPPENED: Counter[str] = Counter()


@settings(max_examples=40, phases=[Phase.generate], suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2**32))
def test_whose_turn_it_is_on_sqlite(sqlite_template: Path, tmp_path: Path, seed: int) -> None:
    path = tmp_path / "history.db"
    for old in tmp_path.glob("history.db*"):
        old.unlink()
    store = open_store(databases.copy_sqlite(sqlite_template, path))
    try:
        history = History(SCENARIO, store, seed)
        for _ in range(24):
            history.go_on()
            history.check()
        HAPPENED.update(set(history.happened))
    finally:
        store.close()
        print(HAPPENED)
