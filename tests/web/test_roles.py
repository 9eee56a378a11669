"""The roles beyond the usual eight, on the pages: each has a home, reads what is theirs, and nobody else's."""

import re
from typing import Any

import pytest

from engine.core.cases.act import Act
from engine.core.scenario.cast import MORE
from engine.store.session import Store
from engine.store.simulation import seed
from engine.usecases.cases import companions
from engine.usecases.cases.difficulties import answer, raise_difficulty
from tests.cast import Cast, make_cast
from tests.shipped_roles import ROLES

NAME = "A Thử"  # the pupil
APPOINTED = tuple(member for member, (_role, unit, _name, _held) in MORE.items() if unit != "district")
KNOWING = ("deputy_head", "commune_office", "department")
GUESTS = ("subject_teacher", "youth_leader", "front", "organisation")
OTHERS = ("parents_board", *(member for member in APPOINTED if member.startswith(("outsider_", "province_"))))


@pytest.fixture
def everybody(store: Store) -> Cast:
    """The cast, with everybody who has a post of the roles that not every place has."""
    cast = make_cast(store, more=True)
    with store.writing("test") as session:
        for member in APPOINTED:
            if not MORE[member][3]:
                seed.appoint(session, cast.installed.people[member], cast.installed.seats(member), seed.ALWAYS)
    return cast


def invite(cast: Cast, code: str, member: str) -> None:
    words = {"companion_role": "other", "companion_name": MORE[member][2]}
    act = Act(cast.viewer("teacher"), code, words, cast.now)
    companions.add(cast.context, act, cast.installed.people[member])


def test_each_has_a_home_and_first_steps_that_lead_to_pages_they_may_open(everybody: Cast) -> None:
    for member in APPOINTED:
        assert everybody.get(member, "/work").status_code == 200, member
        page = everybody.get(member, "/welcome").text
        assert ROLES.labels[MORE[member][0]].vi in page, member
        for address in re.findall(r'<a class="card" href="([^"]+)"', page):
            assert everybody.get(member, address).status_code == 200, (member, address)


def test_each_reads_the_cases_of_their_own_place_and_no_other(everybody: Cast) -> None:
    code = everybody.open_case()
    page = f"/cases/{code}"
    for member in KNOWING:
        shown = everybody.get(member, page)
        assert (shown.status_code, NAME in shown.text) == (200, True), member
        assert NAME in everybody.get(member, "/cases").text, member
    for member in (*OTHERS, *GUESTS):
        assert everybody.get(member, page).status_code == 403, member
        assert NAME not in everybody.get(member, "/cases").text, member


def test_who_sees_figures_opens_a_case_and_finds_its_name_in_no_list(everybody: Cast) -> None:
    code = everybody.open_case()
    assert NAME in everybody.get("child_protection", f"/cases/{code}").text
    for address in ("/work", "/cases", "/cases?q=thử", "/difficulties", "/notices", "/area"):
        page = everybody.get("child_protection", address)
        assert page.status_code == 200, address
        assert NAME not in page.text, address
    assert everybody.get("outsider_child_protection", f"/cases/{code}").status_code == 403


def test_a_guest_reads_the_case_until_they_are_taken_off_its_list(everybody: Cast) -> None:
    code, other = everybody.open_case(), everybody.open_case("classmate")
    for member in GUESTS:
        invite(everybody, code, member)
        assert NAME in everybody.get(member, f"/cases/{code}").text, member
        assert everybody.get(member, f"/cases/{other}").status_code == 403, member
        assert code in everybody.get(member, "/cases").text
        assert other not in everybody.get(member, "/cases").text
    assert everybody.send("front", f"/cases/{code}/note", note="Chi hội đến thăm").status_code == 303
    assert everybody.get("front", f"/cases/{code}/contact").status_code == 403
    assert everybody.get("front", f"/cases/{code}/companion").status_code == 403
    with everybody.store.reading("test") as session:
        from engine.store.cases.companions import companions as listed

        case = seed.latest_case(session, everybody.installed.pupils["pupil"])
        assert case is not None
        (seq,) = (it.seq for it in listed(session, case.id) if it.name == MORE["front"][2])
    off = Act(everybody.viewer("teacher"), code, {"companion_reason": "Xong việc"}, everybody.now)
    companions.take_off(everybody.context, off, seq)
    assert everybody.get("front", f"/cases/{code}").status_code == 403


def test_an_invitation_is_offered_on_the_form_and_done_by_it(everybody: Cast) -> None:
    code, person = everybody.open_case(), everybody.installed.people["subject_teacher"]
    page = everybody.get("teacher", f"/cases/{code}/companion").text
    assert "A Toán Thử – Giáo viên bộ môn" in page
    assert "A Văn Thử" not in page  # of another school
    typed: dict[str, Any] = {"companion_role": "other", "companion_name": "Thầy Toán", "person": person}
    assert everybody.send("teacher", f"/cases/{code}/companion", **typed).status_code == 303
    assert everybody.get("subject_teacher", f"/cases/{code}").status_code == 200


def test_a_case_names_the_parents_board_of_the_class(everybody: Cast) -> None:
    code = everybody.open_case()
    assert "A Cha Thử" in everybody.get("teacher", f"/cases/{code}").text


def test_a_leader_is_offered_to_assign_first_on_the_page_and_on_the_card(everybody: Cast) -> None:
    code = everybody.open_case()
    everybody.send("teacher", f"/cases/{code}/ask_commune")
    with everybody.store.writing("test") as session:
        seed.vacate(session, everybody.installed.seats("commune_officer"), everybody.now.date())
        seed.vacate(session, everybody.installed.seats("commune_office"), everybody.now.date())
    declined = everybody.open_case("classmate")
    everybody.send("teacher", f"/cases/{declined}/ask_commune")
    work = everybody.get("commune_leader", "/work").text
    assert f'href="/cases/{declined}/assign"' in work
    page = everybody.get("commune_leader", f"/cases/{declined}").text
    first, second = page.index(f"/cases/{declined}/assign"), page.index(f"/cases/{declined}/accept")
    assert first < second


def test_the_committee_of_a_district_decides_without_a_list_of_names(store: Store) -> None:
    cast = make_cast(store, more=True, district=True)
    code = cast.open_case()
    words = {"difficulty_kind": "road", "difficulty_words": "Cầu hỏng"}
    raise_difficulty(cast.context, Act(cast.viewer("district_office"), code, words, cast.now))
    work = cast.get("district_leader", "/work")
    assert (work.status_code, code in work.text, NAME in work.text) == (200, True, False)
    case = cast.get("district_leader", f"/cases/{code}")
    assert (case.status_code, NAME in case.text, "Phòng Giáo dục và Đào tạo" in case.text) == (200, True, True)
    (seq,) = re.findall(rf"/cases/{code}/difficulties/(\d+)", work.text)[:1]
    decided = {"difficulty_answer": "decided", "difficulty_reply": "Làm cầu tạm"}
    assert cast.send("district_leader", f"/cases/{code}/difficulties/{seq}", **decided).status_code == 303
    with pytest.raises(Exception, match="answered already"):
        answer(cast.context, Act(cast.viewer("district_leader"), code, decided, cast.now), int(seq))


def test_the_page_of_rules_says_the_roles_in_words(everybody: Cast) -> None:
    page = everybody.get("teacher", "/rules").text
    assert "Ba cấp: tỉnh, huyện, xã" in page
    assert "<strong>Ban đại diện cha mẹ học sinh</strong>: không xem học sinh nào" in page
    assert "Phòng Văn hóa - Xã hội → Lãnh đạo UBND xã → Sở Giáo dục và Đào tạo" in page
