"""What people do with the pages, each in a browser of their own: sign in, go somewhere, answer a form's questions."""

from playwright.sync_api import Page, expect

from tests.pages import PASSWORD


def sign_in(page: Page, address: str, login: str, password: str = PASSWORD) -> Page:
    """Fill in the sign-in page; the page is the person's own work then."""
    page.goto(f"{address}/login")
    page.get_by_label("Tên đăng nhập").fill(login)
    page.get_by_label("Mật khẩu").fill(password)
    page.locator("main").get_by_role("button", name="Đăng nhập", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Việc của tôi")
    return page


def answer(page: Page, answers: dict[str, str]) -> None:
    """Answer questions by their words: choose, write; unfold those that need not be answered."""
    for question, words in answers.items():
        group = page.get_by_role("group", name=question)
        if not group.count() and not page.get_by_label(question).first.is_visible():
            page.get_by_text("Thêm thông tin, nếu biết").click()
        if group.count():
            group.get_by_label(words).check()
            continue
        control = page.get_by_label(question)
        if control.evaluate("it => it.tagName") == "SELECT":
            control.select_option(label=words)
        else:
            control.fill(words)


def send(page: Page, button: str) -> None:
    """Press the one button of the form; what was done is told on the page that follows."""
    page.locator("main").get_by_role("button", name=button, exact=True).click()
    expect(page.get_by_role("status").first).to_contain_text("Đã ghi:")


def look_at(page: Page, address: str, status: int = 200) -> None:
    """Open a page that must be there, or must not."""
    answered = page.goto(address)
    assert answered is not None
    assert answered.status == status, f"{address}: {answered.status}"


def press(page: Page, selector: str, status: int) -> None:
    """Press a form's button; the answer, which must be of this status, is the page then."""
    with page.expect_response(lambda it: it.request.is_navigation_request()) as answered:
        page.locator(selector).first.click()
    page.wait_for_load_state()
    assert answered.value.status == status, f"{page.url}: {answered.value.status}"


def lies_in_first_view(page: Page, selector: str) -> bool:
    """Whether all of the first such element lies on the screen before anybody scrolls, and under nothing."""
    found = page.locator(selector)
    return bool(found.count() and found.first.evaluate(_ON_SCREEN))


_ON_SCREEN = """it => {
  const at = it.getBoundingClientRect();
  const seen = (y) => { const top = document.elementFromPoint(at.left + at.width / 2, y); return it.contains(top); };
  return scrollY === 0 && at.top >= 0 && at.bottom <= innerHeight && at.right <= innerWidth
    && seen(at.top + 3) && seen(at.bottom - 3);
}"""
