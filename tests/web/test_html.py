"""Every page is HTML that a strict parser takes without a word, and whose parts refer to each other rightly."""

import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import html5lib
import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from engine.store.session import open_store
from tests.browser.inventory import NOT_PAGES, PAGES, Filled, Shown, by_person, fill
from tests.cast import make_cast

REFERRING = ("for", "aria-labelledby", "aria-describedby", "aria-controls", "headers")


@pytest.fixture
def filled(sqlite_url: str, tmp_path: Path) -> Iterator[Filled]:
    store = open_store(sqlite_url)
    yield fill(make_cast(store), tmp_path)
    store.close()


def test_every_page_stands_in_the_inventory(filled: Filled) -> None:
    adapter = filled.cast.site.app.url_map.bind("ralop.example.vn")
    there = {rule.rule for rule in filled.cast.site.app.url_map.iter_rules() if "GET" in (rule.methods or set())}
    paths = [filled.address(page).partition("?")[0] for page in PAGES if page.status != 404]
    listed = {adapter.match(path, method="GET", return_rule=True)[0].rule for path in paths}
    assert there - listed - NOT_PAGES == set()
    assert NOT_PAGES - there == set()


@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_page_is_html_without_a_fault(filled: Filled, language: str) -> None:
    filled.read_in(language)
    wrong = []
    for who, pages in by_person():
        browser = filled.cast.browser(who) if who else filled.cast.site.client()
        browser.set_cookie("language", language)
        for page in pages:
            answer = answered(browser, filled, page)
            assert answer.status_code == page.status, page
            assert f'<html lang="{language}"' in answer.text, page
            wrong += [(page.who, page.address, page.press, fault) for fault in faults(answer.text)]
    assert wrong == []


@pytest.mark.parametrize(
    ("html", "fault"),
    [
        ("<p>a<div>b</p></div>", "unexpected-end-tag"),
        ('<p id="a"></p><p id="a"></p>', "id a is there 2 times"),
        ('<label for="a">b</label>', "for=a leads nowhere"),
        ('<a href="#a">b</a>', "#a leads nowhere"),
        ("<h1>a</h1><h3>b</h3>", "h3 follows h1"),
        ("<h1>a</h1><h1>b</h1>", "2 headings of the first rank"),
    ],
)
def test_what_is_wrong_is_said(html: str, fault: str) -> None:
    assert fault in " ".join(faults(f"<!doctype html><title>a</title>{html}"))


def answered(browser: FlaskClient, filled: Filled, page: Shown) -> TestResponse:
    """The page as this browser gets it; with `press`, the answer to its form, sent as it stands."""
    answer = browser.get(filled.address(page))
    if not page.press:
        return answer
    form = next(it for it in _parsed(answer.text).iterfind(".//main//form") if it.get("method") == "post")
    return browser.post(form.get("action") or filled.address(page), data=dict(_controls(form)))


def _controls(form: Any) -> Iterator[tuple[str, str]]:
    """What a browser sends with a form that nobody has filled in."""
    for node in form.iter():
        chosen = node.get("type") not in {"radio", "checkbox"} or node.get("checked") is not None
        if node.tag not in {"input", "textarea"} or not chosen:
            continue
        value = node.text if node.tag == "textarea" else node.get("value")
        yield node.get("name"), value or ""


def _parsed(html: str) -> Any:
    return html5lib.parse(html, namespaceHTMLElements=False)


def faults(html: str) -> list[str]:
    """What a strict parser says, and what refers to nothing."""
    parser = html5lib.HTMLParser(namespaceHTMLElements=False)
    tree = parser.parse(html)
    return [*(f"{kind} {more} at {at}" for at, kind, more in parser.errors), *_references(tree), *_headings(tree)]


def _references(tree: Any) -> Iterator[str]:
    ids = Counter(node.get("id") for node in tree.iter() if node.get("id"))
    yield from (f"id {id} is there {count} times" for id, count in ids.items() if count > 1)
    for node in tree.iter():
        for name in REFERRING:
            yield from (f"{name}={id} leads nowhere" for id in (node.get(name) or "").split() if id not in ids)
        target = node.get("href") or ""
        if target.startswith("#") and target[1:] not in ids:
            yield f"{target} leads nowhere"


def _headings(tree: Any) -> Iterator[str]:
    ranks = [int(node.tag[1]) for node in tree.iter() if re.fullmatch(r"h[1-6]", str(node.tag))]
    if (first := ranks.count(1)) > 1:
        yield f"{first} headings of the first rank"
    yield from (f"h{b} follows h{a}" for a, b in pairwise(ranks) if b > a + 1)
