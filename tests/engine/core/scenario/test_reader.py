"""A scenario file is read whole: every fault of it is told with its key and what would be right."""

import datetime as dt
from pathlib import Path

import pytest

from engine.core.scenario.reader import Scenario, load_scenario
from engine.core.scenario.verbs import CODES
from engine.core.words import Faulty
from web.cli.play import Folders
from web.site.definition_files import ROOT

SHELF = Folders(ROOT / "tests" / "scenarios", roots=(ROOT,))
HEAD = """
name     = "A story"
start    = 2026-03-09T07:00:00
workflow = "dropout"
rules    = "dropout"
calendar = "quang-ngai-2025-26"
"""
OPENED = """
[[step]]
at = 2026-03-09T08:00:00
by = "teacher"
do = "open"
with = { absent_since = 2026-03-06, causes = ["econ"] }
"""


def load(steps: str = OPENED, head: str = HEAD) -> Scenario:
    return load_scenario(head + steps, "s.toml", SHELF)


def faults(steps: str = OPENED, head: str = HEAD, language: str = "en") -> list[str]:
    """What is said of a file; nothing if it is as it should be."""
    try:
        load(steps, head)
    except Faulty as error:
        return [fault.in_(language) for fault in error.faults]
    return []


def step(lines: str, at: str = "at = 2026-03-09T08:00:00") -> str:
    return f"[[step]]\n{at}\n{lines}\n"


def test_times_are_those_of_the_calendars_zone() -> None:
    scenario = load()
    assert scenario.start == dt.datetime(2026, 3, 9, 0, 0, tzinfo=dt.UTC)
    assert scenario.steps[0].at == dt.datetime(2026, 3, 9, 1, 0, tzinfo=dt.UTC)


def test_a_time_that_names_its_offset_is_taken_as_it_is() -> None:
    scenario = load(step('do = "worker_down"', at="at = 2026-03-09T08:00:00Z"))
    assert scenario.steps[0].at == dt.datetime(2026, 3, 9, 8, 0, tzinfo=dt.UTC)


def test_only_what_is_expected_is_asked() -> None:
    assert load(step("expect = { count = 0 }")).steps[0].expect == {"count": 0}


def test_rules_are_found_beside_the_scenario_by_their_path() -> None:
    scenario = load(head=HEAD.replace('rules    = "dropout"', 'rules = "rules/absences.toml"'))
    assert [rule.id for rule in scenario.rules.rules] == ["missed-three-days"]


def test_all_faults_are_told_at_once() -> None:
    text = step('by = "teachr"\ndo = "contct"\nexpect = { stat = "absent" }') + step(
        'do = "note"\nexpct = { count = 1 }'
    )
    assert faults(text, HEAD.replace('"A story"', "3")) == [
        "s.toml: name: This must be text in quotes, not 3.",
        "s.toml: step 1.do: There is no verb “contct”; did you mean “contact”?",
        "s.toml: step 1.by: There is no member of the cast “teachr”; did you mean “teacher”?",
        "s.toml: step 2.by: “note” is done by a person; say who with `by`.",
        "s.toml: step 1.expect.stat: There is no key “stat”; did you mean “state”?",
        "s.toml: step 2.expct: There is no key “expct”; did you mean “expect”?",
    ]


@pytest.mark.parametrize(
    ("head", "said"),
    [
        ('name = "x"\nstart = = 3', "This is not TOML: Invalid value (line 2, column 9)."),
        (
            HEAD + "speed = 3\n",
            "speed: There is no key “speed”; there are: name, workflow, rules, calendar, start, step.",
        ),
        (
            HEAD.replace("start    = 2026-03-09T07:00:00", ""),
            "start: This is missing; it must be a date and time without quotes, for example 2026-03-02T08:00:00.",
        ),
        (
            HEAD.replace("2026-03-09T07:00:00", '"9/3/2026"'),
            'start: This must be a date and time without quotes, for example 2026-03-02T08:00:00, not "9/3/2026".',
        ),
        (
            HEAD.replace('workflow = "dropout"', 'workflow = "dropot"'),
            "workflow: There is no workflow “dropot”; did you mean “dropout”?",
        ),
        (
            HEAD.replace('rules    = "dropout"', 'rules = "nowhere.toml"'),
            "rules: There is no rules file “nowhere.toml”; there are: dropout.",
        ),
        (
            HEAD.replace("quang-ngai-2025-26", "quang-ngai-2025"),
            "calendar: There is no calendar “quang-ngai-2025”; did you mean “quang-ngai-2025-26”?",
        ),
    ],
)
def test_the_head_of_a_file_says_what_it_is_played_with(head: str, said: str) -> None:
    assert faults(head=head)[0] == f"s.toml: {said}"


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ('do = "worker_down"\npupil = "pupl"', "pupil: There is no pupil “pupl”; did you mean “pupil”?"),
        ('by = "head"', "by: Nothing is done in this step; say what with `do`."),
        ("with = { note = 'x' }", "with: Nothing is done in this step; say what with `do`."),
        (
            "expect = { refused = 'invalid' }",
            "expect.refused: Nothing is done in this step, so nothing can be refused.",
        ),
        ("expect = { state = 'absnt' }", "expect.state: There is no state “absnt”; did you mean “absent”?"),
        ("expect = { level = -1 }", "expect.level: This must be at least 0, not -1."),
        ("expect = { accepted = 'no' }", 'expect.accepted: This must be true or false, not "no".'),
        ("expect = { fired = 'contact-failed' }", 'expect.fired: This must be a list of texts, not "contact-failed".'),
        (
            "expect = { fired = ['contact-faild'] }",
            "expect.fired: There is no rule “contact-faild”; did you mean “contact-failed”?",
        ),
        (
            "expect = { notified = ['teacher', 'hed'] }",
            "expect.notified: There is no member of the cast “hed”; did you mean “head”?",
        ),
        (
            "expect = { due = 2026-03-09 }",
            'expect.due: This must be a date and time without quotes, for example 2026-03-02T08:00:00, not "2026-',
        ),
        (
            "by = 'head'\ndo = 'close'\nexpect = { refused = 'forbidden' }",
            "expect.refused: There is no refusal “forbidden”; there are: " + ", ".join(CODES) + ".",
        ),
        (
            "by = 'teacher'\ndo = 'contact'\nwith = { contact_wy = 'phone' }",
            "with.contact_wy: There is no key “contact_wy”; did you mean “contact_way”?",
        ),
        ("by = 'head'\ndo = 'assign'", "with.to: This is missing; it must be text in quotes."),
        ("by = 'head'\ndo = 'open'\nversion = 'stale'", "version: Only an act on a case can be too late."),
        ("by = 'head'\ndo = 'note'\nversion = 'old'", "version: There is no version “old”; there are: stale."),
        ("do = 'vacant'\nwith = { post = 'mayor' }", "with.post: There is no member of the cast “mayor”; there are: "),
        ("do = 'away'\nwith = { who = 'head' }", "with.until: This is missing; it must be a day without quotes, "),
        (
            "do = 'away'\nwith = { who = 'head', until = 2026-03-08 }",
            "with.until: This day is before the first one.",
        ),
        (
            "do = 'closure'\nwith = { scope = 'hamlet', first = 2026-03-10 }",
            (
                "with.scope: There is no scope “hamlet”; "
                "there are: pupil, class, site, village, school, commune, province."
            ),
        ),
        (
            "do = 'closure'\nwith = { scope = 'class', first = 2026-03-10, last = 2026-03-09 }",
            "with.last: This day is before the first one.",
        ),
        ("do = 'lift'", "with.last: This is missing; it must be a day without quotes, for example 2026-02-17."),
        ("do = 'attendance'\nwith = { mark = 'x' }", "with.mark: There is no mark “x”; there are: present, "),
        ("do = 'worker_down'\nwith = { for = 3 }", "with.for: There is no key “for”."),
    ],
)
def test_a_step_is_told_what_is_wrong_with_it(lines: str, said: str) -> None:
    told = faults(step(lines))
    assert [line.startswith(f"s.toml: step 1.{said}") for line in told] == [True], told


def test_time_only_goes_on() -> None:
    early = step('do = "worker_down"', at="at = 2026-03-09T06:59:59")
    late = step('do = "worker_up"', at="at = 2026-03-09T09:00:00")
    said = "This is earlier than what stands before it: time only goes on."
    assert faults(early) == [f"s.toml: step 1.at: {said}"]
    assert faults(late + OPENED) == [f"s.toml: step 2.at: {said}"]
    assert faults(OPENED + OPENED) == []


def test_a_scenario_without_steps_says_nothing() -> None:
    assert faults("") == ["s.toml: step: This is missing; it must be a list of tables."]


def test_the_faults_of_a_file_that_it_names_are_told_under_that_files_name(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(
        (ROOT / "workflows" / "dropout.toml").read_text().replace("format  = 2", "format = 9")
    )
    head = HEAD.replace('workflow = "dropout"', 'workflow = "mine.toml"')
    with pytest.raises(Faulty) as error:
        load_scenario(head + OPENED.replace("open", "opn"), "s.toml", Folders(tmp_path, roots=(ROOT,)))
    assert list(map(str, error.value.faults)) == [
        f"{tmp_path / 'mine.toml'}: format: This program reads the formats 1, 2."
    ]


def test_faults_are_told_in_vietnamese() -> None:
    assert faults(step("by = 'head'\ndo = 'clos'"), language="vi") == [
        "s.toml: step 1.do: Không có việc “clos”; có phải ý bạn là “close”?"
    ]
