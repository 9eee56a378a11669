"""The roll call in a real browser: a phone without scripts, one tap for each pupil who is missing."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Locator, Page, expect

from engine.jobs.risk_watch_asked import watch_asked
from engine.store.session import open_store
from tests.browser.conftest import OpenPage, served
from tests.browser.people import sign_in
from tests.cast import Cast, make_cast
from tests.engine.jobs.test_risk_watch import RULES
from web.site.request_context import EXTENSION

FINGER = 44  # pixels


@pytest.fixture
def cast(sqlite_url: str) -> Iterator[Cast]:
    """The cast with the shipped signals, and a class of thirty."""
    store = open_store(sqlite_url)
    cast = make_cast(store)
    cast.site.app.extensions[EXTENSION].context = replace(cast.context, risk=RULES)
    for number in range(27):
        cast.pupil(f"Y Thử {number + 1}")
    yield cast
    store.close()


@pytest.fixture
def phone(open_page: OpenPage) -> Page:
    """360 × 640, a finger, no scripts."""
    return open_page("phone", java_script_enabled=False)


def mark(page: Page, pupil: str, words: str) -> Locator:
    return page.get_by_role("group", name=pupil).get_by_text(words, exact=True)


def state(page: Page) -> Locator:
    return page.locator("main .status").first


def test_a_class_is_taken_with_a_tap_for_each_missing_pupil_and_corrected_later(cast: Cast, phone: Page) -> None:
    with served(cast.site.app) as address:
        sign_in(phone, address, "teacher")
        phone.goto(f"{address}/attendance")
        assert phone.get_by_text("Chưa điểm danh").count() >= 2  # morning and afternoon
        phone.get_by_role("link", name="Sáng").first.tap()
        expect(state(phone)).to_have_text("Chưa điểm danh")
        button = phone.get_by_role("button", name="Gửi điểm danh")
        expect(button).to_be_in_viewport()  # however long the class is

        mark(phone, "A Thử", "Vắng không phép").tap()
        mark(phone, "Y Thử 27", "Trễ").tap()
        button.tap()
        expect(state(phone)).to_have_text("Đã điểm danh: 30/30 học sinh")
        checked = phone.locator("input[type=radio]:checked").evaluate_all("all => all.map(it => it.value)")
        assert sorted(checked) == ["l", *["p"] * 28, "u"]

        mark(phone, "A Thử", "Vắng có phép").tap()
        phone.get_by_role("button", name="Gửi điều chỉnh").tap()
        expect(phone.locator("#changes ~ ul")).to_contain_text("Vắng không phép → Vắng có phép")
        phone.get_by_role("link", name="Chiều").first.tap()
        expect(state(phone)).to_have_text("Chưa điểm danh")  # the other session is still its own


def test_every_choice_is_as_large_as_a_finger_and_nothing_reaches_beside_the_page(cast: Cast, phone: Page) -> None:
    with served(cast.site.app) as address:
        sign_in(phone, address, "teacher")
        phone.goto(f"{address}/attendance/{cast.installed.units['class']}")
        small = [
            box for it in phone.locator(".roll label").all() if (box := it.bounding_box()) and box["height"] < FINGER
        ]
        assert small == []
        assert phone.evaluate("document.documentElement.scrollWidth") <= 360


def test_whom_the_roll_call_shows_missing_has_a_case_a_moment_later(cast: Cast, phone: Page) -> None:
    cast.go_to("2026-03-03 12:30")
    with served(cast.site.app) as address:
        sign_in(phone, address, "teacher")
        for day, half in (("2026-02-27", "m"), ("2026-03-02", "m"), ("2026-03-03", "m")):  # three days in a row
            phone.goto(f"{address}/attendance/{cast.installed.units['class']}?day={day}&session={half}")
            mark(phone, "A Thử", "Vắng không phép").tap()
            phone.get_by_role("button", name="Gửi điểm danh").tap()
            expect(state(phone)).to_contain_text("Đã điểm danh")
        watch_asked(cast.site.app.extensions[EXTENSION].context, cast.now)
        phone.goto(f"{address}/cases")
        expect(phone.locator("main .rows")).to_contain_text("A Thử")
