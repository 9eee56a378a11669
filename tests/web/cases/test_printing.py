"""Sheets on paper: what stands on them, what never does, for whom they are, and that each is noted."""

import html
import re

import pytest

from engine.store import tables as t
from tests.cast import PHONE, Cast


def sheet(cast: Cast, member: str, address: str) -> str:
    """A sheet as it comes out of the printer, without what only the screen shows."""
    page = cast.get(member, address)
    assert page.status_code == 200, address
    return html.unescape(page.text[page.text.index("<main") :])


def noted(cast: Cast) -> list[tuple[str, bool]]:
    """What was printed, and whether the note names the pupil."""
    with cast.store.reading("test") as session:
        rows = session.query(t.AccessLog.what, t.AccessLog.pupil_id).order_by(t.AccessLog.id)
        return [(what, pupil is not None) for what, pupil in rows if what.startswith("print")]


def test_a_visit_sheet_says_whom_to_meet_where_and_what_was_done(cast: Cast) -> None:
    code = cast.to_commune()
    cast.accept(code, "commune_officer")
    page = sheet(cast, "commune_officer", f"/print/visit/{code}")
    for words in (
        "Phiếu đến nhà vận động",
        "A Thử",
        "Y Mẹ Thử",
        "Nhà pupil, village, commune",
        "class, school",
        "27/02/2026",
        PHONE,
        "Gia đình cho biết",
        "(ký, ghi rõ họ tên)",
        "Người in: A Bút Thử",
    ):
        assert words in page, words
    assert "Nhà xa, nhờ xã đến nhà" not in page  # notes are not printed
    assert noted(cast) == [("print: visit sheet", True)]


def test_its_history_has_three_lines_the_newest_first(cast: Cast) -> None:
    code = cast.open_case()
    for number in range(4):
        cast.go_to(f"2026-03-02 {9 + number:02}:00")
        cast.send("teacher", f"/cases/{code}/note", note=f"Ghi {number}")
    page = sheet(cast, "head", f"/print/visit/{code}")
    assert re.findall(r"<li>(\d\d:\d\d) 02/03/2026", page) == ["12:00", "11:00", "10:00"]
    assert "Ghi 3" not in page


@pytest.mark.parametrize("kind", ["visit", "handover"])
def test_no_sheet_tells_a_restricted_cause_nor_what_follows_from_it(cast: Cast, kind: str) -> None:
    code = cast.open_case(causes=["violence", "harvest"])
    cast.go_to("2026-03-03 08:00")  # by now the rule of safety has fired
    assert "an toàn" in cast.get("head", f"/cases/{code}").text
    page = sheet(cast, "head", f"/print/{kind}/{code}")
    assert "thu hoạch mùa vụ" in page
    for secret in ("Bạo lực", "an toàn", "Tổng đài"):
        assert secret not in page


def test_a_hand_over_slip_says_from_whom_to_whom_and_until_when(cast: Cast) -> None:
    code = cast.to_commune()
    page = sheet(cast, "teacher", f"/print/handover/{code}")
    for words in (
        "Phiếu bàn giao",
        "Y Lan Thử, Giáo viên chủ nhiệm",
        "Cán bộ, công chức xã phụ trách, village",
        "17:00 03/03/2026",
        "Người giao",
        "Người nhận",
    ):
        assert words in page, words
    cast.go_to("2026-03-04 08:00")
    assert "theo quy tắc, vì đã hết hạn" in sheet(cast, "commune_leader", f"/print/handover/{code}")


def test_the_visits_of_today_stand_by_village(cast: Cast) -> None:
    asked, mine = cast.to_commune("classmate"), cast.to_commune("pupil")
    cast.accept(mine, "commune_officer")
    page = sheet(cast, "commune_officer", "/print/visits")
    assert re.search(r"<h2>village \(1\)</h2>", page)
    for words in ("A Thử", "Y Mẹ Thử", "Nhà pupil", f"/print/visit/{mine}"):
        assert words in page
    assert asked not in page  # not accepted yet
    assert "Hôm nay không có nhà nào phải đến" in sheet(cast, "commune_leader", "/print/visits")
    assert noted(cast) == [("print: visits of today", False)] * 2


def test_a_returned_pupil_needs_no_visit(cast: Cast) -> None:
    code = cast.open_case()
    assert code in sheet(cast, "teacher", "/print/visits")
    cast.step(code, "return_to_class", "teacher", returned_on="2026-03-02")
    assert code not in sheet(cast, "teacher", "/print/visits")


def test_my_work_on_paper_has_the_next_act_of_each_case(cast: Cast) -> None:
    cast.open_case()
    page = sheet(cast, "teacher", "/print/work")
    assert "A Thử" in page
    assert "Ghi lần liên hệ" in page
    assert 'href="/print/work"' in cast.get("teacher", "/work").text
    assert noted(cast) == [("print: work list", False)]


@pytest.mark.parametrize("kind", ["visit", "handover"])
def test_sheets_with_a_name_are_for_those_who_may_know_it(cast: Cast, kind: str) -> None:
    code = cast.to_association()
    for member in ("volunteer", "association", "outsider_teacher", "outsider_commune_officer", "admin"):
        answer = cast.get(member, f"/print/{kind}/{code}")
        assert answer.status_code == 403, member
        assert "A Thử" not in answer.text
    assert cast.get("teacher", f"/print/{kind}/RL-2026-999999").status_code == 404
    assert noted(cast) == []


def test_a_volunteer_prints_work_without_names(cast: Cast) -> None:
    cast.to_association()
    page = sheet(cast, "volunteer", "/print/work")
    assert "Áo ấm cỡ 130" in page
    assert "A Thử" not in page
    assert "A Thử" not in sheet(cast, "volunteer", "/print/visits")
