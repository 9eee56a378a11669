"""Days without class by page: a preview first, then announced once; changed, lifted, seen by whom they concern."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event, select
from werkzeug.test import TestResponse

from engine.store import tables as t
from engine.usecases.calendar.closures import announce_closure
from tests.cast import Cast, hidden
from tests.installation import at

STORM = {"first": "10/3/2026", "last": "11.03.2026", "reason": "Bão số 3", "mode": "worksheets"}


def new(cast: Cast, unit: str = "school") -> str:
    return f"/closures/new?unit={cast.installed.units[unit]}"


def announce(cast: Cast, member: str = "head", unit: str = "school", **typed: str) -> TestResponse:
    """Fill the form in, look at the preview, keep it."""
    shown = cast.send(member, new(cast, unit), **STORM | typed)
    assert shown.status_code == 200, shown.text
    return cast.browser(member).post(new(cast, unit), data=hidden(shown) | STORM | typed | {"confirm": mark(shown)})


def mark(page: TestResponse) -> str:
    found = re.search(r'name="confirm" value="(\w+)"', page.text)
    assert found
    return found[1]


def stored(cast: Cast) -> list[tuple[dt.date, dt.date, str, str | None]]:
    with cast.store.reading("test") as session:
        columns = (t.Closure.first_day, t.Closure.last_day, t.Closure.reason, t.Closure.study_mode)
        return [(a, b, reason, mode) for a, b, reason, mode in session.execute(select(*columns).order_by(t.Closure.id))]


@contextmanager
def counted(cast: Cast) -> Iterator[list[str]]:
    """The statements that reach the database meanwhile."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        seen.append(statement)

    event.listen(cast.store.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(cast.store.engine, "before_cursor_execute", note)


def test_a_preview_says_how_many_deadlines_would_move_and_keeps_nothing(cast: Cast) -> None:
    cast.open_case("pupil")
    cast.go_to("2026-03-09 08:00")
    cast.open_case("classmate")
    page = cast.send("head", new(cast), **STORM)
    assert "2 hồ sơ đang mở" in page.text
    assert stored(cast) == []
    assert 'value="Bão số 3"' in page.text


def test_what_was_previewed_is_announced_once_and_says_what_was_counted_anew(cast: Cast) -> None:
    cast.go_to("2026-03-09 08:00")
    code = cast.open_case()
    before = cast.case(code).due_at
    answer = announce(cast)
    assert answer.status_code == 303
    page = cast.get("head", answer.location)
    assert "Trong 1 hồ sơ đang mở, 1 hồ sơ có hạn xử lý mới." in page.text
    assert stored(cast) == [(dt.date(2026, 3, 10), dt.date(2026, 3, 11), "Bão số 3", "worksheets")]
    after = cast.case(code).due_at
    assert (before, after) == (at("2026-03-10 17:00"), at("2026-03-12 17:00"))


def test_sent_twice_it_is_announced_once(cast: Cast) -> None:
    shown = cast.send("head", new(cast), **STORM)
    form = hidden(shown) | STORM | {"confirm": mark(shown)}
    first, second = (cast.browser("head").post(new(cast), data=form) for _ in range(2))
    assert first.location == second.location
    assert len(stored(cast)) == 1


def test_what_was_changed_after_the_preview_is_previewed_again(cast: Cast) -> None:
    shown = cast.send("head", new(cast), **STORM)
    changed = STORM | {"last": "12/3/2026", "confirm": mark(shown)}
    again = cast.browser("head").post(new(cast), data=hidden(shown) | changed)
    assert again.status_code == 200
    assert stored(cast) == []


def test_what_is_wrong_stands_at_its_field_and_what_was_typed_stays(cast: Cast) -> None:
    page = cast.send("head", new(cast), first="31/2/2026", last="", reason="Lũ quét")
    assert page.status_code == 422
    assert 'id="first-error"' in page.text
    assert 'value="31/2/2026"' in page.text
    assert "Lũ quét" in page.text
    page = cast.send("head", new(cast), first="11/3/2026", last="10/3/2026", reason="")
    assert 'href="#last"' in page.text
    assert 'href="#reason"' in page.text


def test_one_is_offered_only_what_one_may_announce_for(cast: Cast) -> None:
    units = cast.installed.units
    teacher = cast.get("teacher", "/closures/new").text
    assert f"unit={units['class']}" in teacher
    assert f"unit={units['school']}" not in teacher
    leader = cast.get("commune_leader", "/closures/new").text
    assert f"unit={units['village']}" in leader
    assert f"unit={units['outsider_village']}" not in leader
    assert cast.get("head", new(cast, "outsider_school")).status_code == 404
    assert cast.get("commune_officer", "/closures/new").status_code == 403
    found = cast.get("teacher", "/closures/new?q=thu").text
    assert f"pupil={cast.installed.pupils['pupil']}" in found
    assert f"pupil={cast.installed.pupils['outsider_pupil']}" not in found
    assert "A Thử" not in cast.get("admin", "/closures/new?q=thu").text


def test_the_list_shows_what_concerns_ones_area_and_a_pupil_only_to_who_knows_them(cast: Cast) -> None:
    cast.go_to("2026-03-10 08:00")
    announce(cast)
    announce_closure(
        cast.context,
        None,
        pupil_id=cast.installed.pupils["pupil"],
        reason="Gãy chân",
        now=cast.now,
        first_day=dt.date(2026, 3, 20),
        last_day=dt.date(2026, 3, 21),
    )
    for member in ("teacher", "head", "commune_leader", "education_office", "commune_officer", "volunteer", "admin"):
        assert "Bão số 3" in cast.get(member, "/closures").text, member
    for member in ("outsider_head", "outsider_commune_leader", "outsider_teacher"):
        assert "Bão số 3" not in cast.get(member, "/closures").text, member
    knowing = {
        m for m in cast.installed.people if m != "outsider_admin" and "Gãy chân" in cast.get(m, "/closures").text
    }
    assert knowing == {"teacher", "head"}  # nobody else has a duty towards a pupil without a case
    assert cast.get("outsider_head", "/closures/1").status_code == 404


def test_those_that_are_over_stand_on_pages_of_their_own(cast: Cast) -> None:
    for number in range(52):
        day = dt.date(2025, 9, 8) + dt.timedelta(days=number)
        announce_closure(
            cast.context,
            None,
            unit_id=cast.installed.units["school"],
            first_day=day,
            last_day=day,
            reason=f"Ngày {number}",
            now=cast.now,
        )
    first = cast.get("head", "/closures?which=past")
    assert "Ngày 51" in first.text
    assert "Ngày 1<" not in first.text
    further = re.search(r'href="(/closures\?which=past[^"]*after=[^"]*)"', first.text)
    assert further
    second = cast.get("head", further[1].replace("&amp;", "&")).text
    assert "Ngày 1<" in second
    assert "Ngày 51" not in second
    assert "Bão" not in cast.get("head", "/closures").text


def test_the_list_asks_the_same_number_of_statements_however_many_there_are(cast: Cast) -> None:
    def statements() -> int:
        with counted(cast) as seen:
            assert cast.get("head", "/closures").status_code == 200
        return len(seen)

    announce(cast)
    few = statements()
    for number in range(20):
        day = dt.date(2026, 4, 1) + dt.timedelta(days=number)
        announce_closure(
            cast.context,
            None,
            unit_id=cast.installed.units["class"],
            first_day=day,
            last_day=day,
            reason="Lũ",
            now=cast.now,
        )
    assert statements() == few


def test_it_is_changed_with_a_preview_and_lifted_early(cast: Cast) -> None:
    cast.go_to("2026-03-09 08:00")
    code = cast.open_case()
    page = announce(cast).location.partition("?")[0]
    longer = STORM | {"last": "13/3/2026"}
    shown = cast.send("head", f"{page}/change", **longer)
    assert "1 hồ sơ đang mở" in shown.text
    cast.browser("head").post(f"{page}/change", data=hidden(shown) | longer | {"confirm": mark(shown)})
    assert stored(cast)[0][1] == dt.date(2026, 3, 13)
    answer = cast.send("commune_leader", f"{page}/lift", page=page, last_day="10/3/2026")
    assert answer.status_code == 303
    assert stored(cast)[0][1] == dt.date(2026, 3, 10)
    history = cast.get("head", page).text
    assert history.index("Kết thúc sớm") < history.index("Thay đổi") < history.index("Đã thông báo")
    due = cast.case(code).due_at
    assert due == at("2026-03-11 17:00")


def test_it_is_withdrawn_whole_and_then_stands_among_those_that_are_over(cast: Cast) -> None:
    page = announce(cast).location.partition("?")[0]
    cast.send("head", f"{page}/lift", page=page, whole="1")
    assert "Bão số 3" not in cast.get("head", "/closures").text
    assert "Đã hủy" in cast.get("head", "/closures?which=past").text
    assert "/change" not in cast.get("head", page).text


def test_who_may_see_it_but_not_change_it_is_told_so(cast: Cast) -> None:
    page = announce(cast).location.partition("?")[0]
    assert "/change" not in cast.get("teacher", page).text
    assert cast.send("teacher", f"{page}/lift", page=page, last_day="10/3/2026").status_code == 403
    assert cast.get("teacher", f"{page}/change").status_code == 403
    assert cast.send("outsider_head", f"{page}/lift", page="/closures", whole="1").status_code == 404
    late = cast.send("head", f"{page}/lift", page=page, last_day="20/3/2026")
    assert late.status_code == 422
    assert "11/03/2026" in late.text


def test_one_that_begins_in_the_past_says_that_what_fired_stays_fired(cast: Cast) -> None:
    cast.go_to("2026-03-12 08:00")
    assert "đã phát sinh" in cast.send("head", new(cast), **STORM).text
    page = announce(cast).location
    assert "nhập muộn" in cast.get("head", page).text


# --- who is told ------------------------------------------------------------------------------------------------------


def test_who_has_the_cases_is_told_with_a_link_to_the_closure_and_no_name(cast: Cast) -> None:
    code = cast.open_case()
    cast.open_case("classmate")
    closure = announce(cast, first="3/3/2026", last="4/3/2026").location.split("?")[0]
    page = cast.get("teacher", "/notices").text
    assert "Có ngày tạm dừng đến lớp, hạn xử lý dời đi: 2 hồ sơ" in page
    assert f'href="{closure}"' in page
    assert "Có ngày tạm dừng" not in cast.get("head", "/notices").text
    listed = cast.get("teacher", "/notices.csv").text
    assert ',,"Có ngày tạm dừng' in listed
    for shown in (page, listed):
        assert "A Thử" not in shown
    cast.get("teacher", f"/cases/{code}")  # tells nothing of the other case
    assert "1 thông báo mới" in cast.get("teacher", "/work").text
    assert cast.get("teacher", closure).status_code == 200
    assert "thông báo mới" not in cast.get("teacher", "/work").text


def test_who_was_told_of_a_closure_far_from_their_posts_may_look_at_it(cast: Cast) -> None:
    cast.open_case("boarder")
    closure = announce_closure(
        cast.context,
        None,
        unit_id=cast.installed.units["class"],
        first_day=dt.date(2026, 3, 3),
        last_day=dt.date(2026, 3, 4),
        reason="Lũ",
        now=cast.now,
    )
    assert cast.get("outsider_commune_officer", f"/closures/{closure}").status_code == 404
    with cast.store.writing("test") as session:
        notice = session.scalars(select(t.Notice).where(t.Notice.closure_id == closure)).one()
        notice.person_id = cast.installed.people["outsider_commune_officer"]
    assert cast.get("outsider_commune_officer", f"/closures/{closure}").status_code == 200


def test_a_leader_says_that_the_office_is_shut_or_that_it_is_harvest_and_a_teacher_is_not_asked(cast: Cast) -> None:
    assert "Đây là gì?" not in cast.get("teacher", new(cast, "class")).text
    assert "Đây là gì?" in cast.get("commune_leader", new(cast, "commune")).text
    code = cast.to_commune()
    cast.accept(code, "commune_officer")
    assert cast.case(code).due_at == at("2026-03-05 17:00")
    funeral = {"first": "4/3/2026", "last": "", "reason": "Tang lễ", "what": "office"}
    answer = announce(cast, "commune_leader", "commune", **funeral)
    assert answer.status_code == 303
    page = cast.get("commune_leader", answer.location).text
    assert "Cơ quan nghỉ" in page
    assert "Học sinh học" not in page
    assert cast.case(code).due_at == at("2026-03-06 17:00")
    why = cast.get("commune_officer", f"/cases/{code}").text
    assert "04/03/2026: không tính, Tang lễ" in why
    assert "Cơ quan nghỉ" in cast.get("commune_officer", "/closures").text


def test_in_the_harvest_of_a_village_the_page_says_plainly_that_the_time_is_half(cast: Cast) -> None:
    code = cast.open_case()
    harvest = {"first": "1/3/2026", "last": "30/4/2026", "reason": "Cà phê", "what": "harvest"}
    assert announce(cast, "commune_leader", "village", **harvest).status_code == 303
    assert cast.case(code).due_at == at("2026-03-03 11:30")
    page = cast.get("teacher", f"/cases/{code}").text
    assert "Trong mùa nguy cơ (mùa thu hoạch: Cà phê), thời hạn còn một nửa: đến 11:30 03/03/2026." in page
    assert "03/03/2026: nửa ngày, tính là một ngày (mùa nguy cơ mùa thu hoạch: Cà phê)" in page


def test_an_office_is_not_shut_by_its_school_nor_for_one(cast: Cast) -> None:
    shut = STORM | {"what": "office"}
    assert cast.send("head", new(cast, "school"), **shut).status_code in {403, 422}
    assert cast.send("commune_leader", new(cast, "school"), **shut).status_code == 422
    assert stored(cast) == []
