"""Decides what an answer leads to: which request follows, and from when its time counts.

The workflow says it (`Transition.answers`). A next date puts the request off, as far and as often as it may; an answer
without one never makes the time shorter.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from engine.core.calendar import Calendar
from engine.core.cases.facts import Facts
from engine.core.workflow.answers import until_next
from engine.core.workflow.model import Lead, Transition
from engine.core.workflow.read_requests import NO, YES


class Following(NamedTuple):
    """The request that follows an answer; `since`: from when its time counts, None: from now.

    `puts_off`: a next date did it. `bounded`: the date was farther off than allowed. `spent`: it did not count, because
    the stay was put off as often as allowed already.
    """

    request: str
    since: dt.datetime | None = None
    puts_off: bool = False
    bounded: bool = False
    spent: bool = False


def lead_of(step: Transition, values: Mapping[str, Any]) -> Lead | None:
    """Returns where the first answer that leads somewhere leads; else where the step itself does; None: nowhere."""
    for name, answers in step.answers.items():
        given = values.get(name)
        code = (YES if given else NO) if isinstance(given, bool) else str(given)
        if code in answers:
            return answers[code]
    return step.leads


def following(
    step: Transition,
    values: Mapping[str, Any],
    facts: Facts,
    now: dt.datetime,
    calendar: Calendar,
    closing: Callable[[str], dt.datetime],
) -> Following | None:
    """Returns what follows the answers of a step; None: they lead nowhere, and what is asked stays.

    Args:
        step: the step that was done.
        values: what was filled in.
        facts: the case before the step, but in the state to which it leads.
        now: the moment of the step.
        calendar: says what a day farthest off is.
        closing: the moment at which a day (ISO) ends.
    """
    lead = lead_of(step, values)
    if lead is None:
        return None
    day = values.get(lead.until) if lead.until else None
    if day and facts.put_off < lead.at_most:
        since = until_next(now, closing(day), calendar)
        return Following(lead.ask, since.start, puts_off=True, bounded=since.bounded)
    request = lead.without or lead.ask
    agreed = facts.asked_from if facts.asked_from and facts.asked_from > now else None
    if agreed and lead.until and not day:
        if facts.request == lead.ask:
            return Following(lead.ask, agreed)
        return Following(request, agreed if facts.request == request else None)
    return Following(request, spent=bool(day))
