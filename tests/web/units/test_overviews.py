"""The roles' own rooms: what is in them, that each number leads to its list, and who stays outside."""

from __future__ import annotations

import datetime as dt
import re

from sqlalchemy import select, update

from engine.store import tables as t
from tests.cast import Cast
from tests.web.calendar.test_closures import counted

GIFT = {"support_kind": "rice", "quantity": "10", "given_on": "2/3/2026", "giver": "Cửa hàng Mẫu", "value": "200000"}


def burn(cast: Cast, code: str) -> None:
    """The case is late and stands on a higher level."""
    with cast.store.writing("test") as session:
        session.execute(update(t.Case).where(t.Case.code == code).values(due_at=cast.now - dt.timedelta(1), level=1))


def links(page: str) -> list[str]:
    return [found.replace("&amp;", "&") for found in re.findall(r'href="(/cases\?[^"]+)"', page)]


def test_a_teacher_sees_the_pupils_with_their_cases_and_absences(cast: Cast) -> None:
    code = cast.open_case("pupil")
    with cast.store.writing("test") as session:
        for day in (16, 17, 18):
            session.add(
                t.Mark(
                    pupil_id=cast.installed.pupils["classmate"],
                    day=dt.date(2026, 2, day),
                    session="m",
                    mark="u",
                    at=cast.now,
                )
            )
    page = cast.get("teacher", f"/class?unit={cast.installed.units['class']}").text
    assert f"/cases/{code}" in page
    assert "<strong>3</strong>" in page
    assert f"/cases/new?pupil={cast.installed.pupils['classmate']}" in page
    assert f"/attendance/{cast.installed.units['class']}" in page
    assert f"/class?unit={cast.installed.units['saturday_class']}" in page


def test_a_class_is_for_its_teacher_and_the_head_only(cast: Cast) -> None:
    address = f"/class?unit={cast.installed.units['class']}"
    for member in ("outsider_teacher", "outsider_head", "commune_leader", "education_office", "admin"):
        assert cast.get(member, address).status_code == 403, member
    assert cast.get("head", address).status_code == 200
    assert cast.get("head", "/class").status_code == 403
    assert cast.get("teacher", "/class?unit=999999").status_code == 404


def test_a_head_sees_which_classes_have_not_taken_attendance_and_the_open_cases(cast: Cast) -> None:
    burn(cast, cast.open_case("pupil"))
    page = cast.get("head", "/school").text
    assert "2 lớp chưa điểm danh" in page
    unit = cast.installed.units["class"]
    assert f"/cases?unit={unit}&which=overdue" in links(page)
    listed = cast.get("head", f"/cases?unit={unit}&which=overdue").text
    assert "A Thử" in listed
    for name, pupils in (("class", ("pupil", "classmate", "boarder")), ("saturday_class", ("saturday_pupil",))):
        said = {f"pupil-{cast.installed.pupils[pupil]}": "p" for pupil in pupils}
        cast.send("teacher", f"/attendance/{cast.installed.units[name]}", day="2026-03-02", session="m", **said)
    assert "Mọi lớp đã điểm danh" in cast.get("head", "/school").text


def test_an_office_sees_its_communes_what_burns_first_and_each_number_leads_to_its_list(cast: Cast) -> None:
    code = cast.to_commune("pupil")
    burn(cast, code)
    province = cast.installed.units["province"]
    with cast.store.writing("test") as session:
        office = t.Appointment.person_id == cast.installed.people["education_office"]
        session.execute(update(t.Appointment).where(office).values(unit_id=province))
    cast.open_case("outsider_pupil", by="outsider_teacher")
    page = cast.get("education_office", "/area").text
    commune, other = cast.installed.units["commune"], cast.installed.units["outsider_commune"]
    assert page.index(f"/area?unit={commune}") < page.index(f"/area?unit={other}")
    for more in ("", "&which=overdue", "&which=waiting", "&level=1"):
        address = f"/cases?unit={commune}{more}"
        assert address in links(page)
        assert code in cast.get("education_office", address).text
    deeper = cast.get("education_office", f"/area?unit={commune}").text
    assert f"/cases?unit={cast.installed.units['village']}" in deeper


def test_nobody_looks_into_an_area_that_is_not_theirs(cast: Cast) -> None:
    other = cast.installed.units["outsider_commune"]
    assert cast.get("commune_leader", f"/area?unit={other}").status_code == 404
    assert cast.get("education_office", f"/area?unit={other}").status_code == 404
    assert cast.get("commune_officer", f"/area?unit={cast.installed.units['commune']}").status_code == 404
    assert cast.get("teacher", "/area").status_code == 403


def test_an_officer_sees_the_own_villages_and_the_way_to_the_list_of_visits(cast: Cast) -> None:
    cast.to_commune("pupil")
    page = cast.get("commune_officer", "/area").text
    assert f"/cases?unit={cast.installed.units['village']}&which=waiting" in links(page)
    assert "/print/visits" in page
    assert "outsider_village" not in page


def test_the_area_asks_the_same_statements_however_many_cases_there_are(cast: Cast) -> None:
    def statements() -> int:
        with counted(cast) as seen:
            assert cast.get("commune_leader", "/area").status_code == 200
        return len(seen)

    cast.browser("commune_leader")
    before = statements()
    for pupil in ("pupil", "classmate", "saturday_pupil"):
        cast.to_commune(pupil)
    assert statements() == before


def test_a_class_asks_the_same_statements_however_many_pupils_it_has(cast: Cast) -> None:
    def statements() -> int:
        with counted(cast) as seen:
            assert cast.get("teacher", f"/class?unit={cast.installed.units['class']}").status_code == 200
        return len(seen)

    cast.browser("teacher")
    before = statements()
    for number in range(5):
        cast.pupil(f"Y Thêm {number}")
        cast.open_case(f"Y Thêm {number}")
    assert statements() == before


def test_an_association_sees_needs_without_who_and_what_was_given(cast: Cast) -> None:
    code = cast.to_association("pupil")
    page = cast.get("volunteer", "/needs").text
    assert "Áo ấm cỡ 130" in page
    assert "A Thử" not in page
    assert f"/gifts/new?case={code}" in page
    assert "Áo ấm cỡ 130" not in cast.get("outsider_volunteer", "/needs").text
    assert cast.get("teacher", "/needs").status_code == 403


def test_several_gifts_are_logged_in_a_row_and_what_stays_the_same_is_filled_in(cast: Cast) -> None:
    code = cast.to_association("pupil")
    answer = cast.send("volunteer", "/gifts/new", code=code, next="1", **GIFT)
    assert (answer.status_code, answer.location) == (303, "/gifts/new")
    page = cast.get("volunteer", "/gifts/new").text
    assert "Đã ghi hỗ trợ" in page
    assert 'value="Cửa hàng Mẫu"' in page
    assert 'value="10"' not in page  # what was given differs each time
    answer = cast.send("volunteer", "/gifts/new", code=code, **GIFT | {"quantity": "5"})
    assert answer.location == "/needs"
    listed = cast.get("volunteer", "/needs").text
    assert "400.000" in listed
    assert "Cửa hàng Mẫu" in listed
    assert "Cửa hàng Mẫu" not in cast.get("outsider_association", "/needs").text


def test_a_gift_sent_twice_is_logged_once(cast: Cast) -> None:
    code = cast.to_association("pupil")
    page = cast.get("volunteer", "/gifts/new")
    form = dict(re.findall(r'name="(csrf_token|key)" value="([^"]+)"', page.text)) | {"code": code, **GIFT}
    for _ in range(2):
        assert cast.browser("volunteer").post("/gifts/new", data=form).status_code == 303
    with cast.store.reading("test") as session:
        assert len(session.scalars(select(t.Support)).all()) == 1


def test_what_is_wrong_with_a_gift_stands_at_its_field_and_nobody_elses_case_is_taken(cast: Cast) -> None:
    code = cast.to_association("pupil")
    page = cast.send("volunteer", "/gifts/new", **GIFT)
    assert (page.status_code, 'value="Cửa hàng Mẫu"' in page.text) == (422, True)
    page = cast.send("volunteer", "/gifts/new", code=code, **GIFT | {"quantity": "nhiều"})
    assert (page.status_code, 'href="#quantity"' in page.text) == (422, True)
    page = cast.send("outsider_volunteer", "/gifts/new", code=code, **GIFT)
    assert page.status_code == 422
    with cast.store.reading("test") as session:
        assert session.scalars(select(t.Support)).all() == []


def test_each_role_has_the_way_to_its_room(cast: Cast) -> None:
    rooms = {
        "teacher": "/class",
        "head": "/school",
        "commune_officer": "/area",
        "commune_leader": "/area",
        "education_office": "/area",
        "volunteer": "/needs",
        "association": "/needs",
    } | {"admin": "/admin"}
    for member, address in rooms.items():
        page = cast.get(member, "/work").text
        for other in set(rooms.values()):
            assert (f'href="{other}"' in page) == (other == address), (member, other)
    assert cast.get("commune_leader", "/work").text.count('href="/area"') == 2  # in the main menu, too
