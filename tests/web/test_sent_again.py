"""A form's key sent again: with the same content it is done already, with other content it is a form of its own."""

import datetime as dt
import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import delete, select
from werkzeug.test import TestResponse

from engine.core.cases.act import Act
from engine.store import tables as t
from engine.usecases.cases import case_acts
from engine.usecases.idempotency import SentBefore, digest
from tests.cast import Cast, hidden
from tests.registers import register

BEFORE = "Biểu mẫu này đã được gửi trước đó với nội dung khác"
DAY = "2026-03-02"


def said(cast: Cast, code: str, kind: str) -> list[str]:
    """What was written with the events of a kind, in order."""
    with cast.store.reading("test") as session:
        query = (
            select(t.EventText.values)
            .join(t.Event, (t.Event.case_id == t.EventText.case_id) & (t.Event.seq == t.EventText.seq))
            .join(t.Case, t.Case.id == t.Event.case_id)
            .where(t.Case.code == code, t.Event.kind == kind)
            .order_by(t.Event.seq)
        )
        return [values["note"] for values in session.scalars(query)]


def send(browser: FlaskClient, address: str, page: TestResponse, **typed: Any) -> TestResponse:
    return browser.post(address, data=hidden(page) | typed)


def test_a_note_with_other_words_is_kept_on_the_page_and_stored_after_one_more_press(cast: Cast) -> None:
    code = cast.open_case()
    browser, address = cast.browser("teacher"), f"/cases/{code}/note"
    page = browser.get(address)
    assert [send(browser, address, page, note="Em ở nhà bà").status_code for _ in range(2)] == [303, 303]
    again = send(browser, address, page, note="Em đã về nhà mẹ")
    assert again.status_code == 409
    assert BEFORE in again.text
    assert "Em đã về nhà mẹ" in again.text
    assert hidden(again)["key"] != hidden(page)["key"]
    assert said(cast, code, "noted") == ["Em ở nhà bà"]
    assert send(browser, address, again, note="Em đã về nhà mẹ").status_code == 303
    assert said(cast, code, "noted") == ["Em ở nhà bà", "Em đã về nhà mẹ"]


def test_what_was_left_empty_and_the_version_make_no_other_content(cast: Cast) -> None:
    code = cast.to_commune()
    teacher = cast.viewer("commune_officer")
    case_acts.accept(cast.context, Act(teacher, code, {}, cast.now, version=2, key="k1"))
    case_acts.accept(cast.context, Act(teacher, code, {"note": "", "other": None}, cast.now, version=3, key="k1"))
    assert cast.case(code).version == 3


def test_a_key_from_before_there_were_digests_is_done_whatever_comes_with_it(cast: Cast) -> None:
    code, teacher = cast.open_case(), cast.viewer("teacher")
    case_acts.note(cast.context, Act(teacher, code, {"note": "một"}, cast.now, key="k1"))
    with cast.store.writing("as an earlier version left it") as session:
        session.execute(delete(t.SentForm))
    case_acts.note(cast.context, Act(teacher, code, {"note": "hai"}, cast.now, key="k1"))
    assert said(cast, code, "noted") == ["một"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("note", {"note": "một"}), ("check_in", {"note": "một"})),
        (("note", {"note": "một"}), ("note", {"note": "một", "more": ["a"]})),
        (("assign", {"person": 1}), ("assign", {"person": 2})),
        (("note", {"days": dt.date(2026, 3, 2)}), ("note", {"days": dt.date(2026, 3, 3)})),
    ],
)
def test_another_act_or_answer_is_another_content(first: tuple[str, Any], second: tuple[str, Any]) -> None:
    assert digest("k", *first) != digest("k", *second)
    assert digest("k", *first) == digest("k", *first)
    assert digest("k", *first) != digest("other", *first)  # the key is the salt: equal answers do not show


def test_an_act_on_another_case_with_the_key_of_a_form_is_refused(cast: Cast) -> None:
    one, other, teacher = cast.open_case("pupil"), cast.open_case("classmate"), cast.viewer("teacher")
    case_acts.note(cast.context, Act(teacher, one, {"note": "một"}, cast.now, key="k1"))
    with pytest.raises(SentBefore):
        case_acts.note(cast.context, Act(teacher, other, {"note": "một"}, cast.now, key="k1"))
    assert said(cast, other, "noted") == []


def test_a_second_case_with_the_key_of_the_first_is_not_taken_for_it(cast: Cast) -> None:
    pupils, browser = cast.installed.pupils, cast.browser("teacher")
    typed = {"absent_since": "27/2/2026", "causes": "harvest"}
    page = browser.get(f"/cases/new?pupil={pupils['pupil']}")
    assert send(browser, "/cases/new", page, **typed).status_code == 303
    other = {**typed, "pupil": str(pupils["classmate"])}
    again = send(browser, "/cases/new", page, **other)
    assert (again.status_code, BEFORE in again.text, 'value="27/2/2026"' in again.text) == (409, True, True)
    assert send(browser, "/cases/new", again, **other).status_code == 303
    with cast.store.reading("test") as session:
        assert len(session.scalars(select(t.Case.id)).all()) == 2


def test_a_roll_call_with_other_marks_is_shown_with_a_new_key_and_taken_then(cast: Cast) -> None:
    browser, address = cast.browser("teacher"), f"/attendance/{cast.installed.units['class']}"
    ids = [cast.installed.pupils[name] for name in ("pupil", "classmate", "boarder")]
    marks = {f"pupil-{id}": "p" for id in ids} | {"day": DAY, "session": "m"}
    page = browser.get(address)
    assert [send(browser, address, page, **marks).status_code for _ in range(2)] == [303, 303]
    missing = marks | {f"pupil-{ids[0]}": "u"}
    again = send(browser, address, page, **missing)
    assert (again.status_code, BEFORE in again.text) == (409, True)
    assert f'name="pupil-{ids[0]}" value="u" checked' in again.text
    assert send(browser, address, again, **missing).status_code == 303
    with cast.store.reading("test") as session:
        assert [mark for (pupil, _day, _half), mark in register(session).items() if pupil == ids[0]] == ["u"]


def test_a_closure_with_other_days_is_shown_with_its_preview_and_one_button(cast: Cast) -> None:
    address, browser = f"/closures/new?unit={cast.installed.units['school']}", cast.browser("head")
    storm = {"first": "10/3/2026", "last": "11/3/2026", "reason": "Bão số 3", "mode": ""}

    def confirmed(page: TestResponse, **typed: str) -> TestResponse:
        mark = re.search(r'name="confirm" value="([^"]+)"', page.text)
        return send(browser, address, page, **typed, confirm=mark[1] if mark else "")

    shown = send(browser, address, browser.get(address), **storm)
    first = confirmed(shown, **storm)
    assert confirmed(shown, **storm).location == first.location
    longer = storm | {"last": "12/3/2026"}
    previewed = browser.post(address, data=hidden(shown) | longer)
    again = confirmed(previewed, **longer)
    assert (again.status_code, BEFORE in again.text, 'value="12/3/2026"' in again.text) == (409, True, True)
    assert confirmed(again, **longer).status_code == 303
    with cast.store.reading("test") as session:
        days = session.scalars(select(t.Closure.last_day).order_by(t.Closure.id)).all()
    assert days == [dt.date(2026, 3, 11), dt.date(2026, 3, 12)]


def test_lifting_to_another_day_with_the_same_key_is_refused_with_a_new_one(cast: Cast) -> None:
    address, browser = f"/closures/new?unit={cast.installed.units['school']}", cast.browser("head")
    storm = {"first": "10/3/2026", "last": "16/3/2026", "reason": "Bão số 3", "mode": ""}
    shown = send(browser, address, browser.get(address), **storm)
    mark = re.findall(r'name="confirm" value="([^"]+)"', shown.text)[0]
    at = send(browser, address, shown, **storm, confirm=mark).location.partition("?")[0]
    page = browser.get(at)
    assert [send(browser, f"{at}/lift", page, last_day="13/3/2026").status_code for _ in range(2)] == [303, 303]
    again = send(browser, f"{at}/lift", page, last_day="12/3/2026")
    assert (again.status_code, BEFORE in again.text, 'value="12/3/2026"' in again.text) == (409, True, True)
    assert send(browser, f"{at}/lift", again, last_day="12/3/2026").status_code == 303


def test_cases_given_to_another_person_with_the_same_form_are_asked_about_again(cast: Cast) -> None:
    code = cast.to_commune()
    officer, leader = cast.installed.people["commune_officer"], cast.installed.people["commune_leader"]
    browser = cast.browser("commune_leader")
    chosen = {"case": f"{code}:{cast.case(code).version}"}
    page = cast.send("commune_leader", "/work/assign", "/work", **chosen)
    form = {**chosen, "back": "/work"}
    assert [send(browser, "/assign", page, **form, person=officer).status_code for _ in range(2)] == [303, 303]
    again = send(browser, "/assign", page, **form, person=leader)
    assert (again.status_code, BEFORE in again.text) == (409, True)
    assert f'value="{leader}" checked' in again.text
    kept = re.findall(r'name="case" value="([^"]+)"', again.text)
    assert send(browser, "/assign", again, case=kept, back="/work", person=leader).status_code == 303
    assert cast.case(code).assignee_id == leader


@pytest.mark.parametrize(
    ("member", "act", "field", "page"),
    [
        ("commune_officer", "/work/accept", "one", "/work"),
        ("commune_officer", "/cases/accept", "case", "/cases"),
        ("commune_leader", "/work/urge", "urge", "/work"),
    ],
)
def test_a_list_whose_form_did_something_else_before_is_shown_again_with_the_reason(
    cast: Cast, member: str, act: str, field: str, page: str
) -> None:
    code = cast.to_commune()
    browser, shown = cast.browser(member), cast.get(member, page)
    key = hidden(shown)["key"]
    case_acts.note(cast.context, Act(cast.viewer(member), code, {"note": "một"}, cast.now, key=f"{key}:{code}"))
    chosen = {field: f"{code}:{cast.case(code).version}"}
    again = send(browser, act, shown, **chosen)
    assert (again.status_code, BEFORE in again.text) == (409, True)
    assert hidden(again)["key"] != key
    assert send(browser, act, again, **chosen).status_code == 303


def test_a_gift_with_another_quantity_is_a_gift_of_its_own(cast: Cast) -> None:
    code = cast.to_association()
    cast.accept(code, "volunteer")
    browser = cast.browser("volunteer")
    gift = {"code": code, "support_kind": "rice", "quantity": "10", "given_on": "2/3/2026", "giver": "Cửa hàng Mẫu"}
    page = browser.get("/gifts/new")
    assert [send(browser, "/gifts/new", page, **gift).status_code for _ in range(2)] == [303, 303]
    again = send(browser, "/gifts/new", page, **gift | {"quantity": "5"})
    assert (again.status_code, BEFORE in again.text, 'value="5"' in again.text) == (409, True, True)
    assert send(browser, "/gifts/new", again, **gift | {"quantity": "5"}).status_code == 303
    with cast.store.reading("test") as session:
        assert sorted(session.scalars(select(t.Support.quantity))) == ["10", "5"]


def test_a_form_from_the_queue_is_told_the_key_with_which_it_can_be_sent_anew(cast: Cast) -> None:
    code = cast.open_case()
    browser, address = cast.browser("teacher"), f"/cases/{code}/note"
    form = hidden(browser.get(address)) | {"note": "Em ở nhà bà"}
    queued = {"X-Queued": browser.get("/offline/me").get_json()["me"]}
    assert browser.post(address, data=form, headers=queued).get_json()["state"] == "sent"
    assert browser.post(address, data=form, headers=queued).get_json()["state"] == "sent"
    form["note"] = "Em đã về nhà mẹ"
    told = browser.post(address, data=form, headers=queued)
    answer = told.get_json()
    assert (told.status_code, answer["state"]) == (409, "conflict")
    assert BEFORE in answer["why"]
    anew = form | {"key": answer["key"], "version": str(answer["version"])}
    assert browser.post(address, data=anew, headers=queued).get_json()["state"] == "sent"
    assert said(cast, code, "noted") == ["Em ở nhà bà", "Em đã về nhà mẹ"]
