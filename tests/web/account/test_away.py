"""“When I am away”: who acts meanwhile, chosen among those with the like duty; and back again."""

from __future__ import annotations

import re

from sqlalchemy import select

from engine.store import tables as t
from engine.store.simulation import seed
from tests.cast import Cast

PAGE = "/me/away"


def colleague(cast: Cast, login: str, role: str, unit: str, name: str) -> int:
    person = cast.site.person(login, name)
    with cast.store.writing("test") as session:
        seed.appoint(session, person, [(role, cast.installed.units[unit])], seed.ALWAYS)
    return person


def absences(cast: Cast) -> list[tuple[int, int | None, str, str]]:
    with cast.store.reading("test") as session:
        away = t.Delegation
        columns = (away.person_id, away.delegate_id, away.first_day, away.last_day)
        return [(a, b, c.isoformat(), d.isoformat()) for a, b, c, d in session.execute(select(*columns))]


def test_only_people_with_the_like_duty_beside_one_are_offered(cast: Cast) -> None:
    colleague(cast, "pho", "head", "school", "Phó Mẫu")
    page = cast.get("head", PAGE).text
    assert "Phó Mẫu" in page
    assert "Y Lan Thử" in page  # the teacher of the school
    assert "Đinh Văn Mẫu" not in page  # the head of another one
    assert "Lê Thị Mẫu" not in page
    assert "A Núi Thử" not in cast.get("commune_officer", PAGE).text


def test_who_acts_meanwhile_has_the_cases_and_the_offers_of_that_time(cast: Cast) -> None:
    other = colleague(cast, "canbo2", "commune_officer", "outsider_village", "Cán bộ Hai")
    code = cast.to_commune()
    # another village of the same commune
    with cast.store.writing("test") as session:
        session.get_one(t.Unit, cast.installed.units["outsider_village"]).parent_id = cast.installed.units["commune"]
        session.add(
            t.UnitLink(
                ancestor_id=cast.installed.units["commune"],
                descendant_id=cast.installed.units["outsider_village"],
                depth=1,
            )
        )
    cast.installed.people["canbo2"] = other
    assert cast.get("canbo2", f"/cases/{code}").status_code == 403
    answer = cast.send(
        "commune_officer", PAGE, first_day="", last_day="6/3/2026", delegate=str(other), reason="Tập huấn"
    )
    assert answer.status_code == 303
    assert absences(cast) == [(cast.installed.people["commune_officer"], other, "2026-03-02", "2026-03-06")]
    assert cast.get("canbo2", f"/cases/{code}").status_code == 200
    assert "A Bút Thử" in cast.get("canbo2", PAGE).text
    shown = cast.get("commune_officer", PAGE).text
    absence = re.search(r'name="absence" value="(\d+)"', shown)
    assert absence
    assert cast.send("commune_officer", f"{PAGE}/end", page=PAGE, absence=absence[1]).status_code == 303
    assert cast.get("canbo2", f"/cases/{code}").status_code == 403


def test_nobody_else_can_be_named(cast: Cast) -> None:
    for stranger in ("outsider_head", "commune_leader"):
        answer = cast.send("head", PAGE, last_day="6/3/2026", delegate=str(cast.installed.people[stranger]))
        assert answer.status_code == 403
    assert absences(cast) == []


def test_sent_twice_it_stands_once_and_days_that_overlap_are_told(cast: Cast) -> None:
    for _ in range(2):
        assert cast.send("head", PAGE, first_day="4/3/2026", last_day="6/3/2026", delegate="").status_code == 303
    assert len(absences(cast)) == 1
    page = cast.send("head", PAGE, first_day="5/3/2026", last_day="9/3/2026", delegate="")
    assert page.status_code == 409
    assert "04/03/2026" in page.text
    assert 'value="9/3/2026"' in page.text


def test_what_is_wrong_is_said_at_its_field(cast: Cast) -> None:
    past = cast.send("head", PAGE, first_day="1/2/2026", last_day="2/2/2026", delegate="")
    assert (past.status_code, 'href="#first_day"' in past.text) == (422, True)
    turned = cast.send("head", PAGE, first_day="9/3/2026", last_day="6/3/2026", delegate="")
    assert (turned.status_code, 'href="#last_day"' in turned.text) == (422, True)
    unread = cast.send("head", PAGE, first_day="", last_day="mai", delegate="")
    assert (unread.status_code, 'value="mai"' in unread.text) == (422, True)
    long = cast.send("head", PAGE, first_day="", last_day="1/1/2028", delegate="")
    assert long.status_code == 422


def test_an_absence_that_has_not_begun_is_dropped_and_nobody_ends_another_ones(cast: Cast) -> None:
    cast.send("head", PAGE, first_day="4/3/2026", last_day="6/3/2026", delegate="")
    with cast.store.reading("test") as session:
        absence = session.execute(select(t.Delegation.id)).scalar_one()
    assert cast.send("teacher", f"{PAGE}/end", page=PAGE, absence=str(absence)).status_code == 404
    assert cast.send("head", f"{PAGE}/end", page=PAGE, absence=str(absence)).status_code == 303
    assert absences(cast) == []


def test_with_posts_of_two_kinds_only_who_has_both_can_stand_in(cast: Cast) -> None:
    units = cast.installed.units
    with cast.store.writing("test") as session:
        seed.appoint(session, cast.installed.people["teacher"], [("volunteer", units["association"])], seed.ALWAYS)
    assert "Trần Văn Mẫu" not in cast.get("teacher", PAGE).text
    with cast.store.writing("test") as session:
        seed.appoint(session, cast.installed.people["head"], [("volunteer", units["association"])], seed.ALWAYS)
    assert "Trần Văn Mẫu" in cast.get("teacher", PAGE).text


def test_the_case_says_for_whom_a_stand_in_acted_wherever_it_says_who(cast: Cast) -> None:
    with cast.store.writing("test") as session:
        people, today = cast.installed.people, cast.now.date()
        seed.send_away(session, people["commune_officer"], today, today, people["teacher"])
    code = cast.to_commune()
    assert cast.send("teacher", f"/cases/{code}/accept").status_code == 303
    page = cast.get("head", f"/cases/{code}").text
    assert "Y Lan Thử, Cán bộ, công chức xã phụ trách, làm thay A Bút Thử ·" in page  # the history
    assert "Y Lan Thử, Giáo viên chủ nhiệm ·" in page  # what she did as a teacher
    assert "Y Lan Thử, làm thay A Bút Thử" in page  # who has it
    overtaken = cast.send("head", f"/cases/{code}/note", version="1", note="Ghi")
    assert overtaken.status_code == 409
    assert "Y Lan Thử, làm thay A Bút Thử" in overtaken.text
    assert "làm thay A Bút Thử" in cast.get("teacher", f"/print/visit/{code}").text


def test_the_slip_and_the_list_say_for_whom_a_case_was_handed_over(cast: Cast) -> None:
    with cast.store.writing("test") as session:
        people, today = cast.installed.people, cast.now.date()
        seed.send_away(session, people["teacher"], today, today, people["volunteer"])
    code = cast.open_case(by="volunteer")
    cast.step(code, "ask_commune", "volunteer", note="Nhà xa")
    who = "Y Sương Thử, Giáo viên chủ nhiệm, làm thay Y Lan Thử"
    assert who in cast.get("commune_officer", f"/print/handover/{code}").text
    assert who in cast.get("commune_officer", "/work").text
