"""The office's list of who may be one child at two schools: who sees it, what stands there, what is noted."""

import datetime as dt

import pytest
from sqlalchemy import select

from engine.store import tables as t
from tests.cast import Cast


@pytest.fixture(params=["province", "outsider_commune"])
def twice(cast: Cast, request: pytest.FixtureRequest) -> Cast:
    """A child of the other school stands on the list of this one, too; one office, of both communes, reaches both."""
    cast.pupil("A Khác", code="HS77", birth_date=dt.date(2013, 5, 6))
    with cast.store.writing("test") as session:
        session.add(
            t.Appointment(
                person_id=cast.installed.people["education_office"],
                role="education_office",
                unit_id=cast.installed.units[request.param],
                valid_from=dt.date(2020, 1, 1),
            )
        )
    return cast


def noted(cast: Cast) -> list[tuple[int, int | None]]:
    with cast.store.reading("test") as session:
        query = select(t.AccessLog.person_id, t.AccessLog.pupil_id).where(t.AccessLog.what == "doubles")
        return [(person, pupil) for person, pupil in session.execute(query.order_by(t.AccessLog.id))]


def test_the_office_that_reaches_both_schools_sees_both_records(twice: Cast) -> None:
    page = twice.get("education_office", "/doubles").text
    assert "A Khác, 06/05/2013" in page
    assert "Trùng tên và ngày sinh" in page
    assert all(code in page for code in ("HS77", "outsider_pupil", "outsider_school", "outsider_class"))
    assert 'href="/doubles"' in twice.get("education_office", "/work").text


def test_each_pupil_on_the_page_is_noted_once_a_reading(twice: Cast) -> None:
    twice.get("education_office", "/doubles")
    twice.get("education_office", "/doubles")
    office = twice.installed.people["education_office"]
    assert noted(twice) == [
        (office, twice.installed.pupils["outsider_pupil"]),
        (office, twice.installed.pupils["A Khác"]),
    ]


def test_an_office_that_reaches_one_school_sees_nothing_of_it(twice: Cast) -> None:
    page = twice.get("outsider_education_office", "/doubles").text
    assert "Không có em nào ở danh sách của hai trường" in page
    assert "A Khác" not in page
    assert noted(twice) == []


@pytest.mark.parametrize(
    "member", ["head", "outsider_head", "teacher", "commune_officer", "commune_leader", "association", "admin"]
)
def test_nobody_else_sees_it(twice: Cast, member: str) -> None:
    assert twice.get(member, "/doubles").status_code == 403
    assert 'href="/doubles"' not in twice.get(member, "/work").text
