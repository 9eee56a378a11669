"""The ladder and the clocks: small rules files of an operator's own, each shown in a scenario, on both databases."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from engine.core.calendar import Duration
from engine.core.rules.model import AskCheckIn, Fire, Notify, OfferTo, RaiseLevel, Rule, SetFlag
from engine.core.scenario.reader import Scenario
from engine.simulation.player import play
from engine.store.cases import verify
from engine.store.session import Store
from web.cli.play import read_scenario, said
from web.site.definition_files import ROOT

FOLDER = Path(__file__).parents[2] / "scenarios" / "ladder"
FILES = sorted(FOLDER.glob("*.toml"))


@cache
def scenario(path: Path) -> Scenario:
    return read_scenario(path, roots=(ROOT,))


def rules() -> Iterator[Rule]:
    """The rules of the folder that some scenario sees fire."""
    for found in map(scenario, FILES):
        fired = {id for step in found.steps for id in step.expect.get("fired", ())}
        yield from (rule for rule in found.rules.rules if rule.id in fired)


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_it_goes_as_the_scenario_says(path: Path, store: Store) -> None:
    checks = list(play(scenario(path), store))
    assert [said(check, "en") for check in checks if not check.ok] == []
    assert checks
    assert list(verify.breaks(store)) == []


def test_every_condition_is_seen_to_hold() -> None:
    seen = {(condition.name, condition.operator) for rule in rules() for condition in rule.when.conditions}
    assert {name for name, _ in seen} == {
        "level",
        "unreached_attempts",
        "grade",
        "cause",
        "flags",
        "unit",
        "residence",
        "season",
        "absences",
        "unexcused",
    }
    assert {operator for _, operator in seen} == {"at_least", "at_most", "any_of", "all_of", "none_of"}
    assert any(condition.within for rule in rules() for condition in rule.when.conditions)


def test_every_action_and_every_clock_is_seen() -> None:
    assert {type(action) for rule in rules() for action in rule.then} == {
        AskCheckIn,
        Fire,
        Notify,
        OfferTo,
        RaiseLevel,
        SetFlag,
    }
    whens = [rule.when for rule in rules()]
    assert {when.for_.unit for when in whens if when.for_} == {"school days", "working days", "working hours", "days"}
    assert any(isinstance(when.before_deadline, Duration) for when in whens)
    assert any(when.before_deadline and not isinstance(when.before_deadline, Duration) for when in whens)
    assert any(when.after_deadline for when in whens)
    assert {when.accepted for when in whens} == {None, True, False}
    assert {action.unit for rule in rules() for action in rule.then if isinstance(action, OfferTo)} == {
        "next_up",
        "commune",
    }


def test_each_rules_file_is_used_and_each_scenario_says_why() -> None:
    used = {
        line for path in FILES for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("rules ")
    }
    assert {f'rules    = "rules/{path.name}"' for path in (FOLDER / "rules").glob("*.toml")} == used
    assert [path.name for path in FILES if "\n# " not in path.read_text(encoding="utf-8")] == []


def test_names_are_sentences_of_their_own() -> None:
    names = [scenario(path).name for path in FILES]
    assert len(set(names)) == len(names)
