"""`ralop recount deadlines` counts by the calendar files as they are now, and says how many moved."""

from pathlib import Path

from click.testing import CliRunner, Result

from engine.store.session import Store
from tests.engine.usecases.calendar.test_recount import TEXT
from tests.playing import at, playing
from web.cli.main import main

FUNERAL = """
[[closed]]
name = { vi = "Quốc tang", en = "A day of mourning" }
day  = 2026-04-07
"""


def run(store: Store, tmp_path: Path, language: str) -> Result:
    url = store.url.render_as_string(hide_password=False)
    environment = {"RALOP_INSTANCE": str(tmp_path / "instance"), "RALOP_DATABASE_URL": url}
    return CliRunner().invoke(main, ["recount", "deadlines", "--language", language], env=environment)


def test_it_tells_its_progress_and_how_many_deadlines_moved(store: Store, tmp_path: Path) -> None:
    here = playing(store)
    code = here.open("2026-04-06 08:00", absent_since="2026-04-03")
    folder = tmp_path / "instance" / "rules" / "calendars"
    folder.mkdir(parents=True)
    (folder / "quang-ngai-2025-26.toml").write_text(TEXT + FUNERAL, encoding="utf-8")
    found = run(store, tmp_path, "en")
    assert (found.exit_code, found.stdout) == (0, "1 open cases: 1 deadlines moved.\n"), found.output
    assert found.stderr == "1 cases looked at\n"
    assert here.facts(code).due_at == at("2026-04-08 17:00")
    assert run(store, tmp_path, "vi").stdout == "1 hồ sơ đang mở: 0 hạn xử lý được dời.\n"
