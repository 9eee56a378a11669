"""A workflow file is read whole or refused with every fault it has."""

import datetime as dt
import hashlib
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.toml_reader import Reader
from engine.core.words import Faulty, Label
from engine.core.workflow.reader import ActFields, Transition, Workflow, load_workflow
from tests.shipped_roles import ROLES

ROOT = Path(__file__).parents[4]
DROPOUT = (ROOT / "workflows" / "dropout.toml").read_text(encoding="utf-8")

SMALL = """
format  = 1
name    = "small"
version = 3
initial = "away"
[states.away]
label = { vi = "Vắng", en = "Away" }
owner = "teacher"
[states.back]
label = { vi = "Có mặt", en = "Back" }
final = true
[transitions.come]
from = ["away"]
to   = "back"
by   = ["teacher", "rule"]
"""


def faults(text: str) -> list[str]:
    with pytest.raises(Faulty) as caught:
        load_workflow(text, "w.toml", ROLES)
    return [str(fault) for fault in caught.value.faults]


@pytest.fixture
def dropout() -> Workflow:
    return load_workflow(DROPOUT, "workflows/dropout.toml", ROLES)


def test_a_small_workflow_needs_no_more_than_states_and_transitions() -> None:
    workflow = load_workflow(SMALL, "w.toml", ROLES)
    assert (workflow.name, workflow.version, workflow.initial) == ("small", 3, "away")
    assert workflow.transitions["come"].label == Label("Come", "Come")
    assert workflow.text == SMALL
    assert workflow.digest == hashlib.sha256(SMALL.encode()).hexdigest()


def test_a_workflow_that_declares_no_forms_has_the_standard_ones() -> None:
    workflow = load_workflow(SMALL, "w.toml", ROLES)
    assert workflow.forms["open"].needs == ("absent_since", "causes")
    assert [field.name for field in workflow.asked(workflow.forms["decline"])] == ["reason"]
    assert workflow.fields["causes"].choice("harvest") is not None


def test_a_form_and_a_field_of_the_file_stand_in_the_place_of_the_standard_ones() -> None:
    own = '[fields.note]\ntype = "line"\nlabel = { vi = "Lời nhắn", en = "Message" }\n[forms.open]\nneeds = ["note"]\n'
    workflow = load_workflow(SMALL + own, "w.toml", ROLES)
    assert [field.type for field in workflow.asked(workflow.forms["open"])] == ["line"]
    assert workflow.forms["note"].needs == ("note",)


def test_text_is_kept_in_one_unicode_form() -> None:
    decomposed = SMALL.replace("Vắng", "Va\u0306\u0301ng")
    assert load_workflow(decomposed, "w.toml", ROLES).states["away"].label.vi == "Vắng"


def test_a_byte_order_mark_does_no_harm() -> None:
    assert load_workflow("\ufeff" + SMALL, "w.toml", ROLES).name == "small"


@pytest.mark.parametrize(
    ("change", "to", "fault"),
    [
        ("format  = 1", "format  = 3", "format: This program reads the formats 1, 2."),
        ("format  = 1", "", "format: This is missing; it must be a whole number."),
        ("version = 3", "version = 0", "version: This must be at least 1, not 0."),
        ("version = 3", 'version = "3"', 'version: This must be a whole number, not "3".'),
        ("version = 3", "version = true", "version: This must be a whole number, not true."),
        ("version = 3", "version = 0xffffffffffffffffff", "version: This must be a whole number, not"),
        ('name    = "small"', 'name    = " "', 'name: This must be text in quotes, not " ".'),
        ('"away"\n[', '"awai"\n[', "initial: There is no state “awai”; did you mean “away”?"),
        ('initial = "away"', 'initial = "back"', "initial: A case cannot begin in a final state."),
        (
            'owner = "teacher"',
            "",
            "states.away.owner: A state that is not final needs an owner: one of teacher, head, ",
        ),
        (
            'owner = "teacher"',
            'owner = "teachr"',
            "states.away.owner: There is no role “teachr”; did you mean “teacher”?",
        ),
        ('owner = "teacher"', 'ownr = "teacher"', "states.away.ownr: There is no key “ownr”; did you mean “owner”?"),
        ('en = "Away"', 'fr = "Loin"', "states.away.label.en: The words in English are missing."),
        ('en = "Away"', 'fr = "Loin"', "states.away.label.fr: There is no key “fr”; there are: vi, en."),
        ('vi = "Vắng", ', "", "states.away.label.vi: The words in Vietnamese are missing."),
        (
            '{ vi = "Vắng", en = "Away" }',
            '"Away"',
            'states.away.label: This must be a label in two languages: { vi = "…", en = "…" }, not "Away".',
        ),
        ("final = true", 'final = "yes"', 'states.back.final: This must be true or false, not "yes".'),
        ("final = true", 'owner = "head"', "states: No state is final: a case could never end."),
        (
            "final = true",
            "final = true\noffered = true",
            "states.back.offered: A final state has nobody to be offered to.",
        ),
        (
            'from = ["away"]',
            'from = ["gone"]',
            "transitions.come.from: There is no state “gone”; there are: away, back.",
        ),
        ('from = ["away"]', "from = []", "transitions.come.from: This must be a list of texts, not []."),
        ('from = ["away"]', 'from = "away"', 'transitions.come.from: This must be a list of texts, not "away".'),
        ('from = ["away"]', 'from = ["away", "away"]', "transitions.come.from: away stands here twice."),
        ('to   = "back"', 'to   = "bak"', "transitions.come.to: There is no state “bak”; did you mean “back”?"),
        ('to   = "back"', 'to   = "away"', "states.back: No case can come to this state from “away”."),
        ('to   = "back"', 'to   = "away"', "states.away: This is a dead end: no way leads from here to a final state."),
        (
            '"teacher", "rule"]',
            '"nobody"]',
            "transitions.come.by: There is no role “nobody”; there are: teacher, head,",
        ),
        ("[transitions.come]", "[transitions.open]", "transitions.open: The name “open” means something else already;"),
        (
            "[transitions.come]",
            '[transitions."Come back"]',
            "transitions.Come back: Write names with small letters a-z",
        ),
        ("[transitions.come]", "[transition.come]", "transitions: This is missing; it must be a table."),
        (
            "[transitions.come]",
            "[transition.come]",
            "transition: There is no key “transition”; did you mean “transitions”?",
        ),
        (
            'by   = ["',
            'needs = ["notes"]\nby   = ["',
            "transitions.come.needs: There is no field “notes”; did you mean “note”?",
        ),
        ('by   = ["', 'needs = ["note"]\nmay = ["note"]\nby   = ["', "transitions.come.may: “note” is needed already."),
    ],
)
def test_a_malformed_workflow_is_refused_with_what_would_be_right(change: str, to: str, fault: str) -> None:
    assert change in SMALL
    found = faults(SMALL.replace(change, to, 1))
    assert any(said.startswith(f"w.toml: {fault}") for said in found), found


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        ('[fields.x]\ntype = "txt"\n', "fields.x.type: There is no type of field “txt”; did you mean “text”?"),
        ('[fields.x]\ntype = "choice"\n', "fields.x.choices: A field of type “choice” needs choices."),
        ('[fields.x]\ntype = "date"\nleast = 3\n', "fields.x.least: This does not go with a field of this type."),
        (
            '[fields.x]\ntype = "date"\nwhen = "now"\n',
            "fields.x.when: There is no side of today “now”; there are: past, future",
        ),
        (
            '[fields.x]\ntype = "whole"\nleast = 3\nmost = 2\n',
            "fields.x.least: The least, 3, is more than the most, 2.",
        ),
        ('[fields.x]\ntype = "whole"\nleast = nan\n', "fields.x.least: This must be a number, not NaN."),
        ('[fields.x]\ntype = "line"\nmax_length = 0\n', "fields.x.max_length: This must be at least 1, not 0."),
        (
            '[fields.x]\ntype = "choice"\nchoices = [{ code = "a" }, { code = "a" }]\n',
            "fields.x.choices: a stands here twice.",
        ),
        (
            '[fields.x]\ntype = "choice"\nchoices = [{ code = "a", group = "7" }]\n',
            "fields.x.choices “a”.group: There is no group “7”.",
        ),
        (
            '[fields.x]\ntype = "choice"\nchoices = [{ code = "a", flag = "safty" }]\n',
            "fields.x.choices “a”.flag: There is no flag “safty”; did you mean “safety”?",
        ),
        ('[forms.opens]\nneeds = ["note"]\n', "forms.opens: There is no form “opens”; did you mean “open”?"),
        ('[forms.open]\nneeds = ["nothing"]\n', "forms.open.needs: There is no field “nothing”"),
        (
            '[states.third]\nlabel = { vi = "Khác", en = "Away" }\nfinal = true\n',
            "states.third.label: “away” has the same words; people could not tell them apart.",
        ),
        (
            '[transitions.same]\nfrom = ["away"]\nto = "back"\nby = ["teacher"]\nlabel = { vi = "Về", en = "Come" }\n',
            "transitions.same.label: “come” has the same words; people could not tell them apart.",
        ),
        (
            (
                '[states.third]\nlabel = { vi = "Ba", en = "Third" }\nfinal = true\n'
                '[transitions.on]\nfrom = ["back"]\nto = "third"\nby = ["head"]\n'
            ),
            "transitions.on.from: From a final state (back) a case can only be reopened.",
        ),
    ],
)
def test_malformed_fields_forms_and_states_are_refused_with_what_would_be_right(more: str, fault: str) -> None:
    found = faults(SMALL + more)
    assert any(said.startswith(f"w.toml: {fault}") for said in found), found


def test_all_faults_are_told_at_once() -> None:
    text = SMALL.replace('owner = "teacher"', "").replace('to   = "back"', 'to = "bak"').replace("final", "finl")
    assert {said.split(": ")[1] for said in faults(text)} >= {
        "states.away.owner",
        "states.back.owner",
        "states.back.finl",
        "transitions.come.to",
    }


def test_a_slip_in_the_toml_is_told_with_its_line() -> None:
    assert faults("format = 1\nname = small\n") == ["w.toml: This is not TOML: Invalid value (line 2, column 8)."]


@pytest.mark.parametrize("text", ['name = "', "a = " + "[" * 5000, "a = " + "9" * 5000, "a = 2026-13-40"])
def test_toml_that_cannot_be_read_at_all_is_a_fault_too(text: str) -> None:
    assert len(faults(text)) == 1


def test_an_empty_file_lacks_everything() -> None:
    assert [said.split(": ")[1] for said in faults("")] == [
        "format",
        "name",
        "states",
        "transitions",
        "version",
        "initial",
    ]


def test_faults_can_be_said_in_vietnamese() -> None:
    with pytest.raises(Faulty) as caught:
        load_workflow(SMALL.replace('initial = "away"', 'initial = "awai"'), "w.toml", ROLES)
    assert caught.value.faults[0].in_("vi") == ("w.toml: initial: Không có trạng thái “awai”; có phải ý bạn là “away”?")


def test_the_workflow_of_a_pupil_who_stops_coming_has_the_agreed_states_and_ends(dropout: Workflow) -> None:
    assert list(dropout.states) == [
        "absent",
        "teacher_contact",
        "commune_visit",
        "support_referral",
        "returned",
        "closed",
        "transferred",
        "moved_away",
        "dropped_out",
        "opened_in_error",
    ]
    assert dropout.final_states == ("closed", "transferred", "moved_away", "dropped_out", "opened_in_error")
    assert [state.name for state in dropout.states.values() if state.offered] == ["commune_visit", "support_referral"]


def test_a_contact_asks_how_whether_and_what(dropout: Workflow) -> None:
    assert dropout.transitions["contact"].needs == ("contact_way", "reached", "note")
    assert [field.type for field in dropout.asked(dropout.transitions["contact"])][:3] == ["choice", "yes_no", "text"]


def test_every_field_is_asked_for_somewhere(dropout: Workflow) -> None:
    acts: list[Transition | ActFields] = [*dropout.transitions.values(), *dropout.forms.values()]
    assert set(dropout.fields) - {name for act in acts for name in (*act.needs, *act.may)} == set()


def test_causes_are_counted_in_the_five_official_groups(dropout: Workflow) -> None:
    causes = dropout.fields["causes"]
    assert list(causes.groups) == ["1", "2", "3", "4", "5"]
    assert [choice.code for choice in causes.choices if choice.group is None] == ["unknown"]
    assert [choice.code for choice in causes.choices if choice.restricted] == ["marriage", "violence", "family"]


def test_every_kind_of_support_has_its_unit(dropout: Workflow) -> None:
    kinds = dropout.fields["support_kind"].choices
    assert {choice.code for choice in kinds if choice.unit is None} == set()
    assert dropout.fields["quantity"].least == Decimal("0.01")


def test_who_may_do_what_from_a_state_is_told_in_file_order(dropout: Workflow) -> None:
    assert [step.name for step in dropout.leaving("absent", "rule")] == ["ask_commune"]
    assert [step.name for step in dropout.leaving("closed")] == ["reopen"]
    assert [step.name for step in dropout.leaving("commune_visit", "commune_officer")] == ["visit", "refer_support"]


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.dates()
    | st.datetimes()
    | st.times(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
keys = st.sampled_from(
    ["format", "name", "version", "initial", "label", "states", "transitions", "fields", "forms", "flags"]
)
inner_keys = st.sampled_from(
    ["label", "owner", "final", "from", "to", "by", "needs", "may", "type", "choices", "least"]
)
tables = st.dictionaries(
    st.sampled_from(["a", "b", "open"]), st.dictionaries(inner_keys, values, max_size=5), max_size=3
)


@given(st.dictionaries(keys, values | tables, max_size=8))
def test_no_data_makes_the_loader_fail_otherwise_than_by_faults(data: dict[str, object]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("engine.core.workflow.reader.read_toml", lambda _text, file: Reader(data, file))
        with pytest.raises(Faulty):
            load_workflow("", "w.toml", ROLES)


@given(st.text())
def test_no_text_makes_the_loader_fail_otherwise_than_by_faults(text: str) -> None:
    with pytest.raises(Faulty):
        load_workflow(text, "w.toml", ROLES)


def test_a_date_where_a_text_belongs_is_shown_as_it_was_written() -> None:
    text = SMALL.replace('name    = "small"', f"name = {dt.date(2026, 3, 2)}")
    assert faults(text) == ['w.toml: name: This must be text in quotes, not "2026-03-02".']
