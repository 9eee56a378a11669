"""What was recorded wrongly is put right on the pages: a form with what was written, one tap, what is in doubt."""

import html
import re

from sqlalchemy import func, select

from engine.core.cases.act import Act
from engine.store import tables as t
from engine.usecases.cases import case_acts, corrections
from engine.usecases.support import gifts
from tests.cast import Cast

CALLED = {"contact_way": "phone", "reached": False, "note": "Máy bận"}
GIFT = {"support_kind": "rice", "quantity": "200", "given_on": "2026-03-02", "giver": "Cô Ba", "note": "Đã trao"}


def contacted(cast: Cast) -> str:
    code = cast.open_case()
    cast.step(code, "contact", "teacher", **CALLED)
    return code


def correct(code: str, entry: int) -> str:
    return f"/cases/{code}/entries/{entry}/correct"


def test_an_entry_has_one_link_to_a_form_with_what_was_written(cast: Cast) -> None:
    code = contacted(cast)
    page = cast.get("teacher", f"/cases/{code}").text
    assert re.findall(r'href="(/cases/[^"]+/correct)"', page) == [correct(code, 2), correct(code, 1)]
    form = cast.get("teacher", correct(code, 2)).text
    assert "Máy bận" in form
    assert re.search(r'name="contact_way"[^>]*value="phone"[^>]*checked', form)
    assert re.search(r'name="reached"[^>]*value="no"[^>]*checked', form)
    opened = cast.get("teacher", correct(code, 1)).text
    assert 'value="27/02/2026"' in opened
    assert re.search(r'value="harvest"[^>]*checked', opened)


def test_both_versions_stand_on_the_page_and_the_facts_follow(cast: Cast) -> None:
    code = contacted(cast)
    typed = {"contact_way": "phone", "reached": "yes", "note": "Mẹ nghe máy", "correction_reason": "Bấm nhầm"}
    assert cast.send("teacher", correct(code, 2), **typed).status_code == 303
    page = html.unescape(cast.get("head", f"/cases/{code}").text)
    for said in ("Máy bận", "Mẹ nghe máy", "Bấm nhầm", "Sửa nội dung đã ghi", "Đã sửa về sau"):
        assert said in page
    assert cast.case(code).unreached == 0
    again = cast.get("head", correct(code, 2)).text  # the form begins with what is right now
    assert "Mẹ nghe máy" in again
    assert "Máy bận" not in again


def test_a_refused_form_keeps_what_was_typed_and_an_old_page_is_told_who_was_faster(cast: Cast) -> None:
    code = contacted(cast)
    typed = {"contact_way": "phone", "reached": "yes", "note": "Mẹ nghe máy"}
    answer = cast.send("teacher", correct(code, 2), **typed)
    assert answer.status_code == 422  # without a reason
    assert "Mẹ nghe máy" in answer.text
    shown = cast.get("teacher", correct(code, 2))
    cast.step(code, "contact_again", "head", **CALLED)
    kept = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', shown.text))
    answer = cast.browser("teacher").post(correct(code, 2), data=kept | typed | {"correction_reason": "x"})
    assert answer.status_code == 409
    assert "Mẹ nghe máy" in answer.text


def test_the_same_form_sent_twice_corrects_once(cast: Cast) -> None:
    code = contacted(cast)
    shown = cast.get("teacher", correct(code, 2))
    kept = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', shown.text))
    typed = kept | {"contact_way": "home", "reached": "no", "note": "Máy bận", "correction_reason": "Đến nhà"}
    answers = [cast.browser("teacher").post(correct(code, 2), data=typed).status_code for _ in range(2)]
    assert answers == [303, 303]
    assert cast.case(code).version == 3


def test_an_entry_is_withdrawn_with_a_reason_and_offers_no_link_any_more(cast: Cast) -> None:
    code = cast.open_case()
    note = Act(cast.viewer("teacher"), code, {"note": "Nhầm em khác", "causes": ["violence"]}, cast.now)
    case_acts.note(cast.context, note)
    assert cast.case(code).flags == ["safety"]
    assert f"/cases/{code}/entries/2/withdraw" in cast.get("teacher", correct(code, 2)).text
    assert "/withdraw" not in cast.get("teacher", correct(code, 1)).text  # a case is cancelled, not withdrawn
    assert cast.get("teacher", f"/cases/{code}/entries/1/withdraw").status_code == 403
    address = f"/cases/{code}/entries/2/withdraw"
    assert cast.send("teacher", address).status_code == 422
    assert cast.send("teacher", address, correction_reason="Của em khác").status_code == 303
    assert cast.case(code).flags == []
    page = cast.get("teacher", f"/cases/{code}").text
    assert correct(code, 2) not in page
    assert "Của em khác" in page
    assert cast.get("teacher", correct(code, 2)).status_code == 404


def test_who_did_not_write_it_and_is_not_above_gets_no_link_and_no_form(cast: Cast) -> None:
    code = contacted(cast)
    for member, status in (("commune_officer", 403), ("commune_leader", 403), ("outsider_head", 403), ("admin", 403)):
        assert correct(code, 2) not in cast.get(member, f"/cases/{code}").text
        assert cast.get(member, correct(code, 2)).status_code == status
    for member in ("head", "education_office"):
        assert correct(code, 2) in cast.get(member, f"/cases/{code}").text
        assert cast.get(member, correct(code, 2)).status_code == 200


def test_one_tap_takes_back_an_acceptance(cast: Cast) -> None:
    code = cast.to_commune()
    assert cast.send("commune_officer", f"/cases/{code}/accept").status_code == 303
    address = f"/cases/{code}/undo"
    assert f'action="{address}"' in cast.get("commune_officer", f"/cases/{code}?done=1").text
    assert f'action="{address}"' not in cast.get("commune_leader", f"/cases/{code}").text
    assert cast.send("commune_leader", address, page=f"/cases/{code}").status_code == 303
    assert cast.case(code).accepted_at is not None
    assert cast.send("commune_officer", address, page=f"/cases/{code}").status_code == 303
    assert cast.case(code).accepted_at is None
    page = html.unescape(cast.get("commune_officer", f"/cases/{code}").text)
    assert "Lấy lại việc vừa làm" in page
    assert f'href="/cases/{code}/accept"' in page


def test_after_a_quarter_of_an_hour_the_button_is_gone_and_the_page_says_why(cast: Cast) -> None:
    code = cast.to_commune()
    cast.accept(code, "commune_officer")
    cast.go_to("2026-03-02 08:16")
    assert f"/cases/{code}/undo" not in cast.get("commune_officer", f"/cases/{code}").text
    cast.send("commune_officer", f"/cases/{code}/undo", page=f"/cases/{code}")
    assert "trong 15 phút" in cast.get("commune_officer", f"/cases/{code}").text
    assert cast.case(code).accepted_at is not None


def test_an_accepted_case_is_handed_back_on_its_page(cast: Cast) -> None:
    code = cast.to_commune()
    cast.accept(code, "commune_officer")
    assert f'href="/cases/{code}/decline"' in cast.get("commune_officer", f"/cases/{code}").text
    assert f'href="/cases/{code}/decline"' not in cast.get("commune_leader", f"/cases/{code}").text
    assert cast.send("commune_officer", f"/cases/{code}/decline").status_code == 422  # no reason
    assert cast.send("commune_officer", f"/cases/{code}/decline", reason="Người nhà").status_code == 303
    assert cast.case(code).offered_role == "commune_leader"


def in_doubt(cast: Cast) -> str:
    """A case whose contact had a wrong next date, for which the commune was asked."""
    code = cast.open_case()
    cast.step(code, "contact", "teacher", **CALLED, next_on="2026-03-03")
    cast.go_to("2026-03-09 08:00")
    assert cast.case(code).state == "commune_visit"
    values = {**CALLED, "next_on": "2026-03-11", "correction_reason": "Ghi nhầm ngày"}
    corrections.correct(cast.context, Act(cast.viewer("teacher"), code, values, cast.now), 2)
    return code


def test_what_was_done_because_of_a_wrong_entry_waits_for_the_head_at_home_and_on_the_page(cast: Cast) -> None:
    code = in_doubt(cast)
    with cast.store.reading("test") as session:
        fired = session.scalars(select(t.Doubt.fired_seq)).one()
    address = f'action="/cases/{code}/doubts/{fired}"'
    for member in ("head", "commune_leader", "education_office"):
        assert address in cast.get(member, "/work").text
        assert address in cast.get(member, f"/cases/{code}").text
    for member in ("teacher", "commune_officer"):
        assert address not in cast.get(member, "/work").text
        page = cast.get(member, f"/cases/{code}").text
        assert address not in page
        assert "Hiệu trưởng hoặc lãnh đạo quyết định" in page
        refused = cast.send(member, f"/cases/{code}/doubts/{fired}", page=f"/cases/{code}", doubt="undo")
        assert refused.status_code == 403
    assert address not in cast.get("outsider_head", "/work").text
    sent = cast.send("head", f"/cases/{code}/doubts/{fired}", page=f"/cases/{code}", doubt="undo")
    assert sent.status_code == 303
    assert cast.case(code).state == "teacher_contact"
    assert address not in cast.get("head", "/work").text
    assert "Lấy lại bước đã làm" in cast.get("teacher", f"/cases/{code}").text


def given(cast: Cast) -> str:
    code = cast.to_association()
    cast.accept(code, "volunteer")
    gifts.give(cast.context, Act(cast.viewer("volunteer"), code, GIFT, cast.now))
    return code


def test_a_corrected_gift_is_counted_once_wherever_gifts_are_counted(cast: Cast) -> None:
    code = given(cast)
    entry = cast.case(code).version
    form = html.unescape(cast.get("volunteer", correct(code, entry)).text)
    assert 'value="200"' in form
    assert cast.send("volunteer", correct(code, entry), **(GIFT | {"quantity": "20"}), correction_reason="Dư một số 0")
    for member, address in (("head", f"/cases/{code}"), ("volunteer", f"/cases/{code}"), ("association", "/needs")):
        page = cast.get(member, address)
        if page.status_code == 200:
            assert re.search(r"Gạo[^<]*20 kg|20\s*kg", html.unescape(page.text)), (member, address)
            assert not re.search(r"200 kg", page.text), (member, address)
    with cast.store.reading("test") as session:
        assert session.scalar(select(func.count()).select_from(t.Support)) == 2  # the earlier row stays


def test_a_coordinator_corrects_the_gift_of_a_volunteer_without_the_words_beside_it(cast: Cast) -> None:
    code = given(cast)
    entry = cast.case(code).version
    page = cast.get("association", f"/cases/{code}").text
    assert correct(code, entry) in page
    form = html.unescape(cast.get("association", correct(code, entry)).text)
    assert 'value="200"' in form
    assert "Cô Ba" in form
    assert "Đã trao" not in form
    assert 'name="note"' not in form
    typed = {name: GIFT[name] for name in ("support_kind", "given_on", "giver")} | {"quantity": "25"}
    assert cast.send("association", correct(code, entry), **typed, correction_reason="Cân lại").status_code == 303
    assert "25 kg" in html.unescape(cast.get("association", f"/cases/{code}").text)


def test_a_volunteer_learns_nothing_from_what_the_school_puts_right(cast: Cast) -> None:
    code = given(cast)
    before = len(re.findall(r'<p class="what">', cast.get("volunteer", f"/cases/{code}").text))
    values = {"absent_since": "2026-02-27", "causes": ["violence"], "correction_reason": "Bố đánh em"}
    corrections.correct(cast.context, Act(cast.viewer("teacher"), code, values, cast.now), 1)
    for member in ("volunteer", "association"):
        page = cast.get(member, f"/cases/{code}").text
        assert "Bố đánh em" not in page
        assert "an toàn" not in page
        assert cast.get(member, correct(code, 1)).status_code == 403
    assert len(re.findall(r'<p class="what">', cast.get("volunteer", f"/cases/{code}").text)) == before
