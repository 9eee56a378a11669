"""Dates on pages: what cannot be is refused with both days; what is unlikely is asked about once, with a box."""

from engine.store import tables as t
from tests.cast import Cast, hidden
from tests.installation import CALLED

OLD = {"absent_since": "5/12/2025", "causes": "harvest", "note": "Mới biết hôm nay"}
BOX = 'name="confirm"'


def form(cast: Cast) -> str:
    return f"/cases/new?pupil={cast.installed.pupils['pupil']}"


def test_an_unlikely_date_is_asked_about_once_and_what_was_typed_stays(cast: Cast) -> None:
    assert BOX not in cast.get("teacher", form(cast)).text
    asked = cast.send("teacher", "/cases/new", form(cast), **OLD)
    assert asked.status_code == 422
    for words in (
        "05/12/2025, cách đây 87 ngày. Có đúng không?",
        "Xin xem lại",
        BOX,
        'value="5/12/2025"',
        "Mới biết hôm nay",
    ):
        assert words in asked.text
    answer = cast.browser("teacher").post("/cases/new", data=hidden(asked) | OLD | {"confirm": "yes"})
    assert answer.status_code == 303
    again = cast.browser("teacher").post("/cases/new", data=hidden(asked) | OLD | {"confirm": "yes"})
    assert again.location == answer.location  # sent twice, done once


def test_a_date_that_cannot_be_is_refused_with_both_days_and_no_box(cast: Cast) -> None:
    with cast.store.writing("test") as session:
        session.get_one(t.Pupil, cast.installed.pupils["pupil"]).birth_date = cast.now.date()
    answer = cast.send("teacher", "/cases/new", form(cast), absent_since="27/2/2026", causes="harvest", confirm="yes")
    assert answer.status_code == 422
    assert "là 27/02/2026: trước ngày sinh của học sinh, 02/03/2026." in answer.text
    code = cast.open_case("classmate")
    back = cast.send("teacher", f"/cases/{code}/return_to_class", returned_on="26/2/2026")
    assert (back.status_code, BOX in back.text) == (422, False)
    assert "là 26/02/2026: trước ngày bắt đầu vắng, 27/02/2026." in back.text


def test_a_form_of_the_queue_comes_back_with_the_question_like_any_refused_form(cast: Cast) -> None:
    code = cast.open_case()
    browser = cast.browser("teacher")
    kept = hidden(cast.get("teacher", f"/cases/{code}/return_to_class"))
    queued = {"X-Queued": browser.get("/offline/me").get_json()["me"]}
    sunday = {"returned_on": "1/3/2026"}
    answer = browser.post(f"/cases/{code}/return_to_class", data=kept | sunday, headers=queued)
    told = answer.get_json()
    assert (answer.status_code, told["state"]) == (422, "faults")
    assert told["faults"][0][0] == "returned_on"
    assert "01/03/2026, ngày không có buổi học (cuối tuần). Có đúng không?" in told["faults"][0][1]
    opened = browser.post(f"/cases/{code}/return_to_class", data=kept | sunday)  # opened and sent again
    assert BOX in opened.text
    done = browser.post(f"/cases/{code}/return_to_class", data=hidden(opened) | sunday | {"confirm": "yes"})
    assert done.status_code == 303
    assert cast.case(code).state == "returned"


def test_a_day_long_ago_and_an_end_that_leaves_things_undone_are_two_questions(cast: Cast) -> None:
    code = cast.open_case(absent_since="2025-12-05")
    cast.step(code, "contact", "teacher", **CALLED, next_on="2026-03-11")
    address, browser = f"/cases/{code}/transfer", cast.browser("teacher")
    page = cast.get("teacher", address)
    assert 'name="end_anyway_asked"' in page.text
    typed = hidden(page) | {"end_anyway_asked": "1", "left_on": "10/12/2025", "new_school": "THCS khác"}
    long_ago, undone = "10/12/2025, cách đây 82 ngày. Có đúng không?", 'href="#end_anyway-0"'
    for answers, asked in (
        ({"end_anyway": "yes"}, (True, False)),
        ({"confirm": "yes"}, (False, True)),
        ({"confirm": "yes", "end_anyway": "no"}, (False, True)),
    ):
        refused = browser.post(address, data=typed | answers)
        assert (long_ago in refused.text, undone in refused.text) == asked
    assert cast.case(code).state == "teacher_contact"
    assert browser.post(address, data=typed | {"confirm": "yes", "end_anyway": "yes"}).status_code == 303
    assert cast.case(code).state == "transferred"
