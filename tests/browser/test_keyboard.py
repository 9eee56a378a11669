"""The main tasks without a mouse and for ears: by Tab, Space and Enter alone; where the focus is seen, in which order
it goes, that nothing holds it and nothing covers it; and by which names a screen reader tells what is there."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage, served
from tests.browser.inventory import Filled
from tests.browser.people import look_at, press, sign_in
from tests.pages import PASSWORD

MAIN = ("/work", "/cases", "/cases/{own}", "/cases/{own}/contact", "/cases/new", "/notices", "/attendance/{class}")
MOST_STOPS = 120  # of one page: more would be a trap
# Where the focus is and how it is seen there (WCAG 2.2: 2.4.3, 2.4.7, 2.4.11); null at the page's end.
FOCUSED = """() => {
  const it = document.activeElement;
  if (it === document.body || it === document.documentElement) return null;
  const seen = [it, it.labels?.[0], it.parentElement].filter(Boolean).map((one) => getComputedStyle(one));
  const outlined = seen.some((style) => style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2);
  const at = (it.matches('[type=radio], [type=checkbox]') && it.labels?.[0] || it).getBoundingClientRect();
  const shown = [.1, .5, .9].some((part) => {
    const top = document.elementFromPoint(at.left + Math.min(at.width * part, at.width - 2), at.top + at.height / 2);
    return top && (it.contains(top) || it.labels?.[0]?.contains(top) || top.contains(it) && top !== document.body);
  });
  const all = [...document.querySelectorAll('*')];
  return { html: it.outerHTML.slice(0, 90), outlined, shown, order: all.indexOf(it) };
}"""


@pytest.fixture
def address(filled: Filled) -> Iterator[str]:
    with served(filled.cast.site.app) as address:
        yield address


@pytest.mark.parametrize("viewport", ["phone", "desktop"])
def test_the_focus_goes_through_every_main_page_in_order_is_seen_and_comes_out_again(
    filled: Filled, address: str, viewport: str, open_page: OpenPage
) -> None:
    wrong = []
    page = sign_in(open_page(viewport), address, "teacher")
    for path in MAIN:
        look_at(page, address + path.format_map(filled.names))
        wrong += [f"{path}: {fault}" for fault in faults_of_the_way(page)]
    assert wrong == []


def faults_of_the_way(page: Page) -> Iterator[str]:
    """What is wrong on the way of the focus from the beginning of a page to its end."""
    before = -1
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        found = page.evaluate(FOCUSED)
        if found is None or found["order"] == 0:
            return
        if not found["outlined"]:
            yield f"no outline: {found['html']}"
        if not found["shown"]:
            yield f"covered: {found['html']}"
        if found["order"] < before:
            if before > 0 and "skip" in found["html"]:
                return  # round again
            yield f"backwards to {found['html']}"
        before = found["order"]
    yield "no way out"


def test_a_way_that_is_hidden_covered_or_out_of_order_is_told(open_page: OpenPage) -> None:
    page = open_page("phone")
    page.set_content(
        "<style>a:focus, button:focus { outline: 3px solid } .bar { position: fixed; inset: auto 0 0; height: 99px;"
        " background: grey }</style><a href='#b' tabindex=2>hai</a><a href='#a' tabindex=1>một</a>"
        "<button style='outline: none'>ba</button><div style='position: fixed; bottom: 20px'><button>bốn</button></div>"
        "<div class=bar></div>"
    )
    faults = "; ".join(faults_of_the_way(page))
    assert "backwards to <a" in faults
    assert "no outline: <button style" in faults
    assert "covered: <button>bốn" in faults


def tab_to(page: Page, there: Callable[[Page], bool]) -> None:
    """Press Tab until the focus is where it should be."""
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        if there(page):
            return
    raise AssertionError("the focus never came there")


def on(words: str) -> Callable[[Page], bool]:
    """Whether the focus is on what a screen reader calls by words that begin like this."""
    name = """(it) => it.getAttribute('aria-label') || it.labels?.[0]?.textContent || it.textContent"""
    return lambda page: str(page.evaluate(f"({name})(document.activeElement)")).strip().startswith(words)


def test_a_teacher_signs_in_and_records_a_contact_by_keys_alone(
    filled: Filled, address: str, open_page: OpenPage
) -> None:
    page = open_page("desktop")
    page.goto(f"{address}/login")
    keys = page.keyboard
    tab_to(page, on("Tên đăng nhập"))
    keys.type("teacher")
    tab_to(page, on("Mật khẩu"))
    keys.type(PASSWORD)
    keys.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Việc của tôi")
    look_at(page, f"{address}/cases/{filled.names['own']}")
    tab_to(page, on("Ghi lần liên hệ"))
    keys.press("Enter")
    page.wait_for_url("**/contact")
    tab_to(page, on("Gọi điện thoại"))
    keys.press("Space")
    tab_to(page, on("Có"))
    keys.press("ArrowDown")  # no
    tab_to(page, on("Ghi chú nội bộ"))
    keys.type("Máy tắt")
    tab_to(page, on("Ghi lần liên hệ"))
    keys.press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("Đã ghi:")


def test_an_officer_skips_to_the_content_and_accepts_by_keys_alone(
    filled: Filled, address: str, open_page: OpenPage
) -> None:
    page = sign_in(open_page("phone"), address, "commune_officer")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    tab_to(page, on("Tiếp nhận: A Thử"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("Đã ghi: Tiếp nhận.")


def test_a_form_with_faults_takes_the_focus_to_its_summary_and_from_there_to_the_question(
    filled: Filled, address: str, open_page: OpenPage
) -> None:
    page = sign_in(open_page("phone"), address, "teacher")
    look_at(page, f"{address}/cases/{filled.names['own']}/contact")
    press(page, "main form .button", 422)
    assert page.title().startswith("Lỗi:")
    expect(page.locator(".faults")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.name") == "contact_way"


def test_a_screen_reader_is_told_what_each_part_is(filled: Filled, address: str, open_page: OpenPage) -> None:
    page = sign_in(open_page("phone"), address, "teacher")
    for landmark in ("banner", "navigation", "main"):
        expect(page.get_by_role(landmark).first).to_be_visible()
    expect(
        page.get_by_role("navigation", name="Menu chính").get_by_role("link", name="Việc của tôi")
    ).to_have_attribute("aria-current", "page")
    look_at(page, f"{address}/cases")
    expect(page.get_by_role("search")).to_be_visible()
    expect(page.get_by_role("searchbox", name="Tìm theo tên")).to_be_visible()
    look_at(page, f"{address}/cases/{filled.names['own']}/contact")
    expect(page.get_by_role("group", name="Cách liên hệ").get_by_role("radio", name="Gọi điện thoại")).to_be_attached()
    look_at(page, f"{address}/attendance/{filled.names['class']}")
    expect(page.get_by_role("group", name="A Xa").get_by_role("radio", name="Vắng không phép")).to_be_attached()


def test_every_control_of_every_main_page_has_a_name_of_its_own(
    filled: Filled, address: str, open_page: OpenPage
) -> None:
    """Two buttons that do different things must not be called the same: a list of them is all that some people have."""
    page = sign_in(open_page("phone"), address, "commune_officer")
    for path in ("/work", "/cases/{offered}", "/cases"):
        look_at(page, address + path.format_map(filled.names))
        names = page.locator("main button:visible").evaluate_all("all => all.map((it) => it.textContent.trim())")
        assert "" not in names
        assert len(names) == len(set(names)), (path, names)
