"""Says on which of the coming days nobody acts in a seat, and why."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from engine.core.people.responsibility import AWAY, VACANT
from engine.core.people.stand_ins import Absences

DAYS = 14
DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Span:
    """A post or an absence from one day to another, both included. `other`: who stands in, if anybody was named."""

    person_id: int
    first: dt.date
    last: dt.date
    other: int | None = None

    def holds(self, day: dt.date) -> bool:
        """Whether it holds on a day."""
        return self.first <= day <= self.last


@dataclass(frozen=True, slots=True)
class Gap:
    """Days in a row on which nobody acts in a seat, and why: it is vacant, or its holder is away."""

    first: dt.date
    last: dt.date
    why: str


def gaps(
    posts: Iterable[Span], absences: Mapping[dt.date, Absences], closed: Collection[int], days: Iterable[dt.date]
) -> Iterator[Gap]:
    """Yields the gaps of one seat on these days, in their order.

    Args:
        posts: who holds the seat, and from when to when.
        absences: who is away on each of the days (`absences_by_day`).
        closed: whose account is closed.
        days: the days to look at, one after the other.
    """
    held, open_gap = list(posts), None
    for day in days:
        holders = [post.person_id for post in held if post.holds(day) and post.person_id not in closed]
        acting = any(absences[day].acting(person) for person in holders)
        why = "" if acting else AWAY if holders else VACANT
        if open_gap is not None and why == open_gap.why:
            open_gap = Gap(open_gap.first, day, why)
            continue
        if open_gap is not None:
            yield open_gap
        open_gap = Gap(day, day, why) if why else None
    if open_gap is not None:
        yield open_gap


def absences_by_day(spans: Iterable[Span], closed: Collection[int], days: Iterable[dt.date]) -> dict[dt.date, Absences]:
    """Returns who is away on each day, with whom they named."""
    known, shut = list(spans), frozenset(closed)
    found: dict[dt.date, Absences] = {}
    for day in days:
        away: dict[int, list[int]] = {}
        for span in known:
            if span.holds(day):
                away.setdefault(span.person_id, []).extend([span.other] if span.other is not None else [])
        found[day] = Absences(away, shut)
    return found
