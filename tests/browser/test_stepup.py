"""Codes and proofs in a real browser: the phone's camera, the slip, and a list that comes by itself after the proof."""

import datetime as dt
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from engine.store.session import open_store
from engine.usecases.people import signin_codes
from tests.browser.conftest import OpenPage, served
from tests.browser.people import sign_in
from tests.cast import Cast
from tests.pages import PASSWORD, Site, site

SIGN_IN = "Đăng nhập"


@pytest.fixture
def here(sqlite_url: str) -> Iterator[tuple[Site, str]]:
    """The pages, a person, an administrator; and the address."""
    store = open_store(sqlite_url)
    made = site(store)
    made.person("hanh")
    made.appoint(made.person("quantri", "Quản trị"), "admin", "root", "vn")
    with served(made.app) as address:
        yield made, address
    store.close()


def press(page: Page, name: str) -> None:
    page.locator("main").get_by_role("button", name=name, exact=True).click()


def test_a_camera_opens_the_page_with_the_code_in_it_and_one_press_signs_in(page: Page, here: tuple[Site, str]) -> None:
    made, address = here
    code = signin_codes.make(made.store, "hanh", None, dt.timedelta(hours=72), made.clock.now()).code
    page.goto(f"{address}/login/code?login=hanh#{signin_codes.tidy(code)}")
    expect(page.get_by_label("Mã", exact=True)).to_have_value(code)
    assert page.url == f"{address}/login/code?login=hanh"
    press(page, SIGN_IN)
    expect(page.get_by_text("Bạn vừa vào bằng mã dùng một lần.")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("link", name="Để sau, tiếp tục").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Việc của tôi")


def test_without_scripts_the_code_is_typed_from_the_slip(open_page: OpenPage, here: tuple[Site, str]) -> None:
    (made, address), page = here, open_page(java_script_enabled=False)
    code = signin_codes.make(made.store, "hanh", None, dt.timedelta(hours=72), made.clock.now()).code
    page.goto(f"{address}/login/code?login=hanh#{signin_codes.tidy(code)}")
    page.get_by_label("Mã", exact=True).fill(code)
    press(page, SIGN_IN)
    page.get_by_label("Mật khẩu mới", exact=True).fill("mưa rừng gánh củi")
    page.get_by_label("Nhập lại mật khẩu mới").fill("mưa rừng gánh củi")
    press(page, "Đổi mật khẩu")
    expect(page.get_by_role("heading", level=1)).to_have_text("Việc của tôi")


def test_the_slip_has_a_square_as_wide_as_a_camera_needs_and_prints_on_one_page(
    page: Page, here: tuple[Site, str]
) -> None:
    _, address = here
    sign_in(page, address, "quantri")
    page.goto(f"{address}/admin/codes")
    page.get_by_label("Tên đăng nhập của người nhận").fill("hanh")
    press(page, "Tạo mã")
    expect(page.get_by_role("heading", level=1)).to_have_text("Mã dùng một lần của Y Hạnh")
    box = page.locator(".qr svg").bounding_box()
    assert box is not None
    assert 180 <= box["width"] <= 320
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.pdf(format="A5").count(b"/Type /Page\n") == 1


@pytest.mark.parametrize("scripts", [True, False])
def test_after_the_proof_the_list_comes_and_the_person_is_where_they_were(
    open_page: OpenPage, cast: Cast, scripts: bool
) -> None:
    page, code = open_page("desktop", java_script_enabled=scripts), cast.open_case()
    with served(cast.site.app) as address:
        sign_in(page, address, "teacher")
        page.goto(f"{address}/cases?q={code}")
        cast.site.clock.advance(dt.timedelta(minutes=11))
        page.get_by_role("link", name="Excel").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Có đúng vẫn là bạn?")
        page.get_by_label("Mật khẩu").fill("sai")
        press(page, "Tiếp tục")
        expect(page.get_by_role("alert")).to_contain_text("Mật khẩu hiện tại không đúng.")
        page.get_by_label("Mật khẩu").fill(PASSWORD)
        with page.expect_download() as taken:
            press(page, "Tiếp tục")
        assert taken.value.suggested_filename.endswith(".xlsx")
        expect(page.get_by_role("status").first).to_contain_text("Tệp sẽ tự tải về")
        assert page.url == f"{address}/cases?q={code}"
