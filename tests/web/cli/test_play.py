"""`ralop play` prints a line for each expectation and ends as what it found."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.engine.core.scenario.test_reader import HEAD, OPENED, step
from web.cli.check import check
from web.cli.play import play_scenarios
from web.site.definition_files import ROOT

NO_DUTY = "You have no access to this case: none of your posts has a duty towards this pupil."
EXAMPLE = ROOT / "tests" / "scenarios" / "nobody-at-the-commune-answers.toml"

Run = Callable[..., Result]


def run(*arguments: object, language: str = "en") -> Result:
    return CliRunner().invoke(play_scenarios, [*map(str, arguments), "--language", language])


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str], Path]:
    def call(name: str, text: str) -> Path:
        (tmp_path / name).write_text(text, encoding="utf-8")
        return tmp_path / name

    return call


Write = Callable[[str, str], Path]


def test_a_line_for_each_expectation_and_a_summary() -> None:
    result = run(EXAMPLE)
    assert result.exit_code == 0
    assert result.output.splitlines() == [
        f"{EXAMPLE}: Nobody at the commune answers",
        'ok   step 3, 08:00 03/04/2026: state = "commune_visit"',
        'ok   step 3, 08:00 03/04/2026: offered_to = "commune_officer"',
        "ok   step 3, 08:00 03/04/2026: accepted = false",
        'ok   step 3, 08:00 03/04/2026: fired = ["contact-failed"]',
        'ok   step 4, 09:00 03/04/2026: refused = "no_access"',
        'ok   step 6, 10:00 06/04/2026: fired = ["contact-failed", "visit-not-accepted"]',
        'ok   step 6, 10:00 06/04/2026: offered_to = "commune_leader"',
        'ok   step 6, 10:00 06/04/2026: notified = ["commune_leader", "education_office"]',
        "Scenarios: 1. Expectations: 8. Failed: 0.",
    ]


def test_one_expectation_that_fails_is_enough_to_end_with_1(write: Write) -> None:
    expect = 'expect = { state = "absent", due = 2026-03-11T17:00:00 }\n'
    result = run(write("s.toml", HEAD + OPENED + expect + step('by = "outsider_head"\ndo = "ask_commune"')))
    assert result.exit_code == 1
    assert result.output.splitlines()[1:] == [
        'ok   step 1, 08:00 09/03/2026: state = "absent"',
        "FAIL step 1, 08:00 09/03/2026: due: expected 2026-03-11T17:00:00, found 2026-03-10T11:30:00",
        'FAIL step 2, 08:00 09/03/2026: refused: expected "", found "no_access" ' + f"({NO_DUTY})",
        "Scenarios: 1. Expectations: 3. Failed: 2.",
    ]


def test_faults_of_all_files_are_told_and_nothing_is_played(write: Write, tmp_path: Path) -> None:
    bad = write("bad.toml", HEAD + OPENED.replace("causes", "cause"))
    binary = write("binary.toml", "")
    binary.write_bytes(b"\xff")
    result = run(EXAMPLE, bad, binary, tmp_path / "gone.toml")
    assert result.exit_code == 2
    assert result.output.splitlines() == [
        f"{bad}: step 1.with.cause: There is no key “cause”; did you mean “causes”?",
        f"{binary}: This is not text in UTF-8, from byte 0 on.",
        f"{tmp_path / 'gone.toml'}: This file is not there or cannot be read.",
    ]


def test_in_vietnamese(write: Write) -> None:
    result = run(write("s.toml", HEAD + OPENED + "expect = { count = 2 }\n"), language="vi")
    assert result.output.splitlines()[1:] == [
        "FAIL bước 1, 08:00 09/03/2026: count: mong đợi 2, thực tế 1",
        "Kịch bản: 1. Điều mong đợi: 1. Không đạt: 1.",
    ]


def test_a_folder_stands_for_the_scenarios_in_it_each_on_its_own_database(write: Write, tmp_path: Path) -> None:
    for name in ("a.toml", "b.toml"):
        write(name, HEAD + OPENED + "expect = { count = 1 }\n")
    assert "Scenarios: 2. Expectations: 2. Failed: 0." in run(tmp_path).output


def test_a_folder_without_scenarios_is_no_success(tmp_path: Path) -> None:
    result = run(tmp_path)
    assert (result.exit_code, "There is no scenario here" in result.output) == (2, True)


def test_a_rule_change_is_tried_with_the_path_of_the_changed_file(write: Write) -> None:
    rules = (ROOT / "rules" / "dropout.toml").read_text(encoding="utf-8")
    write("mine.toml", rules.replace('for = "1 school day" }', 'for = "2 school days" }'))
    head = HEAD.replace('rules    = "dropout"', 'rules = "mine.toml"')
    result = run(write("s.toml", head + OPENED + "expect = { due = 2026-03-10T17:00:00 }\n"))
    assert result.exit_code == 0, result.output


def test_the_database_can_be_kept_to_look_at_and_takes_one_scenario(tmp_path: Path) -> None:
    kept = f"sqlite:///{tmp_path / 'kept.db'}"
    assert run(EXAMPLE, "--database", kept).exit_code == 0
    again = run(EXAMPLE, "--database", kept)
    assert (again.exit_code, "This database is not empty" in again.output) == (1, True)
    both = run(EXAMPLE, EXAMPLE, "--database", kept)
    assert (both.exit_code, "A database of your own takes one scenario only." in both.output) == (2, True)


def test_ralop_check_knows_a_scenario_by_its_content(write: Write) -> None:
    good, bad = write("any.toml", HEAD + OPENED), write("bad.toml", HEAD + OPENED.replace("teacher", "teachr"))
    result = CliRunner().invoke(check, ["--language", "en", str(good), str(bad)])
    assert f"{bad}: step 1.by: There is no member of the cast “teachr”; did you mean “teacher”?" in result.output
    assert "Files: 2. Faults: 1. Warnings: 0." in result.output
