"""Treats contacts and visits as answers: a rule that waits for silence counts from the last one.

An answer is a step of the present stay in a state, in which somebody speaks with the family. Time counts from the
moment it was recorded; if it names a next date, from the closing time of that day. A next date can put the time off by
FARTHEST at most, and MOST_PUT_OFF times in one stay. After that only the contact or visit itself counts.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from engine.core.calendar import Calendar, clock_of
from engine.core.calendar.values import Duration
from engine.core.workflow.model import Transition, Workflow

ANSWER, REQUEST = "answer", "request"  # values of `since` in a rule
MET = "met_whom"  # a step with this field is an answer
FARTHEST = Duration(7, "working days")
MOST_PUT_OFF = 2


class Answer(NamedTuple):
    """A contact or a visit: its number in the history, when it was recorded, the end of its next date."""

    seq: int
    at: dt.datetime
    next_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Since:
    """From when time counts after some answers, and why.

    `answer` is the one from which it counts. `bounded`: its next date was later than allowed. `spent`: its next date
    did not count, because the stay had already been put off as often as allowed.
    """

    start: dt.datetime
    answer: Answer
    bounded: bool = False
    spent: bool = False


def is_answer(step: Transition) -> bool:
    """Returns whether the step is a contact or a visit: somebody speaks with the family."""
    return MET in (*step.needs, *step.may)


def answered_in(workflow: Workflow, state: str) -> bool:
    """Whether any step that leads to the state is an answer."""
    return any(step.to == state and is_answer(step) for step in workflow.transitions.values())


def since(answers: Sequence[Answer], calendar: Calendar) -> Since | None:
    """Returns from when time counts after these answers (the oldest first); None without answers.

    A next date replaces the one before. An answer without a next date never makes the time shorter.
    """
    found: Since | None = None
    put_off = 0
    for answer in answers:
        if answer.next_at is not None and put_off < MOST_PUT_OFF:
            put_off += 1
            found = _until_next(answer, answer.next_at, calendar)
        elif found is None or found.start <= answer.at:
            found = Since(answer.at, answer, spent=answer.next_at is not None)
    return found


def until_next(at: dt.datetime, next_at: dt.datetime, calendar: Calendar) -> Since:
    """Returns from when time counts after an answer at `at` that names a next date."""
    return _until_next(Answer(0, at, next_at), next_at, calendar)


def _until_next(answer: Answer, next_at: dt.datetime, calendar: Calendar) -> Since:
    """Counts from the next date: never before the answer itself, nor later than FARTHEST allows."""
    farthest = clock_of(calendar).deadline(answer.at, FARTHEST)
    if farthest is not None and next_at > farthest:
        return Since(farthest, answer, bounded=True)
    return Since(max(answer.at, next_at), answer)
