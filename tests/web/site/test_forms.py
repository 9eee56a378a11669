"""Forms made from a workflow's fields: how each is asked, what comes back, what is said when it will not do."""

import datetime as dt
import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import render_template_string
from werkzeug.datastructures import MultiDict
from wtforms import StringField
from wtforms.validators import DataRequired, Length

from engine.core.refusals import Invalid
from engine.core.words import Label, Sentence
from engine.core.workflow.form_values import read_form
from engine.core.workflow.model import Choice, Field
from engine.store.session import open_store
from tests.pages import Site, site
from web.site.forms import ActForm, Form, act_form

TODAY = dt.date(2026, 3, 2)
TWO = (Choice("a", Label("Gạo", "Rice"), unit=Label("kg", "kg")), Choice("b", Label("Vở", "Notebooks"), group="g"))
MANY = tuple(Choice(f"c{number}", Label(f"Thứ {number}", f"Thing {number}")) for number in range(12))


@pytest.fixture
def here(sqlite_url: str) -> Iterator[Site]:
    store = open_store(sqlite_url)
    yield site(store)
    store.close()


def ask(kind: str, **more: Any) -> Field:
    return Field("it", kind, Label("Mục <này>", "This <item>"), **more)


def shown(here: Site, field: Field, *, needed: bool = True, language: str = "vi", sent: Any = None) -> str:
    """The HTML of a form with one field; `sent` is what a browser sent, read by the engine."""
    method = "GET" if sent is None else "POST"
    with here.app.test_request_context("/", method=method, data=sent, headers={"Cookie": f"language={language}"}):
        form = act_form([field], ["it"] if needed else [], version=4)
        if sent is not None:
            try:
                read_form(*(([field], []) if needed else ([], [field])), form.values, TODAY)
            except Invalid as refused:
                form.refuse(refused)
        macro = '{% from "macros/forms.html" import act with context %}{{ act(form, "/here", "Lưu") }}'
        return render_template_string(macro, form=form)


@pytest.mark.parametrize(
    ("field", "control"),
    [
        (ask("line"), r'<input id="it" name="it" type="text"'),
        (ask("text"), r'<textarea id="it" name="it"'),
        (ask("date"), r'<input id="it" [^>]*inputmode="numeric"'),
        (ask("whole"), r'<input id="it" [^>]*inputmode="numeric"'),
        (ask("money"), r'<input id="it" [^>]*inputmode="numeric"'),
        (ask("decimal"), r'<input id="it" [^>]*inputmode="decimal"'),
        (ask("yes_no"), r'(?s)type="radio" value="yes".*type="radio" value="no"'),
        (ask("choice", choices=TWO), r'<input id="it-0" name="it" type="radio" value="a"'),
        (ask("choice", choices=MANY), r'(?s)<select id="it" name="it".*<option value="c11"'),
        (ask("choices", choices=TWO), r'<input id="it-0" name="it" type="checkbox" value="a"'),
    ],
    ids=["line", "text", "date", "whole", "money", "decimal", "yes_no", "few choices", "many choices", "choices"],
)
def test_each_type_of_field_has_its_control(here: Site, field: Field, control: str) -> None:
    assert re.search(control, shown(here, field))


def test_labels_are_in_the_language_of_the_page_and_escaped(here: Site) -> None:
    assert "Mục &lt;này&gt;" in shown(here, ask("line"))
    assert "This &lt;item&gt;" in shown(here, ask("line"), language="en")


def test_what_need_not_be_filled_in_says_so(here: Site) -> None:
    assert "(không bắt buộc)" in shown(here, ask("line"), needed=False)
    assert "(không bắt buộc)" not in shown(here, ask("line"))


def test_the_browser_never_refuses_by_itself(here: Site) -> None:
    html = shown(here, ask("line"))
    assert "novalidate" in html
    assert " required" not in html


def test_a_choice_that_is_counted_shows_its_unit_and_groups_stand_over_theirs(here: Site) -> None:
    html = shown(here, ask("choices", choices=TWO, groups={"g": Label("Học tập", "Study")}))
    assert "Gạo (kg)" in html
    assert html.index("Học tập") < html.index("Vở") < html.index("Gạo (kg)")


def test_what_is_wrong_stands_on_top_and_at_the_field_and_what_was_typed_stays(here: Site) -> None:
    html = shown(here, ask("date"), sent={"it": "32/13/2026"})
    assert html.count("hãy ghi ngày") == 2 or html.count("Mục &lt;này&gt;") >= 3
    assert 'href="#it"' in html
    assert 'value="32/13/2026"' in html
    assert 'aria-invalid="true"' in html
    assert 'aria-describedby="it-hint it-error"' in html


def test_the_link_to_a_group_goes_to_its_first_choice(here: Site) -> None:
    html = shown(here, ask("choices", choices=TWO), sent={})
    assert 'href="#it-0"' in html
    assert 'id="it-0"' in html


def test_a_choice_that_is_not_on_the_list_is_refused_by_the_engine_alone(here: Site) -> None:
    assert 'class="faults"' in shown(here, ask("choice", choices=TWO), sent={"it": "zzz"})


def test_what_was_ticked_stays_ticked(here: Site) -> None:
    html = shown(here, ask("choices", choices=TWO), sent=MultiDict([("it", "b"), ("it", "zzz")]))
    assert re.search(r'value="b" checked', html)
    assert not re.search(r'value="a" checked', html)


def sent(here: Site, fields: list[Field], data: Any) -> ActForm:
    with here.app.test_request_context("/", method="POST", data=data):
        return act_form(fields, [])


def test_values_come_as_they_were_typed_for_the_engine_to_read(here: Site) -> None:
    kinds = {"when": "date", "how": "choice", "which": "choices", "met": "yes_no", "worth": "money"}
    fields = [Field(name, kind, Label(name, name), choices=TWO) for name, kind in kinds.items()]
    data = MultiDict(
        [("when", "1/3/26"), ("how", "a"), ("which", "a"), ("which", "b"), ("met", "no"), ("worth", "1.500.000")]
    )
    form = sent(here, fields, data)
    assert read_form([], fields, form.values, TODAY) == {
        "when": "2026-03-01",
        "how": "a",
        "which": ["a", "b"],
        "met": False,
        "worth": 1_500_000,
    }


def test_nothing_sent_is_nothing_filled_in(here: Site) -> None:
    fields = [
        Field(name, name, Label(name, name), choices=TWO) for name in ("date", "choice", "choices", "yes_no", "text")
    ]
    assert read_form([], fields, sent(here, fields, {"x": "1"}).values, TODAY) == {}


def test_a_form_for_a_case_carries_the_version_seen_and_a_key_of_its_own(here: Site) -> None:
    pages = [shown(here, ask("line")) for _ in range(2)]
    keys = {re.findall(r'name="key" value="(\w{32})"', page)[0] for page in pages}
    assert len(keys) == 2
    assert 'name="version" value="4"' in pages[0]


def test_the_key_stays_the_same_when_the_form_is_shown_again(here: Site) -> None:
    assert 'name="key" value="abc"' in shown(here, ask("date"), sent={"it": "x", "key": "abc", "version": "4"})


@pytest.mark.parametrize(
    ("version", "read"), [("4", 4), ("", None), ("x", None), ("-1", None), ("9" * 30, None), ("４", None)]
)
def test_a_version_that_is_none_is_read_as_none(here: Site, version: str, read: int | None) -> None:
    assert sent(here, [], {"version": version}).seen == read


def test_prefilled_values_are_shown(here: Site) -> None:
    fields = [
        Field("met", "yes_no", Label("Gặp", "Met")),
        Field("which", "choices", Label("Loại", "Kind"), choices=TWO),
    ]
    with here.app.test_request_context("/"):
        form = act_form(fields, [], prefill={"met": False, "which": ["b"]})
        html = render_template_string(
            '{% from "macros/forms.html" import act with context %}{{ act(form, "/", "Lưu") }}', form=form
        )
    assert re.search(r'value="no" checked', html)
    assert re.search(r'value="b" checked', html)


def test_a_refusal_of_no_field_here_stands_at_the_form(here: Site) -> None:
    with here.app.test_request_context("/"):
        form = act_form([ask("line")], [])
        form.refuse(Invalid({"elsewhere": Sentence("There is no such pupil.")}))
        assert form.faults == [("", Sentence("There is no such pupil."))]


def test_the_messages_of_wtforms_are_said_in_vietnamese(here: Site) -> None:
    class Asked(Form):
        name = StringField(validators=[DataRequired()])
        code = StringField(validators=[Length(max=3)])

    with here.app.test_request_context("/", method="POST", data={"code": "dài quá"}):
        form = Asked(meta={"csrf": False})
        assert not form.validate()
        assert form.errors == {"name": ["Bắt buộc nhập mục này."], "code": ["Mục này có tối đa 3 ký tự."]}
