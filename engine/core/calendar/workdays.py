"""Which working day was the last one, and until when what was due may still be done in grace."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from engine.core.calendar import Calendar

FARTHEST = 30  # days that a working day is looked for: the longest holiday is shorter
ONE_DAY = dt.timedelta(days=1)


def last_working_day(calendar: Calendar, day: dt.date) -> dt.date:
    """The newest day before `day` on which offices work; the day before it if there is none within a month."""
    return next(_working(calendar, day, -ONE_DAY), day - ONE_DAY)


def grace_end(calendar: Calendar, deadline: dt.datetime) -> dt.datetime:
    """Until when what was due at `deadline` counts as just due and not as late: the next working day's closing time."""
    day = calendar.local(deadline).date()
    following = next(_working(calendar, day, ONE_DAY), day + ONE_DAY)
    return calendar.instant(following, calendar.closing_minute(following))


def _working(calendar: Calendar, day: dt.date, step: dt.timedelta) -> Iterator[dt.date]:
    """The working days from a day on, that day left out."""
    days = (day + step * n for n in range(1, FARTHEST + 1))
    return (one for one in days if calendar.why_no_work(one) is None)
