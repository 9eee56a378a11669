"""`ralop migrate-cases`, as an operator types it after changing a file in the instance folder."""

from pathlib import Path

from click.testing import CliRunner, Result

from engine.store.session import Store
from tests.playing import CONTACT, RULES, playing
from web.cli.migrate import migrate


def run(store: Store, tmp_path: Path, *arguments: str) -> Result:
    url = store.url.render_as_string(hide_password=False)
    environment = {"RALOP_INSTANCE": str(tmp_path / "instance"), "RALOP_DATABASE_URL": url}
    return CliRunner().invoke(migrate, [*arguments, "--language", "en"], env=environment)


def test_a_dry_run_then_the_move(store: Store, tmp_path: Path) -> None:
    here = playing(store)
    code = here.open("2026-03-09 07:00")
    here.step(code, "2026-03-09 08:00", "teacher", "contact", **CONTACT)
    (tmp_path / "instance" / "rules").mkdir(parents=True)
    faster = RULES.replace("version  = 3", "version  = 4", 1).replace(
        '"confirm_return"], for = "3 school days"', '"confirm_return"], for = "2 school days"'
    )
    assert run(store, tmp_path).stdout == "0 cases moved, 0 stay behind.\n"
    (tmp_path / "instance" / "rules" / "dropout.toml").write_text(faster, encoding="utf-8")
    line = f"{code}: teacher_contact; deadline 17:00 12/03/2026, then 17:00 11/03/2026\n"
    dry = run(store, tmp_path, "--dry-run")
    assert (dry.exit_code, dry.stdout) == (
        0,
        line + "1 cases would be moved, 0 would stay behind. Nothing was stored.\n",
    )
    assert run(store, tmp_path).stdout == line + "1 cases moved, 0 stay behind.\n"


def test_a_mapping_is_written_old_equals_new(store: Store, tmp_path: Path) -> None:
    assert run(store, tmp_path, "--map", "absent").exit_code == 2
    found = run(store, tmp_path, "--map", "absent=nowhere")
    assert (found.exit_code, found.output) == (1, "Error: The workflow has no state nowhere.\n")
