"""What axe finds on the main pages, on a phone: nothing, in both languages, light and dark."""

from collections.abc import Iterator
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page
from sqlalchemy import update

from engine.store import tables as t
from engine.store.session import open_store
from tests.browser.conftest import OpenPage, served
from tests.browser.people import look_at, sign_in
from tests.cast import Cast, make_cast


@pytest.fixture
def cast(sqlite_url: str) -> Iterator[Cast]:
    """The fixed cast with two cases, one of them overdue; the teacher has been told of both."""
    store = open_store(sqlite_url)
    cast = make_cast(store)
    cast.to_commune()
    cast.open_case("classmate")
    cast.go_to("2026-03-05 09:00")
    yield cast
    store.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["vi", "en"])
def test_axe_finds_nothing_to_mend(
    cast: Cast, language: str, scheme: Literal["light", "dark"], open_page: OpenPage
) -> None:
    with served(cast.site.app) as address:
        stranger = open_page("phone", color_scheme=scheme)
        stranger.context.add_cookies([{"name": "language", "value": language, "url": address}])
        found = violations(stranger, f"{address}/login", language)
        teacher = sign_in(open_page("phone", color_scheme=scheme), address, "teacher")
        with cast.store.writing("test") as session:
            session.execute(update(t.Person).values(language=language))
        for path in PATHS:
            found += violations(teacher, address + path.format(pupil=cast.stage.pupils["saturday_pupil"]), language)
    assert found == []


def test_axe_would_say_so(open_page: OpenPage) -> None:
    page = open_page("phone")
    page.set_content("<html lang=vi><title>Ra Lớp</title><main><h1>Ra Lớp</h1><img src='data:,'></main></html>")
    assert [it["id"] for it in Axe().run(page).response["violations"]] == ["image-alt"]


PATHS = (
    "/work",
    "/cases",
    "/cases/RL-2026-000001",
    "/cases/RL-2026-000002",
    "/cases/RL-2026-000002/contact",
    "/cases/new?q=thu",
    "/cases/new?pupil={pupil}",
    "/notices",
    "/help",
    "/help/school",
    "/me/notices",
    "/password",
)


def violations(page: Page, address: str, language: str) -> list[str]:
    """What axe finds on the page: its address, the rule that is broken, and where."""
    look_at(page, address)
    assert page.get_attribute("html", "lang") == language
    broken = Axe().run(page).response["violations"]
    return [f"{page.url} {it['id']}: {node['target']} {node['html']}" for it in broken for node in it["nodes"]]
