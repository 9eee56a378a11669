"""The main job in a real browser: from the first missed day back to class, through the hands of a teacher, a commune
officer and a volunteer, with an escalation on the way; on a phone and at a desk, with scripts and without."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from engine.store.session import open_store
from tests.browser.conftest import OpenPage, served
from tests.browser.people import answer, send, sign_in
from tests.cast import Cast, make_cast

WAYS = [
    ("sqlite", "phone", True),
    ("sqlite", "phone", False),
    ("sqlite", "desktop", True),
    ("sqlite", "desktop", False),
    ("postgresql", "desktop", True),
]
PUPIL = "Y Đoàn Thị Bưởi"

# What the timeline says in the end, oldest first.
ESCALATED = "Liên hệ 3 ngày học chưa ra lớp"
HAPPENED = [
    "Lập hồ sơ",
    "Ghi lần liên hệ",
    ESCALATED,
    "Tiếp nhận",
    "Ghi biên bản vận động",
    "Chuyển hỗ trợ",
    "Tiếp nhận",
    "Ghi hỗ trợ đã trao",
    "Chuyển lại cho xã",
    "Ghi nhận đã ra lớp",
]


@pytest.fixture
def cast(request: pytest.FixtureRequest, database: str) -> Iterator[Cast]:
    """The fixed cast on a database of the kind that the test names."""
    store = open_store(request.getfixturevalue(f"{database}_url"))
    yield make_cast(store)
    store.close()


@pytest.mark.parametrize(("database", "viewport", "scripts"), WAYS)
def test_a_pupil_comes_back_through_the_hands_of_three_people_and_each_step_is_told(
    cast: Cast, viewport: str, scripts: bool, open_page: OpenPage
) -> None:
    cast.pupil(PUPIL)
    with served(cast.site.app) as address:

        def person(login: str) -> Page:
            return sign_in(open_page(viewport, java_script_enabled=scripts), address, login)

        teacher = person("teacher")
        code = open_case(teacher)
        contact_nobody(teacher)
        cast.go_to("2026-03-05 17:00")
        officer = person("commune_officer")
        visit_and_refer(officer)
        cast.go_to("2026-03-09 09:00")
        give_support(person("volunteer"))
        cast.go_to("2026-03-10 10:00")
        record_return(teacher, f"{address}/cases/{code}")
        assert told(teacher) == HAPPENED
        escalation = teacher.locator(".timeline .rule")
        expect(escalation).to_contain_text("17:00 05/03/2026")
        expect(escalation).to_contain_text("Chờ tiếp nhận: Cán bộ, công chức xã phụ trách")
        assert escalation.locator(".because li").count() > 1
    assert cast.case(code).state == "returned"


def open_case(page: Page) -> str:
    """The teacher finds the pupil by a name typed without marks and opens a case; its code."""
    page.get_by_role("navigation").get_by_role("link", name="Lập hồ sơ").click()
    page.get_by_label("Học sinh nào?").fill("buoi doan")
    page.get_by_role("button", name="Tìm kiếm").click()
    page.get_by_role("link", name=PUPIL).click()
    answer(page, {"Vắng từ ngày": "27/2/2026", "Nguyên nhân": "Theo cha mẹ lên rẫy"})
    send(page, "Lập hồ sơ")
    expect(page.get_by_role("heading", level=1)).to_have_text(PUPIL)
    return page.url.rsplit("/", 1)[1].removesuffix("?done=1")


def contact_nobody(page: Page) -> None:
    """The teacher calls and reaches nobody."""
    page.get_by_role("link", name="Ghi lần liên hệ").click()
    said = {"Cách liên hệ": "Gọi điện thoại", "Liên lạc được với gia đình": "Không", "Ghi chú nội bộ": "Máy tắt"}
    answer(page, said)
    send(page, "Ghi lần liên hệ")


def visit_and_refer(page: Page) -> None:
    """The rule has handed the case on: the officer reads why, accepts, visits the family and asks for support."""
    card = page.get_by_role("listitem").filter(has_text=PUPIL)
    expect(card).to_contain_text(ESCALATED)
    card.get_by_role("button", name="Tiếp nhận").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(PUPIL)
    page.get_by_role("link", name="Ghi biên bản vận động").click()
    answer(page, {"Ngày đến nhà vận động": "5/3/2026", "Đã gặp, trao đổi với": "Cha mẹ"})
    answer(page, {"Kết quả vận động": "Cần hỗ trợ để ra lớp", "Ghi chú nội bộ": "Bưởi không có áo ấm"})
    send(page, "Ghi biên bản vận động")
    choose(page, "Chuyển hỗ trợ")
    answer(page, {"Nhu cầu hỗ trợ": "Áo ấm cỡ 130", "Nơi trao": "Văn phòng trường"})
    send(page, "Chuyển hỗ trợ")


def give_support(page: Page) -> None:
    """The volunteer accepts, gives and hands back, and never reads who it is for."""
    expect(page.locator("main")).to_contain_text("Áo ấm cỡ 130")
    assert_no_name(page)
    page.get_by_role("button", name="Tiếp nhận").click()
    expect(page.get_by_role("status").first).to_contain_text("Đã ghi: Tiếp nhận.")
    assert_no_name(page)
    page.get_by_role("link", name="Ghi hỗ trợ đã trao").click()
    assert_no_name(page)
    answer(page, {"Loại hỗ trợ": "Áo ấm (chiếc)", "Số lượng": "1", "Giá trị ước tính": "150.000"})
    answer(page, {"Ngày trao": "9/3/2026"})
    send(page, "Ghi hỗ trợ đã trao")
    assert_no_name(page)
    choose(page, "Chuyển lại cho xã")
    assert_no_name(page)
    answer(page, {"Kết quả hỗ trợ": "Đã trao hỗ trợ"})
    send(page, "Chuyển lại cho xã")
    assert_no_name(page)


def record_return(page: Page, address: str) -> None:
    """The pupil sits in class again."""
    page.goto(address)
    choose(page, "Ghi nhận đã ra lớp")
    answer(page, {"Ngày ra lớp": "10/3/2026"})
    send(page, "Ghi nhận đã ra lớp")


def choose(page: Page, act: str) -> None:
    """Follow the link of an act, which stands on the page or in the menu of the others."""
    link = page.locator(".actions").get_by_role("link", name=act, exact=True)
    if not link.is_visible():
        page.get_by_text("Việc khác").click()
    link.click()


def assert_no_name(page: Page) -> None:
    """Neither what is shown nor what the page is made of names the pupil, or tells what was written about the home."""
    source = page.content()
    assert not [word for word in ("Bưởi", "Đoàn", "Theo cha mẹ lên rẫy") if word in source]


def told(page: Page) -> list[str]:
    """The headings of the timeline, oldest first."""
    return page.locator(".timeline .what").all_inner_texts()[::-1]
