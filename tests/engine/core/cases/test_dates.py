"""Dates beside each other: what cannot be, what is asked about, and what a workflow of the operator's own may bring."""

import datetime as dt

import pytest

from engine.core.calendar import clock_of
from engine.core.cases import dates
from engine.core.cases.dates import ABSENCE, BIRTH, RETURN, KnownDays
from engine.core.refusals import Invalid, Questioned
from engine.core.words import Label
from engine.core.workflow.model import Field
from tests.playing import CALENDAR

TODAY = dt.date(2026, 4, 6)
KNOWN = KnownDays(
    TODAY,
    clock_of(CALENDAR),
    {BIRTH: dt.date(2014, 5, 1), ABSENCE: dt.date(2026, 4, 1), RETURN: dt.date(2026, 4, 3)},
)


def check(name: str, day: str, *, confirmed: bool = False, known: KnownDays = KNOWN) -> None:
    field = Field(name, "date", Label("Ngày", "Day"), when="past")
    dates.check([field], {name: day}, known, confirmed=confirmed)


@pytest.mark.parametrize(
    ("name", "day", "said"),
    [
        ("absent_since", "2014-04-30", "before the pupil was born, 01/05/2014"),
        ("absent_since", "2026-04-02", "before the pupil came back, 03/04/2026"),
        ("returned_on", "2026-03-31", "before the first day missed, 01/04/2026"),
        ("left_on", "2026-04-02", "before the pupil came back, 03/04/2026"),
        ("visited_on", "2026-03-31", "before the first day missed, 01/04/2026"),
        ("checked_on", "2026-03-31", "before the first day missed, 01/04/2026"),
        ("died_on", "2014-04-30", "before the pupil was born, 01/05/2014"),  # of a workflow of the operator's own
    ],
)
def test_what_cannot_be_is_refused_with_both_days_and_no_box_helps(name: str, day: str, said: str) -> None:
    with pytest.raises(Invalid) as raised:
        check(name, day, confirmed=True)
    shown = f"{dt.date.fromisoformat(day):%d/%m/%Y}"
    assert not isinstance(raised.value, Questioned)
    assert shown in str(raised.value)
    assert said in str(raised.value)


@pytest.mark.parametrize(
    ("name", "day", "said"),
    [
        ("absent_since", "2026-02-04", "61 days ago"),
        ("absent_since", "2026-04-04", "a day without class (weekend)"),
        ("given_on", "2025-04-05", "more than a year ago"),
        ("next_on", "2027-04-08", "more than a year ahead"),
        ("died_on", "2026-02-04", "61 days ago"),
    ],
)
def test_what_is_unlikely_is_asked_about_once(name: str, day: str, said: str) -> None:
    known = KnownDays(TODAY, KNOWN.clock, {})
    with pytest.raises(Questioned, match=r"Is that right\?") as raised:
        check(name, day, known=known)
    assert said in str(raised.value)
    check(name, day, confirmed=True, known=known)


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("absent_since", "2026-02-05"),
        ("returned_on", "2026-04-01"),
        ("given_on", "2025-04-06"),
        ("visited_on", "2026-04-05"),
    ],
)
def test_what_can_be_is_not_asked_about(name: str, day: str) -> None:
    known = KnownDays(TODAY, KNOWN.clock, {BIRTH: dt.date(2014, 5, 1), ABSENCE: dt.date(2026, 4, 1)})
    check(name, day, known=known)


def test_what_is_unknown_holds_nothing_back() -> None:
    check("returned_on", "2026-03-31", known=KnownDays(TODAY, KNOWN.clock, {}))


@pytest.mark.parametrize(
    ("typed", "confirmed"), [(True, True), ("yes", True), ("on", True), ("", False), ("no", False)]
)
def test_a_form_says_whether_its_dates_are_right(typed: object, confirmed: bool) -> None:
    assert dates.is_confirmed({dates.CONFIRM: typed}) is confirmed
    assert not dates.is_confirmed({})
