"""Remakes the pictures of the manual: builds the demo in a temporary folder, serves it and looks at it in Chromium.

`make screenshots` runs this. Nothing is fetched from anywhere; the demo is the same each time, so are its pictures.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from engine.simulation.demo import PASSWORD
from tests import chromium
from tests.browser.conftest import VIEWPORTS
from tests.browser.demo import demo

PICTURES = Path(__file__).parent / "pictures"
LARGEST = 60 * 1024
DEVICES: dict[str, tuple[ViewportSize, float]] = {  # and how much of its sharpness a picture keeps
    "phone": (VIEWPORTS["phone"], 1.0),
    "desk": ({"width": 1280, "height": 680}, 0.6),
}

# Picture, who looks, at what.
SHOTS = (
    ("work-phone", "gvcn", "/work"),
    ("work-desk", "gvcn", "/work"),
    ("case-phone", "canbo", "/cases/RL-2026-000049"),
    ("case-desk", "canbo", "/cases/RL-2026-000049"),
    ("cases-phone", "hieutruong", "/cases"),
    ("open-phone", "gvcn", "/cases/new?q=hoa"),
    ("volunteer-phone", "tinhnguyen", "/cases/RL-2026-000026"),
    ("form-phone", "canbo", "/cases/RL-2026-000049/note"),
    ("rollcall-phone", "gvcn", "/attendance"),
    ("school-phone", "hieutruong", "/school"),
    ("area-desk", "so", "/area"),
    ("needs-phone", "tinhnguyen", "/needs"),
    ("notices-phone", "gvcn", "/notices"),
    ("closures-phone", "hieutruong", "/closures"),
    ("admin-desk", "quantri", "/admin"),
    ("help-phone", "gvcn", "/help"),
)


def main() -> None:
    """Take every picture and say how large it is."""
    with tempfile.TemporaryDirectory() as folder, demo(Path(folder)) as address, browser() as chrome:
        for name, login, path in SHOTS:
            with signed_in(chrome, address, login, name.rsplit("-")[-1]) as page:
                page.goto(address + path)
                picture = page.screenshot(path=PICTURES / f"{name}.png")
            if len(picture) > LARGEST:
                raise SystemExit(f"{name}.png has {len(picture)} bytes: take a smaller scale.")
            print(f"{name}.png {len(picture)}")


@contextmanager
def browser() -> Iterator[Browser]:
    """Chromium, running."""
    with sync_playwright() as playwright:
        running = chromium.launch(playwright)
        yield running
        running.close()


@contextmanager
def signed_in(chrome: Browser, address: str, login: str, device: str) -> Iterator[Page]:
    """A page on a phone or at a desk on which one of the demo's people is signed in."""
    size, scale = DEVICES[device]
    context = chrome.new_context(viewport=size, device_scale_factor=scale, locale="vi-VN", service_workers="block")
    page = context.new_page()
    page.goto(f"{address}/login")
    page.fill("#login", login)
    page.fill("#password", PASSWORD)
    page.click("main button")
    page.wait_for_url(f"{address}/work")
    yield page
    context.close()


if __name__ == "__main__":
    main()
