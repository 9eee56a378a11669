"""“Việc của tôi”: what waits for whom, in which order, and accepting one or several in place."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from tests.cast import PHONE, Cast, hidden


def names(page: str) -> list[str]:
    """The pupils on the page, in order."""
    return re.findall(r'<span class="pupil">(?:<a [^>]*>)?<strong>([^<]+)</strong>', page)


def test_the_most_urgent_stands_first_and_says_by_how_much_it_is_late(cast: Cast) -> None:
    cast.open_case("pupil")
    cast.go_to("2026-03-04 08:00")  # its deadline, 17:00 on 3 March, has passed
    cast.open_case("classmate")
    page = cast.get("teacher", "/work").text
    assert names(page) == ["A Thử", "Y Thử"]
    assert page.index("Cần làm ngay") < page.index("A Thử") < page.index("Y Thử")
    assert "Vừa qua hạn (hôm qua, 17:00), làm ngay hôm nay" in page
    cast.go_to("2026-03-05 08:00")
    page = cast.get("teacher", "/work").text
    assert "Quá hạn 2 ngày" in page
    assert "17:00 03/03/2026" in page


def test_a_card_names_the_one_next_act(cast: Cast) -> None:
    code = cast.open_case()
    assert f'href="/cases/{code}/contact">Ghi lần liên hệ' in cast.get("teacher", "/work").text


def test_an_offer_says_who_handed_it_over_and_when(cast: Cast) -> None:
    cast.to_commune()
    page = cast.get("commune_officer", "/work").text
    assert "Chờ anh/chị tiếp nhận" in page
    assert "Y Lan Thử, Giáo viên chủ nhiệm chuyển đến lúc 08:00 02/03/2026" in page


def test_an_offer_that_a_rule_made_says_why(cast: Cast) -> None:
    cast.to_commune()
    cast.go_to("2026-03-04 08:00")
    assert "Quá 1 ngày làm việc xã chưa tiếp nhận" in cast.get("commune_leader", "/work").text


def test_one_press_accepts_the_case(cast: Cast) -> None:
    code = cast.to_commune()
    answer = cast.send("commune_officer", "/work/accept", "/work", one=f"{code}:{cast.case(code).version}")
    assert (answer.status_code, answer.location) == (303, f"/cases/{code}?done=1")
    assert cast.case(code).assignee_id == cast.installed.people["commune_officer"]
    case = cast.get("commune_officer", answer.location).text.replace("\n", " ")
    assert "Đã ghi: Tiếp nhận." in case
    assert case.count('class="notice') == 1


def test_several_are_accepted_at_once(cast: Cast) -> None:
    codes = [cast.to_commune("pupil"), cast.to_commune("classmate")]
    chosen = [f"{code}:{cast.case(code).version}" for code in codes]
    answer = cast.send("commune_officer", "/work/accept", "/work", case=chosen)
    assert answer.location == "/work"
    assert "Đã tiếp nhận 2 hồ sơ." in cast.get("commune_officer", "/work").text
    assert {cast.case(code).assignee_id for code in codes} == {cast.installed.people["commune_officer"]}


def test_choosing_none_is_an_error_that_says_so(cast: Cast) -> None:
    cast.to_commune("pupil")
    answer = cast.send("commune_officer", "/work/accept", "/work")
    assert answer.status_code == 422
    assert "<title>Lỗi:" in re.sub(r">\s+", ">", answer.text)
    assert "Hãy chọn ít nhất một hồ sơ." in answer.text


def test_accepting_what_somebody_else_took_meanwhile_says_so(cast: Cast) -> None:
    code = cast.to_commune()
    version = cast.case(code).version
    cast.step(code, "return_to_class", "teacher", returned_on="2026-03-02")
    cast.send("commune_officer", "/work/accept", "/work", one=f"{code}:{version}")
    assert f"{code}: Y Lan Thử" in cast.get("commune_officer", "/work").text


def test_sending_the_same_choice_twice_accepts_once(cast: Cast) -> None:
    code = cast.to_commune()
    browser = cast.browser("commune_officer")
    form = hidden(browser.get("/work")) | {"one": f"{code}:{cast.case(code).version}"}
    assert [browser.post("/work/accept", data=form).status_code for _ in range(2)] == [303, 303]
    assert cast.case(code).version == 3  # opened, asked, accepted


def test_forged_codes_are_refused_in_words(cast: Cast) -> None:
    for forged in ("RL-2026-999999:1", "x", ":", "RL-2026-000001:99999999999999999999", "'; --:1"):
        assert cast.send("commune_officer", "/work/accept", "/work", one=forged).status_code == 303


def test_a_delegate_finds_the_offers_of_whom_they_stand_in_for(cast: Cast) -> None:
    from engine.store.simulation import seed

    with cast.store.writing("test") as session:
        people, today = cast.installed.people, cast.now.date()
        seed.send_away(session, people["commune_officer"], today, today, people["outsider_commune_officer"])
    cast.to_commune()
    assert names(cast.get("outsider_commune_officer", "/work").text) == ["A Thử"]


def test_a_volunteer_sees_need_place_and_whom_to_call_and_nothing_of_the_pupil(cast: Cast) -> None:
    code = cast.to_association()
    page = cast.get("volunteer", "/work").text
    for shown in (code, "Áo ấm cỡ 130", "Văn phòng trường", "Y Lan Thử", PHONE, "Tiếp nhận"):
        assert shown in page
    for secret in ("A Thử", "Nhà pupil", "Theo cha mẹ", "Y Mẹ Thử"):
        assert secret not in page


def test_others_cases_stand_below_with_who_has_them(cast: Cast) -> None:
    cast.to_commune()
    page = cast.get("teacher", "/work").text
    assert page.index("Đang chờ người khác") < page.index("A Thử")
    assert "Chờ tiếp nhận: Cán bộ, công chức xã phụ trách" in page


def test_an_empty_page_says_what_to_do(cast: Cast) -> None:
    assert 'href="/cases/new"' in cast.get("teacher", "/work").text
    assert "Không có việc nào đang chờ" in cast.get("commune_officer", "/work").text
    assert "Quản trị viên không xem hồ sơ học sinh" in cast.get("admin", "/work").text


def test_the_page_speaks_english_to_whom_asks_for_it(cast: Cast) -> None:
    cast.open_case()
    cast.send("teacher", "/language", "/password", language="en", next="/work")
    page = cast.get("teacher", "/work").text
    assert "<h1>My work</h1>" in page
    assert "Record contact" in page


def test_an_outsider_finds_nothing(cast: Cast) -> None:
    cast.to_association()
    for member in ("outsider_teacher", "outsider_commune_officer", "outsider_volunteer", "outsider_education_office"):
        page = cast.get(member, "/work").text
        assert "RL-2026" not in page
        assert "A Thử" not in page


# --- what is new, what is due -----------------------------------------------------------------------------------------


def section(page: str, id: str) -> str:
    """The cards below a heading."""
    found = re.search(rf'<section aria-labelledby="{id}">(.*?)</section>', page, flags=re.DOTALL)
    return found[1] if found else ""


def test_what_others_did_since_the_last_working_day_is_marked_and_can_be_looked_at_alone(cast: Cast) -> None:
    old = cast.to_commune("classmate")  # on Monday
    cast.accept(old, "commune_officer")
    cast.go_to("2026-03-03 16:00")
    cast.to_commune("pupil")
    cast.go_to("2026-03-04 08:00")
    page = cast.get("commune_leader", "/work").text
    assert sorted(names(page)) == ["A Thử", "Y Thử"]
    assert names(cast.get("commune_leader", "/work?show=new").text) == ["A Thử"]
    assert "Mới từ hôm qua: 1" in page
    assert "Đề nghị xã phối hợp" in page.split('<p class="new">')[1].split("</p>")[0]


def test_what_one_did_oneself_is_not_new(cast: Cast) -> None:
    cast.open_case()
    assert '<p class="new">' not in cast.get("teacher", "/work").text
    assert '<p class="new">' in cast.get("head", "/work").text
    alone = cast.get("teacher", "/work?show=new").text
    assert "Hồ sơ của bạn không có gì mới" in alone
    assert 'href="/work">Xem tất cả việc của tôi' in alone


def test_a_volunteer_is_told_that_something_is_new_and_not_what(cast: Cast) -> None:
    code = cast.to_association()
    cast.send("commune_leader", f"/cases/{code}/note", note="A Thử bị ép cưới")
    new = cast.get("volunteer", "/work").text.split('<p class="new">')[1].split("</p>")[0]
    assert re.sub(r"<[^>]+>|\s+", " ", new).split() == ["Mới", "vừa", "xong"]


def test_each_case_stands_in_the_group_of_what_it_asks_for(cast: Cast) -> None:
    cast.open_case("pupil")
    cast.go_to("2026-03-03 16:00")
    assert names(section(cast.get("teacher", "/work").text, "soon")) == ["A Thử"]
    cast.go_to("2026-03-04 08:00")  # in grace
    cast.to_commune("classmate")
    cast.open_case("boarder")
    page = cast.get("teacher", "/work").text
    groups = {id: names(section(page, id)) for id in ("now", "soon", "later", "others")}
    assert groups == {"now": ["A Thử"], "soon": [], "later": ["A Xa"], "others": ["Y Thử"]}
    assert 'class="card grace"' in section(page, "now")


def test_who_has_a_case_is_said_where_it_is_somebody_else(cast: Cast) -> None:
    cast.open_case()
    assert "Y Lan Thử" not in section(cast.get("teacher", "/work").text, "later")
    assert "Y Lan Thử" in section(cast.get("head", "/work").text, "others")


@contextmanager
def counted(cast: Cast) -> Iterator[list[str]]:
    """The statements that are said to the database meanwhile."""
    said: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        said.append(statement)

    event.listen(cast.store.engine, "before_cursor_execute", note)
    yield said
    event.remove(cast.store.engine, "before_cursor_execute", note)


def test_the_page_asks_the_same_few_questions_however_many_cases_there_are(cast: Cast) -> None:
    def asked(member: str) -> int:
        cast.get(member, "/work")
        with counted(cast) as said:
            cast.get(member, "/work")
        return len([one for one in said if one.startswith(("SELECT", "WITH", "UPDATE", "INSERT"))])

    cast.to_commune("pupil")
    cast.open_case("classmate")
    before = {member: asked(member) for member in ("teacher", "head", "commune_officer", "commune_leader")}
    for number in range(12):
        cast.pupil(f"Y Nhiều {number}")
        cast.to_commune(f"Y Nhiều {number}") if number % 2 else cast.open_case(f"Y Nhiều {number}")
    after = {member: asked(member) for member in before}
    assert after == before
    assert max(after.values()) <= 16, after
