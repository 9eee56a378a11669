"""Contacts and visits as answers: once one is recorded, a rule that asks for silence counts from it.

An answer is a step in which somebody is spoken to, given in the present stay in a state. Time counts from the moment it
was recorded or, if a next date was given with it, from the closing time of that day. A next date puts off by
FARTHEST at most, and MOST_PUT_OFF times in one stay: after that only the contact or visit itself counts.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from engine.core.calendar import Calendar, clock_of
from engine.core.calendar.values import Duration
from engine.core.workflow.model import Transition, Workflow

ANSWER = "answer"  # what a rule can count `since`
MET = "met_whom"  # the field by which a step is known to be one
FARTHEST = Duration(7, "working days")
MOST_PUT_OFF = 2


class Answer(NamedTuple):
    """A contact or a visit: its number in the history, when it was recorded, the end of the next date given with it."""

    seq: int
    at: dt.datetime
    next_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Since:
    """From when time counts after some answers, and why.

    `answer` is the one that it counts from. `bounded`: its next date lay farther off than a next date can put off;
    `spent`: its next date was not taken, because the stay had been put off as often as it can be.
    """

    start: dt.datetime
    answer: Answer
    bounded: bool = False
    spent: bool = False


def is_answer(step: Transition) -> bool:
    """Whether in this step somebody is spoken to: a contact or a visit."""
    return MET in (*step.needs, *step.may)


def answered_in(workflow: Workflow, state: str) -> bool:
    """Whether any step that leads to the state is an answer."""
    return any(step.to == state and is_answer(step) for step in workflow.transitions.values())


def since(answers: Sequence[Answer], calendar: Calendar) -> Since | None:
    """From when time counts after these answers, the oldest first; None if there are none.

    A next date takes the place of the one before; an answer without one never makes the time shorter.
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


def _until_next(answer: Answer, next_at: dt.datetime, calendar: Calendar) -> Since:
    """Counted from the next date: never before the answer itself, nor farther off than FARTHEST."""
    farthest = clock_of(calendar).deadline(answer.at, FARTHEST)
    if farthest is not None and next_at > farthest:
        return Since(farthest, answer, bounded=True)
    return Since(max(answer.at, next_at), answer)
