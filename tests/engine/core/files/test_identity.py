"""Whether a row is about the pupil whose code it bears: what counts as another name or birth date."""

import datetime as dt

import pytest

from engine.core.files.identity import ANOTHER_CHILD, differences, reasons, same_name, whole, without

BORN = dt.date(2014, 2, 5)
KNOWN = {"name": "Y Hòa", "birth_date": BORN}


@pytest.mark.parametrize("other", ["Y Hòa", "Y Hoà", "Y HÒA", "y hòa"])
def test_capitals_and_the_letter_that_a_tone_stands_on_make_no_other_name(other: str) -> None:
    assert same_name("Y Hòa", other)


@pytest.mark.parametrize("other", ["Y Hoa", "Y Hóa", "Y Hòa Thử", "Hòa Y", "A Hòa"])
def test_another_tone_or_word_or_order_is_another_name(other: str) -> None:
    assert not same_name("Y Hòa", other)


def test_what_one_side_does_not_know_is_no_difference() -> None:
    assert differences(KNOWN, {"name": "Y Hòa"}) == []
    assert differences({**KNOWN, "birth_date": None}, {"name": "Y Hòa", "birth_date": BORN}) == []


def test_a_changed_name_is_held_with_all_that_is_made_from_it() -> None:
    row = {"name": "Y Hoa", "search_key": "y hoa", "sort_key": "x", "birth_date": BORN, "guardian_phone": "0905000111"}
    found = differences(KNOWN, row)
    assert [(it.field, it.old, it.new) for it in found] == [("name", "Y Hòa", "Y Hoa")]
    assert without(row, found) == {"birth_date": BORN, "guardian_phone": "0905000111"}


def test_where_both_differ_the_row_may_be_about_another_child() -> None:
    found = differences(KNOWN, {"name": "Trần Văn Khác", "birth_date": dt.date(2012, 1, 1)})
    assert whole(found)
    assert reasons(found) == [ANOTHER_CHILD]
    assert [(it.old, it.new) for it in found] == [("Y Hòa", "Trần Văn Khác"), ("05/02/2014", "01/01/2012")]


def test_a_reason_holds_no_name() -> None:
    found = differences(KNOWN, {"name": "Y Hoa"})
    assert not any("Hòa" in sentence.in_("vi") or "Hoa" in sentence.in_("vi") for sentence in reasons(found))
