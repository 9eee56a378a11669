"""The school year by page: of one's own province, with its file, what is announced beside it, and years to come."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import update

from engine.core.units.kinds import called
from engine.store import tables as t
from engine.usecases.calendar.closures import announce_closure
from tests.cast import Cast


def test_the_year_of_today_is_told_month_by_month_with_its_file(cast: Cast) -> None:
    page = cast.get("teacher", "/calendar").text
    assert "2025–2026" in page
    assert "Nghỉ Tết Bính Ngọ" in page
    assert "10/01/2026 học bù, làm bù cho ngày 02/01/2026" in page
    assert "rules/calendars/quang-ngai-2025-26.toml" in page
    assert "chưa có trong tệp lịch" not in page


def test_a_year_that_is_not_stated_yet_says_so(cast: Cast) -> None:
    page = cast.get("volunteer", "/calendar?from=2027").text
    assert "2027–2028" in page
    assert "chưa có trong tệp lịch" in page
    assert cast.get("volunteer", "/calendar?from=77").status_code == 200


def test_days_without_class_of_the_units_above_stand_beside_it_and_no_pupils(cast: Cast) -> None:
    days = dt.date(2026, 3, 10), dt.date(2026, 3, 11)
    units, pupil = cast.installed.units, cast.installed.pupils["pupil"]
    for unit_id, pupil_id, reason in (
        (units["commune"], None, "Bão"),
        (units["outsider_commune"], None, "Lũ"),
        (None, pupil, "Gãy chân"),
    ):
        announce_closure(
            cast.context,
            None,
            unit_id=unit_id,
            pupil_id=pupil_id,
            first_day=days[0],
            last_day=days[1],
            reason=reason,
            now=cast.now,
        )
    page = cast.get("teacher", "/calendar").text
    assert "Bão" in page
    assert "Lũ" not in page
    assert "Gãy chân" not in page


def test_it_is_read_in_english_too(cast: Cast) -> None:
    with cast.store.writing("test") as session:
        session.execute(update(t.Person).values(language="en"))
    page = cast.get("head", "/calendar").text
    assert "February 2026" in page
    assert "Tết break" in page


@pytest.mark.parametrize(
    ("kind", "name", "vi", "en"),
    [
        ("class", "6A", "Lớp 6A", "Class 6A"),
        ("class", "Lớp 6A", "Lớp 6A", "Lớp 6A"),
        ("village", "Làng Bến Đá", "Làng Bến Đá", "Làng Bến Đá"),
        ("commune", "Bờ Y", "Xã Bờ Y", "Commune Bờ Y"),
    ],
)
def test_a_unit_is_called_by_its_kind_once(kind: str, name: str, vi: str, en: str) -> None:
    label = called(kind, name)
    assert (label.vi, label.en) == (vi, en)
