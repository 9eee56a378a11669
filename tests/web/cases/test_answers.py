"""What people are told on the page of a case and beside it: the state, whom it asks what, and in which tone."""

import html

from sqlalchemy import select

from engine.jobs.sweep import run_due
from engine.store import tables as t
from tests.cast import Cast
from tests.installation import CALLED, at

VISITED = {"visited_on": "2026-03-02", "met_whom": ["parents"], "visit_outcome": "undecided", "note": "Hẹn lại"}

# --- the text for Zalo ------------------------------------------------------------------------------------------------


def zalo(cast: Cast, member: str, code: str) -> str:
    page = cast.get(member, f"/cases/{code}").text
    return html.unescape(page.split('<textarea id="zalo"')[1].split(">", 1)[1].split("</textarea>")[0])


def test_the_text_for_zalo_says_where_the_case_is_and_what_is_asked_of_whom(cast: Cast) -> None:
    code = cast.open_case()
    cast.step(code, "contact", "teacher", **CALLED)
    assert cast.case(code).state == "teacher_contact"
    said = zalo(cast, "teacher", code)
    assert said.startswith(
        f"[Ra Lớp] {code}: Giáo viên liên hệ. Đến lượt: Giáo viên chủ nhiệm – liên hệ gia đình. Hạn xử lý:"
    )
    assert "Nếu chưa, lúc 17:00 05/03/2026 hồ sơ chuyển sang “Xã vận động”" in said
    cast.step(code, "ask_commune", "teacher")
    said = zalo(cast, "teacher", code)
    assert said.startswith(
        f"[Ra Lớp] {code}: Xã vận động. Đề nghị tiếp nhận: Cán bộ, công chức xã phụ trách. Hạn xử lý:"
    )


def test_the_text_for_zalo_never_says_the_readers_own_next_step(cast: Cast) -> None:
    code = cast.to_commune()
    texts = {zalo(cast, member, code) for member in ("teacher", "head", "commune_officer", "commune_leader")}
    assert len(texts) == 1
    cast.accept(code, "commune_officer")
    cast.step(code, "visit", "commune_officer", **VISITED)
    texts = {zalo(cast, member, code) for member in ("teacher", "head", "commune_officer", "commune_leader")}
    assert len(texts) == 1
    assert "Ghi nhận đã ra lớp" not in texts.pop()  # the child is still away


# --- a visit is an answer ---------------------------------------------------------------------------------------------


def test_after_a_visit_the_card_is_not_red_in_the_evening_and_the_page_says_what_time_counts_from(cast: Cast) -> None:
    code = cast.to_commune()
    cast.accept(code, "commune_officer")
    cast.go_to("2026-03-05 07:31")  # the day on which the time would be up
    visited = {"visited_on": "5/3/2026", "met_whom": "parents", "visit_outcome": "undecided", "note": "Hẹn lại"}
    assert cast.send("commune_officer", f"/cases/{code}/visit", **visited, next_on="9/3/2026").status_code == 303
    cast.go_to("2026-03-05 17:01")
    work = cast.get("commune_officer", "/work").text
    assert ('class="card later"' in work, 'class="card late"' in work) == (True, False)
    page = cast.get("commune_leader", f"/cases/{code}").text
    assert "Tính từ ngày hẹn 09/03/2026, được ghi lúc 07:31 05/03/2026." in page
    assert '<span class="due late">' not in page
    assert cast.case(code).due_at == at("2026-03-12 17:00")


def test_while_the_school_is_asked_its_list_has_the_case_and_the_officers_card_offers_no_form(cast: Cast) -> None:
    code = cast.to_commune()
    cast.accept(code, "commune_officer")
    cast.go_to("2026-03-05 07:31")
    cast.step(code, "visit", "commune_officer", **{**VISITED, "visit_outcome": "agreed"})
    asked = "Đến lượt: Giáo viên chủ nhiệm – xác nhận học sinh đã ra lớp hay chưa"
    then = "Nếu chưa, từ 17:00 06/03/2026 đến lượt: Cán bộ, công chức xã phụ trách – đến nhà vận động"
    cast.go_to("2026-03-05 17:01")
    mine = html.unescape(cast.get("commune_officer", "/work").text)
    assert (asked in mine, f'class="button" href="/cases/{code}/visit"' in mine, "card late" in mine) == (
        True,
        False,
        False,
    )
    work = html.unescape(cast.get("teacher", "/work").text)
    assert (asked in work, f'href="/cases/{code}/return_to_class"' in work) == (True, True)
    for member in ("teacher", "commune_officer", "head"):
        page = html.unescape(cast.get(member, f"/cases/{code}").text)
        assert (asked in page, then in page) == (True, True)
    assert then in zalo(cast, "head", code)
    assert f"/cases/{code}/not_back" in cast.get("teacher", f"/cases/{code}").text


# --- who is back ------------------------------------------------------------------------------------------------------


def test_a_check_in_on_a_pupil_who_is_back_does_not_ask_how_they_learn_meanwhile(cast: Cast) -> None:
    code = cast.open_case()
    assert "Hình thức học khi vắng lớp" in cast.get("teacher", f"/cases/{code}/check_in").text
    cast.step(code, "return_to_class", "teacher", returned_on="2026-03-02")
    assert "Hình thức học khi vắng lớp" not in cast.get("teacher", f"/cases/{code}/check_in").text
    typed = {"checked_on": "2/3/2026", "safe": "yes", "note": "Em vui"}
    assert cast.send("teacher", f"/cases/{code}/check_in", **typed).status_code == 303
    with cast.store.reading("test") as session:
        kinds = session.scalars(select(t.Event.kind).order_by(t.Event.seq)).all()
    assert kinds[-1] == "checked_in"


# --- who reminds whom -------------------------------------------------------------------------------------------------


def test_a_head_urges_the_teacher_and_asks_the_commune_for_attention(cast: Cast) -> None:
    code = cast.open_case()
    assert "Đôn đốc" in cast.get("head", f"/cases/{code}").text
    cast.step(code, "ask_commune", "teacher")
    for page in (f"/cases/{code}", "/work"):
        said = cast.get("head", page).text
        assert ("Đề nghị quan tâm" in said, "Đôn đốc" in said) == (True, False), page
    assert cast.send("head", f"/cases/{code}/urge", f"/cases/{code}").status_code == 303
    page = cast.get("head", f"/cases/{code}").text
    assert "Đã đề nghị người phụ trách quan tâm xử lý" in page
    assert "Đề nghị quan tâm xử lý" in page.split('<ol class="timeline">')[1]
    assert "đôn đốc" not in page.lower()
    notices = cast.get("commune_officer", "/notices").text
    assert ("Đề nghị quan tâm xử lý hồ sơ" in notices, "Đôn đốc" in notices) == (True, False)


def test_who_agreed_a_return_reads_who_is_asked_next_if_the_school_says_nothing(cast: Cast) -> None:
    code = cast.to_commune()
    cast.accept(code, "commune_officer")
    visited = {"visited_on": "2/3/2026", "met_whom": "parents", "visit_outcome": "agreed", "note": "Mai cháu đi học"}
    assert cast.send("commune_officer", f"/cases/{code}/visit", **visited).status_code == 303
    told = cast.get("commune_officer", f"/cases/{code}?done=1").text.split('class="notice done told"')[1]
    told = html.unescape(told.split("</div>")[0])
    assert "Nếu chưa, từ 17:00 03/03/2026 đến lượt: Cán bộ, công chức xã phụ trách" in told


def test_the_history_says_that_a_case_was_reported_upward_and_no_number_of_a_level(cast: Cast) -> None:
    code = cast.to_commune()
    cast.accept(code, "commune_officer")
    run_due(cast.context, at("2026-03-06 18:00"))
    history = cast.get("teacher", f"/cases/{code}").text
    assert "đã báo lên cấp trên" in history.split('id="history"')[-1]
    assert "Mức khẩn" not in history
