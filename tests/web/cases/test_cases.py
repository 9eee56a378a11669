"""The list of cases, the page of one case, and the acts on it."""

import re

import pytest

from engine.store import tables as t
from tests.cast import PHONE, Cast, hidden


def listed(cast: Cast, member: str, query: str = "") -> list[str]:
    """The codes on a list, in order."""
    page = cast.get(member, f"/cases{query}")
    assert page.status_code == 200
    return re.findall(r'<th scope="row">.*?/cases/([^"]+)"', page.text, flags=re.DOTALL)


# --- the list ---------------------------------------------------------------------------------------------------------


def test_the_list_shows_open_cases_by_deadline_and_no_filter_is_in_force(cast: Cast) -> None:
    first, second = cast.open_case("pupil"), cast.open_case("classmate")
    cast.step(first, "contact", "teacher", contact_way="phone", reached=True, note="Hẹn thứ Tư")
    assert listed(cast, "head") == [second, first]
    assert 'class="chips"' not in cast.get("head", "/cases").text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("thu", True),
        ("THỬ a", True),
        ("A Thử", True),
        ("rl-2026-000001", True),
        ("1", True),
        ("xa", False),
        ("!", False),
    ],
)
def test_search_forgives_marks_case_and_order(cast: Cast, query: str, found: bool) -> None:
    cast.open_case("pupil")
    assert bool(listed(cast, "teacher", f"?q={query}")) is found


def test_filters_narrow_and_each_is_a_chip_that_takes_itself_off(cast: Cast) -> None:
    absent, asked = cast.open_case("pupil"), cast.to_commune("classmate")
    assert listed(cast, "head", "?state=absent") == [absent]
    page = cast.get("head", f"/cases?state=commune_visit&unit={cast.installed.units['class']}&level=0").text
    assert asked in page
    assert absent not in page
    assert page.count("✕") == 3
    assert f'href="/cases?level=0&amp;unit={cast.installed.units["class"]}"' in page  # without the state


def test_overdue_mine_and_offered_are_three_different_lists(cast: Cast) -> None:
    late = cast.open_case("pupil")
    cast.go_to("2026-03-04 08:00")
    fresh, asked = cast.open_case("classmate"), cast.to_commune("saturday_pupil")
    assert listed(cast, "teacher", "?which=overdue") == [late]
    assert sorted(listed(cast, "teacher", "?which=mine")) == [late, fresh]
    assert listed(cast, "commune_officer", "?which=offered") == [asked]


def test_ended_cases_are_found_by_their_state(cast: Cast) -> None:
    code = cast.open_case()
    cast.step(code, "mark_error", "teacher", reason="Nhầm em khác")
    assert listed(cast, "teacher") == []
    assert listed(cast, "teacher", "?state=opened_in_error") == [code]
    assert listed(cast, "teacher", "?which=all") == [code]


def test_opening_days_are_read_as_people_write_them(cast: Cast) -> None:
    code = cast.open_case()
    assert listed(cast, "teacher", "?from=1/3/2026&to=02-03-2026") == [code]
    assert listed(cast, "teacher", "?from=3/3/2026") == []
    assert "Hãy ghi ngày theo dạng" in cast.get("teacher", "/cases?from=hôm qua").text


def test_nothing_yet_differs_from_nothing_that_matches(cast: Cast) -> None:
    assert "Chưa có hồ sơ đang mở" in cast.get("teacher", "/cases").text
    assert "Xóa từ tìm và bộ lọc" in cast.get("teacher", "/cases?q=khongco").text


@pytest.mark.parametrize("which", ["", "all"])
def test_pages_of_fifty_follow_each_other_without_a_gap(cast: Cast, which: str) -> None:
    for number in range(53):
        cast.pupil(f"Y Trang {number}")
    codes = [cast.open_case(f"Y Trang {number}") for number in range(53)]
    first = cast.get("teacher", f"/cases?which={which}").text
    on_first = re.findall(r'<th scope="row">.*?/cases/([^"]+)"', first, flags=re.DOTALL)
    after = re.search(r'rel="next" href="/cases\?([^"]+)"', first)
    assert after
    on_second = listed(cast, "teacher", f"?{after[1]}".replace("&amp;", "&"))
    assert sorted(on_first + on_second) == codes
    assert len(on_first) == 50


@pytest.mark.parametrize(
    "query",
    [
        "?after=x",
        "?after=~",
        "?after=20269999T000000.0~5",
        "?unit=99999999999999",
        "?unit=-1",
        "?level=x",
        "?state=nope",
        "?which=nope",
        "?q=%F0%9F%98%80",
        "?q='%20OR%201=1",
        '?q="*',
        "?from=9999999",
        "?to=31/12/9999",
        "?unit=1&state=absent",
    ],
)
def test_whatever_stands_in_the_address_gives_a_page(cast: Cast, query: str) -> None:
    cast.open_case()
    assert cast.get("teacher", f"/cases{query}").status_code == 200


def test_a_volunteer_finds_referred_cases_by_code_and_no_name(cast: Cast) -> None:
    code = cast.to_association()
    assert listed(cast, "volunteer") == [code]
    assert listed(cast, "volunteer", f"?q={code}") == [code]
    assert listed(cast, "volunteer", "?q=thu") == []
    assert "A Thử" not in cast.get("volunteer", "/cases").text


# --- the page ---------------------------------------------------------------------------------------------------------


def test_the_page_says_who_has_it_until_when_and_why(cast: Cast) -> None:
    code = cast.to_commune()
    cast.go_to("2026-03-04 08:00")
    page = cast.get("commune_leader", f"/cases/{code}").text
    for words in (
        "A Thử",
        "Chờ tiếp nhận: Lãnh đạo UBND xã",
        "17:00 04/03/2026",
        "Quá 1 ngày làm việc xã chưa tiếp nhận",
        "Vì sao có hạn này",
        "04/03/2026: có tính",
    ):
        assert words in page, words


def test_the_timeline_tells_who_did_what_with_what_they_wrote_newest_first(cast: Cast) -> None:
    code = cast.open_case()
    cast.step(code, "contact", "teacher", contact_way="phone", reached=False, note="Máy không liên lạc được")
    page = cast.get("head", f"/cases/{code}").text
    history = page[page.index('<ol class="timeline">') :]
    assert history.index("Ghi lần liên hệ") < history.index("Lập hồ sơ")
    for words in ("Y Lan Thử, Giáo viên chủ nhiệm", "Gọi điện thoại", "Máy không liên lạc được", "27/02/2026"):
        assert words in history


def test_the_first_thing_offered_is_to_accept_with_the_return_beside_it(cast: Cast) -> None:
    code = cast.to_commune()
    page = cast.get("commune_officer", f"/cases/{code}").text
    acts = re.findall(rf'href="/cases/{code}/(\w+)"', page)
    assert acts[:2] == ["accept", "decline"]


def test_what_ends_a_case_stands_apart(cast: Cast) -> None:
    code = cast.open_case()
    page = cast.get("teacher", f"/cases/{code}").text
    assert re.findall(rf'class="grave" href="/cases/{code}/(\w+)"', page) == ["transfer", "move_away", "mark_error"]


def test_a_restricted_cause_shows_the_helpline_and_not_to_volunteers(cast: Cast) -> None:
    code = cast.open_case(causes=["violence"])
    assert "Tổng đài quốc gia bảo vệ trẻ em 111" in cast.get("head", f"/cases/{code}").text
    cast.step(code, "ask_commune", "teacher")
    cast.accept(code, "commune_officer")
    cast.step(code, "refer_support", "commune_officer", need="Xe đạp", hand_over_at="Trường")
    page = cast.get("volunteer", f"/cases/{code}").text
    assert "Bạo lực" not in page
    assert "an toàn" not in page


def test_a_volunteer_reads_need_and_contact_and_nothing_of_who_where_or_before(cast: Cast) -> None:
    code = cast.to_association()
    page = cast.get("volunteer", f"/cases/{code}").text
    for shown in ("Áo ấm cỡ 130", "Văn phòng trường", "Y Lan Thử", PHONE, "Tiếp nhận"):
        assert shown in page
    for secret in ("A Thử", "Nhà pupil", "Y Mẹ Thử", "Theo cha mẹ", "village", "nhờ xã đến nhà", "Lập hồ sơ"):
        assert (
            secret
            not in page.split('<ol class="timeline">')[0] + page.split('<ol class="timeline">')[1].split("</ol>")[0]
        )


def test_support_is_listed_with_its_totals(cast: Cast) -> None:
    code = cast.to_association()
    cast.accept(code, "volunteer")
    for quantity in ("1,5", "2"):
        cast.send(
            "volunteer",
            f"/cases/{code}/support",
            support_kind="rice",
            quantity=quantity,
            given_on="2/3/2026",
            value="45.000",
            giver="Hội thử",
            received_by="Y Mẹ",
        )
    page = cast.get("commune_officer", f"/cases/{code}").text
    assert "Gạo 3,5 kg" in page
    assert "90.000 đ" in page
    assert "người nhận: Y Mẹ" in page
    assert "người nhận: Y Mẹ" not in cast.get("volunteer", f"/cases/{code}").text


def test_the_unit_of_a_gift_is_in_the_readers_language(cast: Cast) -> None:
    code = cast.to_association()
    cast.accept(code, "volunteer")
    cast.send("volunteer", f"/cases/{code}/support", support_kind="bicycle", quantity="1", given_on="2/3/2026")
    pages = (f"/cases/{code}", "/needs", f"/cases/{code}/support.csv")
    assert all("chiếc" in cast.get("volunteer", page).text for page in pages)
    cast.send("volunteer", "/language", language="en")
    for page in pages:
        said = cast.get("volunteer", page).text
        assert "piece" in said
        assert "chiếc" not in said


def test_open_cases_of_brothers_and_sisters_are_linked(cast: Cast) -> None:
    cast.pupil("A Em", guardian_phone="0905 1")
    cast.pupil("Y Chị", guardian_phone="0905 1")
    code, sister = cast.open_case("A Em"), cast.open_case("Y Chị")
    assert f'Y Chị, <span class="code">{sister}</span>' in cast.get("teacher", f"/cases/{code}").text


def test_the_text_for_zalo_has_code_and_link_only(cast: Cast) -> None:
    code = cast.open_case()
    page = cast.get("teacher", f"/cases/{code}").text
    text = page.split('<textarea id="zalo"')[1].split("</textarea>")[0]
    assert f"http://localhost/cases/{code}" in text
    assert "A Thử" not in text


def test_reading_a_case_is_noted_once_in_ten_minutes(cast: Cast) -> None:
    code = cast.open_case()
    for minute in ("08:00", "08:05", "08:30"):
        cast.go_to(f"2026-03-02 {minute}")
        cast.get("head", f"/cases/{code}")
    with cast.store.reading("test") as session:
        rows = [(row.person_id, row.what, row.pupil_id) for row in session.query(t.AccessLog)]
    assert rows == [(cast.installed.people["head"], "case", cast.installed.pupils["pupil"])] * 2


def test_a_reading_that_names_nobody_is_not_noted(cast: Cast) -> None:
    code = cast.to_association()
    cast.get("volunteer", f"/cases/{code}")
    with cast.store.reading("test") as session:
        assert session.query(t.AccessLog).count() == 0


def test_older_entries_are_a_page_away(cast: Cast) -> None:
    code = cast.open_case()
    for number in range(31):
        cast.send("teacher", f"/cases/{code}/note", note=f"Ghi chú số {number}.")
    page = cast.get("teacher", f"/cases/{code}").text
    assert "Ghi chú số 30." in page
    assert "Ghi chú số 0." not in page
    before = re.search(r"\?before=(\d+)", page)
    assert before
    assert "Ghi chú số 0." in cast.get("teacher", f"/cases/{code}?before={before[1]}").text


# --- acts -------------------------------------------------------------------------------------------------------------


def test_a_step_moves_the_case_and_tells_what_comes_next_and_whom_to_call(cast: Cast) -> None:
    code = cast.open_case()
    answer = cast.send("teacher", f"/cases/{code}/ask_commune", note="Nhờ xã")
    assert (answer.status_code, answer.location) == (303, f"/cases/{code}?done=1")
    page = cast.get("teacher", answer.location).text
    done, now = page.split('class="notice done told"')[1].split('class="actions"')[0].split('class="bar-of-case"')
    for words in ("Đề nghị xã phối hợp", "Quá 1 ngày làm việc xã chưa tiếp nhận", "A Bút Thử", PHONE):
        assert words in done, words
    assert "Chờ tiếp nhận: Cán bộ, công chức xã phụ trách" in now
    assert ("Hạn ngày mai, 17:00" in done, "Hạn ngày mai, 17:00" in now) == (False, True)  # said once


def test_what_is_wrong_is_said_on_top_and_at_the_field_and_what_was_typed_is_kept(cast: Cast) -> None:
    code = cast.open_case()
    answer = cast.send("teacher", f"/cases/{code}/contact", contact_way="phone", note="Đã gọi ba lần")
    assert answer.status_code == 422
    assert "<title>Lỗi:" in answer.text
    assert '<a href="#reached-0">' in answer.text
    assert "Đã gọi ba lần" in answer.text
    assert cast.case(code).state == "absent"


def test_every_field_wrong_stores_nothing(cast: Cast) -> None:
    code = cast.to_association()
    answer = cast.send(
        "volunteer",
        f"/cases/{code}/support",
        support_kind="gold",
        quantity="nhiều",
        given_on="30/2/2026",
        value="-5",
        giver="x" * 300,
    )
    assert answer.status_code == 422
    assert answer.text.count('class="error"') == 5
    assert cast.case(code).version == 4


def test_who_was_slower_is_told_who_did_what_and_keeps_what_was_typed(cast: Cast) -> None:
    code = cast.open_case()
    form = hidden(cast.get("teacher", f"/cases/{code}/contact"))
    cast.step(code, "contact", "head", contact_way="home", reached=True, note="Hiệu trưởng đã đến nhà")
    typed = {"contact_way": "phone", "reached": "no", "note": "Tôi gọi không được"}
    answer = cast.browser("teacher").post(f"/cases/{code}/contact", data=form | typed)
    assert answer.status_code == 409
    for words in ("Trần Văn Mẫu", "Ghi lần liên hệ", "Tôi gọi không được", "Hồ sơ hiện nay:"):
        assert words in answer.text, words
    assert hidden(answer)["version"] == "2"
    # Sent once more it is refused for what it is: a first contact was recorded already. Nothing typed is lost.
    again = cast.browser("teacher").post(f"/cases/{code}/contact", data=hidden(answer) | typed)
    assert again.status_code == 403
    assert "Tôi gọi không được" in again.text


def test_a_form_sent_twice_is_done_once(cast: Cast) -> None:
    code = cast.open_case()
    form = hidden(cast.get("teacher", f"/cases/{code}/note")) | {"note": "Một lần"}
    answers = [cast.browser("teacher").post(f"/cases/{code}/note", data=form).status_code for _ in range(2)]
    assert answers == [303, 303]
    assert cast.case(code).version == 2


def test_a_leader_assigns_the_case_to_somebody_of_the_ladder(cast: Cast) -> None:
    code = cast.to_commune()
    page = cast.get("commune_leader", f"/cases/{code}/assign").text
    assert "A Bút Thử – Cán bộ, công chức xã phụ trách" in page
    assert "A Núi Thử" not in page
    officer = cast.installed.people["commune_officer"]
    assert cast.send("commune_leader", f"/cases/{code}/assign", person=officer).status_code == 303
    assert cast.case(code).assignee_id == officer


@pytest.mark.parametrize("person", ["", "x", "99999999999999", "15"])
def test_nobody_is_assigned_who_cannot_have_it(cast: Cast, person: str) -> None:
    code = cast.to_commune()
    answer = cast.send("commune_leader", f"/cases/{code}/assign", person=person)
    assert answer.status_code == 422
    assert '<a href="#person-0">' in answer.text


def test_an_act_that_is_not_possible_says_why_before_anything_is_filled_in(cast: Cast) -> None:
    code = cast.open_case()
    for name, words in (("close", "Vắng học"), ("visit", "Vai trò"), ("accept", "Tiếp nhận"), ("hold", "Tạm dừng")):
        answer = cast.get("teacher", f"/cases/{code}/{name}")
        assert answer.status_code == 403, name
        assert words in answer.text


def test_an_offer_is_returned_with_a_reason_to_the_next_one_up(cast: Cast) -> None:
    code = cast.to_commune()
    assert cast.send("commune_officer", f"/cases/{code}/decline", reason="Đi học tập trung hai tuần").status_code == 303
    assert cast.case(code).offered_role == "commune_leader"
    page = cast.get("commune_leader", f"/cases/{code}").text
    assert "Đi học tập trung hai tuần" in page


def test_the_return_is_recorded(cast: Cast) -> None:
    code = cast.to_commune()
    cast.send("teacher", f"/cases/{code}/return_to_class", returned_on="2/3/2026")
    assert cast.case(code).state == "returned"


@pytest.mark.parametrize("code", ["RL-2026-999999", "x", "%00", "RL-2026-000001'", "1" * 300, "🙂"])
@pytest.mark.parametrize("rest", ["", "/note", "/nope"])
def test_forged_addresses_are_never_our_failure(cast: Cast, code: str, rest: str) -> None:
    cast.open_case()
    assert cast.get("teacher", f"/cases/{code}{rest}").status_code in {400, 404}


def test_an_outsider_is_refused_in_words_and_told_no_name(cast: Cast) -> None:
    code = cast.open_case()
    for address in (f"/cases/{code}", f"/cases/{code}/note"):
        answer = cast.get("outsider_head", address)
        assert answer.status_code == 403
        assert "A Thử" not in answer.text


def test_a_note_is_stored_as_it_was_written_and_shown_harmless(cast: Cast) -> None:
    code = cast.open_case()
    cast.send("teacher", f"/cases/{code}/note", note="<script>alert(1)</script>\nDòng hai")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;\nDòng hai" in cast.get("head", f"/cases/{code}").text


# --- what others write while a volunteer has the case ----------------------------------------------------------------


def test_why_a_clock_stands_still_is_not_for_volunteers(cast: Cast) -> None:
    code = cast.to_association()
    cast.accept(code, "volunteer")
    typed = {"hold_until": "6/3/2026", "reason": "A Thử bị ép cưới"}
    assert cast.send("commune_leader", f"/cases/{code}/hold", **typed).status_code == 303
    assert "A Thử bị ép cưới" in cast.get("commune_leader", f"/cases/{code}").text
    assert "ép cưới" not in cast.get("volunteer", f"/cases/{code}").text


def test_a_flag_from_a_check_in_is_not_for_volunteers(cast: Cast) -> None:
    code = cast.to_association()
    typed = {"checked_on": "2/3/2026", "study_mode": "none", "safe": "no", "note": "Đã gọi"}
    assert cast.send("commune_officer", f"/cases/{code}/check_in", **typed).status_code == 303
    assert "an toàn" in cast.get("commune_officer", f"/cases/{code}").text.split('<ol class="timeline">')[1]
    assert "an toàn" not in cast.get("volunteer", f"/cases/{code}").text


def test_a_case_that_went_back_to_the_commune_is_closed_to_volunteers_and_they_go_on_to_their_work(cast: Cast) -> None:
    code = cast.to_association()
    cast.accept(code, "volunteer")
    sent = cast.send("volunteer", f"/cases/{code}/hand_back", support_result="given", note="Đã trao")
    assert (sent.status_code, sent.location) == (303, "/work")
    assert "bạn không xem hồ sơ này nữa" in cast.get("volunteer", "/work").text
    with cast.store.reading("test") as session:
        village = session.get_one(t.Unit, cast.installed.units["village"]).name
    assert village in cast.get("commune_officer", f"/cases/{code}").text
    page = cast.get("volunteer", f"/cases/{code}")
    assert (page.status_code, village in page.text) == (403, False)


def test_a_volunteer_records_no_check_in_by_a_forged_form(cast: Cast) -> None:
    code = cast.to_association()
    typed = {"checked_on": "2/3/2026", "study_mode": "none", "safe": "no", "note": "Đã gọi"}
    assert cast.send("volunteer", f"/cases/{code}/check_in", **typed).status_code == 403
    assert cast.case(code).flags == []


def test_a_leader_urges_on_with_one_button_that_counts_once(cast: Cast) -> None:
    page = cast.get("head", f"/cases/{cast.open_case()}").text
    assert page.count("/urge") == 1
    assert 'name="key"' in page.split("/urge")[1].split("</form>")[0]
