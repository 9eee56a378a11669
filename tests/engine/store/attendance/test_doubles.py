"""Who may be one child at two schools, as the office that reaches both sees it."""

import datetime as dt

from sqlalchemy import update

from engine.store import tables as t
from engine.store.attendance.doubles import Double, doubles
from tests.installation import CastInstallation, installed

__all__ = ["installed"]  # a fixture

BORN = dt.date(2013, 4, 3)


def know(installed: CastInstallation, name: str, **values: object) -> None:
    with installed.store.writing("test") as session:
        session.execute(update(t.Pupil).where(t.Pupil.id == installed.cast.pupils[name]).values(values))


def found(installed: CastInstallation, *schools: str) -> list[Double]:
    with installed.store.reading("test") as session:
        return doubles(session, {installed.cast.units[school] for school in schools})


def test_the_same_name_and_birth_date_at_two_schools_may_be_one_child(installed: CastInstallation) -> None:
    know(installed, "pupil", search_key="a thu", birth_date=BORN)
    know(installed, "outsider_pupil", search_key="a thu", birth_date=BORN)
    case = installed.open()
    [one] = found(installed, "school", "outsider_school")
    assert [(it.code, it.school, it.klass, it.village, it.case) for it in one.records] == [
        ("pupil", "school", "class", "village", case),
        ("outsider_pupil", "outsider_school", "outsider_class", "outsider_village", None),
    ]
    assert (one.same_name, one.same_code) == (True, False)


def test_the_same_code_and_birth_date_under_another_name_may_be_one_child(installed: CastInstallation) -> None:
    know(installed, "pupil", code="0012", birth_date=BORN)
    know(installed, "outsider_pupil", code="0012", birth_date=BORN)
    [one] = found(installed, "school", "outsider_school")
    assert (len(one.records), one.same_name, one.same_code) == (2, False, True)
    know(installed, "outsider_pupil", search_key="pupil")
    [one] = found(installed, "school", "outsider_school")
    assert (one.same_name, one.same_code) == (True, True)


def test_one_name_or_one_code_alone_is_nobody_twice(installed: CastInstallation) -> None:
    know(installed, "pupil", search_key="a thu", birth_date=BORN)
    know(installed, "outsider_pupil", search_key="a thu", birth_date=dt.date(2014, 4, 3))
    know(installed, "classmate", code="0012", birth_date=None)
    assert found(installed, "school", "outsider_school") == []


def test_two_of_one_school_are_its_own_matter(installed: CastInstallation) -> None:
    know(installed, "pupil", search_key="a thu", birth_date=BORN)
    know(installed, "classmate", search_key="a thu", birth_date=BORN)
    assert found(installed, "school", "outsider_school") == []


def test_who_reaches_one_of_the_schools_alone_sees_nothing(installed: CastInstallation) -> None:
    know(installed, "pupil", search_key="a thu", birth_date=BORN, code="0012")
    know(installed, "outsider_pupil", search_key="a thu", birth_date=BORN, code="0012")
    assert found(installed, "school") == found(installed, "outsider_school") == found(installed) == []


def test_the_latest_stand_first(installed: CastInstallation) -> None:
    know(installed, "outsider_pupil", search_key="a thu", birth_date=BORN)
    know(installed, "pupil", search_key="a thu", birth_date=BORN)
    with installed.store.writing("test") as session:
        units = installed.cast.units
        for number, place in enumerate(("", "outsider_")):
            session.add(
                t.Pupil(
                    code=f"new{number}",
                    name="Y Mới",
                    search_key="y moi",
                    sort_key="moi",
                    birth_date=BORN,
                    class_id=units[f"{place}class"],
                    school_id=units[f"{place}school"],
                )
            )
    assert [one.records[0].name for one in found(installed, "school", "outsider_school")] == ["Y Mới", "A Thử"]
