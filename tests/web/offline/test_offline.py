"""What a device is told when a form waited for a line, what it may keep, and when it must forget."""

import datetime as dt
import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from engine.store import tables as t
from engine.usecases.people.accounts import end_all
from tests.cast import Cast, hidden
from tests.pages import PASSWORD, post, sign_in
from tests.registers import register

VISIT = {"visited_on": "2/3/2026", "met_whom": "parents", "visit_outcome": "agreed", "note": "Hẹn thứ tư ra lớp"}


@pytest.fixture
def code(cast: Cast) -> str:
    """A case that the commune officer has accepted."""
    code = cast.to_commune()
    cast.accept(code, "commune_officer")
    return code


def hello(browser: FlaskClient) -> dict[str, Any]:
    """Whom the device is told that it belongs to, if anybody."""
    answer = browser.get("/offline/me")
    told: dict[str, Any] = answer.get_json() if answer.status_code == 200 else {"me": ""}
    return told


def filled_in(cast: Cast, member: str, address: str, **typed: Any) -> dict[str, Any]:
    """A form as the device keeps it: what was hidden on it, and what was typed."""
    return hidden(cast.get(member, address)) | typed


def arrives(browser: FlaskClient, address: str, form: dict[str, Any], me: str | None = None) -> TestResponse:
    """The form is sent from the queue."""
    known = hello(browser)
    mark = known["me"] if me is None else me
    return browser.post(address, data=form | {"csrf_token": known.get("csrf", "")}, headers={"X-Queued": mark})


def events(cast: Cast, code: str, kind: str) -> int:
    with cast.store.reading("test") as session:
        case = session.scalars(select(t.Case.id).where(t.Case.code == code)).one()
        return len(session.scalars(select(t.Event.seq).where(t.Event.case_id == case, t.Event.kind == kind)).all())


def test_a_form_from_the_queue_is_done_once_and_tells_the_version_it_left(cast: Cast, code: str) -> None:
    form = filled_in(cast, "commune_officer", f"/cases/{code}/visit", **VISIT)
    answers = [arrives(cast.browser("commune_officer"), f"/cases/{code}/visit", form).get_json() for _ in range(2)]
    assert answers[0] == answers[1]
    assert answers[0] == {"state": "sent", "at": f"/cases/{code}?done=1", "version": cast.case(code).version}
    assert events(cast, code, "visit") == 1


def test_the_version_told_of_a_form_sent_again_is_not_that_of_others_acts_since(cast: Cast, code: str) -> None:
    form = filled_in(cast, "commune_officer", f"/cases/{code}/visit", **VISIT)
    first = arrives(cast.browser("commune_officer"), f"/cases/{code}/visit", form).get_json()
    cast.send("teacher", f"/cases/{code}/note", note="Mẹ em có gọi lại")
    again = arrives(cast.browser("commune_officer"), f"/cases/{code}/visit", form).get_json()
    assert again["version"] == first["version"] < cast.case(code).version


def test_what_is_wrong_with_a_form_from_the_queue_is_told_field_by_field(cast: Cast, code: str) -> None:
    form = filled_in(cast, "commune_officer", f"/cases/{code}/visit", **VISIT | {"visited_on": "30/2/2026", "note": ""})
    answer = arrives(cast.browser("commune_officer"), f"/cases/{code}/visit", form)
    assert (answer.status_code, answer.mimetype) == (422, "application/json")
    told = answer.get_json()
    assert told["state"] == "faults"
    assert [field for field, _words in told["faults"]] == ["visited_on", "note"]


def test_a_conflict_tells_who_was_faster_and_what_the_case_says_now(cast: Cast, code: str) -> None:
    form = filled_in(cast, "commune_officer", f"/cases/{code}/visit", **VISIT)
    cast.send("teacher", f"/cases/{code}/note", note="Mẹ em có gọi lại")
    answer = arrives(cast.browser("commune_officer"), f"/cases/{code}/visit", form)
    told = answer.get_json()
    assert (answer.status_code, told["state"], told["version"]) == (409, "conflict", cast.case(code).version)
    assert told["case"] == "Xã vận động"
    assert len(told["since"]) == 1
    assert "Mẹ em có gọi lại" in told["since"][0]
    assert events(cast, code, "visit") == 0
    again = arrives(cast.browser("commune_officer"), f"/cases/{code}/visit", form | {"version": told["version"]})
    assert again.get_json()["state"] == "sent"


def test_what_cannot_be_done_any_more_is_refused_with_its_reason(cast: Cast, code: str) -> None:
    form = filled_in(cast, "commune_officer", f"/cases/{code}/visit", **VISIT) | {"version": ""}
    cast.step(code, "return_to_class", "teacher", returned_on="2026-03-02")
    told = arrives(cast.browser("commune_officer"), f"/cases/{code}/visit", form).get_json()
    assert told["state"] == "refused"
    assert told["faults"][0][1]


def test_a_second_case_for_a_pupil_is_a_conflict_that_names_the_first(cast: Cast) -> None:
    address = f"/cases/new?pupil={cast.installed.pupils['pupil']}"
    form = filled_in(cast, "teacher", address, absent_since="27/2/2026", causes="harvest")
    first = cast.open_case("pupil")
    told = arrives(cast.browser("teacher"), "/cases/new", form).get_json()
    assert (told["state"], told["code"], told["version"]) == ("conflict", first, cast.case(first).version)
    assert first in told["why"]
    assert "Theo cha mẹ lên rẫy" in told["since"][0]


def test_a_case_that_was_opened_on_a_blank_form_is_opened_once(cast: Cast) -> None:
    typed = {"pupil": cast.installed.pupils["pupil"], "absent_since": "27/2/2026", "causes": "harvest"}
    form = filled_in(cast, "teacher", "/cases/new/blank", **typed)
    answers = [arrives(cast.browser("teacher"), "/cases/new", form).get_json() for _ in range(2)]
    assert answers == [{"state": "sent", "at": "/cases/RL-2026-000001?done=1"}] * 2
    assert events(cast, "RL-2026-000001", "opened") == 1


def roll_call(cast: Cast, **marks: str) -> dict[str, Any]:
    """The blank form of the teacher's class, filled in for this morning as a phone keeps it."""
    said = {f"pupil-{id}": marks.get(name, "p") for name, id in own_class(cast).items()}
    return filled_in(cast, "teacher", f"{attendance(cast)}/blank", day="2026-03-02", session="m", **said)


def attendance(cast: Cast) -> str:
    return f"/attendance/{cast.installed.units['class']}"


def own_class(cast: Cast) -> dict[str, int]:
    return {name: cast.installed.pupils[name] for name in ("pupil", "classmate", "boarder")}


def taken(cast: Cast) -> dict[str, str]:
    """What the register of the teacher's class says by now."""
    names = {id: name for name, id in cast.installed.pupils.items()}
    with cast.store.reading("test") as session:
        return {names[id]: mark for (id, _day, _half), mark in register(session).items()}


def test_a_roll_call_from_the_queue_is_done_once_and_undoes_no_correction_since(cast: Cast) -> None:
    form = roll_call(cast, pupil="u")
    first = arrives(cast.browser("teacher"), attendance(cast), form).get_json()
    assert (first["state"], taken(cast)) == ("sent", {"pupil": "u", "classmate": "p", "boarder": "p"})
    arrives(cast.browser("teacher"), attendance(cast), roll_call(cast) | {"version": first["version"]})
    assert arrives(cast.browser("teacher"), attendance(cast), form).get_json() == first
    assert taken(cast)["pupil"] == "p"
    with cast.store.reading("test") as session:
        assert len(session.scalars(select(t.RollCall.key)).all()) == 2


def test_a_roll_call_that_another_has_taken_meanwhile_is_a_conflict_that_shows_both(cast: Cast) -> None:
    form = roll_call(cast, pupil="u", boarder="l")
    cast.browser("head").post(
        attendance(cast),
        data=roll_call(cast, classmate="e", boarder="l") | {"csrf_token": hello(cast.browser("head"))["csrf"]},
    )
    answer = arrives(cast.browser("teacher"), attendance(cast), form)
    told = answer.get_json()
    assert (answer.status_code, told["state"], told["case"]) == (409, "conflict", "Đã điểm danh: 3/3 học sinh")
    assert told["why"].startswith("Trần Văn Mẫu đã điểm danh buổi này lúc 08:00 02/03/2026")
    assert sorted(told["since"]) == [
        "A Thử: Có mặt; anh/chị ghi: Vắng không phép",
        "Y Thử: Vắng có phép; anh/chị ghi: Có mặt",
    ]
    assert taken(cast) == {"pupil": "p", "classmate": "e", "boarder": "l"}
    again = arrives(cast.browser("teacher"), attendance(cast), form | {"version": told["version"]})
    assert (again.get_json()["state"], taken(cast)["pupil"]) == ("sent", "u")
    with cast.store.reading("test") as session:
        assert session.scalars(select(t.MarkChange.old_mark).order_by(t.MarkChange.old_mark)).all() == ["e", "p"]


def test_the_same_marks_from_two_phones_are_no_conflict(cast: Cast) -> None:
    form, again = roll_call(cast, pupil="u"), roll_call(cast, pupil="u")
    states = [arrives(cast.browser("teacher"), attendance(cast), it).get_json()["state"] for it in (form, again)]
    assert states == ["sent", "sent"]


def test_who_came_to_the_class_after_the_copy_was_taken_is_not_taken_for_present(cast: Cast) -> None:
    form = roll_call(cast, pupil="u")
    cast.pupil("Y Mới")
    assert arrives(cast.browser("teacher"), attendance(cast), form).get_json()["state"] == "sent"
    assert taken(cast) == {"pupil": "u", "classmate": "p", "boarder": "p"}


def test_who_has_left_the_class_since_gets_no_mark_and_is_asked_about_if_said_to_be_absent(cast: Cast) -> None:
    present, absent = roll_call(cast, boarder="l"), roll_call(cast, pupil="u")
    with cast.store.writing("test") as session:
        session.get_one(t.Pupil, cast.installed.pupils["pupil"]).status = "transferred"
    assert arrives(cast.browser("teacher"), attendance(cast), present).get_json()["state"] == "sent"
    assert taken(cast) == {"classmate": "p", "boarder": "l"}
    told = arrives(cast.browser("teacher"), attendance(cast), absent).get_json()
    assert told == {"state": "faults", "why": "Danh sách lớp vừa thay đổi. Hãy xem lại danh sách."}


def test_a_roll_call_that_arrived_counts_as_sent_even_if_its_answer_comes_after_the_post(cast: Cast) -> None:
    form, late = roll_call(cast, pupil="u"), roll_call(cast, pupil="l")
    first = arrives(cast.browser("teacher"), attendance(cast), form).get_json()
    with cast.store.writing("test") as session:
        end_all(session, cast.installed.people["teacher"], dt.date(2026, 3, 2), cast.now, None)
    assert arrives(cast.browser("teacher"), attendance(cast), form).get_json() == first
    assert arrives(cast.browser("teacher"), attendance(cast), late).get_json()["state"] == "refused"
    assert taken(cast)["pupil"] == "u"


def test_a_key_that_somebody_else_has_sent_counts_as_nobody_elses(cast: Cast) -> None:
    form = roll_call(cast, pupil="u")
    arrives(cast.browser("teacher"), attendance(cast), form)
    told = arrives(cast.browser("head"), attendance(cast), form | {"version": ""}).get_json()
    assert (told["state"], told["why"]) == ("conflict", "Biểu mẫu này đã được người khác gửi.")


@pytest.mark.parametrize("other", ["outsider_teacher", "commune_officer", "head"])
def test_what_a_teacher_filled_in_for_the_class_is_not_sent_from_anybody_elses_device(cast: Cast, other: str) -> None:
    me = hello(cast.browser("teacher"))["me"]
    opening = filled_in(cast, "teacher", "/cases/new/blank", pupil=cast.installed.pupils["pupil"], causes="harvest")
    for address, form in ((attendance(cast), roll_call(cast, pupil="u")), ("/cases/new", opening)):
        answer = arrives(cast.browser(other), address, form, me=me)
        assert (answer.status_code, answer.get_json()) == (401, {"state": "wait"})
    assert taken(cast) == {}
    assert arrives(cast.browser("outsider_teacher"), attendance(cast), roll_call(cast)).get_json()["state"] == "refused"


def test_what_one_person_filled_in_is_not_done_in_the_name_of_another(cast: Cast, code: str) -> None:
    form = filled_in(cast, "commune_officer", f"/cases/{code}/note", note="Của cán bộ xã")
    officer = hello(cast.browser("commune_officer"))["me"]
    answer = arrives(cast.browser("teacher"), f"/cases/{code}/note", form, me=officer)
    assert (answer.status_code, answer.get_json()) == (401, {"state": "wait"})
    assert events(cast, code, "noted") == 0


def test_nothing_counts_as_sent_without_a_token_or_a_sign_in(cast: Cast, code: str) -> None:
    form = filled_in(cast, "commune_officer", f"/cases/{code}/note", note="Chưa đăng nhập")
    me = hello(cast.browser("commune_officer"))["me"]
    stranger = cast.site.client()
    assert hello(stranger) == {"me": ""}
    assert arrives(stranger, f"/cases/{code}/note", form, me=me).get_json() == {"state": "wait"}
    officer = cast.browser("commune_officer")
    refused = officer.post(f"/cases/{code}/note", data=form | {"csrf_token": "x"}, headers={"X-Queued": me})
    assert refused.get_json() == {"state": "wait"}
    assert events(cast, code, "noted") == 0


def test_the_csrf_token_stands_in_no_header_and_no_other_site_may_read_it(cast: Cast) -> None:
    answer = cast.get("teacher", "/offline/me")
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_what_a_device_asks_behind_the_sign_in_page_leaves_that_page_its_token(cast: Cast) -> None:
    phone = cast.site.client()
    form = hidden(phone.get("/login"))
    assert {phone.get(address).status_code for address in ("/offline/me", "/offline/pages")} == {401}
    assert hidden(phone.get("/login"))["csrf_token"].split(".")[0] == form["csrf_token"].split(".")[0]
    assert "Set-Cookie" not in cast.site.client().get("/offline/me").headers


def other_device(cast: Cast, member: str) -> FlaskClient:
    return cast.site.signed_in(member, address="10.0.0.2")


def end_others(cast: Cast, browser: FlaskClient) -> None:
    """Sign out all other devices from this one."""
    page = browser.get("/password")
    for device in re.findall(r'action="(/password/devices/\d+/end)"', page.text):
        post(browser, device, "/password")


def test_a_device_that_was_given_up_is_refused_and_told_to_wipe(cast: Cast, code: str) -> None:
    lost = other_device(cast, "commune_officer")
    form = hidden(lost.get(f"/cases/{code}/note")) | {"note": "Từ máy bị mất"}
    me = hello(lost)["me"]
    end_others(cast, cast.browser("commune_officer"))
    answer = lost.post(f"/cases/{code}/note", data=form, headers={"X-Queued": me})
    assert (answer.status_code, answer.get_json()) == (401, {"state": "wait"})
    for turned_away in (answer, lost.get("/offline/me"), lost.get("/offline/pages")):
        assert turned_away.headers["X-Session"] == "ended"
        assert turned_away.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert events(cast, code, "noted") == 0


def test_the_sign_in_page_of_a_device_that_was_given_up_tells_its_script_to_wipe(cast: Cast) -> None:
    lost = other_device(cast, "commune_officer")
    assert "data-wipe" not in lost.get("/work").text
    end_others(cast, cast.browser("commune_officer"))
    assert "data-wipe" in lost.get("/login").text
    assert sign_in(lost, "commune_officer").status_code == 303
    assert "data-wipe" not in lost.get("/work").text
    assert hello(lost)["me"]


def test_a_new_password_only_asks_other_devices_to_sign_in_again(cast: Cast) -> None:
    phone, new = other_device(cast, "commune_officer"), "mưa rừng trâu nâu"
    post(cast.browser("commune_officer"), "/password", old=PASSWORD, new=new, again=new)
    assert phone.get("/offline/me").headers["X-Session"] == "none"
    page = phone.get("/login")
    assert "data-wipe" not in page.text
    assert "Clear-Site-Data" not in page.headers


def kept(cast: Cast, member: str) -> list[str]:
    told = cast.get(member, "/offline/pages").get_json()
    return [address for address, _stamp in told["pages"]]


def test_a_device_keeps_ones_own_open_cases_and_the_forms_of_their_acts(cast: Cast, code: str) -> None:
    cast.to_commune("classmate")
    addresses = kept(cast, "commune_officer")
    assert addresses[:2] == ["/offline", "/work"]
    assert f"/cases/{code}" in addresses
    assert {f"/cases/{code}/{act}" for act in ("visit", "note", "check_in", "support")} < set(addresses)
    assert "/cases/RL-2026-000002/accept" in addresses
    assert {cast.get("commune_officer", address).status_code for address in addresses} == {200}


@pytest.mark.parametrize("member", ["outsider_commune_officer", "education_office", "admin"])
def test_a_device_keeps_no_case_that_others_have(cast: Cast, code: str, member: str) -> None:
    assert [address for address in kept(cast, member) if address.startswith("/cases/RL")] == []


def test_a_homeroom_teacher_keeps_blank_forms_for_the_own_class_and_nobody_else_does(cast: Cast) -> None:
    addresses = ["/attendance", "/cases/new/blank", f"{attendance(cast)}/blank"]
    assert [it for it in kept(cast, "teacher") if it in addresses] == addresses
    pages = [cast.get("teacher", address) for address in addresses]
    assert {page.status_code for page in pages} == {200}
    assert "A Khác" not in "".join(page.text for page in pages)
    for member in ("head", "commune_officer", "outsider_teacher"):
        assert f"{attendance(cast)}/blank" not in kept(cast, member)
        assert "A Thử" not in cast.get(member, "/cases/new/blank").text


def test_blank_forms_are_fetched_anew_when_the_class_has_changed_and_on_another_day(cast: Cast) -> None:
    def stamps() -> set[str]:
        told = dict(cast.get("teacher", "/offline/pages").get_json()["pages"])
        return {told["/cases/new/blank"], told[f"{attendance(cast)}/blank"]}

    found = [stamps(), stamps()]
    cast.pupil("Y Mới")
    found.append(stamps())
    cast.go_to("2026-03-03 07:00")
    found.append(stamps())
    assert found[0] == found[1]
    assert not found[1] & found[2]
    assert not found[2] & found[3]


def test_a_teacher_keeps_nothing_that_ends_a_case(cast: Cast) -> None:
    code = cast.open_case()
    addresses = kept(cast, "teacher")
    assert f"/cases/{code}/contact" in addresses
    assert not {f"/cases/{code}/{act}" for act in ("mark_error", "transfer", "move_away")} & set(addresses)


def test_a_page_is_fetched_anew_when_its_case_has_changed(cast: Cast, code: str) -> None:
    def stamp() -> str:
        return str(dict(cast.get("commune_officer", "/offline/pages").get_json()["pages"])[f"/cases/{code}"])

    before = stamp()
    assert stamp() == before
    cast.send("commune_officer", f"/cases/{code}/note", note="Đã gọi trưởng thôn")
    assert stamp() != before


def test_a_copy_is_logged_as_one_and_leaves_notices_new(cast: Cast) -> None:
    code = cast.to_commune()
    browser = cast.browser("commune_officer")
    browser.get(f"/cases/{code}", headers={"X-Copy": "1"})
    with cast.store.reading("test") as session:
        officer = cast.installed.people["commune_officer"]
        assert session.scalars(select(t.AccessLog.what).where(t.AccessLog.person_id == officer)).all() == ["copy"]
        read = select(t.Notice.read_at).where(t.Notice.person_id == officer)
        assert session.scalars(read).all() == [None]


def test_what_was_done_is_told_to_the_person_and_not_to_the_copies_that_the_device_makes_meanwhile(cast: Cast) -> None:
    browser = cast.browser("commune_officer")
    post(browser, "/password", old=PASSWORD, new="bốn từ không liên quan", again="bốn từ không liên quan")
    told = "Đã đổi mật khẩu"
    assert told not in browser.get("/offline", headers={"X-Copy": "1"}).text
    assert told in browser.get("/password").text
    assert told not in browser.get("/password").text


def test_a_copy_that_the_device_fetches_by_itself_brings_no_cookie_that_could_undo_a_newer_one(cast: Cast) -> None:
    browser = cast.browser("commune_officer")
    for address in ("/work", "/offline"):
        answer = browser.get(address, headers={"X-Copy": "1"})
        assert (answer.status_code, answer.headers.getlist("Set-Cookie")) == (200, []), address
    assert browser.get("/work").headers.getlist("Set-Cookie")  # the person's own visit is remembered


def test_the_worker_of_the_whole_site_keeps_files_that_are_there(cast: Cast) -> None:
    answer = cast.site.client().get("/sw.js")
    assert answer.mimetype == "text/javascript"
    assert answer.headers["Cache-Control"] == "no-cache"
    files = re.findall(r'"(/static/[^"]+)"', answer.text.partition("\n")[0])
    assert {cast.site.client().get(file).status_code for file in files} == {200}
    assert len(files) == 5
    assert cast.site.client().get("/offline/left").status_code == 200


def test_the_page_for_who_leaves_without_a_line_is_nobodys(cast: Cast) -> None:
    assert cast.get("teacher", "/offline/left").text == cast.site.client().get("/offline/left").text


def test_the_words_of_what_waits_come_with_its_page(cast: Cast) -> None:
    page = cast.get("commune_officer", "/offline")
    for words in ("Ghi biên bản vận động", "Gia đình đồng ý cho ra lớp", "Chưa gửi"):
        assert words in page.text
    assert 'data-me="' + hello(cast.browser("commune_officer"))["me"] in page.text


@pytest.fixture
def squeezed(cast: Cast) -> Iterator[FlaskClient]:
    browser = cast.browser("teacher")
    browser.environ_base["HTTP_ACCEPT_ENCODING"] = "gzip"
    yield browser
    del browser.environ_base["HTTP_ACCEPT_ENCODING"]


def test_all_scripts_that_a_page_waits_for_fit_into_6_kilobytes(squeezed: FlaskClient) -> None:
    page = squeezed.get("/work", headers={"Accept-Encoding": "identity"})
    scripts = re.findall(r'<script src="([^"]+)"', page.text)
    assert sum(len(squeezed.get(script).data) for script in scripts) < 6 * 1024
