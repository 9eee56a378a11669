"""The administrator's room: accounts, posts, absences, handing over, units; and nothing about a pupil."""

from __future__ import annotations

import datetime as dt
import re

from sqlalchemy import func, select, update

from engine.core.people.account_events import APPOINTED
from engine.store import tables as t
from engine.store.people import account_events
from engine.store.simulation import seed
from tests.cast import Cast
from tests.pages import sign_in
from tests.web.calendar.test_closures import counted


def person_page(cast: Cast, member: str) -> str:
    return f"/admin/people/{cast.installed.people[member]}"


def posts(cast: Cast, member: str) -> list[tuple[str, int, dt.date | None]]:
    with cast.store.reading("test") as session:
        query = select(t.Appointment.role, t.Appointment.unit_id, t.Appointment.valid_to).where(
            t.Appointment.person_id == cast.installed.people[member]
        )
        return [(role, unit, end) for role, unit, end in session.execute(query.order_by(t.Appointment.id))]


def test_a_new_person_gets_a_password_that_is_shown_once_and_works_once(cast: Cast) -> None:
    page = cast.send("admin", "/admin/people/new", name="Y  Mới Thử", login=" YMoi ", language="vi")
    assert page.status_code == 200
    password = re.findall(r"<dd><strong>([^<]+)</strong></dd>", page.text)[1]
    client = cast.site.client()
    assert sign_in(client, "ymoi", password).status_code == 303
    assert client.get("/work").location.endswith("/password")
    again = cast.send("admin", "/admin/people/new", name="Y Mới", login="ymoi", language="vi")
    assert again.status_code == 422
    assert "ymoi" in again.text
    assert password not in again.text


def test_what_is_wrong_with_an_account_stands_at_its_field(cast: Cast) -> None:
    page = cast.send("admin", "/admin/people/new", name="", login="Ô Ông", language="vi")
    assert page.status_code == 422
    assert 'href="#name"' in page.text
    assert 'href="#login"' in page.text
    assert 'value="Ô Ông"' in page.text


def test_people_are_found_by_words_of_their_names_without_marks(cast: Cast) -> None:
    page = cast.get("admin", "/admin/people?q=mau+tran").text
    assert "Trần Văn Mẫu" in page
    assert "Lê Thị Mẫu" not in page
    assert "Lê Thị Mẫu" in cast.get("admin", "/admin/people?q=commune_leader").text
    assert "Không có ai tên đó" in cast.get("admin", "/admin/people?q=xyz").text


def test_the_list_of_people_goes_on_behind_the_last_login_with_the_same_few_statements(cast: Cast) -> None:
    for number in range(60):
        cast.site.person(f"z{number:02}", f"Người {number}")
    cast.browser("admin")
    with counted(cast) as few:
        first = cast.get("admin", "/admin/people").text
    assert "z59" not in first
    further = re.search(r'rel="next" href="([^"]+)"', first)
    assert further
    with counted(cast) as more:
        second = cast.get("admin", further[1].replace("&amp;", "&")).text
    assert "z59" in second
    assert len(more) == len(few)


def test_a_post_is_given_with_its_days_and_cases_that_went_past_it_come_back(cast: Cast) -> None:
    with cast.store.writing("test") as session:
        seed.vacate(session, cast.installed.seats("commune_officer"), dt.date(2026, 3, 2))
    code = cast.to_commune()
    assert cast.case(code).offered_role == "commune_leader"
    found = cast.get("admin", f"{person_page(cast, 'outsider_admin')}/appoint?role=commune_officer&q=village")
    assert f'value="{cast.installed.units["village"]}"' in found.text
    answer = cast.send(
        "admin",
        f"{person_page(cast, 'outsider_admin')}/appoint",
        role="commune_officer",
        q="village",
        unit=str(cast.installed.units["village"]),
        first_day="",
        last_day="31/5/2026",
    )
    assert answer.status_code == 303
    village = cast.installed.units["village"]
    assert posts(cast, "outsider_admin") == [("commune_officer", village, dt.date(2026, 6, 1))]
    assert "1 hồ sơ" in cast.get("admin", answer.location).text
    assert cast.case(code).offered_role == "commune_officer"
    again = cast.send(
        "admin",
        f"{person_page(cast, 'outsider_admin')}/appoint",
        role="commune_officer",
        unit=str(village),
    )
    assert again.status_code == 422


def test_a_post_of_the_wrong_kind_of_unit_is_refused_at_the_unit(cast: Cast) -> None:
    page = cast.send(
        "admin",
        f"{person_page(cast, 'outsider_admin')}/appoint",
        role="head",
        unit=str(cast.installed.units["village"]),
    )
    assert page.status_code == 422
    assert posts(cast, "outsider_admin") == []


def test_a_post_ends_with_a_day(cast: Cast) -> None:
    with cast.store.reading("test") as session:
        head = t.Appointment.person_id == cast.installed.people["head"]
        post = session.execute(select(t.Appointment.id).where(head)).scalar_one()
    cast.send(
        "admin", f"{person_page(cast, 'head')}/end", page=person_page(cast, "head"), post=str(post), last_day="6/3/2026"
    )
    assert posts(cast, "head")[0][2] == dt.date(2026, 3, 7)
    other = cast.send("admin", f"{person_page(cast, 'teacher')}/end", page="/admin/people/new", post=str(post))
    assert other.status_code == 404


def test_everything_goes_to_a_successor_at_once(cast: Cast) -> None:
    code = cast.to_commune()
    cast.accept(code, "commune_officer")
    page = person_page(cast, "commune_officer")
    answer = cast.send("admin", f"{page}/hand-over", page=page, to="Núi Thử")
    assert answer.status_code == 303
    assert cast.case(code).assignee_id == cast.installed.people["outsider_commune_officer"]
    assert "1 hồ sơ đang mở" in cast.get("admin", page).text
    assert cast.send("admin", f"{page}/hand-over", page=page, to="không có ai").status_code == 422


def test_one_who_leaves_without_a_successor_leaves_each_case_to_whoever_answers(cast: Cast) -> None:
    code = cast.to_commune()
    cast.accept(code, "commune_officer")
    page = person_page(cast, "commune_officer")
    assert cast.send("admin", f"{page}/hand-over", page=page, to="").status_code == 303
    assert cast.case(code).offered_role == "commune_leader"


def test_an_account_is_shut_and_opened_again_but_never_ones_own(cast: Cast) -> None:
    cast.browser("head")
    page = person_page(cast, "head")
    cast.send("admin", f"{page}/disable", page=page)
    assert cast.get("head", "/work").status_code in {302, 401}
    assert "Đã khóa" in cast.get("admin", page).text or "tài khoản" in cast.get("admin", page).text
    cast.send("admin", f"{page}/enable", page=page)
    assert cast.site.signed_in("head").get("/work").status_code == 200
    own = person_page(cast, "admin")
    assert cast.send("admin", f"{own}/disable", page=own).status_code == 403


def test_a_new_password_ends_every_sign_in(cast: Cast) -> None:
    cast.browser("head")
    page = person_page(cast, "head")
    shown = cast.send("admin", f"{page}/reset", page=page)
    password = re.findall(r"<dd><strong>([^<]+)</strong></dd>", shown.text)[1]
    assert cast.get("head", "/work").status_code == 302
    assert sign_in(cast.site.client(), "head", password).status_code == 303


def test_an_absence_is_entered_for_anybody_and_ended(cast: Cast) -> None:
    page = person_page(cast, "head")
    answer = cast.send("admin", f"{page}/away", page=page, first_day="", last_day="6/3/2026", delegate="Lan Thử")
    assert answer.status_code == 303
    assert "Y Lan Thử làm thay" in cast.get("admin", page).text
    overlapping = cast.send("admin", f"{page}/away", page=page, first_day="5/3/2026", last_day="9/3/2026")
    assert overlapping.status_code == 409
    with cast.store.reading("test") as session:
        absence = session.execute(select(t.Delegation.id)).scalar_one()
    cast.send("admin", f"{page}/back", page=page, absence=str(absence))
    after = cast.get("admin", page).text
    assert "Y Lan Thử làm thay" not in after
    for words in ("Ghi đợt vắng", "Kết thúc đợt vắng", "02/03/2026 – 06/03/2026 · Y Lan Thử"):
        assert words in after, words
    stand_in = cast.get("admin", person_page(cast, "teacher")).text
    for words in ("Giao làm thay", "Thôi làm thay", "02/03/2026 – 06/03/2026 · Trần Văn Mẫu"):
        assert words in stand_in, words


def test_the_tree_is_walked_and_searched(cast: Cast) -> None:
    root = cast.get("admin", "/admin/units").text
    assert f"/admin/units/{cast.installed.units['root']}" in root
    commune = cast.get("admin", f"/admin/units/{cast.installed.units['commune']}").text
    assert f"/admin/units/{cast.installed.units['village']}" in commune
    assert "Lê Thị Mẫu" in commune
    assert f"/admin/units/{cast.installed.units['school']}" in cast.get("admin", "/admin/units?q=school").text
    assert "51" in cast.get("admin", "/admin/units?q=51").text
    assert cast.get("admin", "/admin/units/999999").status_code == 404


def test_vacant_posts_are_counted_and_lead_to_whom_to_appoint(cast: Cast) -> None:
    assert (
        "Không có gì" in cast.get("admin", "/admin").text or "vị trí chưa có người" in cast.get("admin", "/admin").text
    )
    with cast.store.writing("test") as session:
        seed.vacate(session, cast.installed.seats("head"), dt.date(2026, 3, 2))
    assert "Hiệu trưởng: 1 vị trí" in cast.get("admin", "/admin").text
    school = cast.installed.units["school"]
    page = cast.get("admin", "/admin/vacancies?role=head").text
    assert f"/admin/units/{school}/appoint" in page
    found = cast.get("admin", f"/admin/units/{school}/appoint?role=head&q=mau").text
    assert f"/admin/people/{cast.installed.people['association']}/appoint?role=head&amp;unit={school}" in found


def test_an_ended_unit_that_still_has_something_wants_a_decision(cast: Cast) -> None:
    with cast.store.writing("test") as session:
        ended = t.Unit.id == cast.installed.units["outsider_commune"]
        session.execute(update(t.Unit).where(ended).values(valid_to=dt.date(2026, 3, 1)))
    page = cast.get("admin", "/admin").text
    assert "outsider_commune đã kết thúc, nhưng còn:" in page
    assert "đơn vị, vị trí" in page
    assert (
        "chưa có đơn vị thay thế" in cast.get("admin", f"/admin/units/{cast.installed.units['outsider_commune']}").text
    )


def test_a_merger_is_tried_first_with_what_wants_a_decision_and_kept_only_then(cast: Cast) -> None:
    with cast.store.writing("test") as session:
        for member, code in (("commune", "11111"), ("outsider_commune", "22222")):
            session.execute(update(t.Unit).where(t.Unit.id == cast.installed.units[member]).values(code=code))
    code = cast.open_case()
    lines = "Tỉnh Thử (51),Xã Mới,22222,commune,11111,Nhập toàn bộ,Huyện (611),Tỉnh (62),\n"
    lines += "Tỉnh Thử (51),Xã Mới,22222,Xã Chia,21142,Nhập một phần,Huyện (611),Tỉnh (62),\n"
    form = {"on": "2/3/2026", "table": lines, "moves": ""}
    page = cast.send("admin", "/admin/mergers", **form)
    assert page.status_code == 200
    assert "Xã Chia" in page.text
    assert "1 hồ sơ đang mở" in page.text
    assert cast.case(code).commune_id == cast.installed.units["commune"]
    confirm = re.search(r'name="confirm" value="(\w+)"', page.text)
    assert confirm
    kept = cast.send("admin", "/admin/mergers", **form, confirm=confirm[1])
    assert kept.status_code == 200
    assert 'name="confirm"' not in kept.text
    assert cast.case(code).commune_id != cast.installed.units["commune"]
    future = cast.send("admin", "/admin/mergers", seed="1/7/2030", table=lines, moves="x")
    assert future.status_code == 422
    assert "Xã Chia" in future.text


def test_no_page_of_the_room_names_a_pupil_or_a_case(cast: Cast) -> None:
    code = cast.to_commune()
    units = cast.installed.units
    for page in (
        "/admin",
        "/admin/people",
        "/admin/units",
        "/admin/vacancies",
        f"/admin/units/{units['class']}",
        person_page(cast, "teacher"),
        person_page(cast, "commune_officer"),
    ):
        text = cast.get("admin", page).text
        assert code not in text
        assert "A Thử" not in text


def test_the_rules_and_the_workflow_are_read_by_everybody_in_both_languages(cast: Cast) -> None:
    for member in ("teacher", "volunteer", "admin", "outsider_admin"):
        assert cast.get(member, "/rules").status_code == 200
        assert cast.get(member, "/workflow").status_code == 200
    page = cast.get("teacher", "/rules").text
    assert "Quá 1 ngày học chưa liên hệ gia đình" in page
    assert "contact-overdue" in page
    assert "rules/dropout.toml" in page
    assert "tự thực hiện bước" in page
    with cast.store.writing("test") as session:
        session.execute(update(t.Person).values(language="en"))
    english = cast.get("teacher", "/rules").text
    assert "No contact with the family within 1 school day" in english
    assert "does the step" in english
    assert "workflows/dropout.toml" in cast.get("teacher", "/workflow").text


def test_nothing_is_changed_by_somebody_who_is_no_administrator(cast: Cast) -> None:
    page = person_page(cast, "volunteer")
    for act in ("disable", "enable", "reset", "hand-over", "away", "back", "appoint", "end"):
        assert cast.send("head", f"{page}/{act}", page="/password").status_code == 403, act
    with cast.store.reading("test") as session:
        assert session.execute(select(func.count()).select_from(t.Delegation)).scalar_one() == 0


def test_what_was_done_to_an_account_stands_on_its_page_the_newest_first(cast: Cast) -> None:
    page = person_page(cast, "volunteer")
    assert "Đã làm gì với tài khoản này" not in cast.get("admin", page).text
    cast.send("admin", f"{page}/appoint", role="volunteer", unit=str(cast.installed.units["outsider_association"]))
    cast.send("admin", f"{page}/disable", page=page)
    shown = cast.get("admin", page).text
    shown = shown[shown.index("Đã làm gì với tài khoản này") :]
    assert shown.index("Khóa tài khoản") < shown.index("Giao vị trí")
    assert shown.count("Quản trị Thử · <time") == 2
    assert "outsider_association: 02/03/2026 – không có ngày kết thúc" in shown


def test_a_long_history_of_an_account_goes_on_behind_its_oldest_entry(cast: Cast) -> None:
    page, person = person_page(cast, "volunteer"), cast.installed.people["volunteer"]
    with cast.store.writing("test") as session:
        for number in range(25):
            first = dt.date(2026, 1, 1) + dt.timedelta(days=number)
            post = account_events.PostHeld("volunteer", cast.installed.units["association"], first, None)
            account_events.note(session, APPOINTED, person, None, cast.now, post)
    shown = cast.get("admin", page).text
    assert (shown.count(">Giao vị trí</p>"), "25/01/2026" in shown, "05/01/2026" in shown) == (20, True, False)
    assert "Trên máy chủ, bằng lệnh" in shown
    older = re.search(r'href="([^"]+before=\d+)#acts"', shown)
    assert older
    rest = cast.get("admin", older[1]).text
    assert (rest.count(">Giao vị trí</p>"), "05/01/2026" in rest, "#acts" in rest) == (5, True, False)
