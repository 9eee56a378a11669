"""A rules file is read whole against its workflow, or refused with every fault it has."""

from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.calendar import Duration
from engine.core.rules.reader import (
    AskCheckIn,
    Condition,
    Fire,
    Notify,
    OfferTo,
    RaiseLevel,
    Repeat,
    RuleSet,
    SetFlag,
    load_ruleset,
)
from engine.core.toml_reader import Reader
from engine.core.words import Fault, Faulty, Label
from engine.core.workflow.reader import Workflow, load_workflow
from tests.shipped_roles import ROLES

ROOT = Path(__file__).parents[4]
DROPOUT = load_workflow((ROOT / "workflows" / "dropout.toml").read_text(encoding="utf-8"), "dropout.toml", ROLES)
SHIPPED = (ROOT / "rules" / "dropout.toml").read_text(encoding="utf-8")
HEAD = 'format = 1\nworkflow = "dropout"\nversion = 1\n'

# Two states that rules can move a case between, so that it could go round.
ROUND = load_workflow(
    """
format = 1
name = "round"
version = 1
initial = "a"
[states.a]
label = { vi = "Một", en = "One" }
owner = "teacher"
[states.b]
label = { vi = "Hai", en = "Two" }
owner = "head"
offered = true
[states.z]
label = { vi = "Hết", en = "End" }
final = true
[transitions.go]
from = ["a"]
to = "b"
by = ["rule"]
[transitions.back]
from = ["b"]
to = "a"
by = ["rule"]
[transitions.stay]
from = ["a"]
to = "a"
by = ["rule"]
[transitions.end]
from = ["a"]
to = "z"
by = ["head"]
""",
    "round.toml",
    ROLES,
)


def rule(when: str, then: str = '{ notify = ["head"] }', id: str = "r", more: str = "") -> str:
    return f'[[rule]]\nid = "{id}"\nwhen = {{ {when} }}\nthen = [{then}]\n{more}\n'


def read(rules: str, workflow: Workflow = DROPOUT) -> RuleSet:
    return load_ruleset(HEAD.replace("dropout", workflow.name) + rules, "r.toml", workflow)


def faults(rules: str, workflow: Workflow = DROPOUT) -> list[str]:
    with pytest.raises(Faulty) as caught:
        read(rules, workflow)
    return [str(fault).removeprefix("r.toml: ") for fault in caught.value.faults]


def warnings(rules: str, workflow: Workflow = DROPOUT) -> list[str]:
    """The warnings of some rules, but for those of the states that they leave to silence."""
    found = [str(fault).removeprefix("r.toml: ") for fault in read(rules, workflow).warnings]
    return [warning for warning in found if "in silence" not in warning]


def silences(rules: str) -> list[str]:
    return [str(fault).removeprefix("r.toml: ") for fault in read(rules).warnings if "in silence" in str(fault)]


def test_a_state_that_no_rule_watches_and_a_last_rule_that_does_not_repeat_are_warned_of() -> None:
    watched = rule('state = "teacher_contact", for = "3 days"', '{ fire = "ask_commune" }', id="leaves")
    often = rule('state = "absent", for = "3 days"', more='repeat = { every = "2 days", at_most = 3 }', id="thrice")
    found = silences(watched + often + rule('state = "commune_visit", accepted = false, for = "3 days"', id="once"))
    assert [warning.partition(": ")[0] for warning in found[:4]] == [
        "rule “thrice”.repeat",
        "rule “once”.repeat",
        "rule",
        "rule",
    ]
    assert "“commune_visit” once it is accepted" in found[2]
    assert not any("teacher_contact" in warning for warning in found)
    always = rule('state = "absent", for = "3 days"', more='repeat = { every = "2 days" }', id="always")
    assert not any("absent" in warning for warning in silences(always))


def test_the_shipped_rules_have_neither_fault_nor_warning() -> None:
    rules = load_ruleset(SHIPPED, "rules/dropout.toml", DROPOUT)
    assert rules.warnings == ()
    assert [rule.id for rule in rules.rules] == [
        "contact-overdue",
        "safety-first",
        "contact-missing",
        "contact-failed",
        "contact-no-return",
        "visit-not-accepted",
        "visit-still-not-accepted",
        "visit-due-soon",
        "visit-overdue",
        "visit-long",
        "visit-no-return",
        "visit-no-return-province",
        "support-not-accepted",
        "support-not-taken",
        "support-due-soon",
        "support-overdue",
        "support-not-given",
        "return-held",
    ]
    assert [season.id for season in rules.seasons] == ["after-tet", "school-year-start", "end-of-april", "national-day"]


def test_the_deadline_of_a_state_is_that_of_its_first_rule_without_conditions() -> None:
    rules = load_ruleset(SHIPPED, "rules/dropout.toml", DROPOUT)
    timing = {
        (state.name, accepted): found.id
        for state in DROPOUT.states.values()
        for accepted in ((False, True) if state.offered else (None,))
        if (found := rules.timing(state.name, accepted))
    }
    assert timing == {
        ("absent", None): "contact-overdue",
        ("teacher_contact", None): "contact-failed",
        ("commune_visit", False): "visit-not-accepted",
        ("commune_visit", True): "visit-overdue",
        ("support_referral", False): "support-not-accepted",
        ("support_referral", True): "support-overdue",
        ("returned", None): "return-held",
    }


def test_every_shipped_rule_says_why_in_both_languages() -> None:
    rules = load_ruleset(SHIPPED, "rules/dropout.toml", DROPOUT).rules
    assert [rule.id for rule in rules if rule.why.vi == rule.why.en] == []


def test_a_rule_without_why_is_called_by_its_id() -> None:
    assert read(rule('state = "absent"', id="much-too-late")).rules[0].why == Label("Much too late", "Much too late")


def test_every_action_is_read() -> None:
    then = (
        '{ notify = ["assignee", "head"] }, { offer = "association", unit = "next_up" }, { offer = "head" }, '
        '{ fire = "ask_commune" }, { raise_level = 2 }, { set_flag = "safety" }, { ask_check_in = "3 days" }'
    )
    assert read(rule('state = "absent"', then)).rules[0].then == (
        Notify(("assignee", "head")),
        OfferTo("association", "next_up"),
        OfferTo("head", "own"),
        Fire("ask_commune"),
        RaiseLevel(2),
        SetFlag("safety"),
        AskCheckIn(Duration(3, "days")),
    )


@pytest.mark.parametrize(
    ("key", "conditions"),
    [
        ("level = 1", [("level", "at_least", 1), ("level", "at_most", 1)]),
        ("level = { at_least = 1 }", [("level", "at_least", 1)]),
        ("grade = [6, 7]", [("grade", "any_of", (6, 7))]),
        ("grade = { at_least = 6, at_most = 9 }", [("grade", "at_least", 6), ("grade", "at_most", 9)]),
        ("unreached_attempts = { at_least = 2 }", [("unreached_attempts", "at_least", 2)]),
        ('cause = ["harvest", "weak"]', [("cause", "any_of", ("harvest", "weak"))]),
        ('unit = ["23377"]', [("unit", "any_of", ("23377",))]),
        ('residence = ["23383"]', [("residence", "any_of", ("23383",))]),
        ('season = "after-tet"', [("season", "any_of", ("after-tet",))]),
        (
            'flags = ["safety"], without_flags = ["first_time"]',
            [("flags", "all_of", ("safety",)), ("flags", "none_of", ("first_time",))],
        ),
    ],
)
def test_every_condition_is_read(key: str, conditions: list[tuple[str, str, object]]) -> None:
    season = (
        '[[season]]\nname = { vi = "Sau Tết", en = "After Tết" }\n'
        'between = ["tet + 0 days", "tet + 14 days"]\nfactor = 0.5\n'
    )
    found = read(rule(f'state = "absent", {key}') + season).rules[0].when.conditions
    assert [(condition.name, condition.operator, condition.value) for condition in found] == conditions


def test_absences_are_counted_within_a_time() -> None:
    (condition,) = (
        read(rule('state = "absent", unexcused = { at_least = 5, within = "10 school days" }')).rules[0].when.conditions
    )
    assert condition == Condition("unexcused", "at_least", 5, Duration(10, "school days"))


def test_a_reminder_comes_a_duration_or_a_share_before_the_deadline_and_later_ones_after_it() -> None:
    rules = read(
        rule('state = "absent", for = "4 days"')
        + rule('state = "absent", before_deadline = "1 day"', id="b")
        + rule('state = "absent", before_deadline = "25 %"', id="c")
        + rule('state = "absent", after_deadline = "2 days"', id="d")
    ).rules
    assert [rule.when.before_deadline for rule in rules[1:3]] == [Duration(1, "days"), Fraction(1, 4)]
    assert rules[3].when.after_deadline == Duration(2, "days")


def test_a_rule_can_repeat_and_be_urgent() -> None:
    more = 'repeat = { every = "2 days", at_most = 3 }\nurgent = true'
    (found,) = read(rule('state = "absent", for = "1 day"', more=more)).rules
    assert (found.repeat, found.urgent) == (Repeat(Duration(2, "days"), 3), True)


@pytest.mark.parametrize(
    ("rules", "fault"),
    [
        (rule('state = "absnt"'), "rule “r”.when.state: There is no state “absnt”; did you mean “absent”?"),
        (rule('sate = "absent"'), "rule “r”.when.sate: There is no key “sate”; did you mean “state”?"),
        (
            rule('state = "closed", for = "1 day"'),
            "rule “r”.when.state: “closed” is final: nothing is waited for there.",
        ),
        (rule('state = "absent", for = "1 week"'), "rule “r”.when.for: 1 week is not a duration; write for example"),
        (rule('state = "absent", for = "0 days"'), "rule “r”.when.for: A duration is 1 to 9999 of: school days"),
        (
            rule('state = "absent", for = 3'),
            'rule “r”.when.for: This must be a duration such as "3 school days", not 3.',
        ),
        (rule('state = "absent", accepted = "no"'), 'rule “r”.when.accepted: This must be true or false, not "no".'),
        (
            rule('state = "absent", for = "2 days", after_deadline = "1 day"'),
            "rule “r”.when: Only one of for, before_deadline, after_deadline can stand here.",
        ),
        (
            rule('state = "teacher_contact", for = "2 days", since = "anser"'),
            "rule “r”.when.since: There is no moment “anser”; did you mean “answer”?",
        ),
        (
            rule('state = "teacher_contact", since = "answer"'),
            "rule “r”.when.since: Say with `for` how long after the contact or visit.",
        ),
        (
            rule('state = "commune_visit", accepted = false, for = "2 days", since = "answer"'),
            "rule “r”.when.since: Who has not accepted owes no visit yet: `since` goes with `accepted = true`.",
        ),
        (
            rule('state = "absent", for = "2 days", since = "answer"'),
            "rule “r”.when.since: No step that leads to “absent” is a contact or a visit (asks “met_whom”).",
        ),
        (
            rule('state = "absent", before_deadline = "1 day"'),
            "rule “r”.when.before_deadline: There is no deadline here: no rule for “absent” has a `for`.",
        ),
        (
            rule('state = "commune_visit", accepted = true, before_deadline = "1 day"')
            + rule('state = "commune_visit", accepted = false, for = "3 days"', id="other"),
            "rule “r”.when.before_deadline: There is no deadline here",
        ),
        (
            rule('state = "absent", before_deadline = "100 %"'),
            'rule “r”.when.before_deadline: This must be a duration such as "4 working hours", or a share such as',
        ),
        (
            rule('state = "absent", level = "high"'),
            "rule “r”.when.level: This must be a whole number or { at_least = 1",
        ),
        (rule('state = "absent", level = {}'), "rule “r”.when.level: Say at_least, at_most or both."),
        (rule('state = "absent", grade = [13]'), "rule “r”.when.grade: This must be a list of grades"),
        (rule('state = "absent", cause = ["harvst"]'), "rule “r”.when.cause: There is no cause “harvst”; did you mean"),
        (rule('state = "absent", cause = []'), "rule “r”.when.cause: This must be a list of texts, not []."),
        (rule('state = "absent", season = "tet"'), "rule “r”.when.season: There is no season “tet”."),
        (
            rule('state = "absent", flags = ["safty"]'),
            "rule “r”.when.flags: There is no flag “safty”; did you mean “safety”?",
        ),
        (
            rule('state = "absent"', ""),
            "rule “r”.then: A rule does something: write at least one of notify, offer, fire",
        ),
        (rule('state = "absent"', "{}"), "rule “r”.then 1: Each table holds one action: one of notify, offer, fire,"),
        (
            rule('state = "absent"', '{ notfy = ["head"] }'),
            "rule “r”.then 1.notfy: There is no action “notfy”; did you mean",
        ),
        (
            rule('state = "absent"', '{ notify = ["hed"] }'),
            "rule “r”.then 1.notify: There is no role “hed”; did you mean “head”?",
        ),
        (rule('state = "absent"', '{ offer = "assignee" }'), "rule “r”.then 1.offer: There is no role “assignee”"),
        (
            rule('state = "absent"', '{ fire = "contct" }'),
            "rule “r”.then 1.fire: There is no transition “contct”; did you mean",
        ),
        (
            rule('state = "absent"', '{ fire = "close" }'),
            "rule “r”.then 1.fire: “close” does not start from “absent”; rules can fire from there: ask_commune.",
        ),
        (
            rule('state = "absent"', '{ fire = "contact" }'),
            "rule “r”.then 1.fire: Rules may not fire “contact”: the workflow's `by` does not name “rule”.",
        ),
        (
            rule('state = "returned"', '{ fire = "close" }, { fire = "relapse" }'),
            "rule “r”.then: A rule can fire one transition only.",
        ),
        (
            rule('state = "absent"', "{ raise_level = 0 }"),
            "rule “r”.then 1.raise_level: This must be at least 1, not 0.",
        ),
        (
            rule('state = "absent"', more='repeat = { every = "2 days", at_most = 0 }'),
            "rule “r”.repeat.at_most: This must be at least 1, not 0.",
        ),
        (rule('state = "absent"') * 2, "rule: The id “r” is given to two rules."),
        (rule('state = "absent"', id="Bad id"), "rule “Bad id”.id: Write ids with small letters"),
        ('[[rule]]\nwhen = { state = "absent" }\n', "rule 1.id: This is missing; it must be text in quotes."),
        ("[[rul]]\n", "rul: There is no key “rul”; did you mean “rule”?"),
        (
            '[[season]]\nname = { vi = "M", en = "S" }\nbetween = ["tet"]\nfactor = 0.5\n',
            'season 1.between: This must be two dates such as ["tet + 0 days", "tet + 14 days"], not ["tet"].',
        ),
        (
            '[[season]]\nname = { vi = "M", en = "S" }\nbetween = ["noel", "tet"]\nfactor = 0.5\n',
            "season 1.between: noel is not a day of the year; write for example tet + 14 days",
        ),
        (
            '[[season]]\nname = { vi = "M", en = "S" }\nbetween = ["tet + 9 days", "tet"]\nfactor = 0.5\n',
            "season 1.between: The season must end after it begins.",
        ),
        (
            '[[season]]\nname = { vi = "M", en = "S" }\nbetween = ["tet", "10-01"]\nfactor = 0\n',
            "season 1.factor: The factor of a season must be above 0, for example 0.5.",
        ),
    ],
)
def test_a_malformed_rule_is_refused_with_what_would_be_right(rules: str, fault: str) -> None:
    found = faults(rules)
    assert any(said.startswith(fault) for said in found), found


def test_rules_for_another_workflow_are_refused() -> None:
    with pytest.raises(Faulty, match="These rules are for “dropout”, not for the workflow “round”"):
        load_ruleset(HEAD, "r.toml", ROUND)


def test_all_faults_are_told_at_once() -> None:
    assert len(faults(rule('state = "absnt"', '{ notify = ["hed"] }') + rule('state = "closed"', "{}", id="s"))) == 4


@pytest.mark.parametrize(
    ("there", "back"),
    [
        ('state = "a"', 'state = "b"'),
        ('state = "a"', 'state = "b", accepted = false'),
        ('state = "a", level = { at_least = 1 }', 'state = "b"'),
    ],
)
def test_rules_that_fire_each_other_without_time_passing_are_refused(there: str, back: str) -> None:
    rules = rule(there, '{ fire = "go" }', id="there") + rule(back, '{ fire = "back" }', id="again")
    assert faults(rules, ROUND) == [
        "rule “there”.then: These rules fire each other without time passing: there → again → there."
    ]


def test_reminders_set_so_early_that_no_time_passes_count_as_a_cycle_too() -> None:
    rules = (
        rule('state = "a", before_deadline = "2 days"', '{ fire = "go" }', id="there")
        + rule('state = "a", for = "2 days"', id="clock")
        + rule('state = "b"', '{ fire = "back" }', id="again")
    )
    assert "there → again → there" in faults(rules, ROUND)[0]


def test_a_rule_that_leads_back_into_its_own_state_at_once_is_refused() -> None:
    assert faults(rule('state = "a"', '{ fire = "stay" }'), ROUND) == [
        "rule “r”.then: These rules fire each other without time passing: r → r."
    ]


@pytest.mark.parametrize("back", ['state = "b", for = "1 day"', 'state = "b", accepted = true'])
def test_a_round_that_takes_time_or_a_person_is_allowed(back: str) -> None:
    rules = rule('state = "a"', '{ fire = "go" }', id="there") + rule(back, '{ fire = "back" }', id="again")
    assert len(read(rules, ROUND).rules) == 2


@pytest.mark.parametrize(
    ("rules", "warning"),
    [
        (
            rule('state = "absent", accepted = true'),
            "rule “r”.when.accepted: This rule can never fire: “absent” is not offered, so nobody accepts it.",
        ),
        (
            rule('state = "absent", level = { at_least = 3, at_most = 2 }'),
            "rule “r”.when: This rule can never fire: the conditions on “level” cannot hold together.",
        ),
        (
            rule('state = "absent", flags = ["safety"], without_flags = ["safety"]'),
            "rule “r”.when: This rule can never fire: the conditions on “flags” cannot hold together.",
        ),
        (
            rule('state = "absent", absences = { at_least = 6, within = "5 school days" }'),
            "rule “r”.when: This rule can never fire: the conditions on “absences” cannot hold together.",
        ),
        (
            rule('state = "absent", for = "5 days"', id="late")
            + rule('state = "absent", for = "3 days"', '{ fire = "ask_commune" }', id="early"),
            "rule “late”.when: This rule can never fire: “early” has taken the case out of the state by then.",
        ),
        (
            rule('state = "absent", for = "3 days"', '{ fire = "ask_commune" }', id="early")
            + rule('state = "absent", for = "3 days", flags = ["safety"]', id="late"),
            "rule “late”.when: This rule can never fire: “early” has taken the case out of the state by then.",
        ),
        (
            rule('state = "absent", for = "3 days"', id="one") + rule('state = "absent", for = "3 days"', id="two"),
            "rule “two”.when: This rule always fires together with “one”.",
        ),
    ],
)
def test_what_is_hardly_meant_is_warned_of(rules: str, warning: str) -> None:
    assert warnings(rules) == [warning]


@pytest.mark.parametrize(
    "rules",
    [
        # The earlier rule asks for more, so the later one may still come to fire.
        rule('state = "absent", for = "3 days", flags = ["safety"]', '{ fire = "ask_commune" }', id="early")
        + rule('state = "absent", for = "5 days"', id="late"),
        # Days of different kinds: which comes first depends on the calendar.
        rule('state = "absent", for = "3 school days"', '{ fire = "ask_commune" }', id="early")
        + rule('state = "absent", for = "5 days"', id="late"),
        # A rule for cases not accepted does not keep accepted ones from theirs.
        rule('state = "support_referral", accepted = false, for = "3 days"', '{ fire = "hand_back" }', id="early")
        + rule('state = "support_referral", accepted = true, for = "5 days"', id="late"),
        # Due at the same moment, but told before the case is moved on.
        rule('state = "absent", for = "3 days", flags = ["safety"]', id="early")
        + rule('state = "absent", for = "3 days"', '{ fire = "ask_commune" }', id="late"),
    ],
)
def test_what_may_be_meant_is_not_warned_of(rules: str) -> None:
    assert warnings(rules) == []


def faults_or_warnings() -> tuple[Fault, ...]:
    try:
        return load_ruleset("", "r.toml", DROPOUT).warnings
    except Faulty as error:
        return error.faults


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.dates()
    | st.sampled_from(
        ["absent", "commune_visit", "closed", "1 day", "25 %", "ask_commune", "close", "head", "tet + 1 day", "own"]
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
when_keys = st.sampled_from(
    [
        "state",
        "accepted",
        "for",
        "before_deadline",
        "after_deadline",
        "level",
        "grade",
        "absences",
        "cause",
        "season",
        "flags",
    ]
)
then_keys = st.sampled_from(["notify", "offer", "unit", "fire", "raise_level", "set_flag", "ask_check_in", "other"])
rule_tables = st.fixed_dictionaries(
    {
        "id": st.just("r") | values,
        "when": st.dictionaries(when_keys, values, max_size=4) | values,
        "then": st.lists(st.dictionaries(then_keys, values, max_size=2), max_size=3) | values,
    },
    optional={"why": values, "repeat": values, "urgent": values},
)
season_tables = st.dictionaries(st.sampled_from(["id", "name", "between", "factor", "units"]), values, max_size=5)


@given(
    st.fixed_dictionaries(
        {"format": st.just(1) | values, "workflow": st.just("dropout") | values, "version": st.just(1) | values},
        optional={
            "rule": st.lists(rule_tables, max_size=3) | values,
            "season": st.lists(season_tables, max_size=2) | values,
        },
    )
)
def test_no_data_makes_the_loader_fail_otherwise_than_by_faults(data: dict[str, object]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("engine.core.rules.reader.read_toml", lambda _text, file: Reader(data, file))
        said = [fault.in_("vi") for fault in faults_or_warnings()]
    assert all(said)
