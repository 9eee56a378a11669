"""Checks the dates of a form against what is known of the case: the one place for all of them.

What cannot be is refused with a sentence that names both days: a return before the absence, a day before the pupil was
born. What is only unlikely is asked about once: a day long ago, a day without class. `RULES` says which date is held
against what; a date that it does not name, of a workflow of the operator's own, follows `OTHERWISE`. That a day that
should be past lies in the future is a fault of the field itself (`engine.core.workflow.form_values`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from engine.core.calendar import Clock
from engine.core.refusals import Invalid, Questioned
from engine.core.words import Sentence
from engine.core.workflow.form_values import YES
from engine.core.workflow.model import Field

CONFIRM = "confirm"  # the answer to the question: yes, these dates are right
BIRTH, ABSENCE, RETURN = "birth", "absence", "return"
LONG_AGO, GIFT_LONG_AGO, FAR_OFF = 60, 365, 365  # days


@dataclass(frozen=True, slots=True)
class DateRule:
    """What a date is held against: it is not `before` one of these days; it is asked about if it lies more than `ago`
    days ago or `ahead` days ahead or, with `taught`, if the pupil has no class on it.
    """

    before: tuple[str, ...] = ()
    ago: int = LONG_AGO
    ahead: int | None = None
    taught: bool = False


RULES: Mapping[str, DateRule] = {
    "absent_since": DateRule((BIRTH, RETURN), taught=True),
    "returned_on": DateRule((BIRTH, ABSENCE), taught=True),
    "left_on": DateRule((BIRTH, ABSENCE, RETURN)),
    "visited_on": DateRule((BIRTH, ABSENCE)),
    "checked_on": DateRule((BIRTH, ABSENCE)),
    "given_on": DateRule(ago=GIFT_LONG_AGO),
    "next_on": DateRule(ahead=FAR_OFF),
}
OTHERWISE = DateRule((BIRTH,))

_BEFORE: Mapping[str, Sentence] = {
    BIRTH: Sentence("“{label}” is {date}: that is before the pupil was born, {day}."),
    ABSENCE: Sentence("“{label}” is {date}: that is before the first day missed, {day}."),
    RETURN: Sentence("“{label}” is {date}: that is before the pupil came back, {day}."),
}


@dataclass(frozen=True, slots=True)
class KnownDays:
    """What is known when a form is filled in: today, the days of BIRTH, ABSENCE and RETURN as far as they are known,
    and the clock of the pupil's class.
    """

    today: dt.date
    clock: Clock
    days: Mapping[str, dt.date | None]


def check(fields: Iterable[Field], filled: Mapping[str, object], known: KnownDays, *, confirmed: bool) -> None:
    """Checks the dates that were filled in (ISO texts, by field name).

    Raises `Invalid` for days that cannot be, and `Questioned` for unlikely ones that nobody has confirmed.
    """
    given = [(field, dt.date.fromisoformat(str(filled[field.name]))) for field in fields if _filled(field, filled)]
    wrong = {field.name: sentence for field, day in given if (sentence := next(_impossible(field, day, known), None))}
    if wrong:
        raise Invalid(wrong)
    asked = {field.name: sentence for field, day in given if (sentence := next(_unlikely(field, day, known), None))}
    if asked and not confirmed:
        raise Questioned(asked)


def is_confirmed(values: Mapping[str, object]) -> bool:
    """Returns whether the form says that its dates are right."""
    return str(values.get(CONFIRM, "")).strip().lower() in YES


def _filled(field: Field, filled: Mapping[str, object]) -> bool:
    return field.type == "date" and bool(filled.get(field.name))


def _rule(field: Field) -> DateRule:
    return RULES.get(field.name, OTHERWISE)


def _impossible(field: Field, date: dt.date, known: KnownDays) -> Iterator[Sentence]:
    for name in _rule(field).before:
        day = known.days.get(name)
        if day and date < day:
            yield Sentence(_BEFORE[name].msgid, label=field.label, date=date, day=day)


def _unlikely(field: Field, date: dt.date, known: KnownDays) -> Iterator[Sentence]:
    rule, away = _rule(field), (known.today - date).days
    if away > rule.ago and rule.ago >= GIFT_LONG_AGO:
        yield Sentence("“{label}” is {date}, more than a year ago. Is that right?", label=field.label, date=date)
    if away > rule.ago:
        yield Sentence("“{label}” is {date}, {days} days ago. Is that right?", label=field.label, date=date, days=away)
    if rule.ahead is not None and -away > rule.ahead:
        yield Sentence("“{label}” is {date}, more than a year ahead. Is that right?", label=field.label, date=date)
    why = known.clock.why_no_class(date) if rule.taught else None
    if why:
        yield Sentence(
            "“{label}” is {date}, a day without class ({why}). Is that right?", label=field.label, date=date, why=why
        )
