"""A day in the villages with the line cut: what is read and filled in without one, and what becomes of it when it is
back; on a small phone. The line is cut in the browser, or the server takes a form and its answer never comes."""

import email.utils
import re
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from typing import Any

import pytest
from playwright.sync_api import Dialog, Page, expect
from sqlalchemy import select

from engine.store import tables as t
from engine.store.session import open_store
from tests import registers
from tests.browser.conftest import VIEWPORTS, OpenPage, served
from tests.browser.people import answer, sign_in
from tests.browser.test_accessible import violations
from tests.cast import Cast, make_cast
from tests.pages import post
from tests.web.test_html import faults

VISIT = {
    "Ngày đến nhà vận động": "2/3/2026",
    "Đã gặp, trao đổi với": "Cha mẹ",
    "Kết quả vận động": "Gia đình đồng ý cho ra lớp",
    "Ghi chú nội bộ": "Hẹn thứ tư ra lớp",
}
WROTE = "Hẹn thứ tư ra lớp"
RECORD = "Ghi biên bản vận động"


class Line:
    """What stands between the browser and the program: it can lose the answer to the next form, or keep it waiting."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self.app = app
        self.lose = ""  # "before" the program has seen the form, or "after" it is done
        self.wait = 0.0  # seconds

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] != "POST" or not (self.lose or self.wait):
            return self.app(environ, start)
        told: list[Any] = []

        def begin(*status: Any) -> Any:
            told.append(status)
            return lambda _data: None

        if self.lose == "before":
            self.lose = ""
            raise ConnectionResetError
        body = b"".join(self.app(environ, begin))
        time.sleep(self.wait)
        self.wait = 0
        if self.lose:
            self.lose = ""
            raise ConnectionResetError
        start(*told[0])
        return [body]


@pytest.fixture
def cast(sqlite_url: str) -> Iterator[Cast]:
    """The fixed cast; the officer has accepted one case, another waits."""
    store = open_store(sqlite_url)
    cast = make_cast(store)
    cast.accept(cast.to_commune("pupil"), "commune_officer")
    cast.to_commune("classmate")
    yield cast
    store.close()


CODE, OFFERED = "RL-2026-000001", "RL-2026-000002"


@pytest.fixture
def line(cast: Cast) -> Line:
    return Line(cast.site.app)


@pytest.fixture
def address(line: Line) -> Iterator[str]:
    with served(line) as address:  # type: ignore[arg-type]  # as much an application as Flask's
        yield address


@pytest.fixture
def officer(cast: Cast, address: str, open_page: OpenPage) -> Page:
    """The officer's phone, with today's pages on it."""
    return ready(cast, sign_in(open_page("phone"), address, "commune_officer"), "commune_officer")


def ready(cast: Cast, page: Page, member: str) -> Page:
    """Wait until the pages of today are kept, all of them as they are now."""
    pages = dict(cast.get(member, "/offline/pages").get_json()["pages"])
    return until(page, lambda: page.evaluate(STAMPS) == pages)


STAMPS = """async () => {
  const cache = (await caches.has("pages")) && (await caches.open("pages")), found = {};
  for (const it of cache ? await cache.keys() : []) {
    const copy = await cache.match(it);
    if (copy) found[new URL(it.url).pathname] = copy.headers.get("X-Stamp");
  }
  return found;
}"""


def until(page: Page, came: Callable[[], bool]) -> Page:
    """Wait for what the page does not show, half a minute at most."""
    for _ in range(300):
        if came():
            return page
        page.wait_for_timeout(100)
    raise AssertionError("it did not come within half a minute")


def cut(page: Page, off: bool = True) -> None:
    page.context.set_offline(off)


def record(page: Page, path: str, typed: dict[str, str], button: str) -> None:
    """Fill in a form and send it."""
    page.goto(path)
    answer(page, typed)
    page.locator("main form[data-draft]").get_by_role("button", name=button, exact=True).click()


def kept(page: Page, n: int = 1) -> None:
    """The page says that it is kept, and how much waits."""
    expect(page).to_have_url(re.compile(r"/offline\?kept="))
    expect(page.get_by_text("Nội dung anh/chị vừa điền được giữ trên máy này")).to_be_visible()
    expect(page.locator("#unsent")).to_contain_text(f"Chưa gửi: {n}")
    expect(page.locator("#posts > li")).to_have_count(n)


def choose_sign_out(page: Page) -> None:
    """Press the button in the menu beside one's name."""
    menu = page.locator("details.me")
    if menu.get_attribute("open") is None:
        menu.locator("summary").click()
    menu.get_by_role("button", name="Đăng xuất").click()


def declined(page: Page) -> list[str]:
    """Say no to the next question; the list holds it then."""
    asked: list[str] = []

    def decline(dialog: Dialog) -> None:
        asked.append(dialog.message)
        dialog.dismiss()

    page.once("dialog", decline)
    return asked


def all_sent(page: Page) -> None:
    expect(page.locator("#unsent .none")).to_be_visible()
    expect(page.locator("#unsent")).to_contain_text(re.compile(r"Gửi lần cuối lúc \d\d:\d\d"))


def entries(cast: Cast, kind: str, code: str = CODE) -> list[Any]:
    """What was written of a kind, oldest first."""
    with cast.store.reading("test") as session:
        query = (
            select(t.EventText.values)
            .select_from(t.Event)
            .join(t.Case, t.Case.id == t.Event.case_id)
            .outerjoin(t.EventText, (t.EventText.case_id == t.Event.case_id) & (t.EventText.seq == t.Event.seq))
            .where(t.Case.code == code, t.Event.kind == kind)
            .order_by(t.Event.seq)
        )
        return list(session.execute(query).scalars())


def holds(page: Page) -> dict[str, Any]:
    """What is on the device: copies of pages, the queue, drafts."""
    found: dict[str, Any] = page.evaluate(
        """async () => {
          const count = (database) => new Promise((yes) => {
            const asked = database.transaction("queue").objectStore("queue").count();
            asked.onsuccess = () => { database.close(); yes(asked.result); };
          });
          const opened = () => new Promise((yes) => {
            const asked = indexedDB.open("ralop");
            asked.onsuccess = () => yes(asked.result);
          });
          const there = (await indexedDB.databases()).some((it) => it.name === "ralop" && it.version);
          const queue = there ? await count(await opened()) : 0;
          const copies = (await caches.has("pages")) ? (await (await caches.open("pages")).keys()) : [];
          return {
            queue, copies: copies.map((it) => new URL(it.url).pathname).sort(),
            drafts: Object.keys(localStorage).filter((it) => it.startsWith("draft:")).length,
          };
        }"""
    )
    return found


NOTHING = {"queue": 0, "copies": [], "drafts": 0}


# --- filled in without a line -----------------------------------------------------------------------------------------


def test_a_page_opened_again_without_a_line_does_not_tell_again_what_was_done_on_it(
    officer: Page, address: str
) -> None:
    page = officer
    record(page, f"{address}/cases/{CODE}/visit", VISIT, RECORD)
    expect(page.get_by_role("status").first).to_contain_text("Đã ghi:")
    kept_now = "async (path) => (await (await (await caches.open('pages')).match(path)).text()).includes('Hẹn thứ tư')"
    until(page, lambda: bool(page.evaluate(kept_now, f"/cases/{CODE}")))
    cut(page)
    page.reload()
    expect(page.get_by_text(WROTE)).to_be_visible()
    expect(page.locator("#saved")).to_be_visible()
    expect(page.get_by_text("Đã ghi:")).to_be_hidden()


def test_a_visit_that_was_recorded_without_a_line_is_one_entry_when_it_is_back(
    cast: Cast, address: str, officer: Page
) -> None:
    cut(officer)
    record(officer, f"{address}/cases/{CODE}/visit", VISIT, RECORD)
    kept(officer)
    expect(officer.locator("#posts")).to_contain_text("Ghi biên bản vận động")
    expect(officer.locator("#posts")).to_contain_text("Gia đình đồng ý cho ra lớp")
    expect(officer.locator("#posts")).to_contain_text(WROTE)
    assert entries(cast, "visit") == []
    cut(officer, False)
    all_sent(officer)
    expect(officer.locator("#sent")).to_contain_text(CODE)
    assert [it["note"] for it in entries(cast, "visit")] == [WROTE]
    assert holds(officer)["queue"] == holds(officer)["drafts"] == 0


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_visit_that_a_dying_server_took_or_did_not_take_is_one_entry(
    cast: Cast, line: Line, address: str, officer: Page, when: str
) -> None:
    line.lose = when
    record(officer, f"{address}/cases/{CODE}/visit", VISIT, RECORD)
    expect(officer).to_have_url(re.compile(r"/offline\?kept="))
    all_sent(officer)
    assert len(entries(cast, "visit")) == 1


def test_a_server_that_does_not_answer_within_five_seconds_is_no_line(
    cast: Cast, line: Line, address: str, officer: Page
) -> None:
    line.wait = 7
    record(officer, f"{address}/cases/{CODE}/visit", VISIT, RECORD)
    expect(officer).to_have_url(re.compile(r"/offline\?kept="), timeout=6500)
    officer.wait_for_timeout(2500)
    all_sent(officer)
    assert len(entries(cast, "visit")) == 1


def test_two_entries_on_one_copy_are_two_and_do_not_get_in_each_others_way(
    cast: Cast, address: str, officer: Page
) -> None:
    cut(officer)
    for number, words in enumerate(("Lần thứ nhất", "Lần thứ hai"), 1):
        record(officer, f"{address}/cases/{CODE}/note", {"Ghi chú nội bộ": words}, "Thêm ghi chú nội bộ")
        kept(officer, number)
    cut(officer, False)
    all_sent(officer)
    assert [it["note"] for it in entries(cast, "noted")] == ["Lần thứ nhất", "Lần thứ hai"]


def test_a_case_is_accepted_with_one_thumb_and_no_line(cast: Cast, address: str, officer: Page) -> None:
    cut(officer)
    officer.goto(f"{address}/work")
    card = officer.get_by_role("listitem").filter(has_text="Tiếp nhận").first
    card.get_by_role("button", name="Tiếp nhận").click()
    kept(officer)
    assert len(entries(cast, "accepted", OFFERED)) == 0
    cut(officer, False)
    all_sent(officer)
    assert len(entries(cast, "accepted", OFFERED)) == 1


def test_what_waits_is_said_on_every_page_and_sent_by_hand(cast: Cast, address: str, officer: Page) -> None:
    cut(officer)
    record(officer, f"{address}/cases/{CODE}/visit", VISIT, RECORD)
    kept(officer)
    officer.goto(f"{address}/work")
    expect(officer.locator("#unsent")).to_contain_text("Chưa gửi: 1")
    officer.evaluate("addEventListener('online', (event) => event.stopImmediatePropagation(), { capture: true })")
    officer.get_by_role("button", name="Gửi ngay").click()
    officer.wait_for_timeout(500)
    expect(officer.locator("#unsent")).to_contain_text("Chưa gửi: 1")
    cut(officer, False)
    officer.get_by_role("button", name="Gửi ngay").click()
    all_sent(officer)
    assert len(entries(cast, "visit")) == 1


def test_the_forms_of_a_case_just_accepted_are_on_the_phone_at_once(cast: Cast, address: str, officer: Page) -> None:
    officer.goto(f"{address}/work")
    card = officer.get_by_role("listitem").filter(has_text="Tiếp nhận").first
    card.get_by_role("button", name="Tiếp nhận").click()
    expect(officer.get_by_role("status").filter(has_text="Đã ghi:")).to_be_visible()
    ready(cast, officer, "commune_officer")
    cut(officer)
    record(officer, f"{address}/cases/{OFFERED}/visit", VISIT, RECORD)
    kept(officer)
    cut(officer, False)
    all_sent(officer)
    assert len(entries(cast, "visit", OFFERED)) == 1


# --- when it is tried again -------------------------------------------------------------------------------------------

DEAF = "addEventListener('online', (event) => event.stopImmediatePropagation(), { capture: true })"


@pytest.fixture
def deaf(officer: Page) -> Page:
    """The officer's phone, whose browser tells no page of a line that is back."""
    officer.context.add_init_script(DEAF)
    return officer


class Busy:
    """A server that writes down when it was asked by what waits on a phone, and that may be too busy for it."""

    def __init__(self, cast: Cast) -> None:
        self.asked: list[float] = []
        self.busy = True
        self.wait = ""  # what it says of how long, a number of seconds or the moment then
        cast.site.app.before_request_funcs.setdefault(None, []).insert(0, self)

    def __call__(self) -> tuple[str, int, dict[str, str]] | None:
        from flask import request

        if request.path == "/offline/me":
            self.asked.append(time.monotonic())
            if self.busy:
                return "", 503, {"Retry-After": self._wait()} if self.wait else {}
        return None

    def _wait(self) -> str:
        moment = email.utils.formatdate(time.time() + 9, usegmt=True)  # of whole seconds
        return moment if self.wait == "a moment" else self.wait

    @property
    def gaps(self) -> list[float]:
        return [later - before for before, later in pairwise(self.asked)]

    def waited_for(self, page: Page, n: int) -> None:
        until(page, lambda: len(self.asked) >= n)


def keep_one(page: Page, address: str) -> None:
    """A visit is recorded without a line, which is back at once, and nobody says so."""
    cut(page)
    record(page, f"{address}/cases/{CODE}/visit", VISIT, RECORD)
    kept(page)
    cut(page, False)


def test_what_waits_is_sent_within_seconds_where_no_browser_tells_of_the_line(
    cast: Cast, address: str, deaf: Page
) -> None:
    busy = Busy(cast)
    busy.busy = False
    keep_one(deaf, address)
    expect(deaf.locator("#unsent .none")).to_be_visible(timeout=8_000)
    assert len(entries(cast, "visit")) == 1
    asked = len(busy.asked)
    deaf.wait_for_timeout(4_000)
    assert len(busy.asked) == asked  # nothing waits: nobody is asked


def test_a_server_that_is_down_is_asked_ever_more_seldom(cast: Cast, address: str, deaf: Page) -> None:
    busy = Busy(cast)
    keep_one(deaf, address)
    busy.waited_for(deaf, 1)
    deaf.reload()  # who comes back to a page begins anew: at once, perhaps twice; after two seconds, four, eight
    begun = len(busy.asked)
    until(deaf, lambda: max(busy.gaps[begun:], default=0) > 2.9)
    assert entries(cast, "visit") == []


@pytest.mark.parametrize("told", ["online", "focus", "pageshow"])
def test_whatever_may_mean_a_line_is_a_try_at_once(cast: Cast, address: str, officer: Page, told: str) -> None:
    busy = Busy(cast)
    keep_one(officer, address)
    busy.waited_for(officer, 3)  # the next by itself comes at least six seconds later
    busy.busy, before = False, len(busy.asked)
    officer.wait_for_timeout(1_100)  # a breath after the try before
    told_at = time.monotonic()
    officer.evaluate("(name) => dispatchEvent(new Event(name))", told)
    busy.waited_for(officer, before + 1)
    assert busy.asked[before] - told_at < 3, busy.gaps
    all_sent(officer)
    assert len(entries(cast, "visit")) == 1


def test_a_line_that_comes_and_goes_a_hundred_times_is_no_hundred_tries(
    cast: Cast, address: str, officer: Page
) -> None:
    busy = Busy(cast)
    keep_one(officer, address)
    busy.waited_for(officer, 1)
    before, begun = len(busy.asked), time.monotonic()
    for _ in range(100):
        officer.evaluate("dispatchEvent(new Event('online'))")
    busy.waited_for(officer, before + 1)
    assert len(busy.asked) - before <= time.monotonic() - begun + 2, busy.gaps


@pytest.mark.parametrize("wanted", ["8", "a moment"])
def test_a_busy_server_that_says_how_long_is_left_alone_as_long_except_by_a_person(
    cast: Cast, address: str, deaf: Page, wanted: str
) -> None:
    busy = Busy(cast)
    busy.wait = wanted
    keep_one(deaf, address)
    busy.waited_for(deaf, 1)
    first = len(busy.asked)
    for _ in range(3):
        deaf.evaluate("dispatchEvent(new Event('focus'))")
        deaf.wait_for_timeout(1_100)
    assert len(busy.asked) == first
    deaf.get_by_role("button", name="Gửi ngay").click()
    busy.waited_for(deaf, first + 1)
    busy.busy = False
    expect(deaf.locator("#unsent .none")).to_be_visible(timeout=30_000)  # by itself, when it may
    assert busy.asked[first + 1] - busy.asked[first] > 5, busy.gaps
    assert len(entries(cast, "visit")) == 1


def test_a_page_that_nobody_sees_tries_nothing_until_it_is_seen_again(cast: Cast, address: str, deaf: Page) -> None:
    busy = Busy(cast)
    keep_one(deaf, address)
    busy.waited_for(deaf, 1)
    hide = "(hidden) => { Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });"
    hide += "document.dispatchEvent(new Event('visibilitychange')); }"
    deaf.evaluate(hide, True)
    deaf.wait_for_timeout(500)  # what was under way
    asked, busy.busy = len(busy.asked), False
    deaf.wait_for_timeout(8_000)
    assert len(busy.asked) == asked
    deaf.evaluate(hide, False)
    all_sent(deaf)


# --- not taken as it was ----------------------------------------------------------------------------------------------


def test_what_is_missing_in_an_entry_opens_its_form_with_all_that_was_typed(
    cast: Cast, address: str, officer: Page
) -> None:
    cut(officer)
    record(officer, f"{address}/cases/{CODE}/visit", VISIT | {"Ngày đến nhà vận động": "30/2/2026"}, RECORD)
    kept(officer)
    cut(officer, False)
    expect(officer.get_by_text("Chưa được nhận")).to_be_visible()
    expect(officer.locator("#unsent").get_by_text("cần xem lại")).to_be_visible()
    officer.get_by_role("button", name="Mở biểu mẫu để sửa").click()
    expect(officer.locator(".faults")).to_be_visible()
    expect(officer.get_by_label("Ghi chú nội bộ")).to_have_value(WROTE)
    officer.get_by_label("Ngày đến nhà vận động").fill("2/3/2026")
    officer.get_by_role("button", name=RECORD, exact=True).click()
    expect(officer.get_by_role("status").filter(has_text="Đã ghi:")).to_be_visible()
    assert len(entries(cast, "visit")) == 1
    officer.goto(f"{address}/offline")
    expect(officer.get_by_text("Không có gì chờ gửi trên máy này.")).to_be_visible()
    assert holds(officer)["queue"] == 0


@pytest.fixture
def conflict(cast: Cast, address: str, officer: Page) -> Page:
    """The officer's visit comes late: the teacher has written a note meanwhile."""
    cut(officer)
    record(officer, f"{address}/cases/{CODE}/visit", VISIT, RECORD)
    kept(officer)
    cast.send("teacher", f"/cases/{CODE}/note", note="Mẹ em vừa gọi lại")
    cut(officer, False)
    expect(officer.get_by_text("Đã có người cập nhật trước")).to_be_visible()
    return officer


def test_a_conflict_shows_both_versions_and_is_sent_on_the_newest(cast: Cast, conflict: Page) -> None:
    there, here = conflict.locator(".versions .now"), conflict.locator(".versions .typed")
    expect(here).to_contain_text(WROTE)
    expect(there).to_contain_text("Xã vận động")
    expect(there).to_contain_text("Mẹ em vừa gọi lại")
    assert conflict.evaluate("document.scrollingElement.scrollWidth") == 360
    conflict.get_by_role("button", name="Gửi lại trên bản mới nhất").click()
    all_sent(conflict)
    assert len(entries(cast, "visit")) == len(entries(cast, "noted")) == 1


def test_a_conflict_is_kept_as_a_note_with_every_word(cast: Cast, conflict: Page) -> None:
    conflict.get_by_role("button", name="Giữ thành ghi chú nội bộ").click()
    all_sent(conflict)
    note = entries(cast, "noted")[-1]["note"]
    for words in (RECORD, "Gia đình đồng ý cho ra lớp", "Cha mẹ", WROTE):
        assert words in note
    assert entries(cast, "visit") == []


def test_a_conflict_is_discarded_only_after_asking(cast: Cast, conflict: Page) -> None:
    asked = declined(conflict)
    conflict.get_by_role("button", name="Bỏ", exact=True).click()
    expect(conflict.locator("#posts > li")).to_have_count(1)
    conflict.once("dialog", lambda dialog: dialog.accept())
    conflict.get_by_role("button", name="Bỏ", exact=True).click()
    expect(conflict.get_by_text("Không có gì chờ gửi trên máy này.")).to_be_visible()
    assert asked == ["Xóa nội dung này khỏi máy? Không thể lấy lại."]
    assert entries(cast, "visit") == []


def test_what_has_become_impossible_keeps_its_words(cast: Cast, address: str, officer: Page) -> None:
    cut(officer)
    record(officer, f"{address}/cases/{CODE}/visit", VISIT, RECORD)
    kept(officer)
    cast.step(CODE, "return_to_class", "teacher", returned_on="2026-03-02")
    cut(officer, False)
    officer.get_by_role("button", name="Gửi lại trên bản mới nhất").click()
    expect(officer.get_by_text("Việc này không còn thực hiện được.")).to_be_visible()
    expect(officer.locator(".typed")).to_contain_text(WROTE)
    officer.get_by_role("button", name="Giữ thành ghi chú nội bộ").click()
    all_sent(officer)
    assert WROTE in entries(cast, "noted")[-1]["note"]


# --- a class without a line -------------------------------------------------------------------------------------------


@pytest.fixture
def teacher(cast: Cast, address: str, open_page: OpenPage) -> Page:
    """The homeroom teacher's phone, with today's pages on it; its clock says the afternoon of the same Monday."""
    page = open_page("phone")
    page.clock.set_fixed_time("2026-03-02T14:10:00+07:00")
    return ready(cast, sign_in(page, address, "teacher"), "teacher")


def take(page: Page, address: str, cast: Cast, session: str = "m") -> None:
    """Take the roll call from the list of classes: A Thử is missing."""
    page.goto(f"{address}/attendance")
    page.locator(f'a[href="/attendance/{cast.installed.units["class"]}?session={session}"]').click()
    expect(page.locator("#saved")).to_be_visible()
    page.get_by_role("group", name="A Thử").get_by_text("Vắng không phép", exact=True).click()
    page.get_by_role("button", name="Gửi điểm danh").click()


def register(cast: Cast) -> list[tuple[str, str, str, str]]:
    """What the register says: pupil, day, session, mark."""
    with cast.store.reading("test") as session:
        names = {row.id: row.name for row in session.execute(select(t.Pupil.id, t.Pupil.name))}
        said = [
            (names[id], f"{day:%d/%m}", half, mark) for (id, day, half), mark in registers.register(session).items()
        ]
        return sorted(said, key=lambda one: (one[2], one[0]))


def roll_calls(cast: Cast) -> int:
    with cast.store.reading("test") as session:
        return len(session.scalars(select(t.RollCall.key)).all())


def test_a_roll_call_without_a_line_is_taken_once_for_its_own_day_and_session(
    cast: Cast, address: str, teacher: Page
) -> None:
    cut(teacher)
    take(teacher, address, cast)
    kept(teacher)
    for words in ("Điểm danh", "thứ Hai 02/03/2026", "Sáng", "A Thử", "Vắng không phép"):
        expect(teacher.locator("#posts")).to_contain_text(words)
    expect(teacher.locator("#posts")).not_to_contain_text("Có mặt")
    teacher.goto(f"{address}/attendance/{cast.installed.units['class']}")  # nothing was asked for: it is now
    expect(teacher.get_by_label("Ngày")).to_have_value("2026-03-02")
    expect(teacher.get_by_label("Buổi")).to_have_value("a")
    teacher.get_by_role("button", name="Gửi điểm danh").click()
    kept(teacher, 2)
    assert register(cast) == []
    cut(teacher, False)
    all_sent(teacher)
    missing = [it for it in register(cast) if it[3] != "p"]
    assert (missing, len(register(cast)), roll_calls(cast)) == ([("A Thử", "02/03", "m", "u")], 6, 2)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_roll_call_that_a_dying_server_took_or_did_not_take_is_taken_once(
    cast: Cast, line: Line, address: str, teacher: Page, when: str
) -> None:
    teacher.goto(f"{address}/attendance/{cast.installed.units['class']}?session=m")
    teacher.get_by_role("group", name="A Thử").get_by_text("Trễ", exact=True).click()
    line.lose = when
    teacher.get_by_role("button", name="Gửi điểm danh").click()
    all_sent(teacher)
    assert (("A Thử", "02/03", "m", "l") in register(cast), roll_calls(cast)) == (True, 1)


SENT_AND_CHANGED = """() => {
  const form = document.querySelector("form[data-draft]"), keys = [];
  addEventListener("submit", (event) => event.preventDefault(), true); // the page stays as the browser remembers it
  for (const change of [false, false, true]) {
    if (change) form.elements.session.dispatchEvent(new Event("input", { bubbles: true }));
    form.requestSubmit();
    keys.push(form.elements.key.value);
  }
  return keys;
}"""


def test_what_is_changed_on_a_page_that_was_sent_is_another_entry_and_what_is_not_the_same_one(
    cast: Cast, address: str, teacher: Page
) -> None:
    teacher.goto(f"{address}/attendance/{cast.installed.units['class']}/blank")
    sent, again, changed = teacher.evaluate(SENT_AND_CHANGED)
    assert (sent == again, sent == changed) == (True, False)
    assert re.fullmatch("[0-9a-f]{32}", changed)


def test_a_roll_call_is_mended_without_a_line_and_is_no_conflict_with_itself(
    cast: Cast, address: str, teacher: Page
) -> None:
    cut(teacher)
    take(teacher, address, cast)
    kept(teacher)
    teacher.goto(f"{address}/attendance/{cast.installed.units['class']}?session=m")
    teacher.get_by_role("button", name="Gửi điểm danh").click()
    kept(teacher, 2)
    cut(teacher, False)
    all_sent(teacher)
    assert (("A Thử", "02/03", "m", "p") in register(cast), roll_calls(cast)) == (True, 2)


@pytest.fixture
def taken_by_the_head(cast: Cast, address: str, teacher: Page) -> Page:
    """The teacher's roll call comes late: the head has taken it meanwhile, and missed another pupil."""
    cut(teacher)
    take(teacher, address, cast)
    kept(teacher)
    marks = {"pupil": "p", "classmate": "e", "boarder": "p"}
    said = {f"pupil-{cast.installed.pupils[name]}": mark for name, mark in marks.items()}
    answer = cast.send("head", f"/attendance/{cast.installed.units['class']}", **said, day="2026-03-02", session="m")
    assert answer.status_code == 303
    cut(teacher, False)
    expect(teacher.get_by_text("Đã có người cập nhật trước")).to_be_visible()
    return teacher


def test_two_roll_calls_of_one_session_stand_side_by_side_until_the_teacher_chooses(
    cast: Cast, taken_by_the_head: Page
) -> None:
    page = taken_by_the_head
    expect(page.locator(".versions .typed")).to_contain_text("A Thử")
    expect(page.locator(".versions .now")).to_contain_text("A Thử: Có mặt; anh/chị ghi: Vắng không phép")
    expect(page.locator(".versions .now")).to_contain_text("Y Thử: Vắng có phép; anh/chị ghi: Có mặt")
    assert page.evaluate("document.scrollingElement.scrollWidth") == 360
    assert [*violations(page), *faults(page.content())] == []
    assert ("A Thử", "02/03", "m", "p") in register(cast)
    page.get_by_role("button", name="Gửi lại trên bản mới nhất").click()
    all_sent(page)
    assert ("A Thử", "02/03", "m", "u") in register(cast)
    with cast.store.reading("test") as session:  # and what the head wrote is kept beside it
        assert sorted(session.scalars(select(t.MarkChange.old_mark))) == ["e", "p"]


def test_the_other_roll_call_is_looked_at_in_the_form_and_sent_from_there(
    cast: Cast, address: str, taken_by_the_head: Page
) -> None:
    page = taken_by_the_head
    page.get_by_role("button", name="Mở biểu mẫu để sửa").click()
    expect(page.locator(".faults")).to_contain_text("Y Thử: Vắng có phép; anh/chị ghi: Có mặt")
    expect(page.get_by_role("group", name="A Thử").get_by_label("Vắng không phép")).to_be_checked()
    page.get_by_role("group", name="Y Thử").get_by_text("Vắng có phép", exact=True).click()
    page.get_by_role("button", name="Gửi điều chỉnh").click()
    expect(page.get_by_role("status").filter(has_text="Đã gửi điểm danh.")).to_be_visible()
    assert {("A Thử", "02/03", "m", "u"), ("Y Thử", "02/03", "m", "e")} < set(register(cast))
    page.goto(f"{address}/offline")
    expect(page.get_by_text("Không có gì chờ gửi trên máy này.")).to_be_visible()


OPENING = {"Vắng từ ngày": "27/2/2026", "Ghi chú nội bộ": "Mẹ em báo đi rẫy"}


def open_without_a_line(page: Page, address: str, pupil: str) -> None:
    """Fill in the form for a new case that the phone keeps, for a pupil of the class."""
    page.goto(f"{address}/offline")
    page.locator("#there ~ ul").get_by_role("link", name="Lập hồ sơ").click()
    expect(page.locator("#saved")).to_be_visible()
    page.get_by_role("group", name="Học sinh").get_by_text(pupil).click()
    page.get_by_label("Theo cha mẹ lên rẫy, thu hoạch mùa vụ").check()
    answer(page, OPENING)
    page.get_by_role("button", name="Lập hồ sơ", exact=True).click()


def cases_of(cast: Cast, pupil: str) -> list[str]:
    with cast.store.reading("test") as session:
        return list(session.scalars(select(t.Case.code).where(t.Case.pupil_id == cast.installed.pupils[pupil])))


def test_a_case_is_opened_without_a_line_and_is_one_case_when_it_is_back(
    cast: Cast, address: str, teacher: Page
) -> None:
    cut(teacher)
    open_without_a_line(teacher, address, "A Xa")
    kept(teacher)
    expect(teacher.locator("#posts")).to_contain_text("A Xa")
    expect(teacher.locator("#posts")).to_contain_text("Mẹ em báo đi rẫy")
    assert cases_of(cast, "boarder") == []
    cut(teacher, False)
    all_sent(teacher)
    (code,) = cases_of(cast, "boarder")
    expect(teacher.locator("#sent")).to_contain_text("Lập hồ sơ")
    assert [it["note"] for it in entries(cast, "opened", code)] == ["Mẹ em báo đi rẫy"]


def test_a_case_that_another_has_opened_meanwhile_stands_beside_what_was_typed_and_takes_it_as_a_note(
    cast: Cast, address: str, teacher: Page
) -> None:
    cut(teacher)
    open_without_a_line(teacher, address, "A Xa")
    kept(teacher)
    code = cast.open_case("boarder", by="head")
    cut(teacher, False)
    expect(teacher.get_by_text("Đã có người cập nhật trước")).to_be_visible()
    expect(teacher.locator(".versions .typed")).to_contain_text("Mẹ em báo đi rẫy")
    expect(teacher.locator(".versions .now")).to_contain_text("Trần Văn Mẫu")
    expect(teacher.locator(".look")).to_have_attribute("href", f"/cases/{code}")
    expect(teacher.get_by_role("button", name="Gửi lại trên bản mới nhất")).to_be_hidden()
    teacher.get_by_role("button", name="Giữ thành ghi chú nội bộ").click()
    all_sent(teacher)
    assert cases_of(cast, "boarder") == [code]
    assert "Mẹ em báo đi rẫy" in entries(cast, "noted", code)[0]["note"]


def test_the_form_of_one_pupil_is_the_blank_one_without_a_line_and_has_what_was_typed(
    cast: Cast, address: str, teacher: Page
) -> None:
    form = f"{address}/cases/new?pupil={cast.installed.pupils['boarder']}"
    teacher.goto(form)
    answer(teacher, OPENING)
    cut(teacher)
    teacher.goto(form)
    expect(teacher.get_by_role("group", name="Học sinh").get_by_label("A Xa")).to_be_checked()
    expect(teacher.get_by_label("Ghi chú nội bộ")).to_have_value("Mẹ em báo đi rẫy")


def test_a_class_is_on_no_other_phone_and_goes_with_its_teacher(
    cast: Cast, address: str, teacher: Page, open_page: OpenPage
) -> None:
    blank = {"/attendance", "/cases/new/blank", f"/attendance/{cast.installed.units['class']}/blank"}
    assert blank < set(holds(teacher)["copies"])
    for member in ("head", "commune_officer"):
        page = ready(cast, sign_in(open_page("phone"), address, member), member)
        assert not blank & set(holds(page)["copies"])
        page.context.close()
    cut(teacher)
    take(teacher, address, cast)
    kept(teacher)
    open_without_a_line(teacher, address, "A Xa")
    kept(teacher, 2)
    teacher.context.clear_cookies()
    cut(teacher, False)
    head = sign_in(teacher, address, "head")  # on the teacher's phone
    head.wait_for_timeout(500)
    assert (holds(head)["queue"], register(cast), cases_of(cast, "boarder")) == (2, [], [])
    assert not blank & set(holds(head)["copies"])
    choose_sign_out(head)
    expect(head.get_by_role("heading", level=1)).to_have_text("Đăng nhập")
    assert holds(head) == NOTHING


# --- whose device it is -----------------------------------------------------------------------------------------------


def test_without_a_line_only_ones_own_cases_can_be_read_and_say_when_they_were_saved(
    address: str, officer: Page
) -> None:
    assert all(CODE in it or OFFERED in it for it in holds(officer)["copies"] if it.startswith("/cases/RL"))
    officer.goto(f"{address}/cases")
    officer.goto(f"{address}/help/commune")
    cut(officer)
    for path in ("/work", f"/cases/{CODE}", f"/cases/{CODE}/visit", f"/cases/{OFFERED}/accept"):
        officer.goto(address + path)
        expect(officer.locator("#saved")).to_have_text(re.compile(r"Không có mạng. Bản lưu trên máy lúc \d\d:\d\d"))
        expect(officer.locator("#saved")).to_be_visible()
    for path in ("/cases", "/cases/RL-2026-000003", "/help/commune"):
        officer.goto(address + path)
        expect(officer.locator("#missing")).to_be_visible()
        expect(officer.get_by_role("heading", level=1)).to_have_text("Trên máy này")
    cut(officer, False)
    officer.goto(f"{address}/work")
    expect(officer.locator("#saved")).to_be_hidden()


def test_an_office_that_looks_at_a_case_keeps_nothing_of_it(cast: Cast, address: str, open_page: OpenPage) -> None:
    page = ready(cast, sign_in(open_page("phone"), address, "education_office"), "education_office")
    page.goto(f"{address}/cases/{CODE}")
    page.goto(f"{address}/work")
    page.wait_for_timeout(500)
    assert holds(page)["copies"] == ["/offline", "/work"]


def test_signing_out_wipes_the_device_after_asking(cast: Cast, address: str, officer: Page) -> None:
    cut(officer)
    record(officer, f"{address}/cases/{CODE}/visit", VISIT, RECORD)
    kept(officer)
    cast.site.app.before_request_funcs.setdefault(None, []).insert(0, _no_queue)
    cut(officer, False)
    asked = declined(officer)
    choose_sign_out(officer)
    expect(officer).to_have_url(re.compile("/offline"))
    assert asked == ["Trên máy này còn nội dung chưa gửi. Đăng xuất sẽ xóa hết. Anh/chị vẫn muốn đăng xuất?"]
    assert holds(officer)["queue"] == 1
    officer.once("dialog", lambda dialog: dialog.accept())
    choose_sign_out(officer)
    expect(officer.get_by_role("heading", level=1)).to_have_text("Đăng nhập")
    assert holds(officer) == NOTHING
    assert entries(cast, "visit") == []


def test_who_signs_out_without_a_line_leaves_nothing_and_is_signed_out_when_it_is_back(
    cast: Cast, address: str, officer: Page
) -> None:
    cut(officer)
    record(officer, f"{address}/cases/{CODE}/visit", VISIT, RECORD)
    kept(officer)
    officer.once("dialog", lambda dialog: dialog.accept())
    choose_sign_out(officer)
    expect(officer.get_by_role("heading", level=1)).to_have_text("Đã xóa khỏi máy")
    assert holds(officer) == NOTHING
    officer.goto(f"{address}/work")
    expect(officer.get_by_role("heading", level=1)).to_have_text("Đã xóa khỏi máy")
    cut(officer, False)
    officer.goto(f"{address}/work")
    expect(officer.get_by_role("heading", level=1)).to_have_text("Đăng nhập")
    sign_in(officer, address, "commune_leader")
    assert entries(cast, "visit") == []


def _no_queue() -> tuple[str, int] | None:
    """A server that is busy for whatever waited, and for nobody else."""
    from flask import request

    return ("", 503) if "X-Queued" in request.headers else None


def test_what_one_person_filled_in_is_not_sent_by_another_on_the_same_phone(
    cast: Cast, address: str, officer: Page
) -> None:
    cut(officer)
    record(officer, f"{address}/cases/{CODE}/visit", VISIT, RECORD)
    kept(officer)
    officer.context.clear_cookies()  # the sign-in ran out
    cut(officer, False)
    leader = sign_in(officer, address, "commune_leader")
    expect(leader.locator("#unsent")).to_be_hidden()
    leader.goto(f"{address}/offline")
    expect(leader.get_by_text("Không có gì chờ gửi trên máy này.")).to_be_visible()
    leader.wait_for_timeout(500)
    assert (holds(leader)["queue"], entries(cast, "visit")) == (1, [])
    leader.context.clear_cookies()
    sign_in(leader, address, "commune_officer")
    expect(leader.locator("#unsent")).to_be_visible()
    all_sent(leader)
    with cast.store.reading("test") as session:
        by = session.scalars(select(t.Event.person_id).where(t.Event.kind == "visit")).all()
    assert by == [cast.installed.people["commune_officer"]]


def test_a_lost_phone_is_refused_and_wiped(cast: Cast, address: str, officer: Page) -> None:
    cut(officer)
    record(officer, f"{address}/cases/{CODE}/visit", VISIT, RECORD)
    kept(officer)
    officer.goto(f"{address}/cases/{CODE}/note")
    officer.get_by_label("Ghi chú nội bộ").fill("Bản nháp trên máy bị mất")
    assert holds(officer)["drafts"] == 1
    desk = cast.browser("commune_officer")
    for device in re.findall(r'action="(/password/devices/\d+/end)"', desk.get("/password").text):
        post(desk, device, "/password")
    cut(officer, False)
    expect(officer.get_by_role("heading", level=1)).to_have_text("Đăng nhập")
    officer.wait_for_timeout(500)
    assert holds(officer) == NOTHING
    assert entries(cast, "visit") == []


def test_a_sign_in_that_ran_out_leaves_the_queue_and_no_pages(cast: Cast, address: str, officer: Page) -> None:
    cut(officer)
    record(officer, f"{address}/cases/{CODE}/visit", VISIT, RECORD)
    kept(officer)
    officer.context.clear_cookies()
    cut(officer, False)
    officer.goto(f"{address}/work")
    expect(officer.get_by_role("heading", level=1)).to_have_text("Đăng nhập")
    found = holds(officer)
    assert (found["queue"], found["copies"]) == (1, [])
    sign_in(officer, address, "commune_officer")
    all_sent(officer)
    assert len(entries(cast, "visit")) == 1


def test_axe_and_the_parser_find_nothing_to_mend_on_what_a_device_shows_by_itself(
    cast: Cast, address: str, conflict: Page
) -> None:
    found = [*violations(conflict), *faults(conflict.content())]
    conflict.set_viewport_size(VIEWPORTS["phone"])
    conflict.goto(f"{address}/cases/{CODE}/note")
    conflict.get_by_label("Ghi chú nội bộ").fill("Viết dở")
    cut(conflict)
    conflict.goto(f"{address}/cases/{CODE}/note")
    expect(conflict.locator("#saved")).to_be_visible()
    expect(conflict.locator(".draft")).to_be_visible()
    found += [*violations(conflict), *faults(conflict.content())]
    assert found == []


# --- drafts -----------------------------------------------------------------------------------------------------------


def test_a_draft_survives_a_closed_tab_and_goes_when_it_was_sent(cast: Cast, address: str, officer: Page) -> None:
    officer.goto(f"{address}/cases/{CODE}/visit")
    answer(officer, VISIT)
    again = officer.context.new_page()
    officer.close()
    again.goto(f"{address}/cases/{CODE}/visit")
    expect(again.locator(".draft")).to_have_text(re.compile(r"Đã khôi phục bản nháp lúc \d\d:\d\d · Bỏ bản nháp"))
    expect(again.get_by_label("Ghi chú nội bộ")).to_have_value(WROTE)
    expect(again.get_by_label("Gia đình đồng ý cho ra lớp")).to_be_checked()
    expect(again.get_by_label("Cha mẹ", exact=True)).to_be_checked()
    again.locator("main form[data-draft]").get_by_role("button", name=RECORD, exact=True).click()
    expect(again.get_by_role("status").filter(has_text="Đã ghi:")).to_be_visible()
    assert len(entries(cast, "visit")) == 1
    again.goto(f"{address}/cases/{CODE}/visit")
    expect(again.locator(".draft")).to_be_hidden()
    expect(again.get_by_label("Ghi chú nội bộ")).to_have_value("")


def test_a_draft_is_discarded_by_its_button(address: str, officer: Page) -> None:
    officer.goto(f"{address}/cases/{CODE}/note")
    officer.get_by_label("Ghi chú nội bộ").fill("Viết dở")
    officer.goto(f"{address}/cases/{CODE}/note")
    expect(officer.get_by_label("Ghi chú nội bộ")).to_have_value("Viết dở")
    officer.get_by_role("button", name="Bỏ bản nháp").click()
    expect(officer.get_by_label("Ghi chú nội bộ")).to_have_value("")
    assert holds(officer)["drafts"] == 0


def test_a_draft_of_one_person_is_not_shown_to_another(address: str, officer: Page) -> None:
    officer.goto(f"{address}/cases/{CODE}/note")
    officer.get_by_label("Ghi chú nội bộ").fill("Chỉ của tôi")
    officer.context.clear_cookies()
    sign_in(officer, address, "commune_leader")
    officer.goto(f"{address}/cases/{CODE}/note")
    expect(officer.get_by_label("Ghi chú nội bộ")).to_have_value("")
    expect(officer.locator(".draft")).to_be_hidden()


def test_without_scripts_a_form_is_sent_and_nothing_is_kept(cast: Cast, address: str, open_page: OpenPage) -> None:
    page = sign_in(open_page("phone", java_script_enabled=False), address, "commune_officer")
    record(page, f"{address}/cases/{CODE}/visit", VISIT, RECORD)
    expect(page.get_by_role("status").filter(has_text="Đã ghi:")).to_be_visible()
    choose_sign_out(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Đăng nhập")
    assert len(entries(cast, "visit")) == 1


def test_a_phone_that_has_the_style_sheet_but_lost_the_word_of_it_is_not_sent_it_with_every_page(
    address: str, teacher: Page
) -> None:
    def word() -> str:
        cookies = {it.get("name"): it.get("value", "") for it in teacher.context.cookies()}
        return cookies["sheet"]

    true = word()
    teacher.context.add_cookies([{"name": "sheet", "value": "of-the-version-before", "url": address}])
    teacher.goto(f"{address}/help")
    expect(teacher.locator("style[data-from]")).to_have_count(1)
    until(teacher, lambda: word() == true)
    teacher.goto(f"{address}/help")
    expect(teacher.locator("style[data-from]")).to_have_count(0)
