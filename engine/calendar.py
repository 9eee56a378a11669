"""How time is counted: the front door of the calendar. docs/decisions/0002-how-time-counts.md says why it is so.

A `Calendar` is a file (`load_calendar`, `merge`). Its `clock` counts time for one case: `Clock.deadline`, `before`,
`elapsed`, and `explain` for the reasons. Seasons are `windows` between anchors. Days are local, moments are UTC.
"""

from engine.calendar_clock import Clock
from engine.calendar_days import Calendar, MakeUp, SchoolYear, TimeOff, merge
from engine.calendar_file import load_calendar
from engine.calendar_season import Anchor, windows
from engine.calendar_values import (
    UNITS,
    WEEKDAYS,
    Closure,
    Deadline,
    Duration,
    Pause,
    Unreadable,
    Window,
    parse_weekdays,
)

__all__ = [
    "UNITS",
    "WEEKDAYS",
    "Anchor",
    "Calendar",
    "Clock",
    "Closure",
    "Deadline",
    "Duration",
    "MakeUp",
    "Pause",
    "SchoolYear",
    "TimeOff",
    "Unreadable",
    "Window",
    "load_calendar",
    "merge",
    "parse_weekdays",
    "windows",
]
