"""What a clock says under the shipped calendars: tables with the arithmetic beside them, and the reasons in words."""

import datetime as dt
from pathlib import Path

import pytest

from engine.core.calendar import (
    Calendar,
    Clock,
    ClosedDays,
    Duration,
    Pause,
    SchoolYear,
    UnreadableValue,
    Window,
    clock_of,
    load_calendar,
    merge,
    parse_weekdays,
    windows,
)
from engine.core.words import Faulty, Label

CALENDARS = Path(__file__).parents[4] / "rules" / "calendars"
AFTER_TET = Label("Sau Tết", "After Tết")


def shipped(*names: str) -> Calendar:
    return merge([load_calendar((CALENDARS / f"{name}.toml").read_text(encoding="utf-8"), name) for name in names])


QUANG_NGAI = shipped("quang-ngai-2025-26")
BOTH_YEARS = shipped("quang-ngai-2025-26", "quang-ngai-2026-27")
TET_2026 = Window(dt.date(2026, 2, 17), dt.date(2026, 3, 3), 0.5, AFTER_TET)


def at(text: str, calendar: Calendar = QUANG_NGAI) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=calendar.zone).astimezone(dt.UTC)


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def due(clock: Clock, start: str, duration: str) -> str | None:
    found = clock.deadline(at(start), Duration.parse(duration))
    return clock.calendar.local(found).replace(tzinfo=None).isoformat(timespec="minutes") if found else None


@pytest.mark.parametrize(
    ("start", "duration", "expected"),
    [
        # 2 March 2026 is a Monday.
        ("2026-03-02T08:00", "1 school day", "2026-03-03T17:00"),
        ("2026-03-02T23:59", "1 school day", "2026-03-03T17:00"),
        ("2026-03-02T00:00", "1 school day", "2026-03-03T17:00"),  # a day is counted from its midnight
        ("2026-03-02T16:00", "3 working days", "2026-03-05T17:00"),
        ("2026-03-06T16:00", "1 working day", "2026-03-09T17:00"),  # Friday to Monday
        ("2026-03-07T10:00", "1 working day", "2026-03-09T17:00"),  # Saturday to Monday
        ("2026-03-06T16:00", "2 days", "2026-03-08T17:00"),  # every day counts, Sunday too
        ("2026-03-02T16:00", "1 working hour", "2026-03-02T17:00"),  # exactly at closing, not at the next opening
        ("2026-03-02T10:30", "1 working hour", "2026-03-02T11:30"),
        ("2026-03-02T11:00", "1 working hour", "2026-03-02T13:30"),  # half an hour, the noon break, half an hour
        ("2026-03-02T12:00", "1 working hour", "2026-03-02T14:00"),
        ("2026-03-06T16:30", "1 working hour", "2026-03-09T07:30"),  # over a weekend
        ("2026-03-01T09:00", "9 working hours", "2026-03-03T07:30"),  # a Sunday; Monday has 8 1/2 hours
        # 2 January 2026 was closed, Saturday 10 January worked instead, with a Friday's hours.
        ("2026-01-01T09:00", "1 working day", "2026-01-05T17:00"),
        ("2026-01-09T09:00", "1 working day", "2026-01-10T17:00"),
        ("2026-01-09T09:00", "1 school day", "2026-01-10T17:00"),
        ("2026-01-09T17:00", "2 working hours", "2026-01-10T09:00"),
        # Tết: public holidays 16-20 February 2026, the break with its weekends 14-22.
        ("2026-02-13T09:00", "1 school day", "2026-02-23T17:00"),
        ("2026-02-13T09:00", "1 working day", "2026-02-23T17:00"),
        # Hùng Kings on Sunday 26 April, made up on Monday 27; 30 April and 1 May; the weekend.
        ("2026-04-25T09:00", "3 working days", "2026-05-04T17:00"),
    ],
)
def test_when_a_time_is_up(start: str, duration: str, expected: str) -> None:
    assert due(clock_of(QUANG_NGAI), start, duration) == expected


@pytest.mark.parametrize(
    ("start", "duration", "expected"),
    [
        (
            "2026-03-02T16:00",
            "3 school days",
            "2026-03-05T17:00",
        ),  # the season ends on the 2nd: 3, 4, 5 March count once
        ("2026-03-02T08:00", "1 school day", "2026-03-03T17:00"),
        ("2026-02-23T08:00", "4 school days", "2026-02-25T17:00"),  # wholly inside: 2 + 2
        ("2026-02-23T08:00", "3 school days", "2026-02-25T11:30"),  # one and a half: the second day until noon
        ("2026-02-23T08:00", "1 school day", "2026-02-24T11:30"),  # half a day ends with the morning
        ("2026-02-26T08:00", "6 school days", "2026-03-04T17:00"),  # 27/2: 2, 2/3: 2, then 3/3: 1, 4/3: 1
        ("2026-02-26T08:00", "4 working hours", "2026-02-26T10:00"),
        ("2026-03-02T16:00", "4 working hours", "2026-03-03T09:00"),  # one hour for two, then two for two
        ("2026-02-26T08:00", "2 days", "2026-02-27T17:00"),
    ],
)
def test_a_season_shortens_a_deadline_by_what_lies_inside(start: str, duration: str, expected: str) -> None:
    assert due(clock_of(QUANG_NGAI, windows=[TET_2026]), start, duration) == expected


def test_where_seasons_overlap_the_one_that_hurries_most_holds() -> None:
    harvest = Window(day("2026-02-24"), day("2026-02-26"), 0.25, Label("Mùa rẫy", "Harvest"))
    for seasons in ([TET_2026, harvest], [harvest, TET_2026]):
        assert due(clock_of(QUANG_NGAI, windows=seasons), "2026-02-23T08:00", "4 school days") == "2026-02-24T17:00"


def test_a_factor_above_one_gives_more_time() -> None:
    summer = Window(day("2026-03-01"), day("2026-04-01"), 2.0, Label("Thong thả", "At ease"))
    assert due(clock_of(QUANG_NGAI, windows=[summer]), "2026-03-02T08:00", "1 school day") == "2026-03-04T17:00"


def test_a_class_taught_on_saturday_counts_it() -> None:
    assert (
        due(clock_of(QUANG_NGAI, weekdays=parse_weekdays("mon-sat")), "2026-03-06T08:00", "1 school day")
        == "2026-03-07T17:00"
    )


def test_a_closure_stops_school_days_and_nothing_else() -> None:
    flood = ClosedDays(day("2026-03-03"), day("2026-03-04"), "Mưa lũ", "commune")
    clock = clock_of(QUANG_NGAI, closures=[flood])
    assert due(clock, "2026-03-02T08:00", "1 school day") == "2026-03-05T17:00"
    assert due(clock, "2026-03-02T08:00", "1 working day") == "2026-03-03T17:00"
    assert due(clock, "2026-03-02T08:00", "1 day") == "2026-03-03T17:00"
    assert not clock.is_school_day(day("2026-03-03"))
    assert clock.is_working_day(day("2026-03-03"))


@pytest.mark.parametrize(
    ("start", "end", "duration", "expected"),
    [
        # A day counts unless the clock stands still at its closing time, 17:00.
        ("2026-03-03T08:00", "2026-03-03T16:00", "1 working day", "2026-03-03T17:00"),
        ("2026-03-03T08:00", "2026-03-03T17:00", "1 working day", "2026-03-03T17:00"),
        ("2026-03-03T08:00", "2026-03-03T17:01", "1 working day", "2026-03-04T17:00"),
        ("2026-03-03T08:00", None, "1 working day", None),
        ("2026-03-03T18:00", None, "1 working day", "2026-03-03T17:00"),  # up before anybody held the clock
        ("2026-03-02T16:30", "2026-03-03T07:30", "1 working hour", "2026-03-03T08:00"),
        ("2026-03-02T16:30", None, "1 working hour", None),
    ],
)
def test_a_pause_holds_the_clock(start: str, end: str | None, duration: str, expected: str | None) -> None:
    clock = clock_of(QUANG_NGAI, pauses=[Pause(at(start), at(end) if end else None)])
    assert due(clock, "2026-03-02T16:00", duration) == expected


def test_pauses_that_overlap_are_held_once() -> None:
    pauses = [
        Pause(at("2026-03-03T08:00"), at("2026-03-03T10:00")),
        Pause(at("2026-03-03T09:00"), at("2026-03-03T11:00")),
    ]
    assert due(clock_of(QUANG_NGAI, pauses=pauses), "2026-03-03T07:00", "2 working hours") == "2026-03-03T13:30"


@pytest.mark.parametrize(
    ("deadline", "duration", "expected"),
    [
        ("2026-03-05T17:00", "4 working hours", "2026-03-05T13:00"),  # exactly at an opening, not at the closing before
        ("2026-03-05T17:00", "1 working day", "2026-03-04T17:00"),
        ("2026-03-09T17:00", "1 working day", "2026-03-06T17:00"),
        ("2026-03-09T17:00", "2 school days", "2026-03-05T17:00"),
        ("2026-03-09T17:00", "2 days", "2026-03-07T17:00"),
        ("2026-03-08T17:00", "1 working day", "2026-03-05T17:00"),  # a Sunday: a whole working day is left, Friday
    ],
)
def test_counting_back_from_a_deadline(deadline: str, duration: str, expected: str) -> None:
    assert clock_of(QUANG_NGAI).before(at(deadline), Duration.parse(duration)) == at(expected)


def test_counting_back_says_when_there_is_nothing_to_count() -> None:
    never = ClosedDays(day("1900-01-01"), day("2026-03-31"), "x", "x")
    with pytest.raises(ValueError, match="hundred years"):
        clock_of(QUANG_NGAI, closures=[never]).before(at("2026-03-05T17:00"), Duration.parse("1 school day"))


def test_what_has_run_grows_with_closings_and_opening_hours() -> None:
    clock = clock_of(QUANG_NGAI)
    assert clock.elapsed(at("2026-03-02T16:00"), at("2026-03-05T16:59"), "school days") == 2
    assert clock.elapsed(at("2026-03-02T16:00"), at("2026-03-05T17:00"), "school days") == 3
    assert clock.elapsed(at("2026-03-02T16:00"), at("2026-03-03T07:30"), "working hours") == 1.5
    assert clock.elapsed(at("2026-03-05T16:00"), at("2026-03-02T07:30"), "working hours") == 0
    assert clock.elapsed(at("2026-02-23T16:00"), at("2026-02-25T17:00"), "school days") == 2
    assert (
        clock_of(QUANG_NGAI, windows=[TET_2026]).elapsed(at("2026-02-23T16:00"), at("2026-02-25T17:00"), "school days")
        == 4
    )


def test_days_far_from_those_first_asked_about_are_reached() -> None:
    clock = clock_of(QUANG_NGAI)
    assert due(clock, "2026-03-02T08:00", "1 working day") == "2026-03-03T17:00"
    assert due(clock, "2026-03-02T08:00", "5000 days") == "2039-11-09T17:00"
    assert due(clock, "2051-03-02T08:00", "1 day") == "2051-03-03T17:00"
    assert due(clock, "2011-03-02T08:00", "1 day") == "2011-03-03T17:00"
    assert due(clock, "2026-03-02T08:00", "1 working day") == "2026-03-03T17:00"


def test_where_everything_is_closed_for_good_there_is_no_deadline() -> None:
    never = ClosedDays(day("2026-03-03"), day("9999-12-31"), "Giải thể", "school")
    clock = clock_of(QUANG_NGAI, closures=[never])
    assert due(clock, "2026-03-02T08:00", "1 school day") is None
    assert clock.explain(at("2026-03-02T08:00"), Duration.parse("1 school day")).at is None


# What is not stated


def test_beyond_the_last_school_year_the_next_is_taken_to_be_like_it_and_said_so() -> None:
    found = clock_of(QUANG_NGAI).explain(at("2026-05-25T08:00"), Duration.parse("2 school days"))
    assert found.at == at("2026-09-08T17:00")  # 6 September 2026 is a Sunday
    assert [str(note) for note in found.notes] == [
        "The dates of this school year are not known yet; those of the nearest known year are taken."
    ]


def test_with_the_next_file_the_years_follow_each_other_and_a_proposal_says_so() -> None:
    found = clock_of(BOTH_YEARS).explain(at("2026-05-25T08:00"), Duration.parse("2 school days"))
    assert found.at == at("2026-09-08T17:00")  # from Monday 7 September
    assert [note.in_("en") for note in found.notes] == [
        "The 2026-27 school year of Quảng Ngãi is a proposal: the province has not decided yet."
    ]


def test_before_the_first_school_year_the_one_before_is_taken_to_be_like_it() -> None:
    clock = clock_of(QUANG_NGAI)
    assert clock.is_school_day(day("2024-10-15"))
    assert not clock.is_school_day(day("2025-07-15"))


def test_the_swap_of_31_august_2026_is_worked_by_offices_only() -> None:
    clock = clock_of(BOTH_YEARS)
    assert clock.is_working_day(day("2026-08-22"))
    assert not clock.is_school_day(day("2026-08-22"))
    assert not clock.is_working_day(day("2026-08-31"))


# Why


def test_the_reasons_name_each_day() -> None:
    flood = ClosedDays(day("2026-03-09"), day("2026-03-09"), "Mưa lũ", "commune")
    held = Pause(at("2026-03-10T08:00"), at("2026-03-11T08:00"), "Chờ giấy")
    found = clock_of(QUANG_NGAI, closures=[flood], pauses=[held]).explain(
        at("2026-03-05T08:00"), Duration.parse("2 school days")
    )
    assert found.at == at("2026-03-11T17:00")
    assert found.counted == ((day("2026-03-06"), 1.0), (day("2026-03-11"), 1.0))
    assert [(day.day, kind, words.vi) for day, kind, words in found.skipped] == [
        (7, "weekend", "cuối tuần"),
        (8, "weekend", "cuối tuần"),
        (9, "closure", "Mưa lũ"),
        (10, "pause", "Chờ giấy"),
    ]
    assert [line.in_("vi") for line in found.words()] == [
        "06/03/2026: có tính",
        "07/03/2026 đến 08/03/2026: không tính, cuối tuần",
        "09/03/2026: không tính, Mưa lũ",
        "10/03/2026: không tính, Chờ giấy",
        "11/03/2026: có tính",
    ]


def test_the_reasons_name_holidays_breaks_and_seasons() -> None:
    clock = clock_of(QUANG_NGAI, weekdays=parse_weekdays("mon-sat"), windows=[TET_2026])
    found = clock.explain(at("2026-02-13T08:00"), Duration.parse("4 school days"))
    assert found.at == at("2026-02-24T17:00")
    assert {kind for _, kind, _ in found.skipped} == {"break"}
    assert found.windows == (TET_2026,)
    assert [line.in_("en") for line in found.words()] == [
        "In the risk season After Tết the time is half: until 17:00 24/02/2026.",
        "14/02/2026 to 22/02/2026: not counted, Tết break",
        "23/02/2026: counted as 2 days (risk season After Tết)",
        "24/02/2026: counted as 2 days (risk season After Tết)",
    ]
    office = clock.explain(at("2026-02-13T08:00"), Duration.parse("1 working day"))
    assert [str(line) for line in office.words() if "Lunar" in str(line)][1:3] == [
        "17/02/2026: not counted, Lunar New Year",
        "18/02/2026: not counted, Second Day of Lunar New Year",
    ]


def test_the_reasons_for_hours_give_the_hours_of_each_day() -> None:
    held = Pause(at("2026-03-03T07:00"), at("2026-03-03T09:00"), "Chờ giấy")
    found = clock_of(QUANG_NGAI, pauses=[held]).explain(at("2026-03-02T15:30"), Duration.parse("3 working hours"))
    assert found.at == at("2026-03-03T10:30")
    assert [str(line) for line in found.words()] == [
        "02/03/2026: 1.5 hours counted",
        "03/03/2026: 1.5 hours counted",
        "03/03/2026: not counted, Chờ giấy",
    ]
    season = clock_of(QUANG_NGAI, windows=[TET_2026]).explain(at("2026-03-02T15:30"), Duration.parse("3 working hours"))
    assert [str(line) for line in season.words()] == [
        "In the risk season After Tết the time is half: until 17:00 02/03/2026.",
        "02/03/2026: 1.5 hours, counted as 3 (risk season After Tết)",
    ]


def test_while_the_clock_is_held_the_reasons_say_since_when() -> None:
    found = clock_of(QUANG_NGAI, pauses=[Pause(at("2026-03-04T08:00"), None)]).explain(
        at("2026-03-02T08:00"), Duration.parse("3 school days")
    )
    assert found.at is None
    assert [str(line) for line in found.words()] == ["03/03/2026: counted", "04/03/2026: not counted, clock held"]


def test_a_weekday_without_class_is_not_a_weekend() -> None:
    found = clock_of(QUANG_NGAI, weekdays={0, 2}).explain(at("2026-03-02T08:00"), Duration.parse("1 school day"))
    assert [words.en for _, _, words in found.skipped] == ["no class on this weekday"]


# Durations and clocks


@pytest.mark.parametrize(
    "text", ["1 school day", "3 school days", "1 working day", "2 working days", "1 day", "10 days", "4 working hours"]
)
def test_a_duration_reads_and_writes_the_same_words(text: str) -> None:
    assert str(Duration.parse(text)) == text
    assert Duration.parse(f"  {text.replace(' ', '  ')} ") == Duration.parse(text)


@pytest.mark.parametrize(
    "text", ["", "3", "days", "0 days", "-1 days", "1.5 days", "3 hours", "10000 days", "3 school weeks"]
)
def test_what_is_no_duration_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(UnreadableValue, match="duration"):
        Duration.parse(text)


def test_a_duration_has_words_in_both_languages() -> None:
    assert Duration.parse("3 school days").label == Label("3 ngày học", "3 school days")
    assert Duration.parse("1 working hour").label == Label("1 giờ làm việc", "1 working hour")


def test_the_same_arguments_give_the_same_clock() -> None:
    assert clock_of(QUANG_NGAI) is clock_of(QUANG_NGAI)
    assert clock_of(QUANG_NGAI, windows=[TET_2026]) is clock_of(QUANG_NGAI, windows=(TET_2026,))
    assert QUANG_NGAI is shipped("quang-ngai-2025-26")
    assert clock_of(QUANG_NGAI, weekdays=[0]) is not clock_of(QUANG_NGAI)


def test_a_unit_nobody_counts_in_is_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="weeks"):
        clock_of(QUANG_NGAI).elapsed(at("2026-03-02T08:00"), at("2026-03-02T08:00"), "weeks")


def test_a_class_taught_on_no_weekday_is_refused() -> None:
    with pytest.raises(UnreadableValue):
        clock_of(QUANG_NGAI, weekdays=())


def test_a_season_that_makes_no_sense_is_refused() -> None:
    with pytest.raises(UnreadableValue):
        Window(day("2026-02-17"), day("2026-03-03"), 0, AFTER_TET)
    with pytest.raises(UnreadableValue):
        Window(day("2026-02-17"), day("2026-02-17"), 0.5, AFTER_TET)


def test_weekdays_are_read_as_people_write_them() -> None:
    assert parse_weekdays("mon-fri") == frozenset(range(5))
    assert parse_weekdays("mon, wed sat") == frozenset({0, 2, 5})
    assert parse_weekdays(["sun"]) == frozenset({6})
    with pytest.raises(UnreadableValue, match="monday"):
        parse_weekdays("monday")


def test_calendars_that_do_not_agree_do_not_follow_each_other() -> None:
    other = load_calendar('format = 1\nname = "b"\nprovince = "51"\ntime_zone = "UTC"\nholidays = "none"', "b")
    with pytest.raises(Faulty) as raised:
        merge([QUANG_NGAI, other])
    assert [(fault.file, fault.key) for fault in raised.value.faults] == [
        ("b", "zone"),
        ("b", "opening"),
        ("b", "holidays"),
    ]
    with pytest.raises(Faulty, match="no calendar"):
        merge([])


def test_school_years_that_overlap_do_not_follow_each_other() -> None:
    text = (
        (CALENDARS / "quang-ngai-2025-26.toml")
        .read_text(encoding="utf-8")
        .replace("last  = 2026-05-25", "last  = 2026-09-08")
    )
    with pytest.raises(Faulty, match="has ended"):
        merge([load_calendar(text, "longer"), shipped("quang-ngai-2026-27")])


# Clocks that are put forward and back


@pytest.mark.parametrize(
    ("start", "duration", "expected"),
    [
        # Berlin, 29 March 2026: 02:00 becomes 03:00. The night shift 01:00-04:00 has two hours.
        ("2026-03-29T00:30", "2 working hours", "2026-03-29T04:00"),
        # It opens at 02:30, which that day does not have: it is open from the jump on.
        ("2026-03-29T00:30", "1 day", "2026-03-30T04:00"),
        # 25 October 2026: 03:00 becomes 02:00. The night shift has four hours.
        ("2026-10-25T00:30", "4 working hours", "2026-10-25T04:00"),
    ],
)
def test_a_night_shift_over_a_change_of_clocks(start: str, duration: str, expected: str) -> None:
    days = "\n".join(f'{name} = ["01:00-04:00"]' for name in ("mon", "tue", "wed", "thu", "fri", "sat", "sun"))
    text = f'format = 1\nname = "night"\ntime_zone = "Europe/Berlin"\nholidays = "none"\n[opening]\n{days}'
    calendar = load_calendar(text, "night")
    assert clock_of(calendar).deadline(at(start, calendar), Duration.parse(duration)) == at(expected, calendar)


def test_a_time_that_a_change_of_clocks_skips_is_the_moment_of_the_jump() -> None:
    text = 'format = 1\nname = "b"\ntime_zone = "Europe/Berlin"\nholidays = "none"\n[opening]\nsun = ["02:30-03:30"]'
    calendar = load_calendar(text, "b")
    assert calendar.instant(day("2026-03-29"), 150) == dt.datetime(2026, 3, 29, 1, tzinfo=dt.UTC)
    run = clock_of(calendar).elapsed(
        at("2026-03-28T00:00", calendar), at("2026-03-30T00:00", calendar), "working hours"
    )
    assert run == 0.5


def test_windows_of_the_shipped_season_are_those_of_the_published_tet() -> None:
    seasons = windows(("tet + 0 days", "tet + 14 days"), 0.5, AFTER_TET, QUANG_NGAI, [2026])
    assert seasons == (TET_2026,)


def test_a_school_year_that_begins_on_29_february_is_moved_to_the_28th() -> None:
    year = SchoolYear(day("2024-02-29"), day("2024-12-01"), frozenset({0}))
    assert (year.moved(1).first, year.moved(1).last) == (day("2025-02-28"), day("2025-12-01"))
