"""`ralop verify`, as an operator types it."""

from pathlib import Path

from click.testing import CliRunner, Result
from sqlalchemy import text

from engine.core.proof.merkle import read_head
from engine.store.session import Store
from tests.playing import playing
from web.cli.verify import verify_chains


def run(store: Store, tmp_path: Path, *arguments: str, language: str = "en") -> Result:
    url = store.url.render_as_string(hide_password=False)
    environment = {"RALOP_INSTANCE": str(tmp_path / "instance"), "RALOP_DATABASE_URL": url}
    return CliRunner().invoke(verify_chains, [*arguments, "--language", language], env=environment)


def test_what_is_whole_holds_and_a_change_by_hand_is_named(store: Store, tmp_path: Path) -> None:
    code = playing(store).open("2026-04-07 08:00")
    found = run(store, tmp_path)
    assert (found.exit_code, found.output) == (0, "1 events, 0 breaks\n")
    with store.writing("test") as session:
        session.connection().execute(text("UPDATE cases SET level = 3"))
    found = run(store, tmp_path)
    assert found.exit_code == 1
    assert found.output == f"Case {code}: the column level holds 3; its events say 0.\n1 events, 1 breaks\n"
    found = run(store, tmp_path, language="vi")
    assert found.output.splitlines()[0] == f"Hồ sơ {code}: cột level là 3; theo các sự kiện phải là 0."


def test_a_head_is_printed_alone_and_taken_back(store: Store, tmp_path: Path) -> None:
    assert run(store, tmp_path, "--head").output == "Nothing is stored yet.\n"
    playing(store).open("2026-04-07 08:00")
    head = run(store, tmp_path, "--head")
    assert head.exit_code == 0
    assert read_head(head.output) is not None
    assert run(store, tmp_path, "--head").output == head.output
    against = run(store, tmp_path, "--against", head.output.strip())
    assert (against.exit_code, against.output) == (0, "1 events, 0 breaks\n")


def test_a_head_of_another_database_and_no_head_at_all_are_told_apart(store: Store, tmp_path: Path) -> None:
    playing(store).open("2026-04-07 08:00")
    found = run(store, tmp_path, "--against", f"7-{'a' * 32}")
    assert found.exit_code == 1
    assert found.output.startswith("There is no checkpoint 7 here: ")
    assert run(store, tmp_path, "--head").exit_code == 0
    found = run(store, tmp_path, "--against", f"1-{'a' * 32}")
    assert found.exit_code == 1
    assert found.output.startswith("Checkpoint 1 is not the one of this head: ")
    found = run(store, tmp_path, "--against", "abc")
    assert found.exit_code == 2
    assert "abc is no head: copy the whole line that --head printed." in found.output
