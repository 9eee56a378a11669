"""The frame of every page: languages, menu, error pages, health, the demo's banner."""

import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, render_template_string
from jinja2 import meta

from engine.core.refusals import Conflict, Invalid, NoAccess, NotAllowed, NotFound, Refused
from engine.core.words import Sentence
from engine.store import tables as t
from engine.store.ops.settings import DEMO, put_setting
from engine.store.ops.time_source import ShiftedClock
from engine.store.session import Store, now_utc, open_store
from engine.usecases.ops.clock import set_clock
from tests.pages import MORNING, Site, post, site
from web import app as web_app
from web.app import create_app
from web.site.request_context import local_path, whole_arg
from web.site.security import public
from web.site.settings import Settings

TEMPLATES = Path(web_app.__file__).parent / "templates"


@pytest.fixture
def here(sqlite_url: str) -> Iterator[Site]:
    store = open_store(sqlite_url)
    yield site(store)
    store.close()


def serve(app: Flask, path: str, view: Any) -> None:
    app.add_url_rule(path, path, public(view))


def test_pages_are_vietnamese_unless_somebody_says_otherwise(here: Site) -> None:
    assert '<html lang="vi" ' in here.client().get("/login").text


def test_a_device_keeps_the_language_that_was_chosen_on_it(here: Site) -> None:
    client = here.client()
    assert post(client, "/language", "/login", language="en", next="/login").headers["Location"] == "/login"
    page = client.get("/login").text
    assert '<html lang="en" ' in page
    assert "Sign in" in page


def test_a_person_keeps_their_language_on_every_device(here: Site) -> None:
    here.person("hanh")
    post(here.signed_in("hanh"), "/language", "/password", language="en", next="/password")
    assert "Password and devices" in here.signed_in("hanh").get("/password").text


def test_a_language_that_is_not_spoken_here_changes_nothing(here: Site) -> None:
    client = here.client()
    assert post(client, "/language", "/login", language="xx").status_code == 303
    client.set_cookie("language", "xx")
    assert '<html lang="vi" ' in client.get("/login").text


@pytest.mark.parametrize(
    ("refused", "status"),
    [
        (NoAccess(Sentence("There is no such pupil.")), 403),
        (NotAllowed(Sentence("There is no such pupil.")), 403),
        (NotFound(Sentence("There is no such pupil.")), 404),
        (Conflict(Sentence("There is no such pupil.")), 409),
        (Invalid({"note": Sentence("There is no such pupil.")}), 422),
    ],
)
def test_what_the_engine_refuses_is_told_in_its_words(here: Site, refused: Refused, status: int) -> None:
    def view() -> str:
        raise refused

    serve(here.app, "/refused", view)
    page = here.client().get("/refused")
    assert page.status_code == status
    assert refused.sentence.in_("vi") in page.text


@pytest.mark.parametrize(
    ("path", "method", "status"), [("/nothing", "GET", 404), ("/language", "GET", 405), ("/healthz", "POST", 405)]
)
def test_what_is_not_there_is_told_with_a_way_on(here: Site, path: str, method: str, status: int) -> None:
    page = here.client().open(path, method=method)
    assert page.status_code == status
    assert "Về việc của tôi" in page.text


def test_our_own_fault_is_told_in_both_languages_without_the_database(sqlite_url: str) -> None:
    here = site(open_store(sqlite_url))
    here.app.testing = False

    def broken() -> str:
        raise RuntimeError("secret detail")

    serve(here.app, "/broken", broken)
    page = here.client().get("/broken")
    assert page.status_code == 500
    assert "Hệ thống gặp lỗi" in page.text
    assert "Something went wrong" in page.text
    assert "secret detail" not in page.text


def test_a_page_survives_that_the_database_is_gone(tmp_path: Any, here: Site) -> None:
    here.person("hanh")
    client = here.signed_in("hanh")
    here.app.extensions["ralop"].context.store.engine.dispose()
    here.app.extensions["ralop"].context = type(here.app.extensions["ralop"].context)(
        open_store(f"sqlite:///{tmp_path}/not/there.db"), here.app.extensions["ralop"].context.definitions
    )
    page = client.get("/password")
    assert (page.status_code, page.headers["Retry-After"]) == (503, "10")
    assert "Hệ thống tạm thời chưa làm việc được" in page.text
    assert "what you typed is still there" in page.text
    assert client.get("/healthz").json == {
        "database": "unreachable",
        "worker": "not seen",
        "worker_seen_seconds_ago": None,
    }


def test_a_statement_that_no_database_understands_is_our_own_fault_and_nobody_is_told_to_wait(store: Store) -> None:
    here = site(store)
    here.app.testing = False

    def broken() -> str:
        with store.writing("test") as session:
            session.connection().exec_driver_sql("SELECT no_such_column FROM people")
        return ""

    serve(here.app, "/broken", broken)
    page = here.client().get("/broken")
    assert page.status_code == 500
    assert "Retry-After" not in page.headers


def seen(store: Store, ago: dt.timedelta) -> None:
    with store.writing("test") as session:
        session.add(t.Lease(name="worker", holder="x", until=now_utc(), seen_at=now_utc() - ago))


@pytest.mark.parametrize(("ago", "status", "word"), [(30, 200, "ok"), (90, 503, "not seen")])
def test_health_says_whether_a_worker_is_at_work(here: Site, ago: int, status: int, word: str) -> None:
    seen(here.store, dt.timedelta(seconds=ago))
    answer = here.client().get("/healthz")
    assert answer.status_code == status
    assert answer.json is not None
    assert (answer.json["database"], answer.json["worker"]) == ("ok", word)


def test_health_is_not_well_where_no_worker_ever_was(here: Site) -> None:
    assert here.client().get("/healthz").status_code == 503


def test_the_menu_shows_what_there_is_and_what_is_ones_own(here: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    for endpoint, path in (("a.work", "/w"), ("b.open", "/o")):
        here.app.add_url_rule(path, endpoint, lambda: render_template_string('{% extends "base.html" %}'))
    from web.site import navigation
    from web.site.navigation import Way

    ways = (
        Way("a.work", Sentence("My work"), "work"),
        Way("b.open", Sentence("Open a case"), "new", lambda _book: frozenset({"teacher"})),
        Way("c.gone", Sentence("Help"), "help"),
    )
    monkeypatch.setattr(navigation, "MAIN", ways)
    monkeypatch.setattr(navigation, "OVERVIEWS", ())
    here.appoint(here.person("teacher"), "teacher", "class", "4a")
    here.appoint(here.person("officer"), "commune_officer", "village", "v1")
    assert "Lập hồ sơ" in here.signed_in("teacher").get("/w").text
    page = here.signed_in("officer").get("/w").text
    assert "Lập hồ sơ" not in page
    assert 'aria-current="page"' in page
    assert "Trợ giúp" not in page


def test_a_demo_says_so_on_every_page_and_what_time_it_is_in_it(sqlite_url: str) -> None:
    store = open_store(sqlite_url)
    with store.writing("test") as session:
        put_setting(session, DEMO, {"on": True})
    set_clock(store, MORNING)
    usual = site(store)
    context = usual.app.extensions["ralop"].context
    app = create_app(usual.app.extensions["ralop"].settings, context=context, clock=ShiftedClock(store))
    page = app.test_client().get("/login").text
    assert "nhân vật hư cấu" in page
    assert "02/03/2026" in page
    store.close()


def test_no_banner_where_people_are_real(here: Site) -> None:
    assert "hư cấu" not in here.client().get("/login").text


def test_the_address_of_the_client_is_taken_from_as_many_proxies_as_are_ours(here: Site) -> None:
    shell = here.app.extensions["ralop"]
    known: Settings = shell.settings
    behind = Settings(known.database_url, known.instance, known.secret_key, trusted_proxies=1)
    from flask import request

    for settings, expected in ((known, "10.0.0.1"), (behind, "203.0.113.5")):
        app = create_app(settings, context=shell.context, clock=here.clock)
        serve(app, "/address", lambda: request.remote_addr)
        answer = app.test_client().get(
            "/address", headers={"X-Forwarded-For": "6.6.6.6, 203.0.113.5"}, environ_base={"REMOTE_ADDR": "10.0.0.1"}
        )
        assert answer.text == expected


@pytest.mark.parametrize(
    ("given", "read"),
    [("7", 7), ("", None), ("-1", None), ("1e3", None), ("２", None), ("9" * 40, None), ("2147483648", None)],
)
def test_a_number_in_the_query_is_a_small_one_or_none(here: Site, given: str, read: int | None) -> None:
    with here.app.test_request_context("/", query_string={"page": given}):
        assert whole_arg("page") == read


@pytest.mark.parametrize(
    ("target", "kept"),
    [("/cases?q=a", "/cases?q=a"), *((bad, None) for bad in (None, "", "cases", "//x", "/\\x", "/a\tb"))],
)
def test_only_a_path_of_this_site_is_followed(target: str | None, kept: str | None) -> None:
    assert local_path(target) == kept


def test_answers_are_squeezed_for_those_who_can_read_it(here: Site) -> None:
    client = here.client()
    squeezed = client.get("/login", headers={"Accept-Encoding": "gzip"})
    assert squeezed.headers["Content-Encoding"] == "gzip"
    assert len(squeezed.data) < len(client.get("/login").data) / 1.5
    assert "Content-Encoding" not in client.get("/login", headers={"Accept-Encoding": "gzip;q=0"}).headers


def test_macros_that_are_made_once_read_nothing_of_the_page_that_imports_them(sqlite_url: str) -> None:
    """Imported without the page's context they would say nothing where such a name stands, and nobody would notice."""
    store = open_store(sqlite_url)
    environment = site(store).app.jinja_env
    sources = {path.relative_to(TEMPLATES).as_posix(): path.read_text("utf-8") for path in TEMPLATES.rglob("*.html")}
    alone = re.compile(r'from "(\S+)" import (?![^%]*with context)')
    once = {name for text in sources.values() for name in alone.findall(text)}
    assert "macros/parts.html" in once
    names = {name: meta.find_undeclared_variables(environment.parse(sources[name])) for name in once}
    assert [(name, missing) for name, found in names.items() if (missing := found - environment.globals.keys())] == []
    store.close()
