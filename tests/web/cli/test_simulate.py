"""`ralop simulate RULES --over FROM..TO`, as an operator types it."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from engine.store.session import Store
from engine.usecases.ops.clock import set_clock
from tests.playing import CONTACT, RULES, at, playing
from web.cli.simulate import simulate_rules


def run(store: Store, tmp_path: Path, *arguments: str) -> Result:
    url = store.url.render_as_string(hide_password=False)
    environment = {"RALOP_INSTANCE": str(tmp_path / "instance"), "RALOP_DATABASE_URL": url}
    return CliRunner().invoke(simulate_rules, [*arguments, "--language", "en"], env=environment)


def test_the_two_stand_side_by_side_and_progress_goes_elsewhere(store: Store, tmp_path: Path) -> None:
    here = playing(store)
    code = here.open("2026-03-09 08:00")
    here.step(code, "2026-03-09 14:00", "teacher", "contact", **CONTACT)
    here.pass_to("2026-03-12 18:00")
    set_clock(store, at("2026-03-12 18:00"))
    trial = tmp_path / "trial.toml"
    faster = RULES.replace('"confirm_return"], for = "3 school days"', '"confirm_return"], for = "1 school day"', 1)
    trial.write_text(faster, encoding="utf-8")
    found = run(store, tmp_path, str(trial), "--over", "2026-03-09..2026-03-31")
    assert found.exit_code == 0, found.output
    assert found.stderr == "1 cases played\n"
    assert found.stdout.splitlines() == [
        "1 cases were open in this period.",
        "How often each rule fired, and would have fired:",
        "  contact-failed: 1 -> 1 (+0)",
        "  visit-not-accepted: 0 -> 1 (+1)",
        "How many notices each person got, and would have got:",
        "  Lê Thị Mẫu: 0 -> 1 (+1)",
        "  Võ Thị Mẫu: 0 -> 1 (+1)",
        "  A Bút Thử: 1 -> 1 (+0)",
        "  Trần Văn Mẫu: 1 -> 1 (+0)",
        "Cases on which it would have been different (1):",
        "  RL-2026-000001",
        "    - 17:00 12/03/2026  contact-failed",
        "    + 17:00 10/03/2026  contact-failed",
        "    + 17:00 11/03/2026  visit-not-accepted",
    ]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("dropout", "--over", "2026"), "2026 is no period; write for example 2026-03-01..2026-03-31."),
        (("dropout", "--over", "2026-03-09..2026-03-01"), "The period must end after it begins."),
        (("nowhere", "--over", "2026-03-01..2026-03-09"), "There is no rules file nowhere."),
    ],
)
def test_what_cannot_be_played_is_said(store: Store, tmp_path: Path, arguments: tuple[str, ...], sentence: str) -> None:
    found = run(store, tmp_path, *arguments)
    assert (found.exit_code, found.output) == (1, f"Error: {sentence}\n")


def test_faults_of_the_rules_are_all_told(store: Store, tmp_path: Path) -> None:
    trial = tmp_path / "trial.toml"
    trial.write_text(RULES.replace('state = "absent"', 'state = "nowhere"', 1), encoding="utf-8")
    found = run(store, tmp_path, str(trial), "--over", "2026-03-01..2026-03-09")
    assert found.exit_code == 1
    assert "nowhere" in found.output
