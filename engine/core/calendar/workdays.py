"""Finds the last working day, and the end of the grace time for what was due."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from engine.core.calendar import Calendar

FARTHEST = 30  # days in which a working day is looked for; the longest holiday is shorter
ONE_DAY = dt.timedelta(days=1)


def last_working_day(calendar: Calendar, day: dt.date) -> dt.date:
    """Returns the newest working day before `day`; if a month has none, the day before `day`."""
    return next(_working(calendar, day, -ONE_DAY), day - ONE_DAY)


def grace_end(calendar: Calendar, deadline: dt.datetime) -> dt.datetime:
    """Returns until when something due at `deadline` is only due, not late: the closing time of the next
    working day.
    """
    day = calendar.local(deadline).date()
    following = next(_working(calendar, day, ONE_DAY), day + ONE_DAY)
    return calendar.instant(following, calendar.closing_minute(following))


def _working(calendar: Calendar, day: dt.date, step: dt.timedelta) -> Iterator[dt.date]:
    """Yields the working days from a day on, without that day itself."""
    days = (day + step * n for n in range(1, FARTHEST + 1))
    return (one for one in days if calendar.why_no_work(one) is None)
