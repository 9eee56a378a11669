"""`ralop merge-units`, as an operator types it on the day of a merger."""

from pathlib import Path

from click.testing import CliRunner, Result

from engine.store.session import Store
from engine.usecases.ops.clock import set_clock
from tests.engine.usecases.units.test_mergers import NOON, TABLE, country, not_yet_merged, with_cases
from web.cli.merge import merge

MOVED = (
    "Moved along: 3 open cases, 2 offers, 8 posts, 0 closures; places of pupils changed: 12; "
    "cases handed to another person: 0."
)


def run(store: Store, tmp_path: Path, *arguments: str) -> Result:
    url = store.url.render_as_string(hide_password=False)
    environment = {"RALOP_INSTANCE": str(tmp_path / "instance"), "RALOP_DATABASE_URL": url}
    return CliRunner().invoke(merge, [*arguments, "--language", "en"], env=environment)


def test_the_table_is_taken_as_it_was_published(store: Store, tmp_path: Path) -> None:
    with_cases(country(store, not_yet_merged()))
    set_clock(store, NOON)
    file = tmp_path / "table.csv"
    file.write_text(TABLE, encoding="utf-8")
    expected = [
        "Line 6: Xã Trà Bùi goes over only in part (Nhập một phần): say for each village in a file with --moves.",
        "Ended: Thị trấn Plei Kần, Xã Đăk Xú, Xã Pờ Y.",
        MOVED,
    ]
    dry = run(store, tmp_path, str(file), "--on", "2025-07-01", "--dry-run")
    assert dry.output.splitlines() == [*expected, "A dry run: none of it was kept."]
    *lines, undo = run(store, tmp_path, str(file), "--on", "01/07/2025").output.splitlines()
    assert lines == expected
    (path,) = (tmp_path / "instance" / "mergers").iterdir()
    assert undo == f"To undo it: ralop merge-units {path}"
    assert path.stat().st_mode & 0o077 == 0


def test_the_file_that_it_wrote_undoes_it(store: Store, tmp_path: Path) -> None:
    with_cases(country(store, not_yet_merged()))
    set_clock(store, NOON)
    undo = tmp_path / "undo.json"
    done = run(store, tmp_path, "--old", "23389", "--new", "23395", "--on", "2025-07-01", "--undo-file", str(undo))
    assert done.output.splitlines()[-1] == f"To undo it: ralop merge-units {undo}"
    dry = run(store, tmp_path, str(undo), "--dry-run")
    assert (dry.exit_code, dry.output.splitlines()[-1]) == (0, "A dry run: none of it was kept.")
    put_back = run(store, tmp_path, str(undo))
    assert (put_back.exit_code, put_back.output.splitlines()) == (0, dry.output.splitlines()[:-1])
    again = run(store, tmp_path, str(undo))
    assert (again.exit_code, "undone already" in again.output) == (1, True)
    merged = run(store, tmp_path, "--old", "23389", "--new", "23395", "--on", "2025-07-01")
    assert merged.exit_code == 0


def test_units_that_are_no_equals_are_refused(store: Store, tmp_path: Path) -> None:
    country(store, not_yet_merged())
    set_clock(store, NOON)
    found = run(store, tmp_path, "--old", "NH-CS1", "--new", "23395", "--on", "2025-07-01")
    assert found.exit_code == 1
    assert "(School) cannot become part of Xã Pờ Y (Commune): only units of one kind merge." in found.output
    assert not (tmp_path / "instance" / "mergers").exists()


def test_one_unit_by_its_codes(store: Store, tmp_path: Path) -> None:
    country(store, not_yet_merged())
    set_clock(store, NOON)
    assert run(store, tmp_path, "--old", "23389", "--on", "2025-07-01").exit_code == 2
    found = run(store, tmp_path, "--old", "23389", "--new", "23395", "--on", "2025-07-01")
    assert (found.exit_code, found.output.splitlines()[0]) == (0, "Ended: Xã Đăk Xú.")
