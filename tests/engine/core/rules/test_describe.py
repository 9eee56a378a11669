"""Rules in words: every kind of condition and action has its own, in both languages."""

from __future__ import annotations

import pytest

from engine.core.rules.describe import anchor_words, then_words, when_words
from engine.core.rules.reader import load_ruleset
from engine.core.workflow.reader import load_workflow
from tests.playing import RULES, WORKFLOW
from tests.shipped_roles import LABELS, ROLES

HEAD = 'format = 1\nworkflow = "dropout"\nversion = 7\n'
DEADLINE = """
[[rule]]
id = "deadline"
why = { vi = "a", en = "a" }
when = { state = "teacher_contact", for = "9 days" }
then = [{ notify = ["head"] }]
"""
SEASON = """
[[season]]
id = "after-tet"
name = { vi = "Sau Tết", en = "After Tết" }
between = ["tet + 0 days", "tet + 14 days"]
factor = 0.5
"""


def said(when: str, then: str = '[{ notify = ["teacher"] }]', more: str = "", language: str = "en") -> tuple[str, str]:
    workflow = load_workflow(WORKFLOW, "dropout.toml", ROLES)
    rule = f'[[rule]]\nid = "r"\nwhy = {{ vi = "a", en = "a" }}\nwhen = {when}\nthen = {then}\n{more}\n'
    rules = load_ruleset(HEAD + rule + DEADLINE + SEASON, "rules.toml", workflow)
    first = rules.rules[0]
    return (
        "; ".join(line.in_(language) for line in when_words(first, rules, workflow)),
        "; ".join(line.in_(language) for line in then_words(first, workflow, LABELS)),
    )


@pytest.mark.parametrize(
    ("when", "words"),
    [
        ('for = "3 school days"', "for 3 school days"),
        ('before_deadline = "25 %"', "25% of the time to the deadline is left"),
        ('before_deadline = "4 working hours"', "4 working hours before the deadline"),
        ('after_deadline = "1 day"', "1 day after the deadline"),
        (
            'for = "3 school days", since = "answer"',
            (
                "for 3 school days; counted anew from each contact or visit, or from the next date given with it: "
                "at most 7 working days off, 2 times"
            ),
        ),
        ("level = { at_least = 1 }", "at once; urgency level at least 1"),
        ("grade = [6, 7]", "at once; grade 6, 7"),
        ("grade = { at_most = 5 }", "at once; grade 5 or lower"),
        ("unreached_attempts = { at_least = 3 }", "at once; at least 3 attempts in a row reached nobody"),
        (
            'absences = { at_least = 5, within = "10 school days" }',
            "at once; at least 5 school days absent, within 10 school days",
        ),
        ('season = "after-tet"', "at once; in the season: After Tết"),
        ('unit = ["23377"]', "at once; learns in one of the units: 23377"),
        ('residence = ["23377"]', "at once; lives in one of the units: 23377"),
    ],
)
def test_a_condition_in_words(when: str, words: str) -> None:
    assert said(f'{{ state = "teacher_contact", {when} }}')[0] == f"The case is in the state “Teacher contact”; {words}"


def test_causes_and_flags_are_called_by_their_labels() -> None:
    when, _ = said('{ state = "absent", cause = ["harvest"], flags = ["safety"], without_flags = ["disability"] }')
    assert when.endswith("; with the flags: Safety; without the flags: Disability")
    assert "In the fields with parents, harvest" in when


@pytest.mark.parametrize(
    ("then", "words"),
    [
        ('[{ notify = ["teacher", "assignee"] }]', "tells: Homeroom teacher, Assignee"),
        ('[{ offer = "commune_leader" }]', "offers the case to: Commune leader"),
        ('[{ offer = "commune_leader", unit = "next_up" }]', "offers the case to: Commune leader, one level up"),
        ('[{ offer = "commune_leader", unit = "23377" }]', "offers the case to: Commune leader, unit 23377"),
        ("[{ raise_level = 2 }]", "raises the urgency level by 2"),
        ('[{ ask_check_in = "3 days" }]', "asks for a check-in on the pupil within 3 days"),
    ],
)
def test_an_action_in_words(then: str, words: str) -> None:
    assert said('{ state = "commune_visit", accepted = true, for = "3 days" }', then)[1] == words


def test_repeating_and_urgency_are_told() -> None:
    more = 'repeat = { every = "2 working days", at_most = 3 }\nurgent = true'
    _, then = said('{ state = "absent", for = "1 day" }', more=more)
    assert then.endswith("again every 2 working days, at most 3 times more; urgent: no quiet hours, no digest")


def test_every_shipped_rule_has_words_in_both_languages() -> None:
    workflow = load_workflow(WORKFLOW, "dropout.toml", ROLES)
    rules = load_ruleset(RULES, "rules.toml", workflow)
    for rule in rules.rules:
        for line in (*when_words(rule, rules, workflow), *then_words(rule, workflow, LABELS)):
            assert line.in_("vi")
            assert line.in_("vi") != line.in_("en"), line


@pytest.mark.parametrize(
    ("anchor", "words"),
    [
        ("tet + 0 days", "Tết"),
        ("tet + 14 days", "14 days after Tết"),
        ("school_year - 7 days", "7 days before the start of the school year"),
        ("10-01", "10-01"),
    ],
)
def test_the_ends_of_a_season_in_words(anchor: str, words: str) -> None:
    assert anchor_words(anchor).in_("en") == words
