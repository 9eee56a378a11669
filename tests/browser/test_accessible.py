"""What axe finds on the pages: nothing, in both languages, light and dark, on a phone and at a desk.

Every rule looks at the light page on the phone and, where it is Vietnamese, at the dark one at the desk; the rules that
a theme can break look at all four. The page stays the same one meanwhile: only what the sheet asks about changes.
"""

from collections.abc import Iterator
from typing import Any, Literal

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

from tests.browser.conftest import VIEWPORTS, OpenPage, served
from tests.browser.inventory import Filled, by_person
from tests.browser.people import look_at, press, sign_in

Looks = list[tuple[Literal["light", "dark"], str, tuple[str, ...]]]
BY_THEME = ("color-contrast", "link-in-text-block")
LOOKS: Looks = [
    ("light", "phone", ()),
    ("dark", "phone", BY_THEME),
    ("dark", "desktop", ()),
    ("light", "desktop", BY_THEME),
]
IN_ENGLISH: Looks = [(scheme, size, rules if size == "phone" else BY_THEME) for scheme, size, rules in LOOKS]


@pytest.mark.parametrize("half", [0, 1])  # of the people, so that no test takes minutes
@pytest.mark.parametrize(("language", "looks"), [("vi", LOOKS), ("en", IN_ENGLISH)], ids=["vi", "en"])
def test_axe_finds_nothing_to_mend(filled: Filled, language: str, looks: Looks, half: int, open_page: OpenPage) -> None:
    found = []
    with served(filled.cast.site.app) as address:
        for who, pages in list(by_person())[half::2]:
            page = open_page("phone")
            filled.read_in("vi")
            if who:
                sign_in(page, address, who)
            filled.read_in(language)
            page.context.add_cookies([{"name": "language", "value": language, "url": address}])
            for it in pages:
                look_at(page, address + filled.address(it), 200 if it.press else it.status)
                if it.press:
                    press(page, it.press, it.status)
                assert page.get_attribute("html", "lang") == language, it
                found += [f"{who} {it.address} {it.press} {fault}" for fault in violations(page, looks)]
            page.context.close()
    assert found == []


def test_axe_would_say_so(open_page: OpenPage) -> None:
    page = open_page("phone")
    page.set_content(
        "<html lang=vi><title>Ra Lớp</title><style>@media (prefers-color-scheme: dark) { p { color: #eee } }</style>"
        "<main><h1>Ra Lớp</h1><img src='data:,'><p>Nhạt</p></main></html>"
    )
    said = {" ".join(it.split()[:3]) for it in violations(page)}
    assert said == {
        "light phone image-alt",
        "dark phone color-contrast",
        "dark desktop image-alt",
        "dark desktop color-contrast",
    }


def violations(page: Page, looks: Looks = LOOKS) -> Iterator[str]:
    """What axe finds on the page that stands there: how it was looked at, the rule that is broken, and where."""
    page.evaluate(AXE_SCRIPT)
    for scheme, viewport, rules in looks:
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size(VIEWPORTS[viewport])
        only = {"runOnly": {"type": "rule", "values": rules}} if rules else {}
        broken: list[Any] = page.evaluate(RUN, {"resultTypes": ["violations"], **only})
        for it in broken:
            yield from (f"{scheme} {viewport} {it['id']} {node['target']} {node['html']}" for node in it["nodes"])


RUN = "options => axe.run(document, options).then((found) => found.violations)"
