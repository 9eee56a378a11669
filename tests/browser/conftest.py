"""A real browser before the real program: Chromium through Playwright, and the pages served on a port of their own.

`page` runs a test twice, on a phone and on a desk; `open_page` opens further ones (another person, without JavaScript).
A script that fails in a page, or that the page's own policy refuses, fails the test.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, ViewportSize, expect, sync_playwright
from werkzeug.serving import make_server

from engine.store.session import open_store
from tests import chromium
from tests.browser.inventory import Filled, fill
from tests.cast import make_cast

if TYPE_CHECKING:
    from flask import Flask

VIEWPORTS: dict[str, ViewportSize] = {
    "phone": {"width": 360, "height": 640},
    "desktop": {"width": 1280, "height": 800},
}
SECONDS = 10_000  # how long, in milliseconds, the browser waits for what a test says must appear
expect.set_options(timeout=SECONDS)

OpenPage = Callable[..., Page]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests of the process."""
    with sync_playwright() as playwright:
        running = chromium.launch(playwright)
        yield running
        running.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[OpenPage]:
    """Opens a page as a person of their own: `open_page("phone", java_script_enabled=False)`.

    Each call has its own cookies. Further arguments are Playwright's for a new context; the language is Vietnamese
    unless they say otherwise.
    """
    faults: list[str] = []

    def watch(message: ConsoleMessage) -> None:
        if message.type == "error" and "Content Security Policy" in message.text:
            faults.append(message.text)

    def open_one(viewport: str = "phone", **options: Any) -> Page:
        options = {"locale": "vi-VN", "timezone_id": "Asia/Ho_Chi_Minh", **options}
        context = browser.new_context(viewport=VIEWPORTS[viewport], has_touch=viewport == "phone", **options)
        contexts.callback(context.close)
        context.set_default_timeout(SECONDS)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", watch)
        return page

    with ExitStack() as contexts:
        yield open_one
    assert faults == []


@pytest.fixture(params=list(VIEWPORTS))
def page(request: pytest.FixtureRequest, open_page: OpenPage) -> Page:
    """A page on a phone, and once more on a desk."""
    return open_page(request.param)


@pytest.fixture
def filled(sqlite_url: str, tmp_path: Path) -> Iterator[Filled]:
    """The cast on a site that has something to show on every page of the inventory."""
    store = open_store(sqlite_url)
    yield fill(make_cast(store), tmp_path)
    store.close()


@contextmanager
def served(app: "Flask") -> Iterator[str]:
    """The app, answering on a free port of 127.0.0.1 in threads of this process; its address, no slash at the end."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = Thread(target=server.serve_forever, name="pages", daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
