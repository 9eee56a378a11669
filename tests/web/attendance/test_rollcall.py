"""The roll call on a phone: who takes it, what is "not taken", what a correction keeps, what sending twice does."""

import datetime as dt
import re
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import select

from engine.core.refusals import Conflict
from engine.jobs.risk_watch_asked import watch_asked
from engine.store import tables as t
from engine.usecases.attendance import rollcall
from tests.cast import Cast, hidden
from tests.registers import register

DAY = "2026-03-02"


def page_of(cast: Cast) -> str:
    return f"/attendance/{cast.installed.units['class']}"


def send(cast: Cast, by: str = "teacher", half: str = "m", day: str = DAY, **marks: str) -> int:
    present = dict.fromkeys(("pupil", "classmate", "boarder"), "p")  # as every pupil on the page is at first
    said = {f"pupil-{cast.installed.pupils[pupil]}": mark for pupil, mark in (present | marks).items()}
    return cast.send(by, page_of(cast), day=day, session=half, **said).status_code


def marks(cast: Cast) -> dict[tuple[str, str], str]:
    names = {id: name for name, id in cast.installed.pupils.items()}
    with cast.store.reading("test") as session:
        return {(names[pupil], half): mark for (pupil, _day, half), mark in register(session).items() if pupil in names}


def test_until_it_is_sent_it_is_not_taken(cast: Cast) -> None:
    assert cast.get("teacher", "/attendance").text.count("Chưa điểm danh") == 4  # two classes
    page = cast.get("teacher", page_of(cast)).text
    assert "Chưa điểm danh" in page
    assert page.count('value="p" checked>') == 3
    assert marks(cast) == {}


def test_only_who_is_missing_is_tapped(cast: Cast) -> None:
    assert send(cast, pupil="u", boarder="l") == 303
    assert marks(cast) == {("pupil", "m"): "u", ("classmate", "m"): "p", ("boarder", "m"): "l"}
    page = cast.get("teacher", "/attendance").text
    assert (page.count("Chưa điểm danh"), page.count("Đã điểm danh: 3/3 học sinh")) == (3, 1)


def test_a_correction_keeps_what_was_there(cast: Cast) -> None:
    send(cast, pupil="u")
    send(cast, by="head", pupil="e")
    with cast.store.reading("test") as session:
        (change,) = session.execute(select(t.MarkChange.old_mark, t.MarkChange.new_mark, t.MarkChange.by_id))
    assert tuple(change) == ("u", "e", cast.installed.people["head"])
    page = cast.get("teacher", page_of(cast) + f"?day={DAY}&session=m").text
    assert "Vắng không phép → Vắng có phép · Trần Văn Mẫu" in page


def test_a_form_that_comes_again_undoes_no_correction(cast: Cast) -> None:
    form = hidden(cast.get("teacher", page_of(cast)))
    pupil = f"pupil-{cast.installed.pupils['pupil']}"
    old = form | {"day": DAY, "session": "m", pupil: "u"}
    browser = cast.browser("teacher")
    browser.post(page_of(cast), data=old)
    send(cast, pupil="p")
    assert browser.post(page_of(cast), data=old).status_code == 303
    assert marks(cast)["pupil", "m"] == "p"


def test_who_was_slower_is_told_of_the_other_marks_and_keeps_what_was_tapped(cast: Cast) -> None:
    old = hidden(cast.get("teacher", page_of(cast)))
    send(cast, by="head", pupil="e")
    pupil, classmate = (f"pupil-{cast.installed.pupils[name]}" for name in ("pupil", "classmate"))
    form = old | {"day": DAY, "session": "m", pupil: "u", classmate: "l"}
    answer = cast.browser("teacher").post(page_of(cast), data=form)
    assert answer.status_code == 409
    assert "Trần Văn Mẫu đã điểm danh buổi này" in answer.text
    assert "A Thử: Vắng có phép; anh/chị ghi: Vắng không phép" in answer.text
    for tapped in (f'name="{pupil}" value="u" checked', f'name="{classmate}" value="l" checked'):
        assert tapped in answer.text
    assert marks(cast)["pupil", "m"] == "e"
    assert cast.browser("teacher").post(page_of(cast), data=form | hidden(answer)).status_code == 303
    assert marks(cast)["pupil", "m"] == "u"


def test_of_two_who_send_at_once_one_is_told_of_the_other(cast: Cast) -> None:
    class_id, pupil = cast.installed.units["class"], cast.installed.pupils["pupil"]
    both = Barrier(2, timeout=30)

    def race(by: str, mark: str, day: dt.date, half: str) -> bool:
        viewer = cast.viewer(by)
        both.wait()
        try:
            rollcall.send(
                cast.context, viewer, class_id, day, half, {pupil: mark}, cast.now, key=f"{by}{day}{half}", version="0"
            )
        except Conflict:
            return False
        return True

    days = [dt.date(2026, 2, 28) - dt.timedelta(days=n) for n in range(10)]
    with ThreadPoolExecutor(2) as threads:
        for day in days:
            sent = threads.map(race, ("teacher", "head"), "ue", (day, day), "mm")
            assert sorted(sent) == [False, True]


def test_a_blank_form_is_for_the_day_and_session_that_are_chosen_on_it(cast: Cast) -> None:
    blank, pupil = f"{page_of(cast)}/blank", f"pupil-{cast.installed.pupils['pupil']}"
    page = cast.get("teacher", blank).text
    assert re.findall(r'option value="(2026-[^"]+)"', page) == [
        f"2026-{it}" for it in ("02-28", "03-01", "03-02", "03-03", "03-04")
    ]
    for missing in ({"session": "m"}, {"day": DAY}):
        answer = cast.send("teacher", page_of(cast), blank, **missing, **{pupil: "u"})
        assert answer.status_code == 422
        assert f'id="{pupil}-u" name="{pupil}" value="u" checked' in answer.text
    assert cast.send("teacher", page_of(cast), blank, day=DAY, session="a", **{pupil: "u"}).status_code == 303
    assert marks(cast)["pupil", "a"] == "u"


@pytest.mark.parametrize("member", ["commune_officer", "volunteer", "education_office", "admin", "outsider_teacher"])
def test_nobody_else_takes_it_or_sees_it(cast: Cast, member: str) -> None:
    assert cast.get(member, page_of(cast)).status_code == 403
    assert send(cast, by=member, pupil="u") == 403
    assert marks(cast) == {}
    assert f'href="{page_of(cast)}"' not in cast.get(member, "/attendance").text


@pytest.mark.parametrize("day", ["2026-03-03", "2026-01-01"])
def test_a_day_to_come_or_long_gone_is_refused_in_words(cast: Cast, day: str) -> None:
    answer = cast.send("teacher", page_of(cast), day=day, session="m")
    assert answer.status_code == 422
    assert "Chỉ điểm danh cho hôm nay hoặc ngày trong một tháng qua." in answer.text


def test_a_stranger_among_the_pupils_is_refused(cast: Cast) -> None:
    assert send(cast, outsider_pupil="u") == 422
    assert marks(cast) == {}


def test_there_is_no_class_of_that_number(cast: Cast) -> None:
    assert cast.get("teacher", "/attendance/999999").status_code == 404


def test_those_absent_are_watched_at_once(cast: Cast) -> None:
    cast.open_case("pupil")
    cast.step(cast.open_case("classmate"), "return_to_class", "teacher", returned_on="2026-03-02")
    cast.go_to("2026-03-04 17:30")
    for day in (3, 4):
        send(cast, day=dt.date(2026, 3, day).isoformat(), classmate="u")
    watch_asked(cast.context, cast.now)
    with cast.store.reading("test") as session:
        query = select(t.Case.state).where(t.Case.pupil_id == cast.installed.pupils["classmate"])
        assert session.scalars(query).one() == "absent"


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31", "32/1/2026", ""])
def test_a_day_that_is_none_is_never_taken_for_today(cast: Cast, day: str) -> None:
    assert cast.get("teacher", f"{page_of(cast)}?day={day}").status_code == 200
    assert send(cast, day=day, pupil="u") == 422
    assert marks(cast) == {}
