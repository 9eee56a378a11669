"""What people type on a phone is taken as they mean it, or refused with a sentence that says what would be right."""

import datetime as dt
from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.refusals import Invalid
from engine.core.words import Label
from engine.core.workflow.form_values import Misread, read, read_date, read_form
from engine.core.workflow.model import FIELD_TYPES, Choice, Field

TODAY = dt.date(2026, 3, 2)
LABEL = Label("Ngày trao", "Given on")


def field(kind: str, **more: object) -> Field:
    return Field("x", kind, LABEL, **more)  # type: ignore[arg-type]


WAYS = (Choice("phone", Label("Gọi điện", "Phone")), Choice("home", Label("Đến nhà", "At home")))


@pytest.mark.parametrize("typed", ["2/3/2026", "02/03/2026", "2-3-2026", "2.3.26", "2026-03-02", " 02/03/2026 "])
def test_a_date_is_read_in_every_form_people_write(typed: str) -> None:
    assert read(field("date"), typed, TODAY) == "2026-03-02"


@pytest.mark.parametrize("typed", ["31/2/2026", "hôm qua", "2/3", "0/0/0", "1/1/0001"])
def test_what_is_no_date_is_refused_with_an_example(typed: str) -> None:
    with pytest.raises(Misread, match="such as 02/03/2026"):
        read(field("date"), typed, TODAY)


def test_a_past_date_may_be_today_but_not_tomorrow() -> None:
    assert read(field("date", when="past"), "2/3/2026", TODAY) == "2026-03-02"
    with pytest.raises(Misread, match="03/03/2026: that is after today, 02/03/2026"):
        read(field("date", when="past"), "3/3/2026", TODAY)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("10", "10"),
        ("1,5", "1.5"),
        ("1.5", "1.5"),
        ("1.000", "1000"),
        ("1.000.000", "1000000"),
        ("1.234,5", "1234.5"),
        ("2 000", "2000"),
        (3, "3"),
        (0.25, "0.25"),
        ("500.000 đ", "500000"),
    ],
)
def test_numbers_are_read_as_written_here(typed: object, kept: str) -> None:
    assert read(field("decimal"), typed, TODAY) == kept


@pytest.mark.parametrize("typed", ["mười", "1e9", "--1", "1/2", "9" * 40, "NaN", True])
def test_what_is_no_number_is_refused(typed: object) -> None:
    with pytest.raises(Misread, match="write a number"):
        read(field("decimal"), typed, TODAY)


def test_bounds_are_told() -> None:
    with pytest.raises(Misread, match=r"must be at least 0\.01"):
        read(field("decimal", least=Decimal("0.01")), "0", TODAY)
    with pytest.raises(Misread, match="can be at most 100"):
        read(field("whole", most=Decimal(100)), "101", TODAY)
    with pytest.raises(Misread, match="whole number"):
        read(field("whole"), "1,5", TODAY)


def test_a_choice_must_be_on_the_list() -> None:
    assert read(field("choice", choices=WAYS), "phone", TODAY) == "phone"
    assert read(field("choices", choices=WAYS), ["home", "phone", "home"], TODAY) == ["home", "phone"]
    for wrong in ("letter", ["letter"], 7, {"a": 1}):
        with pytest.raises(Misread, match="choose"):
            read(field("choices", choices=WAYS), wrong, TODAY)


def test_yes_and_no_are_read_in_both_languages() -> None:
    assert read(field("yes_no"), "có", TODAY) is True
    assert read(field("yes_no"), "không", TODAY) is False
    assert read(field("yes_no"), False, TODAY) is False


def test_text_is_kept_in_one_spelling_and_a_line_on_one_line() -> None:
    assert read(field("line"), " Ho\u0300a  \n Bi\u0300nh ", TODAY) == "H\u00f2a B\u00ecnh"
    with pytest.raises(Misread, match="cannot be stored"):
        read(field("text"), "a\x00b", TODAY)
    with pytest.raises(Misread, match="5 characters long; 4 is the most"):
        read(field("line", max_length=4), "abcde", TODAY)


def test_every_wrong_field_of_a_form_is_named_at_once() -> None:
    needs = [Field("day", "date", LABEL), Field("way", "choice", LABEL, choices=WAYS)]
    with pytest.raises(Invalid) as refused:
        read_form(needs, [Field("km", "decimal", LABEL)], {"day": "x", "km": "far"}, TODAY)
    assert set(refused.value.fields) == {"day", "way", "km"}


def test_empty_optional_fields_are_left_out() -> None:
    assert (
        read_form([], [Field("km", "decimal", LABEL), Field("n", "line", LABEL)], {"km": " ", "n": None}, TODAY) == {}
    )


@given(
    kind=st.sampled_from(FIELD_TYPES),
    raw=st.one_of(
        st.text(),
        st.integers(),
        st.floats(),
        st.none(),
        st.booleans(),
        st.lists(st.text()),
        st.dictionaries(st.text(), st.integers()),
    ),
)
def test_nothing_that_can_be_typed_breaks_a_field(kind: str, raw: object) -> None:
    with suppress(Misread):
        assert read(field(kind, choices=WAYS), raw, TODAY) is not Ellipsis


@given(day=st.dates(min_value=dt.date(1901, 1, 1), max_value=dt.date(2199, 12, 31)))
def test_a_date_written_either_way_is_the_same_date(day: dt.date) -> None:
    assert read_date(day.strftime("%d/%m/") + f"{day.year:04}") == read_date(day.isoformat()) == day
