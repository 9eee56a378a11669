"""The browser that the other tests look through."""

from flask import Flask
from playwright.sync_api import Page

from tests.browser.conftest import OpenPage, served

SAYS_ITS_WIDTH = (
    "<!doctype html><title>Ra Lớp</title><p>chưa đo</p>"
    "<script>document.querySelector('p').textContent = innerWidth</script>"
)


def shows(html: str) -> Flask:
    app = Flask("shown")
    app.add_url_rule("/", view_func=lambda: html)
    return app


def test_a_page_is_as_wide_as_its_device(page: Page) -> None:
    with served(shows(SAYS_ITS_WIDTH)) as address:
        page.goto(address)
        assert page.title() == "Ra Lớp"
        assert page.inner_text("p") in {"360", "1280"}


def test_a_page_can_be_looked_at_without_scripts(open_page: OpenPage) -> None:
    with served(shows(SAYS_ITS_WIDTH)) as address:
        page = open_page("phone", java_script_enabled=False)
        page.goto(address)
        assert page.inner_text("p") == "chưa đo"
