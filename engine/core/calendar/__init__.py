"""Counts time: school days, working days, working hours. docs/decisions/0002-how-time-counts.md says why it is so.

A `Calendar` is a file (`load_calendar`, `merge`). `clock_of` gives the clock that counts time for one case:
`Clock.deadline`, `before`, `elapsed`, and `explain` for the reasons. Seasons are `windows` between anchors. Days are
local, moments are UTC.
"""

from engine.core.calendar.clock import Clock, clock_of
from engine.core.calendar.days import Calendar, MakeUp, SchoolYear, TimeOff, merge
from engine.core.calendar.reader import load_calendar
from engine.core.calendar.season import Anchor, windows
from engine.core.calendar.values import (
    UNITS,
    WEEKDAYS,
    ClosedDays,
    Deadline,
    Duration,
    Pause,
    UnreadableValue,
    Window,
    parse_weekdays,
)

__all__ = [
    "UNITS",
    "WEEKDAYS",
    "Anchor",
    "Calendar",
    "Clock",
    "ClosedDays",
    "Deadline",
    "Duration",
    "MakeUp",
    "Pause",
    "SchoolYear",
    "TimeOff",
    "UnreadableValue",
    "Window",
    "clock_of",
    "load_calendar",
    "merge",
    "parse_weekdays",
    "windows",
]
