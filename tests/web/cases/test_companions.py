"""What stands around a case on its page: who helps, dates, brothers and sisters, a history that can be narrowed."""

import datetime as dt
import re

import pytest

from engine.core.cases.act import Act
from engine.core.scenario.cast import PUPILS
from engine.store import tables as t
from engine.store.simulation import seed
from engine.usecases.cases import case_acts
from tests.cast import Cast

CALLED = {"contact_way": "phone", "reached": True, "note": "Hẹn lại"}


def added(cast: Cast, code: str, by: str = "teacher", **typed: str) -> None:
    helper = {"companion_role": "respected", "companion_name": "A Già Làng", "companion_phone": "0905 000 333"} | typed
    answer = cast.send(by, f"/cases/{code}/companion", **helper)
    assert answer.status_code == 303, answer.text


def history(page: str) -> list[str]:
    """What the entries of the history on a page say happened."""
    return re.findall(r'<p class="what">([^<]*)</p>', page)


def test_who_helps_stands_on_the_page_with_a_number_to_call_and_can_be_taken_off(cast: Cast) -> None:
    code = cast.open_case()
    added(cast, code, companion_note="Nói được với cha em")
    page = cast.get("commune_leader", f"/cases/{code}").text
    assert re.search(r"<strong>A Già Làng</strong>.{0,30}Người có uy tín", page)
    assert 'href="tel:0905000333"' in page
    assert "Nói được với cha em" in page
    found = re.search(r'href="(/cases/[^"]+/companions/\d+/off)"', page)
    assert found
    assert cast.send("commune_leader", found[1]).status_code == 422  # no reason
    assert cast.send("commune_leader", found[1], companion_reason="Đã chuyển đi").status_code == 303
    after = cast.get("teacher", f"/cases/{code}").text
    assert "tel:0905000333" not in after
    assert "Đã chuyển đi" in after  # the history is kept
    assert cast.send("commune_leader", found[1], companion_reason="Lần nữa").status_code == 404


def test_a_wrong_number_is_said_at_its_field(cast: Cast) -> None:
    code = cast.open_case()
    typed = {"companion_role": "friend", "companion_name": "Y Bạn", "companion_phone": "nhà bên"}
    answer = cast.send("teacher", f"/cases/{code}/companion", **typed)
    assert answer.status_code == 422
    assert "Hãy ghi số điện thoại bằng chữ số" in answer.text
    assert 'value="Y Bạn"' in answer.text
    assert 'inputmode="tel"' in answer.text


@pytest.mark.parametrize("member", ["volunteer", "association"])
def test_a_referred_role_is_not_shown_who_helps(cast: Cast, member: str) -> None:
    code = cast.to_association()
    added(cast, code)
    page = cast.get(member, f"/cases/{code}").text
    assert "Già Làng" not in page
    assert "Người cùng vận động" not in page
    assert "thêm người" not in page.lower()
    assert cast.get(member, f"/cases/{code}/companion").status_code == 403
    assert "Già Làng" not in cast.get(member, f"/cases/{code}?show=notes").text


def test_contacts_and_visits_offer_who_helps_and_the_history_names_them(cast: Cast) -> None:
    code = cast.open_case()
    assert "Người cùng tham gia" not in cast.get("teacher", f"/cases/{code}/contact").text  # nobody is on the list
    added(cast, code)
    form = cast.get("teacher", f"/cases/{code}/contact").text
    assert "Người cùng tham gia" in form
    number = re.search(r'name="company" type="checkbox" value="(\d+)"', form)
    assert number
    typed = {"contact_way": "home", "reached": "yes", "note": "Đã gặp mẹ em", "company": number[1]}
    assert cast.send("teacher", f"/cases/{code}/contact", **typed).status_code == 303
    assert "Cùng với: A Già Làng (Người có uy tín)" in cast.get("head", f"/cases/{code}").text


def test_a_form_asks_first_what_it_needs_and_unfolds_where_something_is_wrong(cast: Cast) -> None:
    code = cast.open_case()
    form = cast.get("teacher", f"/cases/{code}/contact").text
    fold = form.index('<details class="more">')
    assert form.index('name="contact_way"') < form.index('name="note"') < fold < form.index('name="causes"')
    typed = {"contact_way": "phone", "reached": "yes", "note": "Hẹn", "next_on": "hôm nào đó"}
    wrong = cast.send("teacher", f"/cases/{code}/contact", **typed).text
    assert '<details class="more" open>' in wrong
    assert 'href="#next_on"' in wrong
    assert "<details" not in main(cast.get("teacher", f"/cases/{code}/ask_commune").text)  # one question: no fold


def main(page: str) -> str:
    return page.split("<main")[1]


def test_the_helpline_stands_on_the_case_and_on_each_form_of_a_child_in_danger(cast: Cast) -> None:
    danger, other = cast.open_case("pupil", causes=["violence"]), cast.open_case("classmate")
    for page in ("", "/note", "/contact", "/difficulty"):
        assert 'href="tel:111"' in cast.get("teacher", f"/cases/{danger}{page}").text
        assert 'href="tel:111"' not in main(cast.get("teacher", f"/cases/{other}{page}").text)


def test_a_volunteer_is_told_of_no_danger_for_it_follows_from_the_cause(cast: Cast) -> None:
    code = cast.open_case(causes=["violence"])
    cast.step(code, "ask_commune", "teacher")
    cast.accept(code, "commune_officer")
    cast.step(code, "refer_support", "commune_officer", need="Áo ấm")
    for page in ("", "/support"):
        assert 'href="tel:111"' not in cast.get("volunteer", f"/cases/{code}{page}").text


# --- dates ------------------------------------------------------------------------------------------------------------


def test_a_lesson_is_ticked_off_beside_its_date_and_the_next_one_comes_up(cast: Cast) -> None:
    code = cast.open_case()
    cast.step(code, "return_to_class", "teacher", returned_on="2026-03-02", catch_up_lessons=2)
    page = cast.get("teacher", f"/cases/{code}").text
    assert page.count("Đã dạy phụ đạo") == 1  # the earliest only
    assert "Đã dạy phụ đạo" not in cast.get("commune_officer", f"/cases/{code}").text
    assert cast.send("commune_officer", f"/cases/{code}/lesson", f"/cases/{code}").status_code == 403
    for left in (1, 0):
        assert cast.send("teacher", f"/cases/{code}/lesson", f"/cases/{code}").status_code == 303
        assert cast.get("teacher", f"/cases/{code}").text.count("Đã dạy phụ đạo") == left
    assert cast.send("teacher", f"/cases/{code}/lesson", f"/cases/{code}").status_code == 404


def test_two_taps_on_the_button_hold_one_lesson(cast: Cast) -> None:
    code = cast.open_case()
    cast.step(code, "return_to_class", "teacher", returned_on="2026-03-02", catch_up_lessons=2)
    page = cast.get("teacher", f"/cases/{code}").text
    sent = re.search(
        r'/lesson">.*?name="csrf_token" value="([^"]+)".*?name="key" value="([^"]+)".*?'
        r'name="version" value="(\d+)"',
        page,
        re.DOTALL,
    )
    assert sent
    form = dict(zip(("csrf_token", "key", "version"), sent.groups(), strict=True))
    for _ in range(2):
        assert cast.browser("teacher").post(f"/cases/{code}/lesson", data=form).status_code == 303
    assert history(cast.get("teacher", f"/cases/{code}").text).count("Ghi nhận buổi phụ đạo") == 1


def test_a_date_that_has_passed_is_said_to_be_overdue_until_somebody_asked(cast: Cast) -> None:
    code = cast.open_case()
    cast.step(code, "contact", "teacher", **CALLED, next_on="2026-03-03")
    cast.go_to("2026-03-05 09:00")
    dates = cast.get("teacher", f"/cases/{code}").text.split('id="planned"')[1].split("</section>")[0]
    assert "Hỏi thăm, theo dõi" in dates
    assert '<span class="due late">' in dates
    assert f'href="/cases/{code}/check_in"' in dates
    seen = {"checked_on": "05/03/2026", "study_mode": "zalo", "safe": "yes", "note": "Em khỏe"}
    assert cast.send("teacher", f"/cases/{code}/check_in", **seen).status_code == 303
    assert 'id="planned"' not in cast.get("teacher", f"/cases/{code}").text


# --- brothers and sisters ---------------------------------------------------------------------------------------------


def test_brothers_and_sisters_are_named_to_who_may_know_them_only(cast: Cast) -> None:
    code, other = cast.open_case("pupil"), cast.open_case("classmate")
    with cast.store.writing("test") as session:
        for name in ("pupil", "classmate"):
            session.get_one(t.Pupil, cast.installed.pupils[name]).guardian_phone = "0905 111 222"
    name = PUPILS["classmate"].name
    assert f'{name}, <span class="code">{other}</span>' in cast.get("teacher", f"/cases/{code}").text
    with cast.store.writing("test") as session:  # the sister goes to another school, her case with her
        elsewhere = session.get_one(t.Pupil, cast.installed.pupils["outsider_pupil"])
        case = session.query(t.Case).where(t.Case.code == other).one()
        case.class_id, case.school_id = elsewhere.class_id, elsewhere.school_id
        sister = session.get_one(t.Pupil, cast.installed.pupils["classmate"])
        sister.class_id, sister.school_id = elsewhere.class_id, elsewhere.school_id
    assert other not in cast.get("teacher", f"/cases/{code}").text
    assert other not in cast.get("head", f"/cases/{code}").text
    assert other in cast.get("commune_officer", f"/cases/{code}").text  # both live in his village


# --- the history ------------------------------------------------------------------------------------------------------


def test_the_history_is_narrowed_by_links_and_keeps_to_it_from_page_to_page(cast: Cast) -> None:
    code = cast.open_case()
    cast.step(code, "contact", "teacher", **CALLED)
    for number in range(35):
        case_acts.note(cast.context, Act(cast.viewer("teacher"), code, {"note": f"Ghi chú số {number}"}, cast.now))
    page = cast.get("teacher", f"/cases/{code}?show=visits").text
    assert history(page) == ["Ghi lần liên hệ"]
    notes = cast.get("teacher", f"/cases/{code}?show=notes").text
    assert len(history(notes)) == 30
    assert re.search(r'show=notes#history"[^>]* aria-current="true"', notes)
    assert "Ghi lần liên hệ" in _why(page)  # though it is not among the newest entries any more
    older = re.search(r'href="(/cases/[^"]+before=\d+[^"]*)#history"', notes)
    assert older
    assert "show=notes" in older[1]
    rest = cast.get("teacher", older[1].replace("&amp;", "&")).text
    assert history(rest) == ["Ghi chú"] * 5 + ["Lập hồ sơ"]
    assert "Chưa có mục nào thuộc loại này" in cast.get("teacher", f"/cases/{code}?show=support").text


def test_why_the_case_is_here_stands_on_the_page_whatever_its_history_is_narrowed_to(cast: Cast) -> None:
    code = cast.to_commune()
    whole = cast.get("head", f"/cases/{code}").text
    for query in ("?show=support", "?before=1", "?show=notes&before=1"):
        narrowed = cast.get("head", f"/cases/{code}{query}").text
        assert _why(narrowed) == _why(whole)


def _why(page: str) -> str:
    found = re.search(r'<p class="why">.*?</p>', page, re.DOTALL)
    assert found
    return found[0]


@pytest.mark.parametrize("query", ["?show=nope", "?show=notes&before=x", "?show=", "?before=0&show=visits"])
def test_whatever_stands_in_the_address_gives_a_page(cast: Cast, query: str) -> None:
    code = cast.open_case()
    assert cast.get("teacher", f"/cases/{code}{query}").status_code == 200


def test_each_offer_says_why_it_went_there_and_who_was_passed_over(cast: Cast) -> None:
    with cast.store.writing("test") as session:
        seed.vacate(session, cast.installed.seats("commune_officer"), dt.date(2026, 3, 1))
    code = cast.to_commune()
    newest = cast.get("head", f"/cases/{code}?show=handovers").text.split('class="because"')[1].split("</details>")[0]
    assert "Người chịu trách nhiệm: Cán bộ, công chức xã phụ trách" in newest
    assert "Chuyển đến: Lãnh đạo UBND xã" in newest
    assert "Cán bộ, công chức xã phụ trách, chưa có người" in newest


def test_an_offer_that_passed_over_nobody_says_why_too(cast: Cast) -> None:
    code = cast.to_commune()
    assert 'class="because"' in cast.get("head", f"/cases/{code}?show=handovers").text
