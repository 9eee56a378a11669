"""`ralop watch`, as an operator types it."""

import datetime as dt
import json
from pathlib import Path

from click.testing import CliRunner, Result

from engine.store.session import Store
from engine.store.simulation import seed
from engine.usecases.ops.clock import set_clock
from tests.installation import at
from web.cli.watch import watch_day


def run(store: Store, tmp_path: Path, *arguments: str) -> Result:
    url = store.url.render_as_string(hide_password=False)
    environment = {"RALOP_INSTANCE": str(tmp_path / "instance"), "RALOP_DATABASE_URL": url}
    return CliRunner().invoke(watch_day, [*arguments, "--language", "en"], env=environment)


def test_the_last_line_is_what_was_found_and_the_day_may_be_watched_again(store: Store, tmp_path: Path) -> None:
    with store.writing("test") as session:
        cast = seed.add_cast(session, at("2026-03-01 08:00"))
        for day in (9, 10):
            seed.mark(session, cast.pupils["pupil"], dt.date(2026, 3, day), "ma", "u", at("2026-03-10 12:00"))
    set_clock(store, at("2026-03-10 18:00"))
    expected = {
        "looked": 1,
        "opened": 1,
        "proposed": 0,
        "added": 0,
        "relapsed": 0,
        "confirmed": 0,
        "signals": {"unexcused-in-a-row": 1},
    }
    dry = run(store, tmp_path, "--on", "2026-03-10", "--dry-run")
    assert dry.output.splitlines()[0] == "A dry run: none of it was kept."
    assert json.loads(dry.output.splitlines()[1]) == expected
    assert json.loads(run(store, tmp_path, "--on", "10/03/2026").output) == expected
    assert json.loads(run(store, tmp_path, "--on", "2026-03-10").output)["opened"] == 0
