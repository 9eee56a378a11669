"""Each role's day, from the first page to the last thing done: on a phone and at a desk, with scripts and without, and
the line is cut in the middle of each."""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Error, Locator, Page, expect
from sqlalchemy import func, select

from engine.core.cases.available_acts import FORM_LABELS
from engine.core.words import catalogue
from engine.store import tables as t
from engine.store.session import open_store
from tests.browser.conftest import OpenPage, served
from tests.browser.people import answer, lies_in_first_view, look_at, send, sign_in
from tests.browser.test_offline import all_sent, cut, kept
from tests.browser.test_the_whole_way import choose
from tests.cast import Cast, make_cast

WAYS = [("phone", True), ("phone", False), ("desktop", True), ("desktop", False)]
PUPIL = "Y Đoàn Thị Bưởi"
vi = catalogue("vi").gettext


@dataclass
class Day:
    """A day in one browser: who looks through it, and where the pages are."""

    cast: Cast
    address: str
    open_page: OpenPage
    viewport: str
    scripts: bool

    def of(self, member: str) -> Page:
        """The browser in which a member of the cast has just signed in."""
        return sign_in(self.open_page(self.viewport, java_script_enabled=self.scripts), self.address, member)

    def go(self, page: Page, path: str) -> None:
        look_at(page, self.address + path)

    def lose_the_line(self, page: Page, path: str) -> None:
        """The line is cut while a page is asked for, and is there again a moment later."""
        cut(page)
        with suppress(Error):  # without scripts the browser has nothing to show
            page.goto(self.address + path)
        cut(page, off=False)
        self.go(page, path)

    def send_through_a_gap(self, page: Page, path: str, typed: dict[str, str], button: str) -> None:
        """The line is cut while a form is filled in: with scripts the phone keeps it; without, one comes back to it."""
        if not self.scripts:
            self.lose_the_line(page, path)
            answer(page, typed)
            return send(page, button)
        self.go(page, path)
        page.wait_for_function("navigator.serviceWorker.controller")
        answer(page, typed)
        cut(page)
        page.locator("main").get_by_role("button", name=button, exact=True).click()
        kept(page)
        cut(page, off=False)
        return all_sent(page)


@dataclass
class Hand:
    """What a hand does on a phone, and how long that takes: Card, Moran, Newell's model with a thumb's figures."""

    seconds: float = 0.0
    done: list[str] = field(default_factory=list)

    def tap(self, what: Locator, page_follows: bool = False) -> None:
        """Find something with the eye and tap it; a page takes its time on a slow line."""
        self._take(1.35 + 1.1 + (1.5 if page_follows else 0), "tap")
        what.click()

    def write(self, where: Locator, words: str) -> None:
        """Tap a field and type on the screen's keyboard."""
        self._take(1.35 + 1.1 + 0.5 * len(words), words)
        where.fill(words)

    def _take(self, seconds: float, what: str) -> None:
        self.seconds += seconds
        self.done.append(what)


@pytest.fixture
def cast(sqlite_url: str) -> Iterator[Cast]:
    store = open_store(sqlite_url)
    yield make_cast(store)
    store.close()


@pytest.fixture(params=WAYS, ids=[f"{size}-{'scripts' if scripts else 'plain'}" for size, scripts in WAYS])
def day(request: pytest.FixtureRequest, cast: Cast, open_page: OpenPage) -> Iterator[Day]:
    """The same day on a phone and at a desk, with scripts and without."""
    with served(cast.site.app) as address:
        yield Day(cast, address, open_page, *request.param)


def test_a_teacher_calls_the_roll_opens_a_case_in_a_minute_calls_the_family_and_hands_over(day: Day) -> None:
    day.cast.pupil(PUPIL)
    page = day.of("teacher")
    call_the_roll(day, page, absent=PUPIL)
    code = open_case_within_a_minute(day, page)
    nobody = {"Cách liên hệ": "Gọi điện thoại", "Liên lạc được với gia đình": "Không", "Ghi chú nội bộ": "Máy tắt"}
    day.send_through_a_gap(page, f"/cases/{code}/contact", nobody, "Ghi lần liên hệ")
    hand_over_to_the_commune(day, page, code)
    assert (day.cast.case(code).state, day.cast.case(code).offered_role) == ("commune_visit", "commune_officer")


def test_a_head_looks_over_the_school_and_urges_the_teacher_on(day: Day) -> None:
    code = day.cast.open_case("pupil")
    day.cast.go_to("2026-03-03 18:00")  # the teacher is late
    page = day.of("head")
    follow(page, "My school")
    expect(page.locator("main")).to_contain_text("class")
    day.lose_the_line(page, f"/cases/{code}")
    press(page, "Urge on")
    expect(page.get_by_role("status").first).to_contain_text("Đã đôn đốc")
    assert count(day.cast, t.Event, t.Event.kind == "nudged") == 1


def test_an_officer_accepts_with_one_thumb_reads_todays_visits_and_records_one(day: Day) -> None:
    code = day.cast.to_commune("pupil")
    page = day.of("commune_officer")
    button = page.get_by_role("listitem").filter(has_text="A Thử").get_by_role("button", name="Tiếp nhận")
    assert lies_in_first_view(page, "main .cards .actions .button")
    button.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("A Thử")
    day.go(page, "/work")
    page.get_by_role("link", name=vi("Visits of today")).click()
    expect(page.locator("main")).to_contain_text("A Thử")
    visit = {"Ngày đến nhà vận động": "2/3/2026", "Đã gặp, trao đổi với": "Cha mẹ"}
    visit |= {"Kết quả vận động": "Gia đình đồng ý cho ra lớp", "Ghi chú nội bộ": "Thứ tư ra lớp"}
    day.send_through_a_gap(page, f"/cases/{code}/visit", visit, "Ghi biên bản vận động")
    assert count(day.cast, t.Event, t.Event.kind == "visit") == 1


def test_a_leader_sees_the_commune_and_gives_a_case_to_an_officer(day: Day) -> None:
    code = day.cast.to_commune("pupil")
    page = day.of("commune_leader")
    follow(page, "My area")
    day.lose_the_line(page, f"/cases/{code}")
    choose(page, FORM_LABELS["assign"].vi)
    answer(page, {"Người phụ trách": "A Bút Thử – Cán bộ, công chức xã phụ trách"})
    send(page, FORM_LABELS["assign"].vi)
    assert day.cast.case(code).assignee_id == day.cast.installed.people["commune_officer"]


def test_a_volunteer_logs_twenty_gifts_in_a_row(day: Day) -> None:
    code = day.cast.to_association("pupil")
    page = day.of("volunteer")
    page.get_by_role("listitem").filter(has_text="Áo ấm cỡ 130").get_by_role("button", name="Tiếp nhận").click()
    day.go(page, "/gifts/new")
    answer(page, {"Loại hỗ trợ": "Vở (quyển)", "Ngày trao": "2/3/2026"})
    for number in range(1, 21):
        if number == 11:
            day.lose_the_line(page, "/gifts/new")
        log_gift(page, code, number)
    assert count(day.cast, t.Support) == 20
    assert "A Thử" not in page.content()


def test_a_coordinator_gives_a_need_to_a_volunteer_and_logs_a_gift(day: Day) -> None:
    code = day.cast.to_association("pupil")
    page = day.of("association")
    follow(page, "Needs and gifts")
    page.get_by_role("link", name="Áo ấm cỡ 130").click()
    choose(page, FORM_LABELS["assign"].vi)
    answer(page, {"Người phụ trách": "Y Sương Thử – Tình nguyện viên"})
    send(page, FORM_LABELS["assign"].vi)
    day.lose_the_line(page, f"/gifts/new?case={code}")
    answer(page, {"Loại hỗ trợ": "Áo ấm (chiếc)", "Ngày trao": "2/3/2026", "Số lượng": "1"})
    press(page, "Save and finish")
    expect(page.get_by_role("heading", level=1)).to_have_text(vi("Needs and gifts"))
    assert day.cast.case(code).assignee_id == day.cast.installed.people["volunteer"]
    assert count(day.cast, t.Support) == 1


def test_an_office_sees_what_burns_urges_on_and_takes_a_list_away(day: Day) -> None:
    code = day.cast.open_case("pupil")
    day.cast.go_to("2026-03-03 18:00")
    page = day.of("education_office")
    follow(page, "My area")
    day.lose_the_line(page, "/cases?which=overdue")
    page.get_by_role("link", name="A Thử").click()
    press(page, "Urge on")
    assert count(day.cast, t.Event, t.Event.kind == "nudged") == 1
    with page.expect_download() as file, suppress(Error):  # a file is no page
        page.goto(f"{day.address}/cases.csv")
    assert code in file.value.path().read_text(encoding="utf-8")


def test_an_administrator_makes_an_account_and_whoever_gets_it_chooses_a_password(day: Day) -> None:
    page = day.of("admin")
    follow(page, "Admin")
    day.lose_the_line(page, "/admin/people/new")
    page.get_by_label(vi("Name"), exact=True).fill("Y Mới Thử")
    page.get_by_label(vi("Login"), exact=True).fill("ymoithu")
    press(page, "Make the account")
    expect(page.locator("main")).to_contain_text("ymoithu")
    assert count(day.cast, t.Person, t.Person.login == "ymoithu") == 1
    assert "A Thử" not in page.content()


# --- what people do ---------------------------------------------------------------------------------------------------


def call_the_roll(day: Day, page: Page, absent: str) -> None:
    """Everybody is here but one."""
    day.go(page, f"/attendance/{day.cast.installed.units['class']}")
    page.get_by_role("group", name=absent).get_by_text("Vắng không phép", exact=True).click()
    page.get_by_role("button", name="Gửi điểm danh").click()
    expect(page.locator("main .status").first).to_contain_text("Đã điểm danh")


def open_case_within_a_minute(day: Day, page: Page) -> str:
    """From wherever one is to the open case, as fast as a thumb goes; its code."""
    hand = Hand()
    hand.tap(page.get_by_role("navigation").get_by_role("link", name="Lập hồ sơ"), page_follows=True)
    hand.write(page.get_by_label("Học sinh nào?"), "buoi")
    hand.tap(page.get_by_role("button", name="Tìm kiếm"), page_follows=True)
    hand.tap(page.get_by_role("link", name=PUPIL), page_follows=True)
    hand.write(page.get_by_label("Vắng từ ngày"), "2/3/2026")
    hand.tap(page.get_by_label("Theo cha mẹ lên rẫy"))
    hand.tap(page.locator("main").get_by_role("button", name="Lập hồ sơ", exact=True), page_follows=True)
    expect(page.get_by_role("status").first).to_contain_text("Đã ghi:")
    assert hand.seconds < 60, hand.done
    return re.sub(r".*/cases/([^?]+).*", r"\1", page.url)


def hand_over_to_the_commune(day: Day, page: Page, code: str) -> None:
    step = day.cast.context.definitions.workflow("dropout").transitions["ask_commune"].label.vi
    day.go(page, f"/cases/{code}")
    choose(page, step)
    answer(page, {"Ghi chú nội bộ": "Nhà xa, nhờ xã đến nhà"})
    send(page, step)


def log_gift(page: Page, code: str, number: int) -> None:
    """One more: what stays the same is there already."""
    group = page.get_by_role("group", name="Cho hồ sơ nào")
    if group.count():
        group.get_by_label(code).check()
    page.get_by_label("Số lượng").fill(str(number))
    press(page, "Save and log the next")
    expect(page.get_by_role("status").first).to_contain_text(code)


def follow(page: Page, way: str) -> None:
    """Go to one's own room: by the main menu, or by the one beside one's name."""
    link = page.locator(".ways, .me").get_by_role("link", name=vi(way), exact=True, include_hidden=True).last
    if not link.is_visible():
        page.locator(".me summary").click()
    link.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(vi(way))


def press(page: Page, button: str) -> None:
    page.locator("main").get_by_role("button", name=vi(button)).first.click()


def count(cast: Cast, entity: type, *where: object) -> int:
    with cast.store.reading("test") as session:
        return session.scalar(select(func.count()).select_from(entity).where(*where)) or 0  # type: ignore[arg-type]
