"""Every scenario beside this file is played, on both databases; together they show every transition and every rule."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from engine.core.refusals import Conflict, Invalid, NoAccess, NotAllowed, NotFound
from engine.core.scenario.cast import CAST, PUPILS
from engine.core.scenario.reader import Scenario, ScenarioStep
from engine.core.scenario.verbs import BY_ITSELF, CODES, EXPECTED, MARKS, OWN_VERBS, SCOPES
from engine.core.workflow.model import FORM_NAMES
from engine.store.session import Store
from web.cli.play import read_scenario
from web.site.definition_files import ROOT

FILES = sorted((Path(__file__).parents[2] / "scenarios").glob("*.toml"))
SHIPPED = 2  # the version of the shipped rules


@cache
def scenario(path: Path) -> Scenario:
    return read_scenario(path, roots=(ROOT,))


def shipped() -> Iterator[Scenario]:
    """The scenarios that run on the shipped rules."""
    for found in map(scenario, FILES):
        if found.rules.version == SHIPPED:
            yield found


def steps() -> Iterator[ScenarioStep]:
    for found in shipped():
        yield from found.steps


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_it_goes_as_the_scenario_says(path: Path, store: Store) -> None:
    from engine.simulation.player import context_of, play
    from engine.store.cases import verify
    from engine.usecases.ops.proof import wrong_clocks
    from web.cli.play import said

    checks = list(play(scenario(path), store))
    assert [said(check, "en") for check in checks if not check.ok] == []
    assert checks, "a scenario expects something"
    assert list(verify.breaks(store)) == []
    end = scenario(path).steps[-1].at
    assert list(wrong_clocks(context_of(scenario(path), store), end)) == []


def test_there_is_a_scenario_for_every_transition() -> None:
    workflow = next(shipped()).workflow
    done = {step.do for step in steps() if "refused" not in step.expect}
    by_rules = {
        fired
        for found in shipped()
        for step in found.steps
        for id in step.expect.get("fired", ())
        for rule in found.rules.rules
        if rule.id == id
        for fired in rule.fires
    }
    assert set(workflow.transitions) - done - by_rules == set()
    people = {name for name, transition in workflow.transitions.items() if set(transition.by) - {"rule"}}
    assert people - done == set(), "transitions that people may do are done by people, too"


def test_there_is_a_scenario_for_every_rule() -> None:
    rules = next(shipped()).rules
    fired = {id for step in steps() for id in step.expect.get("fired", ())}
    assert {rule.id for rule in rules.rules} - fired == set()


def test_there_is_a_scenario_for_every_state_role_and_refusal() -> None:
    workflow = next(shipped()).workflow
    assert set(workflow.states) - {step.expect.get("state") for step in steps()} == set()
    codes = {refused.code for refused in (NoAccess, NotAllowed, NotFound, Invalid, Conflict)}
    assert codes - {step.expect.get("refused") for step in steps()} == set()
    told = {name for step in steps() for name in step.expect.get("notified", ())}
    assert {
        "teacher",
        "head",
        "commune_officer",
        "commune_leader",
        "volunteer",
        "association",
        "education_office",
        "admin",
    } - told == set()


def test_the_name_of_each_scenario_is_a_sentence_of_its_own() -> None:
    names = [scenario(path).name for path in FILES]
    assert len(set(names)) == len(names)
    assert [name for name in names if len(name.split()) < 4] == []


def test_each_scenario_says_why_its_dates_are_what_they_are() -> None:
    assert [path.name for path in FILES if "#" not in path.read_text(encoding="utf-8")] == []


def test_the_reference_names_every_word_of_a_scenario() -> None:
    text = (ROOT / "docs" / "scenarios.md").read_text(encoding="utf-8")
    words = (*EXPECTED, *BY_ITSELF, *FORM_NAMES, *OWN_VERBS, *CAST, *PUPILS, *SCOPES, *MARKS, *CODES)
    assert [word for word in words if f"`{word}`" not in text and not word.startswith("outsider_")] == []
