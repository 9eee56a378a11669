"""Which signals a register gives on a day. Registers are written as days of two letters: morning, afternoon.

p present, l late, e excused, u unexcused, - not taken. The first day is Monday 2 March 2026; weekends have no class.
"""

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import rules
from engine.core.attendance.signal_reader import load_risk
from engine.core.attendance.signals import ANY, UNEXCUSED, History, Reached, RiskRules, Signal, alarms, fewest, proof
from engine.core.words import Label

WHY = Label("vì", "why")
RULES = RiskRules(1, "open", "day", 5, 20, 2, 3, ())
MONDAY = dt.date(2026, 3, 2)


def days(count: int, first: dt.date = MONDAY) -> list[dt.date]:
    found = [first + dt.timedelta(days=n) for n in range(2 * count)]
    return [day for day in found if day.weekday() < 5][:count]


def history(text: str, **more: Any) -> History:
    words = text.split()
    taught = days(len(words))
    register = [
        (day, half, mark)
        for day, word in zip(taught, words, strict=True)
        for half, mark in zip("ma", word, strict=False)
        if mark != "-"
    ]
    return History(taught[-1], register, taught, **more)


def found(signal: Signal, text: str, rules: RiskRules = RULES, **more: Any) -> list[tuple[int, int]]:
    """The thresholds that were reached, and the values."""
    return [(it.threshold, it.value) for it in alarms(replace(rules, signals=(signal,)), history(text, **more))]


IN_A_ROW = Signal("row", WHY, "unexcused_in_a_row", (3, 5))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("uu", []),
        ("uu up", [(3, 3)]),  # came in the afternoon: the morning ended a run of three
        ("uu uu uu", [(5, 6)]),  # the highest threshold only
        ("pu uu", [(3, 3)]),
        ("uu lu", []),  # late is present
        ("uu eu", []),  # excused is not without excuse, and ends the run
        ("uu -- -u", [(3, 3)]),  # a session that was not taken is neither
        ("-- -- --", []),
        ("uu uu pp", []),  # nobody is looked at on a day that was attended
    ],
)
def test_unexcused_sessions_in_a_row(text: str, expected: list[tuple[int, int]]) -> None:
    assert found(IN_A_ROW, text) == expected


def test_an_alarm_says_since_when() -> None:
    only = alarms(replace(RULES, signals=(IN_A_ROW,)), history("pp pu uu"))
    assert only == [Reached("row", 3, 3, dt.date(2026, 3, 3), dt.date(2026, 3, 3))]


def test_a_season_lowers_thresholds_rounded_up() -> None:
    assert found(IN_A_ROW, "u- u-") == []
    assert found(IN_A_ROW, "u- u-", factor=0.5) == [(3, 2)]  # ceil(3 x 0.5) = 2
    assert found(IN_A_ROW, "u- u- u-", factor=0.5) == [(5, 3)]  # ceil(5 x 0.5) = 3
    year = Signal("year", WHY, "year_sessions", (3,))
    assert found(year, "u- u-", factor=0.5) == []  # a limit of the law has no season


def test_days_missed_within_school_days() -> None:
    signal = Signal("days", WHY, "absent_days", (3,), within=5, absence=UNEXCUSED)
    assert found(signal, "up pp up pp up") == [(3, 3)]
    assert found(signal, "up pp up pp pp up") == []  # the first is the sixth day back
    assert found(signal, "up pp ep pp up") == []
    assert found(replace(signal, absence=ANY), "up pp ee ee up") == [(3, 4)]  # four in a row are over the limit


def test_an_illness_within_its_limit_counts_only_towards_the_year() -> None:
    signal = Signal("days", WHY, "absent_days", (1,), within=10, absence=ANY)
    assert found(signal, "ee e-") == []  # three excused sessions: the limit
    assert found(signal, "ee ee") == [(1, 2)]
    assert found(Signal("year", WHY, "year_sessions", (2,)), "ee e-") == [(2, 2)]
    assert found(Signal("ill", WHY, "excused_in_a_row", (3,)), "ee e-") == [(3, 3)]


@pytest.mark.parametrize(("count", "value"), [("day", 3), ("main_session", 2), ("every_session", 4)])
def test_what_is_one_of_the_45_sessions_is_a_setting(count: str, value: int) -> None:
    signal = Signal("year", WHY, "year_sessions", (1,))
    assert found(signal, "uu pp pe up", replace(RULES, count=count)) == [(1, value)]


def test_a_share_means_nothing_before_enough_days_were_taken() -> None:
    signal = Signal("share", WHY, "share", (10,), after_days=5)
    assert found(signal, "ee pp pp pe") == []
    assert found(signal, "ee pp pp pp pe") == [(10, 30)]  # 3 of 10 sessions
    assert found(signal, "pp pp pp pp -- -- -- pp pp pp pe") == []  # 1 of 16


def test_the_same_weekday_if_it_is_most_of_what_was_missed() -> None:
    signal = Signal("mondays", WHY, "same_weekday", (3,), within=5, absence=ANY)
    week = "u- p- p- p- p- "
    assert found(signal, week * 2 + "u-") == [(3, 3)]
    assert found(signal, "u- u- p- p- u- u- u- p- p- p- u-") == []  # 3 of 6 missed


def test_just_after_a_break() -> None:
    signal = Signal("break", WHY, "after_break", (2,))
    first, after = days(3), days(3, dt.date(2026, 3, 16))
    marks = [(day, "m", "u") for day in (*first[-1:], *after[:2])]
    rules = replace(RULES, signals=(signal,))
    reached = alarms(rules, History(after[1], marks, [*first, *after[:2]]))
    assert [(it.value, it.since) for it in reached] == [(2, after[0])]
    assert alarms(rules, History(after[1], marks, days(12))) == []  # no break: a weekend is none


def test_siblings_and_earlier_cases() -> None:
    for kind, what in (("sibling_case", "sibling"), ("earlier_case", "earlier")):
        signal = Signal("other", WHY, kind, (2,))
        assert found(signal, "uu") == []
        assert found(signal, "uu", RULES, **{what: True}) == [(2, 2)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("pp pp pp pp", None),
        ("pp pp pp pp pp", "confirmed"),
        ("pp pp ep pp pp", None),  # in a row
        ("pp pp -- pp -- pp pp", "confirmed"),  # days not taken neither break nor add
        ("pp pu", None),
        ("pp uu", "relapsed"),
        ("pp eu", None),
        ("pp " * 21 + "uu", None),  # no longer fresh: the signals judge it
    ],
)
def test_a_return_is_proved_by_the_register(text: str, expected: str | None) -> None:
    past = history(text)
    judged = proof(RULES, past.register, past.day, MONDAY)
    assert (judged and judged[0]) == expected


SHIPPED = load_risk((Path(str(rules.__file__)).parent / "risk.toml").read_text(encoding="utf-8"), "risk.toml")


@given(
    st.lists(st.text("pleu-", min_size=2, max_size=2), min_size=1, max_size=45),
    st.sampled_from([1.0, 0.5]),
    st.booleans(),
)
def test_who_missed_fewer_sessions_than_any_signal_asks_for_gives_none(
    words: list[str], factor: float, known: bool
) -> None:
    past = history(" ".join(words), factor=factor, sibling=known, earlier=known)
    missed = sum(mark in "eu" for _, _, mark in past.register)
    assert fewest(SHIPPED, factor) == 2
    assert missed >= fewest(SHIPPED, factor) or alarms(SHIPPED, past) == []
