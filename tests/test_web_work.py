"""“Việc của tôi”: what waits for whom, in which order, and accepting one or several in place."""

import re

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
    assert cast.case(code).assignee_id == cast.stage.people["commune_officer"]
    assert "Đã ghi: Tiếp nhận." in cast.get("commune_officer", answer.location).text.replace("\n", " ")


def test_several_are_accepted_at_once(cast: Cast) -> None:
    codes = [cast.to_commune("pupil"), cast.to_commune("classmate")]
    chosen = [f"{code}:{cast.case(code).version}" for code in codes]
    answer = cast.send("commune_officer", "/work/accept", "/work", case=chosen)
    assert answer.location == "/work"
    assert "Đã tiếp nhận 2 hồ sơ." in cast.get("commune_officer", "/work").text
    assert {cast.case(code).assignee_id for code in codes} == {cast.stage.people["commune_officer"]}


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
    from engine.store import stage as scene

    with cast.store.writing("test") as session:
        people, today = cast.stage.people, cast.now.date()
        scene.send_away(session, people["commune_officer"], today, today, people["outsider_commune_officer"])
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
