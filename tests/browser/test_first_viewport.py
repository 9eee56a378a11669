"""On a small phone the next thing to do is seen before anybody scrolls, and nothing has to be scrolled sideways."""

from collections.abc import Iterator

import pytest

from engine.store.session import open_store
from tests.browser.conftest import OpenPage, served
from tests.browser.people import lies_in_first_view, look_at, sign_in
from tests.cast import Cast, make_cast


@pytest.fixture
def cast(sqlite_url: str) -> Iterator[Cast]:
    """The fixed cast: case 1 waits for the officer, case 2 for the volunteer, case 3 for the teacher's next act."""
    store = open_store(sqlite_url)
    cast = make_cast(store)
    cast.to_commune("pupil")
    cast.to_association("classmate")
    cast.open_case("saturday_pupil")
    cast.go_to("2026-03-02 16:30")
    yield cast
    store.close()


PRIMARY = "main .button:not(.second)"
# Who looks, at what, and what must be on the screen at once.
FIRST_SEEN = [
    ("teacher", "/work", PRIMARY),
    ("commune_officer", "/work", PRIMARY),
    ("volunteer", "/work", PRIMARY),
    ("teacher", "/cases", "main .rows a"),
    ("teacher", "/cases/RL-2026-000003", PRIMARY),
    ("commune_officer", "/cases/RL-2026-000001", PRIMARY),
    ("volunteer", "/cases/RL-2026-000002", PRIMARY),
    ("commune_officer", "/cases/RL-2026-000001/accept", PRIMARY),
    ("teacher", "/cases/RL-2026-000003/contact", "main .field fieldset"),  # long: its first question
    ("teacher", "/cases/new", PRIMARY),
    ("teacher", "/cases/new?q=thu", "main .pick a"),
    ("commune_officer", "/notices", "main .card"),
]


def test_the_next_thing_to_do_is_on_the_first_screen_and_as_wide_as_it(cast: Cast, open_page: OpenPage) -> None:
    with served(cast.site.app) as address:
        stranger = open_page("phone")
        stranger.goto(f"{address}/login")
        assert lies_in_first_view(stranger, PRIMARY)
        pages = {who: sign_in(open_page("phone"), address, who) for who in {who for who, _, _ in FIRST_SEEN}}
        below, wide = [], []
        for who, path, selector in FIRST_SEEN:
            page = pages[who]
            look_at(page, address + path)
            if not lies_in_first_view(page, selector):
                below.append((who, path))
            if page.evaluate("document.scrollingElement.scrollWidth") > 360:
                wide.append((who, path))
        assert (below, wide) == ([], [])


def test_long_pages_are_scrolled_in_one_direction_only(cast: Cast, open_page: OpenPage) -> None:
    with served(cast.site.app) as address:
        page = sign_in(open_page("phone"), address, "teacher")
        for path in ("/cases/new?pupil={pupil}", "/me/notices", "/password", "/help", "/help/school"):
            look_at(page, address + path.format(pupil=cast.stage.pupils["boarder"]))
            assert page.evaluate("document.scrollingElement.scrollWidth") == 360, path
