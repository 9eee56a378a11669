"""On a small phone several cases are given to somebody with one thumb; a sheet comes out of the printer on one page."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from engine.store.session import open_store
from tests.browser.conftest import OpenPage, served
from tests.browser.people import lies_in_first_view, look_at, sign_in
from tests.cast import Cast, make_cast


@pytest.fixture
def cast(sqlite_url: str) -> Iterator[Cast]:
    """The fixed cast: two cases wait for the officer, who has accepted a third."""
    store = open_store(sqlite_url)
    cast = make_cast(store)
    cast.to_commune("pupil")
    cast.to_commune("classmate")
    cast.accept(cast.to_commune("saturday_pupil"), "commune_officer")
    yield cast
    store.close()


@pytest.mark.parametrize("script", [True, False])
def test_a_leader_gives_two_cases_away_and_is_back_on_the_list(cast: Cast, open_page: OpenPage, script: bool) -> None:
    with served(cast.site.app) as address:
        page = sign_in(open_page("phone", java_script_enabled=script), address, "commune_leader")
        look_at(page, f"{address}/cases?level=0")
        assert lies_in_first_view(page, "main .rows a")
        page.get_by_label("Chọn: A Thử").check()
        button = page.get_by_role("button", name="Phân công các hồ sơ đã chọn")
        assert lies_in_first_view(page, ".bar button")  # it comes into sight once something is chosen
        page.get_by_label("Chọn: Y Thử").check()
        button.click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Phân công 2 hồ sơ")
        page.get_by_label("A Bút Thử").check()
        page.get_by_role("button", name="Phân công các hồ sơ này").click()
        told = page.get_by_role("status").filter(has_text="Đã phân công: RL-2026-000001, RL-2026-000002.")
        expect(told).to_be_visible()
        assert page.url == f"{address}/cases?level=0"


def test_each_sheet_is_printed_on_one_page_without_the_frame(cast: Cast, open_page: OpenPage) -> None:
    with served(cast.site.app) as address:
        page = sign_in(open_page("desktop"), address, "commune_officer")
        for path in ("visit/RL-2026-000003", "handover/RL-2026-000003", "visits", "work"):
            look_at(page, f"{address}/print/{path}")
            assert len(re.findall(rb"/Type\s*/Page\b(?!s)", page.pdf(format="A4"))) == 1, path
            page.emulate_media(media="print")
            for frame in (".ways", ".me", ".back", "[data-print]"):
                assert page.locator(frame).first.is_hidden(), (path, frame)
            page.emulate_media(media="screen")
