"""`ralop import pupils` and `ralop import attendance`, as an operator types them."""

import json
from pathlib import Path

import pytest
import python_calamine as calamine
from click.testing import CliRunner, Result
from sqlalchemy import func, select

from engine.store import stage as scene
from engine.store import tables as t
from engine.store.session import Store
from tests.stage import at
from tests.test_engine_importing import LIST, REGISTER
from web.cli import main


@pytest.fixture
def here(store: Store) -> Store:
    with store.writing("test") as session:
        scene.set_stage(session, at("2026-03-01 08:00"))
    return store


def run(store: Store, tmp_path: Path, kind: str, text: str, *arguments: str) -> Result:
    file = tmp_path / "file.csv"
    file.write_text(text, encoding="utf-8")
    url = store.url.render_as_string(hide_password=False)
    environment = {"RALOP_INSTANCE": str(tmp_path / "instance"), "RALOP_DATABASE_URL": url}
    return CliRunner().invoke(main, ["import", kind, str(file), *arguments], env=environment)


def last(result: Result) -> dict[str, int]:
    assert result.exit_code == 0, result.output
    line: dict[str, int] = json.loads(result.stdout.splitlines()[-1])
    return line


def marks(store: Store) -> int | None:
    with store.reading("test") as session:
        return session.scalar(select(func.count()).select_from(t.Mark))


def test_the_last_line_is_the_four_numbers(here: Store, tmp_path: Path) -> None:
    assert last(run(here, tmp_path, "attendance", REGISTER)) == {"new": 4, "changed": 0, "unchanged": 0, "wrong": 0}
    assert last(run(here, tmp_path, "attendance", REGISTER)) == {"new": 0, "changed": 0, "unchanged": 4, "wrong": 0}
    assert last(run(here, tmp_path, "pupils", LIST)) == {"new": 0, "changed": 3, "unchanged": 0, "wrong": 0}


def test_a_dry_run_keeps_nothing(here: Store, tmp_path: Path) -> None:
    assert last(run(here, tmp_path, "attendance", REGISTER, "--dry-run"))["new"] == 4
    assert marks(here) == 0


def test_one_class_only(here: Store, tmp_path: Path) -> None:
    text = REGISTER + "outsider_pupil,2026-02-27,m,u,\n"
    assert last(run(here, tmp_path, "attendance", text, "--class", "class")) == {
        "new": 4,
        "changed": 0,
        "unchanged": 0,
        "wrong": 1,
    }


def test_wrong_rows_are_told_by_place_and_go_into_a_file(here: Store, tmp_path: Path) -> None:
    result = run(
        here,
        tmp_path,
        "attendance",
        REGISTER + "nobody,2026-02-27,m,u,\n",
        "--wrong-rows",
        str(tmp_path / "wrong.xlsx"),
    )
    assert last(result)["wrong"] == 1
    assert "7" in result.stderr
    assert calamine.load_workbook(str(tmp_path / "wrong.xlsx")).get_sheet_by_index(0).to_python()[1][0] == "nobody"


def test_strictly_nothing_comes_in_with_a_wrong_row(here: Store, tmp_path: Path) -> None:
    result = run(here, tmp_path, "attendance", REGISTER + "nobody,2026-02-27,m,u,\n", "--strict")
    assert result.exit_code == 1
    assert marks(here) == 0


def test_a_file_that_cannot_be_read_ends_in_words(here: Store, tmp_path: Path) -> None:
    result = run(here, tmp_path, "attendance", "a,b\n1,2\n")
    assert result.exit_code == 1
    assert "Traceback" not in result.output


def test_an_operators_own_names_of_columns_are_known(here: Store, tmp_path: Path) -> None:
    own = tmp_path / "instance" / "rules" / "import"
    own.mkdir(parents=True)
    (own / "aliases.toml").write_text('format = 1\n[attendance]\ncode = ["Số hiệu"]\n', encoding="utf-8")
    assert last(run(here, tmp_path, "attendance", REGISTER.replace("pupil_code", "Số hiệu")))["new"] == 4
