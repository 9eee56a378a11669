"""On a small phone with a bad line: what a page weighs, how soon it can be used, that nothing on it jumps, and that
what is to be done next is seen before anybody scrolls."""

import re
import time
from collections.abc import Iterable, Iterator
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import pytest
from playwright.sync_api import CDPSession, Page

from engine.store.session import open_store
from tests.browser.conftest import VIEWPORTS, OpenPage, served
from tests.browser.inventory import Filled, Shown, by_person
from tests.browser.people import lies_in_first_view, look_at, press, sign_in
from tests.cast import Cast, make_cast

KB = 1024
FIRST, LATER = 25 * KB, 5 * KB  # bytes on the wire, headers included
SECONDS_3 = 3000  # in ms
TRIES = 3  # the best counts: what else this machine does meanwhile is not the line's fault
SLOW = {"offline": False, "latency": 400, "downloadThroughput": 250_000 / 8, "uploadThroughput": 250_000 / 8}
LISTS = ("/work", "/cases", "/notices")  # what one comes back to all day
SOON_USED = ("/work", "/cases", "/cases/RL-2026-000002", "/cases/RL-2026-000002/note")

# What moved after it was shown, and how far; told by the browser itself.
SHIFTS = """globalThis.shifts = []; {
  const name = (one) => one.node?.outerHTML?.slice(0, 60) ?? one.node?.data;
  const told = (it) => [it.value, ...it.sources.map(name)].join(' ');
  new PerformanceObserver((list) => shifts.push(...list.getEntries().map(told)))
    .observe({type: 'layout-shift', buffered: true});
}"""
# When the page was painted and its scripts had run.
USABLE = """new Promise((done) => new PerformanceObserver((list) => done(Math.max(list.getEntries()[0].startTime,
  performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd))).observe({type: 'paint', buffered: true}))"""
# What a thumb must hit, except links in the middle of a text.
SMALL = """() => [...document.querySelectorAll('button, .button, summary, select, textarea, .ways a, .choice label,'
  + '.chips a, input:not([type=hidden], [type=radio], [type=checkbox])')]
  .filter((it) => it.checkVisibility() && it.getBoundingClientRect().height < 43.5).map((it) => it.outerHTML)"""


class Wire:
    """What comes over the line to one page, and how fast it may."""

    def __init__(self, page: Page) -> None:
        self.bytes = 0
        self.tools: CDPSession = page.context.new_cdp_session(page)
        self.tools.send("Network.enable")
        self.tools.on("Network.loadingFinished", self._count)

    def _count(self, event: dict[str, Any]) -> None:
        self.bytes += int(event["encodedDataLength"])

    def keep_nothing(self) -> None:
        """As on a phone that was never here: nothing is taken from the browser's memory."""
        self.tools.send("Network.setCacheDisabled", {"cacheDisabled": True})

    def slow_down(self) -> None:
        """250 kbit/s, and 400 ms until anything comes."""
        self.tools.send("Network.emulateNetworkConditions", SLOW)


def test_every_page_is_light_stands_still_and_shows_what_is_next(filled: Filled, open_page: OpenPage) -> None:
    wrong = []
    with served(filled.cast.site.app) as address:
        for who, pages in by_person():
            page = open_page("phone")
            page.add_init_script(SHIFTS)
            if who:
                sign_in(page, address, who)
            for it in pages:
                found = faults(page, it, address + filled.address(it))
                wrong += [f"{who} {it.address} {it.press}: {fault}" for fault in found]
            page.context.close()
    assert wrong == []


def faults(page: Page, it: Shown, address: str) -> Iterator[str]:
    """What is wrong with a page for a small phone, in words."""
    wire = Wire(page)
    wire.keep_nothing()
    look_at(page, address, 200 if it.press else it.status)
    if wire.bytes > FIRST:
        yield f"{wire.bytes} bytes"
    wire.tools.detach()
    if it.press:
        press(page, it.press, it.status)
    yield from (f"moves: {shift}" for shift in page.evaluate("shifts"))
    if it.next and not lies_in_first_view(page, it.next):
        yield f"{it.next} is not on the first screen"
    for width in (360, 320):
        page.set_viewport_size({"width": width, "height": 640})
        if (wide := page.evaluate("document.scrollingElement.scrollWidth")) > width:
            yield f"{wide} wide on {width}"
    page.set_viewport_size(VIEWPORTS["phone"])
    page.evaluate("new Promise(requestAnimationFrame)")  # so that nothing of it is left for the next page
    yield from (f"too small: {html}" for html in page.evaluate(SMALL))


@pytest.fixture
def cast(sqlite_url: str) -> Iterator[Cast]:
    """The people, and no case yet."""
    store = open_store(sqlite_url)
    yield make_cast(store)
    store.close()


@pytest.fixture
def full(cast: Cast) -> Cast:
    """The cast with more cases than a list shows at once."""
    for number, name in enumerate(NAMES):
        cast.pupil(name)
        cast.open_case(name) if number % 2 else cast.to_commune(name)
    cast.go_to("2026-03-04 09:00")
    return cast


SURNAMES = ("A Đinh", "Y Hồ", "Nguyễn Thị", "Phạm Văn", "Đoàn Quốc")
GIVEN = ("Bưởi", "Thảo", "Krông", "Nhung", "Đạt", "Sương", "Phúc", "Hiếu", "Lan", "Ngọc", "Trường", "Vy")
NAMES = [f"{surname} {given}" for given in GIVEN for surname in SURNAMES]


def test_the_frame_stands_still_while_it_comes_in_pieces(cast: Cast, open_page: OpenPage) -> None:
    """A browser shows what it has of a page: what comes later pushes nothing aside."""
    moved = {}
    code = cast.to_commune()
    cast.site.app.wsgi_app = InPieces(cast.site.app.wsgi_app)  # type: ignore[method-assign]
    with served(cast.site.app) as address:
        for who, path in (("", "/login"), ("teacher", "/work"), ("commune_officer", f"/cases/{code}")):
            page = open_page("phone")
            if who:
                sign_in(page, address, who)
            page.add_init_script(SHIFTS)
            look_at(page, address + path)
            moved[who, path] = page.evaluate("shifts")
    assert [f"{where}: {shift}" for where, shifts in moved.items() for shift in shifts] == []


class InPieces:
    """An app whose pages come an element at a time up to the heading, the rest at once."""

    def __init__(self, app: WSGIApplication) -> None:
        self.app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if not environ["PATH_INFO"].startswith(("/login", "/work", "/cases")):
            return self.app(environ, start_response)
        environ.pop("HTTP_ACCEPT_ENCODING", None)
        return self._pieces(b"".join(self.app(environ, start_response)))

    def _pieces(self, page: bytes) -> Iterator[bytes]:
        frame, heading, rest = page.partition(b"<h1>")
        head, body, frame = frame.partition(b"<body")
        for piece in (head, *re.split(rb"(?=<)", body + frame), heading + rest):
            time.sleep(0.04)  # longer than the browser takes to paint
            yield piece


def test_a_list_weighs_little_once_the_site_was_there_before(full: Cast, open_page: OpenPage) -> None:
    heavy = {}
    with served(full.site.app) as address:
        for who in ("teacher", "commune_officer", "commune_leader"):
            page = sign_in(open_page("phone"), address, who)
            for path in LISTS:
                look_at(page, address + path)
                wire = Wire(page)
                look_at(page, address + path)
                wire.tools.detach()
                if wire.bytes > LATER:
                    heavy[who, path] = wire.bytes
    assert heavy == {}


def test_pages_can_be_used_after_three_seconds_on_a_slow_line(full: Cast, open_page: OpenPage) -> None:
    late = {}
    with served(full.site.app) as address:
        for who in ("", "teacher", "commune_officer"):
            page = open_page("phone")
            if who:
                sign_in(page, address, who)
            wire = Wire(page)
            wire.keep_nothing()
            wire.slow_down()
            for path in SOON_USED if who else ("/login",):
                took = min(usable(page, address + path) for _ in range(TRIES))
                if took > SECONDS_3:
                    late[who, path] = took
            wire.tools.detach()
    assert late == {}


def usable(page: Page, address: str) -> float:
    """After how many milliseconds a page can be used."""
    look_at(page, address)
    return float(page.evaluate(USABLE))
