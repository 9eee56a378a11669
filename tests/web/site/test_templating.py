"""What templates say is in the language of each reader, and of nobody in particular."""

import pytest
from flask import Flask
from jinja2 import DictLoader

from engine.store.session import Store
from tests.pages import PASSWORD, Site, post, site
from web.site.languages import COOKIE


@pytest.fixture
def here(store: Store) -> Site:
    made = site(store)
    made.person("hanh")
    return made


def shown(app: Flask, templates: dict[str, str], language: str, page: str = "page", **values: object) -> str:
    """One template of these, read in a language."""
    app.jinja_env.loader = DictLoader(templates)
    with app.test_request_context("/", headers={"Cookie": f"{COOKIE}={language}"}):
        return app.jinja_env.get_template(page).render(values)


def test_a_text_is_said_in_the_language_of_each_reader_by_turns(here: Site) -> None:
    page = {"page": '{{ _("Sign in") }}'}
    assert [shown(here.app, page, it) for it in ("vi", "en", "vi")] == ["Đăng nhập", "Sign in", "Đăng nhập"]


def test_a_template_that_is_extended_or_imported_is_of_the_same_language(here: Site) -> None:
    templates = {
        "page": '{% extends "base" %}{% from "words" import word %}{% block main %}{{ word() }}{% endblock %}',
        "base": '{{ _("Help") }}: {% block main %}{% endblock %}',
        "words": '{% macro word() %}{{ _("Sign in") }}{% endmacro %}',
    }
    assert shown(here.app, templates, "vi") == "Trợ giúp: Đăng nhập"
    assert shown(here.app, templates, "en") == "Help: Sign in"


def test_values_of_a_text_are_put_in_when_the_page_is_made_and_escaped(here: Site) -> None:
    page = {"page": '{{ _("Case %(code)s", code=code) }}'}
    assert shown(here.app, page, "en", code="RL-1") == "Case RL-1"
    assert shown(here.app, page, "vi", code="<b>") == "Hồ sơ &lt;b&gt;"


def test_a_text_for_so_many_says_how_many_and_escapes_what_else_is_put_in(here: Site) -> None:
    told = '{{ ngettext("%(num)s new notice", "%(num)s new notices", n) }}'
    page = {"page": told + "{{ ngettext(own, own, 3, who=who) }}"}
    more = {"own": " of %(num)s, %(who)s", "who": "<b>"}
    assert shown(here.app, page, "en", n=1, **more) == "1 new notice of 3, &lt;b&gt;"
    assert shown(here.app, page, "en", n=2, **more) == "2 new notices of 3, &lt;b&gt;"
    assert shown(here.app, page, "vi", n=2, **more) == "2 thông báo mới of 3, &lt;b&gt;"


def test_what_a_macro_gives_is_set_down_as_it_is_and_what_somebody_typed_is_escaped(here: Site) -> None:
    templates = {
        "page.html": '{% from "bold.html" import bold %}{{ bold(name) }}{{ name }}{{ bold(3) }}',
        "bold.html": "{% macro bold(what) %}<b>{{ what }}</b>{% endmacro %}",
    }
    assert (
        shown(here.app, templates, "vi", "page.html", name="A & <i>")
        == "<b>A &amp; &lt;i&gt;</b>A &amp; &lt;i&gt;<b>3</b>"
    )


def test_what_is_no_page_is_not_escaped(here: Site) -> None:
    assert shown(here.app, {"page.txt": "{{ name }}"}, "vi", "page.txt", name="A & B") == "A & B"


def test_a_text_that_is_chosen_when_the_page_is_made_is_looked_up_then(here: Site) -> None:
    page = {"page": "{{ _(text) }} {{ icon(name) }}"}
    said = shown(here.app, page, "vi", text="Sign in", name="<late>")
    assert said.startswith("Đăng nhập <svg")
    assert "#&lt;late&gt;" in said


def test_an_address_with_the_name_of_the_site_is_as_each_reader_calls_it(here: Site) -> None:
    here.app.jinja_env.loader = DictLoader({"page": '{{ url_for("signin.sign_in", _external=true) }}'})
    for name in ("http://one.example", "http://two.example"):
        with here.app.test_request_context("/", base_url=name):
            assert here.app.jinja_env.get_template("page").render() == f"{name}/login"


def test_what_somebody_typed_wrongly_does_not_stay_on_the_sign_in_page(here: Site) -> None:
    first = here.client()
    wrong = post(first, "/login", login="nguoi-la", password="sai")
    assert "nguoi-la" in wrong.text
    for page in (first.get("/login").text, here.client().get("/login").text):
        assert "nguoi-la" not in page
        assert 'name="login"' in page
    assert post(here.client(), "/login", login="hanh", password=PASSWORD).status_code == 303
