"""What a workflow file of format 2 says of requests is read whole, or refused with every fault it has."""

from pathlib import Path

import pytest

from engine.core.calendar.values import Duration
from engine.core.rules.model import Ask
from engine.core.rules.reader import load_ruleset
from engine.core.words import Faulty
from engine.core.workflow.model import Lead, Request, Workflow
from engine.core.workflow.reader import load_workflow
from engine.core.workflow.requests import REQUESTS
from tests.shipped_roles import ROLES

ROOT = Path(__file__).parents[4]
SMALL = """
format  = 2
name    = "small"
version = 3
initial = "away"
[states.away]
label = { vi = "Vắng", en = "Away" }
owner = "commune_officer"
asks  = "visit"
[states.away.requests.confirm_return]
of     = "teacher"
within = "1 school day"
else   = "visit"
[states.back]
label = { vi = "Có mặt", en = "Back" }
final = true
[fields.outcome]
type  = "choice"
label = { vi = "Kết quả", en = "Outcome" }
choices = [
  { code = "agreed", label = { vi = "Đồng ý", en = "Agreed" } },
  { code = "not_home", label = { vi = "Vắng nhà", en = "Not at home" } },
]
[transitions.call]
from = ["away"]
to   = "away"
by   = ["commune_officer"]
needs = ["outcome"]
may   = ["next_on", "note"]
[transitions.call.answers.outcome]
agreed   = { ask = "confirm_return" }
not_home = { ask = "visit", until = "next_on", at_most = 3 }
[transitions.come]
from = ["away"]
to   = "back"
by   = ["teacher", "rule"]
answers_to = ["confirm_return"]
"""
RULES = """
format   = 1
workflow = "small"
version  = 1
[[rule]]
id   = "late"
when = { state = "away", since = "request", for = "3 working days" }
then = [{ notify = ["head"] }]
[[rule]]
id   = "long"
when = { state = "away", for = "20 school days" }
then = [{ notify = ["head"] }]
repeat = { every = "20 school days" }
"""
OLD = """
format  = 1
name    = "old"
version = 1
initial = "away"
[states.away]
owner = "teacher"
label = { vi = "Vắng", en = "Away" }
[states.office]
owner = "education_office"
label = { vi = "Cơ quan", en = "Office" }
[states.help]
owner = "volunteer"
offered = true
label = { vi = "Hỗ trợ", en = "Help" }
[states.returned]
owner = "teacher"
label = { vi = "Đã ra lớp", en = "Returned" }
[states.end]
final = true
label = { vi = "Hết", en = "End" }
[transitions.on]
from = ["away"]
to   = "office"
by   = ["teacher"]
[transitions.over]
from = ["office"]
to   = "help"
by   = ["teacher"]
[transitions.come]
from = ["help"]
to   = "returned"
by   = ["teacher"]
[transitions.close]
from = ["returned"]
to   = "end"
by   = ["teacher"]
"""


def small(text: str = SMALL) -> Workflow:
    return load_workflow(text, "w.toml", ROLES)


def faults(text: str) -> list[str]:
    with pytest.raises(Faulty) as caught:
        small(text)
    return [str(fault) for fault in caught.value.faults]


def rule_faults(rules: str, workflow: str = SMALL) -> list[str]:
    with pytest.raises(Faulty) as caught:
        load_ruleset(rules, "r.toml", small(workflow))
    return [str(fault) for fault in caught.value.faults]


def test_a_state_asks_and_an_answer_leads_on() -> None:
    workflow = small()
    state, call = workflow.states["away"], workflow.transitions["call"]
    assert (state.asks, workflow.states["back"].asks) == ("visit", "")
    assert state.requests == {
        "confirm_return": Request(
            "confirm_return", "teacher", REQUESTS["confirm_return"], Duration(1, "school days"), "visit"
        )
    }
    assert call.answers == {"outcome": {"agreed": Lead("confirm_return"), "not_home": Lead("visit", "next_on", 3)}}
    assert workflow.transitions["come"].answers_to == ("confirm_return",)


def test_a_file_of_format_1_asks_what_the_owner_of_each_state_does() -> None:
    states = small(OLD).states
    assert {name: state.asks for name, state in states.items()} == {
        "away": "contact",
        "office": "handle",
        "help": "give_support",
        "returned": "confirm_stay",
        "end": "",
    }


def test_a_request_with_a_time_brings_a_rule_of_its_own() -> None:
    rules = load_ruleset(RULES, "r.toml", small())
    (own,) = rules.unanswered
    assert (own.id, own.then, own.when.for_) == (
        "away-confirm_return-silent",
        (Ask("visit"),),
        Duration(1, "school days"),
    )
    assert [rule.id for rule in rules.watching("away", None, "confirm_return")] == ["long", own.id]
    assert [rule.id for rule in rules.watching("away")] == ["late", "long"]
    assert [rules.by_request(rule) for rule in rules.all] == [True, False, True]
    assert rules.warnings == ()


@pytest.mark.parametrize(
    ("change", "to", "fault"),
    [
        ('asks  = "visit"\n', "", "states.away.asks: A state that is not final asks something: one of contact, visit"),
        ('asks  = "visit"', 'asks  = "vist"', "states.away.asks: There is no request “vist”; did you mean “visit”?"),
        ("final = true", 'final = true\nasks = "visit"', "states.back.asks: There is no key “asks”"),
        ('of     = "teacher"', 'of     = "tutor"', "states.away.requests.confirm_return.of: There is no role “tutor”"),
        ('else   = "visit"', 'else   = "search"', "confirm_return.else: This state does not ask “search”."),
        ('else   = "visit"\n', "", "confirm_return: `within` and `else` stand together"),
        ("requests.confirm_return]", "requests.accept]", "requests.accept: An offer is accepted by itself"),
        ("requests.confirm_return]", "requests.visit]", "requests.visit: The state asks “visit” by itself already."),
        ("requests.confirm_return]", "requests.tea]", "requests.tea.label: “tea” is not one of contact, visit"),
        (
            'agreed   = { ask = "confirm_return" }\n',
            "",
            "answers.outcome: Say for each answer where it leads; missing: agreed.",
        ),
        (
            'ask = "confirm_return" }\nnot_home',
            'ask = "search" }\nnot_home',
            "outcome.agreed.ask: There is no request “search”",
        ),
        (
            ', until = "next_on", at_most = 3',
            "",
            "outcome.not_home: This answer asks “visit” again without end: bound it",
        ),
        (", at_most = 3", "", "outcome.not_home.at_most: Say with `at_most` how often a date puts it off in one stay."),
        ('until = "next_on"', 'until = "note"', "outcome.not_home.until: There is no field “note”"),
        ("answers.outcome]", "answers.note]", "answers.note: Only a choice or a yes or no leads somewhere"),
        ("answers.outcome]", "answers.causes]", "answers.causes: The step does not ask for “causes”."),
        ('answers_to = ["confirm_return"]', 'answers_to = ["confirm"]', "answers_to: There is no request “confirm”"),
    ],
)
def test_what_is_wrong_with_a_request_is_told(change: str, to: str, fault: str) -> None:
    assert change in SMALL
    found = faults(SMALL.replace(change, to))
    assert any(fault in one for one in found), found


def test_several_faults_are_told_at_once() -> None:
    text = SMALL.replace('asks  = "visit"\n', "").replace(", at_most = 3", "").replace('of     = "teacher"\n', "")
    assert len(faults(text)) >= 3


def test_a_request_to_which_nothing_leads_is_a_fault() -> None:
    more = '[states.away.requests.search]\nof = "head"\nwithin = "2 school days"\nelse = "visit"\n'
    assert "w.toml: states.away.requests.search: No answer and no `else` leads to this request." in faults(SMALL + more)


def test_a_request_after_which_nothing_follows_is_a_fault_of_the_rules() -> None:
    silent = SMALL.replace('within = "1 school day"\nelse   = "visit"\n', "")
    rules = RULES.replace('for = "20 school days"', 'for = "20 school days", request = "visit"')
    (fault,) = rule_faults(rules, silent)
    assert fault.startswith(
        "r.toml: states.away.requests.confirm_return: Nothing follows when nobody answers “confirm_return”"
    )


def test_a_rule_names_what_is_asked_and_can_ask_something_else() -> None:
    rules = RULES.replace('"request", for', '"request", request = ["visit", "confirm_return"], for').replace(
        'for = "20 school days" }\nthen = [{', 'for = "20 school days" }\nthen = [{ ask = "confirm_return" }, {'
    )
    late, long = load_ruleset(rules, "r.toml", small()).rules
    assert (late.when.requests, long.asks) == (("", "confirm_return"), "confirm_return")


@pytest.mark.parametrize(
    ("change", "to", "fault"),
    [
        ('since = "request"', 'since = "request", request = "search"', "when.request: There is no request “search”"),
        ('since = "request"', 'since = "visit"', "when.since: There is no moment “visit”"),
        ('"request", for = "3 working days"', '"request"', "when.since: Say with `for` how long"),
        ("[{ notify", '[{ ask = "search" }, { notify', "then 1.ask: There is no request “search”"),
        ("[{ notify", '[{ fire = "come" }, { ask = "visit" }, { notify', "then: A rule can ask for one thing only"),
    ],
)
def test_what_is_wrong_with_a_rule_on_requests_is_told(change: str, to: str, fault: str) -> None:
    assert change in RULES
    found = rule_faults(RULES.replace(change, to, 1))
    assert any(fault in one for one in found), found


def test_a_state_in_which_answers_can_go_round_wants_a_rule_that_counts_the_stay() -> None:
    rules = RULES.replace('for = "20 school days"', 'since = "request", for = "20 school days"')
    said = "Answers can go round in “away” for ever: let one rule without `since` count the whole stay."
    assert said in [str(warning.sentence) for warning in load_ruleset(rules, "r.toml", small()).warnings]


def test_the_shipped_workflow_names_the_requests_that_others_rely_on() -> None:
    workflow = load_workflow((ROOT / "workflows" / "dropout.toml").read_text(encoding="utf-8"), "dropout.toml", ROLES)
    asked = {name for state in workflow.states.values() for name in (state.asks, *state.requests) if name}
    assert asked == REQUESTS.keys() - {"accept", "wait", "handle"}
