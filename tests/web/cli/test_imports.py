"""`ralop import pupils` and `ralop import attendance`, as an operator types them."""

import json
from pathlib import Path

import pytest
import python_calamine as calamine
from click.testing import CliRunner, Result
from sqlalchemy import func, select

from engine.store import tables as t
from engine.store.session import Store
from engine.store.simulation import seed
from tests.engine.usecases.attendance.test_importing import LIST, REGISTER
from tests.installation import at
from web.cli.main import main


@pytest.fixture
def here(store: Store) -> Store:
    with store.writing("test") as session:
        seed.add_cast(session, at("2026-03-01 08:00"))
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
    assert (line.pop("noted"), line.pop("cases")) == (0, 0)
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


def test_another_name_is_held_and_taken_or_kept_when_somebody_says_so(here: Store, tmp_path: Path) -> None:
    last(run(here, tmp_path, "pupils", LIST))
    renamed = LIST.replace("A Thử", "A Thừ")
    held = run(here, tmp_path, "pupils", renamed)
    assert last(held) == {"new": 0, "changed": 0, "unchanged": 2, "wrong": 1}
    [said] = [line for line in held.stderr.splitlines() if line.startswith("pupil: ")]
    assert "--take" in said
    assert "Thừ" not in held.stderr
    assert "Thử" not in held.stderr
    assert last(run(here, tmp_path, "pupils", renamed, "--keep", "pupil"))["unchanged"] == 3
    assert last(run(here, tmp_path, "pupils", renamed, "--take", "pupil"))["changed"] == 1
    with here.reading("test") as session:
        assert "A Thừ" in session.scalars(select(t.Pupil.name)).all()
        assert session.scalars(select(t.PupilChange.taken).order_by(t.PupilChange.id)).all() == [False, True]


def test_to_take_and_to_keep_are_not_said_of_one_pupil(here: Store, tmp_path: Path) -> None:
    result = run(here, tmp_path, "pupils", LIST, "--take", "pupil", "--keep", "pupil")
    assert (result.exit_code, "pupil" in result.stderr) == (2, True)


def test_each_school_brings_in_its_own_pupils_and_marks_of_one_code(here: Store, tmp_path: Path) -> None:
    for school, name in (("school", "Y Một"), ("outsider_school", "A Hai")):
        class_name = school.replace("school", "class")
        rows = f"Mã HS,Họ và tên,Lớp\nHS001,{name},{class_name}\n"
        assert last(run(here, tmp_path, "pupils", rows, "--school", school))["new"] == 1
        register = "pupil_code,date,session,mark\nHS001,2026-02-27,m,u\n"
        assert last(run(here, tmp_path, "attendance", register, "--school", school))["new"] == 1
    with here.reading("test") as session:
        query = select(t.Pupil.name).join(t.Mark, t.Mark.pupil_id == t.Pupil.id).order_by(t.Pupil.id)
        assert session.scalars(query).all() == ["Y Một", "A Hai"]


def test_a_pupil_moves_to_another_class_of_the_school_that_is_named(here: Store, tmp_path: Path) -> None:
    rows = "Mã HS,Họ và tên,Lớp\npupil,A Thử,saturday_class\n"
    assert last(run(here, tmp_path, "pupils", rows, "--school", "school")) == {
        "new": 0,
        "changed": 1,
        "unchanged": 0,
        "wrong": 0,
    }
