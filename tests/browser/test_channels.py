"""Choosing how to be told on a phone and on a desk, and a push message that is shown while no page is open."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from engine.channels.email import EmailChannel
from engine.channels.outbox import Outbox
from engine.channels.push import PushChannel, kept_key
from engine.core.notices.settings import MailSettings
from engine.store.session import open_store
from tests.browser.conftest import OpenPage, served
from tests.pages import PASSWORD, Site, site
from web.site.request_context import EXTENSION


@pytest.fixture
def here(sqlite_url: str, tmp_path: Path) -> Iterator[tuple[Site, str]]:
    """The pages of an installation with e-mail and push messages, and their address."""
    store = open_store(sqlite_url)
    made = site(store)
    made.person("hanh", email="hanh@example.vn")
    mail = EmailChannel(MailSettings("127.0.0.1", "Ra Lớp <ralop@example.vn>"))
    push = PushChannel(kept_key(tmp_path), "mailto:it@example.vn")
    shell = made.app.extensions[EXTENSION]
    shell.context = replace(shell.context, outbox=Outbox("https://ralop.example.vn", {"email": mail, "push": push}))
    with served(made.app) as address:
        yield made, address
    store.close()


def sign_in(page: Page, address: str) -> None:
    page.goto(address + "/login?next=/me/notices")
    page.fill("#login", "hanh")
    page.fill("#password", PASSWORD)
    page.click("main button")
    page.wait_for_url(address + "/me/notices")


def test_a_person_chooses_how_to_be_told(page: Page, here: tuple[Site, str]) -> None:
    _, address = here
    sign_in(page, address)
    expect(page.get_by_role("heading", level=1)).to_have_text("Cách nhận thông báo")
    page.get_by_label("Báo ngay từng việc").first.check()
    page.get_by_label("Yên tĩnh từ").fill("21h")
    page.get_by_role("button", name="Lưu lựa chọn").click()
    expect(page.get_by_role("status").first).to_contain_text("Đã lưu lựa chọn của anh/chị.")
    expect(page.get_by_label("Yên tĩnh từ")).to_have_value("21:00")
    page.get_by_role("button", name="Gửi tin thử cho tôi").click()
    expect(page.locator("table")).to_contain_text("tin thử")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_push_message_is_shown_and_leads_to_its_case(open_page: OpenPage, here: tuple[Site, str]) -> None:
    _, address = here
    page = open_page("phone", permissions=["notifications"])
    sign_in(page, address)
    expect(page.get_by_role("button", name="Hiện thông báo trên thiết bị này", exact=True)).to_be_visible()
    expect(page.locator("#push-off, #push-none, #push-refused").filter(visible=True)).to_have_count(0)
    registered = "navigator.serviceWorker.getRegistration('/').then((it) => it && it.scope)"
    page.wait_for_function("navigator.serviceWorker.getRegistration('/').then((it) => it && it.active)")
    assert page.evaluate(registered) == address + "/"
    data = {"title": "[Ra Lớp] RL-1: Quá hạn", "body": "Hồ sơ: RL-1", "url": address + "/cases/RL-1", "tag": "n7:push"}
    devtools = page.context.new_cdp_session(page)
    registrations: list[str] = []
    devtools.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda event: registrations.extend(it["registrationId"] for it in event["registrations"]),
    )
    devtools.send("ServiceWorker.enable")
    page.wait_for_timeout(200)
    for _ in range(2):  # a second copy stands in the place of the first
        push = {"origin": address, "registrationId": registrations[0], "data": json.dumps(data)}
        devtools.send("ServiceWorker.deliverPushMessage", push)
    shown = """navigator.serviceWorker.getRegistration('/').then((it) => it.getNotifications())
        .then((all) => all.map((it) => [it.title, it.body, it.data, it.tag]))"""
    page.wait_for_function(shown.replace("all.map((it) => [it.title, it.body, it.data, it.tag])", "all.length"))
    assert page.evaluate(shown) == [[data["title"], data["body"], data["url"], data["tag"]]]


def test_without_scripts_all_but_push_messages_can_be_chosen(open_page: OpenPage, here: tuple[Site, str]) -> None:
    _, address = here
    page = open_page("phone", java_script_enabled=False)
    sign_in(page, address)
    expect(page.get_by_text("Mục này cần JavaScript và trình duyệt có thể hiện thông báo.")).to_be_visible()
    page.get_by_role("button", name="Lưu lựa chọn").click()
    expect(page.get_by_role("status").first).to_contain_text("Đã lưu lựa chọn của anh/chị.")
