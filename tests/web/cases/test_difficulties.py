"""Difficulties on pages: raised on a case, answered by whose post they wait for, listed for whoever may see them."""

import re

import pytest
from sqlalchemy import func, select

from engine.store import tables as t
from engine.usecases.cases.difficulties import climb_due
from tests.cast import Cast
from tests.installation import at

WORDS = "Suối dâng, không qua được làng"


def raised(cast: Cast, code: str, by: str = "teacher", kind: str = "road") -> None:
    answer = cast.send(by, f"/cases/{code}/difficulty", difficulty_kind=kind, difficulty_words=WORDS)
    assert answer.status_code == 303, answer.text


def read_by(cast: Cast, member: str) -> int:
    """How often it was logged that a member read of a case."""
    with cast.store.reading("test") as session:
        query = select(func.count()).where(t.AccessLog.person_id == cast.installed.people[member])
        return session.execute(query).scalar_one()


def way_to_decide(cast: Cast, member: str, code: str) -> str:
    """The address behind the button on the page of the case."""
    return _decide(cast.get(member, f"/cases/{code}").text)


def _decide(page: str) -> str:
    found = re.search(r'href="(/cases/[^"]+/difficulties/\d+)"', page)
    assert found
    return found[1]


def test_a_teacher_raises_one_the_head_finds_it_in_the_work_list_and_decides(cast: Cast) -> None:
    code = cast.open_case()
    raised(cast, code)
    mine = cast.get("teacher", f"/cases/{code}").text
    assert WORDS in mine
    assert "Chờ giải quyết: Hiệu trưởng" in mine
    assert "Giải quyết</a>" not in mine  # not hers to decide
    work = cast.get("head", "/work").text
    assert "Khó khăn chờ anh/chị giải quyết" in work
    assert "Đường đi, sông suối" in work
    assert "Không có việc nào đang chờ" not in work
    assert WORDS not in work  # what was written is read on the pages of the case, and that is logged
    address = _decide(work)
    assert read_by(cast, "head") == 0
    assert WORDS in cast.get("head", address).text  # what is to be decided stands above the form
    assert read_by(cast, "head") == 1
    done = cast.send("head", address, difficulty_answer="decided", difficulty_reply="Nhờ xã làm cầu tạm")
    assert done.status_code == 303
    after = cast.get("teacher", f"/cases/{code}").text
    assert "Nhờ xã làm cầu tạm" in after
    left = cast.get("head", "/work").text
    assert "Khó khăn chờ anh/chị giải quyết" not in left
    assert "Không có việc nào đang chờ" in left


def test_what_is_not_filled_in_is_said_at_its_field_and_the_words_are_kept(cast: Cast) -> None:
    code = cast.open_case()
    answer = cast.send("teacher", f"/cases/{code}/difficulty", difficulty_words=WORDS)
    assert answer.status_code == 422
    assert 'href="#difficulty_kind-0"' in answer.text
    assert WORDS in answer.text


def test_only_the_post_it_waits_for_answers_it(cast: Cast) -> None:
    code = cast.open_case()
    raised(cast, code)
    address = way_to_decide(cast, "head", code)
    typed = {"difficulty_answer": "decided", "difficulty_reply": "Không phải việc của tôi"}
    for member in ("teacher", "commune_leader", "commune_officer", "education_office", "outsider_head", "volunteer"):
        assert cast.get(member, address).status_code == 403
        assert cast.send(member, address, f"/cases/{code}", **typed).status_code == 403
    assert address in cast.get("head", "/work").text


def test_a_volunteer_raises_one_on_a_referred_case_and_reads_no_others(cast: Cast) -> None:
    code = cast.to_association()
    raised(cast, code, "teacher", "family")
    assert WORDS not in cast.get("volunteer", f"/cases/{code}").text
    assert "Gia đình không hợp tác" not in cast.get("volunteer", f"/cases/{code}").text
    raised(cast, code, "volunteer", "means")
    own = cast.get("volunteer", "/difficulties").text
    assert "Thiếu kinh phí, vật chất hỗ trợ" in own
    assert "Gia đình không hợp tác" not in own
    assert "A Thử" not in own
    assert "Trường" not in own.split("<main")[1]  # nor which unit decides
    leader = cast.get("commune_leader", "/work").text
    assert "Thiếu kinh phí, vật chất hỗ trợ" in leader
    assert "Gia đình không hợp tác" not in leader  # that one waits for the head


def test_the_list_is_narrowed_and_scoped_and_the_newest_stands_first(cast: Cast) -> None:
    first, second = cast.open_case("pupil"), cast.open_case("classmate")
    raised(cast, first, kind="road")
    raised(cast, second, kind="papers")
    page = cast.get("education_office", "/difficulties").text
    assert page.index("Giấy tờ, hộ tịch") < page.index("Đường đi, sông suối")
    cast.send("head", way_to_decide(cast, "head", first), difficulty_answer="returned", difficulty_reply="Đã có cầu")
    assert "Đường đi, sông suối" not in cast.get("education_office", "/difficulties").text
    answered = cast.get("education_office", "/difficulties?which=answered").text
    assert "Đường đi, sông suối" in answered
    assert "Giấy tờ, hộ tịch" not in answered
    everything = cast.get("education_office", "/difficulties?which=all").text
    assert "Đường đi, sông suối" in everything
    assert "Giấy tờ, hộ tịch" in everything
    for member in ("outsider_teacher", "outsider_education_office", "admin", "volunteer"):
        assert "Giấy tờ, hộ tịch" not in cast.get(member, "/difficulties?which=all").text


def test_the_list_has_pages_that_follow_each_other_without_a_gap(cast: Cast) -> None:
    code = cast.open_case()
    for _ in range(32):
        raised(cast, code)
    first = cast.get("head", "/difficulties").text
    after = re.search(r'rel="next" href="(/difficulties[^"]+)"', first)
    assert after
    second = cast.get("head", after[1].replace("&amp;", "&")).text
    assert [page.count("Giải quyết<span") for page in (first, second)] == [30, 2]


@pytest.mark.parametrize("query", ["?which=nope", "?before=x", "?before=99999999999", "?which=all&before=0"])
def test_whatever_stands_in_the_address_gives_a_page(cast: Cast, query: str) -> None:
    assert cast.get("head", f"/difficulties{query}").status_code == 200


def test_the_page_says_why_a_difficulty_went_past_whom_and_tells_no_name_in_the_notice(cast: Cast) -> None:
    code = cast.open_case()
    raised(cast, code)
    cast.site.clock.moment = at("2026-03-05 17:00")
    assert climb_due(cast.context, cast.now) == 1
    page = cast.get("commune_leader", f"/cases/{code}").text
    assert "Đến 17:00 05/03/2026 chưa có ý kiến: chuyển lên cấp trên." in page
    assert "Chờ giải quyết: Lãnh đạo UBND xã" in page
    told = cast.get("commune_leader", "/notices").text
    assert "Khó khăn, vướng mắc quá hạn trả lời" in told
    assert "A Thử" not in told
    assert WORDS not in told
