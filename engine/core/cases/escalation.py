"""What the rules say about a case at a moment: which come due when, which fire now, when to look again. Pure.

A rule's time counts from when the case entered its state or, where the rule asks for `accepted`, from when it was
offered or accepted: acceptance and action have a clock each. A repetition counts from the firing before it, so that
after a time without a worker people get one reminder and then their full time again, not a heap at once.

A rule that asks for silence (`since = "answer"`) begins anew with each contact or visit of the stay, and so do those
that are counted from the deadline it makes: they fire once more after it, however often they fired before.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

from engine.core.calendar import Calendar, Duration
from engine.core.cases.definitions import Situation
from engine.core.cases.facts import Facts
from engine.core.invariants import Broken, given
from engine.core.rules.model import Condition, Rule
from engine.core.workflow import answers
from engine.core.workflow.answers import Since

ONE_DAY = Duration(1, "days")
DRIFTING = frozenset({"absences", "unexcused", "season"})  # may come to hold by time alone, with no event on the case


class Due(NamedTuple):
    """A rule that comes due: when, for the how-manieth time, and how that moment was counted.

    `start` and `counted` say from when and for how long the clock ran, or how long before the deadline it is; None for
    a rule without a time of its own. `since`: the contact or visit from which the time, or the deadline, counts.
    """

    at: dt.datetime
    rule: Rule
    repetition: int
    start: dt.datetime
    counted: Duration | None
    since: Since | None = None


def decide(facts: Facts, situation: Situation, now: dt.datetime) -> Due | None:
    """The rule that fires next, if one is due by `now`: the earliest, the first in the file of those due together."""
    return survey(facts, situation, now).due


def next_look(facts: Facts, situation: Situation, now: dt.datetime) -> dt.datetime | None:
    """The earliest moment at which any rule could fire; None if none can unless something happens to the case."""
    return survey(facts, situation, now).look


class Survey(NamedTuple):
    """What `decide`, `next_look` and `deadline` say of a case."""

    due: Due | None
    look: dt.datetime | None
    deadline: dt.datetime | None


def survey(facts: Facts, situation: Situation, now: dt.datetime) -> Survey:
    """`decide`, `next_look` and `deadline` in one pass over the rules."""
    first: Due | None = None
    look: dt.datetime | None = None
    known, until = False, None
    timing = situation.rules.timing(facts.state, facts.accepted)
    for due in coming(facts, situation):
        at = due.at
        if due.rule is timing and not due.repetition:
            known, until = True, at
        if at <= now:
            if _holds(due.rule, facts, situation, now):
                first = due if first is None or at < first.at else first
            elif waits(due.rule):
                at = situation.clock.deadline(now, ONE_DAY) or now + dt.timedelta(days=1)
            else:
                continue
        look = at if look is None or at < look else look
    return Survey(first, look, until if known else deadline(facts, situation))


def deadline(facts: Facts, situation: Situation) -> dt.datetime | None:
    """When the person who has the case, or is offered it, must have acted: the time of the state's own `for` rule."""
    rule = situation.rules.timing(facts.state, facts.accepted)
    if rule is None or rule.when.for_ is None:
        return None
    start = started(rule, facts, situation.calendar)
    return None if start is None else situation.clock.deadline(start, rule.when.for_)


def coming(facts: Facts, situation: Situation) -> Iterator[Due]:
    """Each rule of the state that has firings left, with its next moment, in file order.

    What may change by time alone (a season, absences) is not judged: a rule that waits for it is among them.
    """
    if not facts.is_open:
        return
    anew = situation.rules.anew(facts.state, facts.accepted) if facts.answers else ()
    for rule in situation.rules.watching(facts.state, facts.accepted):
        start = started(rule, facts, situation.calendar)
        if start is None or _settled(rule, facts):
            continue
        fired = facts.fired.get(rule.id) if facts.fired else None
        times, since = fired.times if fired else 0, None
        if fired is None or (rule.id in anew and fired.seq < facts.answers[-1].seq):
            since = answered(facts, situation.calendar) if rule.id in anew else None
            start = max(start, since.start) if since else start
            at, start, counted = _first(rule, start, facts, situation)
        elif rule.repeat is not None and times <= rule.repeat.at_most:
            start, counted = fired.last, rule.repeat.every
            at = situation.clock.deadline(start, counted)
        else:
            continue
        if at is not None:
            yield Due(at, rule, times, start, counted, since)


def expected(facts: Facts, situation: Situation, now: dt.datetime) -> list[Due]:
    """What the rules will do if nobody acts, the soonest first, up to the one that moves the case on.

    A rule that waits for something time may bring (a season, absences) is among them, whether it will hold or not.
    """
    found = sorted(
        (due for due in coming(facts, situation) if due.at > now and _possible(due.rule, facts, situation, now)),
        key=lambda due: due.at,
    )
    for number, due in enumerate(found):
        if due.rule.fires and not waits(due.rule):
            return found[: number + 1]
    return found


def waits(rule: Rule) -> bool:
    """Whether the rule also asks for something that time alone may bring or take away."""
    return any(condition.name in DRIFTING for condition in rule.when.conditions)


def _possible(rule: Rule, facts: Facts, situation: Situation, now: dt.datetime) -> bool:
    lasting = (condition for condition in rule.when.conditions if condition.name not in DRIFTING)
    return all(_met_around(condition, facts, situation, now) for condition in lasting)


def started(rule: Rule, facts: Facts, calendar: Calendar) -> dt.datetime | None:
    """From when the rule's time counts; None while the case is not in the condition the rule asks for."""
    start: dt.datetime | None = facts.since
    if rule.when.accepted is not None:
        if rule.when.accepted != facts.accepted:
            return None
        start = facts.accepted_at if rule.when.accepted else facts.offered_at
    since = answered(facts, calendar) if rule.when.awaits_answer else None
    return max(start, since.start) if since and start else start


def answered(facts: Facts, calendar: Calendar) -> Since | None:
    """From when time counts after the contacts and visits of this stay; None before the first, and where whoever has
    the case took it up after that."""
    since = answers.since(facts.answers, calendar) if facts.answers else None
    return since if since and (facts.accepted_at is None or since.start >= facts.accepted_at) else None


def _first(
    rule: Rule, start: dt.datetime, facts: Facts, situation: Situation
) -> tuple[dt.datetime | None, dt.datetime, Duration | None]:
    """When a rule comes due that has not fired since its time began, and from when, for how long, that was counted."""
    if (counted := rule.when.for_) is not None:
        return situation.clock.deadline(start, counted), start, counted
    return _around_deadline(rule, start, facts, situation)


def _around_deadline(
    rule: Rule, start: dt.datetime, facts: Facts, situation: Situation
) -> tuple[dt.datetime | None, dt.datetime, Duration | None]:
    """When a rule without a `for` comes due the first time, and from when, for how long, that was counted."""
    when, clock = rule.when, situation.clock
    if when.before_deadline is None and when.after_deadline is None:
        return start, start, None
    due = deadline(facts, situation)
    if due is None:
        return None, start, None
    if when.after_deadline is not None:
        return clock.deadline(due, when.after_deadline), due, when.after_deadline
    if isinstance(when.before_deadline, Fraction):
        return due - (due - start) * float(when.before_deadline), start, None
    before = given(when.before_deadline, "a rule on the deadline says how long before or after it")
    return max(start, clock.before(due, before)), start, before


def _settled(rule: Rule, facts: Facts) -> bool:
    """Whether the case itself, which only an event can change, rules the rule out."""
    if not rule.when.conditions:
        return False
    return not all(_met(c, facts) for c in rule.when.conditions if c.name not in DRIFTING and c.name in _ON_CASE)


def _holds(rule: Rule, facts: Facts, situation: Situation, now: dt.datetime) -> bool:
    return all(_met_around(condition, facts, situation, now) for condition in rule.when.conditions)


_ON_CASE = frozenset({"level", "unreached_attempts", "grade", "cause", "flags"})


def _met(condition: Condition, facts: Facts) -> bool:
    value = condition.value
    if condition.name == "flags":
        wanted = set(value) if isinstance(value, tuple) else {value}
        return wanted <= set(facts.flags) if condition.operator == "all_of" else not wanted & set(facts.flags)
    if condition.name == "cause":
        return bool(set(facts.causes) & set(_values(condition)))
    number = {"level": facts.level, "unreached_attempts": facts.unreached, "grade": facts.grade}[condition.name]
    return number is not None and _compare(number, condition)


def _values(condition: Condition) -> tuple[object, ...]:
    return condition.value if isinstance(condition.value, tuple) else (condition.value,)


def _compare(number: int, condition: Condition) -> bool:
    if condition.operator == "any_of":
        return number in _values(condition)
    if not isinstance(condition.value, int):
        raise Broken("the reader of rules lets only numbers be compared")
    return number >= condition.value if condition.operator == "at_least" else number <= condition.value


def _met_around(condition: Condition, facts: Facts, situation: Situation, now: dt.datetime) -> bool:
    if condition.name in _ON_CASE:
        return _met(condition, facts)
    if condition.name == "season":
        return bool(situation.season_on(situation.calendar.local(now).date()) & set(map(str, _values(condition))))
    if condition.name == "unit":
        return bool(situation.surroundings.school_units & set(map(str, _values(condition))))
    if condition.name == "residence":
        return bool(situation.surroundings.home_units & set(map(str, _values(condition))))
    return _compare(_absences(condition, facts, situation, now), condition)


def _absences(condition: Condition, facts: Facts, situation: Situation, now: dt.datetime) -> int:
    """School days with an absence, each counted once, since the absence began or in the last so many school days."""
    first = facts.absent_since
    if condition.within is not None:
        moment = situation.clock.before(now, condition.within)
        first = situation.calendar.local(moment).date()
    kinds = {"u"} if condition.name == "unexcused" else {"u", "e"}
    days = {day for day, mark in facts.marks if day >= first and mark in kinds}
    return sum(1 for day in days if situation.clock.is_school_day(day))
