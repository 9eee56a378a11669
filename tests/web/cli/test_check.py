"""`ralop check` tells every fault of the files people write."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from web.cli.check import check
from web.site.definition_files import ROOT

WORKFLOW = (ROOT / "workflows" / "dropout.toml").read_text(encoding="utf-8")
RULES = (ROOT / "rules" / "dropout.toml").read_text(encoding="utf-8")

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def call(*arguments: object, language: str = "en") -> Result:
        own = ["--instance", str(tmp_path / "instance"), "--language", language]
        return CliRunner().invoke(check, [*own, *map(str, arguments)])

    return call


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str], Path]:
    def call(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return call


Write = Callable[[str, str], Path]


def test_what_is_shipped_has_no_faults(run: Run) -> None:
    result = run()
    assert (result.exit_code, "Faults: 0. Warnings: 0." in result.output) == (0, True), result.output


def test_every_fault_is_printed_with_its_file_and_key_and_the_command_ends_with_1(run: Run, write: Write) -> None:
    path = write(
        "mine.toml", WORKFLOW.replace('to    = "returned"', 'to = "retuned"').replace("danger = true", "dangr = true")
    )
    result = run(path)
    assert result.exit_code == 1
    assert (
        f"{path}: transitions.return_to_class.to: There is no state “retuned”; did you mean “returned”?"
        in result.output
    )
    assert f"{path}: transitions.close.dangr: There is no key “dangr”; did you mean “danger”?" in result.output


def test_faults_are_told_in_vietnamese_where_that_is_asked_for(run: Run, write: Write) -> None:
    result = run(write("mine.toml", "format = 1\ninitial = 3\n"), language="vi")
    assert "initial: Mục này phải là chữ trong dấu ngoặc kép, không phải 3." in result.output


def test_rules_are_checked_against_the_workflow_given_with_them(run: Run, write: Write) -> None:
    workflow = write("w.toml", WORKFLOW.replace('"dropout"', '"mine"').replace("commune_visit", "visit_by_commune"))
    rules = write("r.toml", RULES.replace('"dropout"', '"mine"'))
    result = run(rules, workflow)
    assert result.exit_code == 1
    assert "rule “visit-overdue”.when.state: There is no state “commune_visit”" in result.output


def test_rules_given_alone_are_checked_against_the_shipped_workflow(run: Run, write: Write) -> None:
    assert run(write("r.toml", RULES)).exit_code == 0


def test_an_installation_s_own_workflow_comes_before_the_shipped_one_for_its_own_rules_only(
    run: Run, write: Write
) -> None:
    write("instance/workflows/dropout.toml", WORKFLOW.replace("support_referral", "helping"))
    rules = write("instance/rules/dropout.toml", RULES)
    result = run()
    assert result.exit_code == 1
    told = [line for line in result.output.splitlines() if "support_referral" in line]
    assert {line.split(": ")[0] for line in told} == {str(rules)}


def test_rules_of_an_unknown_workflow_and_of_a_faulty_one_are_told_so(run: Run, write: Write) -> None:
    unknown = write("u.toml", RULES.replace('"dropout"', '"dropot"'))
    faulty = write("w.toml", WORKFLOW.replace('"dropout"', '"broken"').replace("format  = 2", "format = 7"))
    rules = write("r.toml", RULES.replace('"dropout"', '"broken"'))
    result = run(unknown, faulty, rules)
    assert f"{unknown}: workflow: There is no workflow “dropot”; did you mean “dropout”?" in result.output
    assert f"{rules}: workflow: The workflow “broken” has faults; mend those first." in result.output


def test_rules_that_name_no_workflow_are_told_which_there_are(run: Run, write: Write) -> None:
    result = run(write("r.toml", "format = 1\n[[rule]]\nid = 'x'\n"))
    assert "workflow: This is missing; it must be text in quotes." in result.output


def test_a_warning_is_printed_but_is_no_fault(run: Run, write: Write) -> None:
    twice = (
        '\n[[rule]]\nid = "again"\nwhen = { state = "absent", for = "1 school day" }\nthen = [{ notify = ["head"] }]\n'
    )
    result = run(write("r.toml", RULES + twice))
    assert result.exit_code == 0
    assert "Warning: " in result.output
    assert "This rule always fires together with “contact-overdue”." in result.output


def test_a_calendar_is_known_by_its_content(run: Run, write: Write) -> None:
    text = (ROOT / "rules" / "calendars" / "quang-ngai-2025-26.toml").read_text(encoding="utf-8")
    assert run(write("any-name.toml", text)).exit_code == 0
    assert run(write("bad.toml", text.replace("17:00", "25:00"))).exit_code == 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a = 1\n", "This is no file of a kind known here: workflow, rules, calendar"),
        (b"", "This is no file of a kind known here: workflow, rules, calendar"),
        (b"name = \n", "This is not TOML: Invalid value (line 1, column 8)."),
        (b"name = '\xff'\n", "This is not text in UTF-8, from byte 8 on."),
    ],
)
def test_a_file_that_is_something_else_is_refused(run: Run, tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "x.toml"
    path.write_bytes(content)
    result = run(path)
    assert (result.exit_code, f"{path}: {said}" in result.output) == (1, True), result.output


def test_a_file_that_is_not_there_is_a_fault(run: Run, tmp_path: Path) -> None:
    result = run(tmp_path / "gone.toml")
    assert (result.exit_code, "gone.toml: This file is not there or cannot be read." in result.output) == (1, True)


def test_a_folder_stands_for_the_files_in_it(run: Run, write: Write) -> None:
    folder = write("mine/r.toml", RULES).parent
    assert "Files: 1. Faults: 0." in run(folder).output


def test_a_folder_without_files_is_no_success(run: Run, tmp_path: Path) -> None:
    result = run(tmp_path)
    assert (result.exit_code, "There is no file here" in result.output) == (2, True)


def test_the_installation_s_folder_is_the_one_that_the_environment_names(write: Write) -> None:
    own = write("elsewhere/workflows/own.toml", "initial = 1")
    told = CliRunner().invoke(check, ["--language", "en"], env={"RALOP_INSTANCE": str(own.parent.parent)})
    assert told.exit_code == 1
    assert f"{own}: initial" in told.output


ROLES = (ROOT / "rules" / "roles" / "2026.toml").read_text(encoding="utf-8")


def test_a_role_file_is_checked_and_a_workflow_may_name_its_roles(run: Run, write: Write) -> None:
    clerk = '\n[roles.clerk]\nlabel = { vi = "Văn thư", en = "Clerk" }\nseat = "school"\nsight = "knows"\n'
    roles = write("2026.toml", ROLES + clerk)
    flow = write("mine.toml", WORKFLOW.replace('by    = ["head"]', 'by    = ["clerk"]'))
    assert run(roles, flow).exit_code == 0
    alone = run(flow)
    assert (alone.exit_code, "transitions.drop_out.by: There is no role “clerk”" in alone.output) == (1, True)
    wrong = run(write("2026.toml", ROLES.replace('above      = ["head", ', 'above      = ["heed", ')))
    assert "2026.toml: roles.teacher.above: There is no role “heed”; did you mean “head”?" in wrong.output
    two = run(write("more.toml", ROLES))
    assert "more.toml: district: One role file must hold where no district is; there are 2." in two.output
