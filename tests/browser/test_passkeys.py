"""Passkeys in a real browser with Chromium's own virtual device, and what becomes of answers that are not right."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Page, Request, Route, expect
from sqlalchemy import select

from engine.store import tables as t
from engine.store.session import open_store
from engine.usecases.people.signin_settings import SignInSettings
from tests.browser.conftest import OpenPage, served
from tests.browser.people import sign_in
from tests.pages import Site, site
from web.site.request_context import EXTENSION

PASSKEY = "Đăng nhập bằng khóa truy cập"
REFUSED = "Khóa truy cập này không được chấp nhận."


@pytest.fixture
def here(sqlite_url: str) -> Iterator[tuple[Site, str]]:
    """The pages at an address that browsers know passkeys at, and that address."""
    store = open_store(sqlite_url)
    made = site(store)
    made.person("hanh")
    made.person("minh", "A Minh")
    with served(made.app) as by_number:
        address = by_number.replace("127.0.0.1", "localhost")
        shell = made.app.extensions[EXTENSION]
        shell.settings = replace(shell.settings, sign_in=SignInSettings(origin=address, rp_id="localhost"))
        yield made, address
    store.close()


def with_device(page: Page) -> None:
    """Give the page a phone's own key store, whose person is always there."""
    cdp = page.context.new_cdp_session(page)
    cdp.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    cdp.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def make_key(page: Page, address: str, login: str = "hanh") -> None:
    """Sign in with the password, make a passkey on the device, sign out."""
    sign_in(page, address, login)
    page.goto(f"{address}/password")
    page.get_by_role("link", name="Thêm khóa truy cập trên thiết bị này").click()
    page.get_by_label("Tên thiết bị").fill(f"Máy của {login}")
    page.get_by_role("button", name="Tạo khóa truy cập").click()
    expect(page.get_by_role("status").first).to_contain_text("Từ nay bạn có thể đăng nhập bằng khóa")
    expect(page.locator("main")).to_contain_text(f"Máy của {login}")
    page.context.clear_cookies()


def use_key(page: Page, address: str) -> None:
    page.goto(f"{address}/login?next=/password")
    page.get_by_role("button", name=PASSKEY).click()


def test_a_person_makes_a_passkey_and_signs_in_with_one_press(page: Page, here: tuple[Site, str]) -> None:
    _, address = here
    with_device(page)
    make_key(page, address)
    use_key(page, address)
    page.wait_for_url(f"{address}/password")
    expect(page.locator("main")).to_contain_text("bằng khóa truy cập")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_second_passkey_on_the_same_device_is_refused_by_the_device(
    open_page: OpenPage, here: tuple[Site, str]
) -> None:
    page, (_, address) = open_page(), here
    with_device(page)
    make_key(page, address)
    sign_in(page, address, "hanh")
    page.goto(f"{address}/password/passkeys/new")
    page.get_by_role("button", name="Tạo khóa truy cập").click()
    expect(page.get_by_text("Thiết bị này đã có khóa truy cập của bạn.")).to_be_visible()


def test_without_scripts_the_password_is_there_and_no_button_that_does_nothing(
    open_page: OpenPage, here: tuple[Site, str]
) -> None:
    page, (_, address) = open_page(java_script_enabled=False), here
    page.goto(f"{address}/login")
    expect(page.get_by_role("button", name=PASSKEY)).to_be_hidden()
    sign_in(page, address, "hanh")
    page.goto(f"{address}/password/passkeys/new")
    expect(page.get_by_text("JavaScript đang tắt")).to_be_visible()
    expect(page.get_by_role("button", name="Tạo khóa truy cập")).to_be_hidden()


def test_a_false_page_on_the_same_machine_gets_an_answer_that_opens_nothing(
    open_page: OpenPage, here: tuple[Site, str]
) -> None:
    page, (made, address) = open_page(), here
    with_device(page)
    make_key(page, address)
    with served(made.app) as false_page:  # another port is another origin, of the same domain
        use_key(page, false_page.replace("127.0.0.1", "localhost"))
        expect(page.get_by_role("alert")).to_contain_text(REFUSED)


def test_a_false_page_of_another_name_gets_no_answer_from_the_browser(
    open_page: OpenPage, here: tuple[Site, str]
) -> None:
    page, (_, address) = open_page(), here
    with_device(page)
    make_key(page, address)
    use_key(page, address.replace("localhost", "ralop.localhost"))
    expect(page.get_by_text("Chưa xác nhận được bằng khóa truy cập.")).to_be_visible()


def test_an_answer_that_was_listened_to_opens_nothing_a_second_time(
    open_page: OpenPage, here: tuple[Site, str]
) -> None:
    page, (_, address) = open_page(service_workers="block"), here
    with_device(page)
    make_key(page, address)
    heard: list[tuple[dict[str, str], bytes]] = []

    def listen(route: Route, request: Request) -> None:
        heard.append((request.all_headers(), request.post_data_buffer or b""))
        route.continue_()

    page.route("**/login/passkey", listen)
    use_key(page, address)
    page.wait_for_url(f"{address}/password")
    headers, body = heard[0]
    kept = {name: headers[name] for name in ("cookie", "content-type", "origin", "referer") if name in headers}
    with pytest.raises(urllib.error.HTTPError) as answer:
        urllib.request.urlopen(urllib.request.Request(f"{address}/login/passkey", body, kept))
    with answer.value as refused:
        assert refused.code == 422
        assert REFUSED in refused.read().decode()


def test_a_removed_passkey_is_refused_and_the_password_still_opens(open_page: OpenPage, here: tuple[Site, str]) -> None:
    page, (_, address) = open_page(), here
    with_device(page)
    make_key(page, address)
    use_key(page, address)
    page.get_by_role("button", name="Xóa khóa này").click()
    expect(page.get_by_role("status").first).to_contain_text("Đã xóa khóa truy cập")
    page.context.clear_cookies()
    use_key(page, address)
    expect(page.get_by_role("alert")).to_contain_text(REFUSED)
    sign_in(page, address, "hanh")


def test_the_key_of_somebody_else_who_uses_the_same_device_proves_nothing(
    open_page: OpenPage, here: tuple[Site, str]
) -> None:
    # Without a service worker: a request it lets by may pass the test's own hand on the line.
    page, (made, address) = open_page(service_workers="block"), here
    with_device(page)
    make_key(page, address, "hanh")
    make_key(page, address, "minh")
    with made.store.reading("test") as session:
        his = session.scalars(select(t.Passkey.credential).where(t.Passkey.name == "Máy của minh")).one()
    sign_in(page, address, "hanh")
    page.goto(f"{address}/prove?next=/password")

    def ask_for_his(route: Route) -> None:
        answer = route.fetch()
        options: dict[str, Any] = answer.json()
        assert his not in {it["id"] for it in options["allowCredentials"]}
        changed = {**options, "allowCredentials": [{"type": "public-key", "id": his}]}
        route.fulfill(response=answer, body=json.dumps(changed))

    page.route("**/prove/passkey/ask", ask_for_his)
    page.get_by_role("button", name="Tiếp tục bằng khóa truy cập").click()
    expect(page.get_by_role("alert")).to_contain_text(REFUSED)
    page.unroute("**/prove/passkey/ask")
    page.get_by_role("button", name="Tiếp tục bằng khóa truy cập").click()
    page.wait_for_url(f"{address}/password")
