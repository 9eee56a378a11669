"""Decides what the rules say about a case at a moment: which rule is due when, which fires now, when to look again.

The module is pure. The time of a rule counts from when the case entered its state. If the rule asks for `accepted`, it
counts from when the case was offered or accepted: acceptance and action have separate clocks. A repetition counts from
the firing before it. So people get one reminder and then their full time again, not many at once, when no worker ran
for some time.

A rule with `since = "request"` counts from when the present request was opened, or from the end of a next date that was
agreed with it, and fires anew for each request. One with `since = "answer"` begins again with each contact or visit of
the stay. So do rules that count from the deadline it makes: they can fire once more after it, however often they fired
before. All others count the whole stay, and fire once in it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

from engine.core.calendar import Calendar, Clock, Duration
from engine.core.cases.definitions import Situation
from engine.core.cases.facts import Facts, Fired
from engine.core.invariants import Broken, given
from engine.core.rules.model import Condition, Rule, RuleSet
from engine.core.workflow import answers
from engine.core.workflow.answers import Since
from engine.core.workflow.requests import ACCEPT

ONE_DAY = Duration(1, "days")
FAR = dt.datetime.max.replace(tzinfo=dt.UTC)
# These can become true as time passes, without an event on the case.
DRIFTING = frozenset({"absences", "unexcused", "season"})


class Due(NamedTuple):
    """A rule that will be due: when, for which time (1 is the first), and how that moment was counted.

    `start` and `counted` say when the clock began and for how long it ran, or how long before the deadline the moment
    is; they are None for a rule without a time. `since` is the contact or visit from which the time or the deadline
    counts.
    """

    at: dt.datetime
    rule: Rule
    repetition: int
    start: dt.datetime
    counted: Duration | None
    since: Since | None = None


def decide(facts: Facts, situation: Situation, now: dt.datetime) -> Due | None:
    """Returns the rule that fires next if it is due by `now`: the earliest, and of several the first in the file."""
    return evaluate(facts, situation, now).due


def next_look(facts: Facts, situation: Situation, now: dt.datetime) -> dt.datetime | None:
    """Returns the earliest moment at which any rule could fire; None if none can until something happens to the
    case.
    """
    return evaluate(facts, situation, now).look


class Evaluation(NamedTuple):
    """The results of `decide`, `next_look` and `deadline` for a case."""

    due: Due | None
    look: dt.datetime | None
    deadline: dt.datetime | None


def evaluate(facts: Facts, situation: Situation, now: dt.datetime) -> Evaluation:
    """Returns the results of `decide`, `next_look` and `deadline` in one pass over the rules."""
    first: Due | None = None
    look: dt.datetime | None = None
    known, until = 0, None
    here = node(facts, situation)
    timings = situation.rules.timings(*here)
    for due in coming(facts, situation, here):
        at = due.at
        if not due.repetition and any(due.rule is timing for timing in timings):
            known, until = known + 1, at if until is None or at < until else until
        if at <= now:
            if _holds(due.rule, facts, situation, now):
                first = due if first is None or at < first.at else first
            elif waits(due.rule):
                at = situation.steady.deadline(now, ONE_DAY) or now + dt.timedelta(days=1)
            else:
                continue
        look = at if look is None or at < look else look
    return Evaluation(first, look, until if known == len(timings) else deadline(facts, situation))


def deadline(facts: Facts, situation: Situation) -> dt.datetime | None:
    """Returns until when whoever is asked must answer: the time of the `for` rule of what is asked."""
    found = timed(facts, situation)
    return found.at if found else None


class Timed(NamedTuple):
    """The rule that makes the deadline, from when it counts, for how long, and until when (None: the clock is held)."""

    rule: Rule
    start: dt.datetime
    time: Duration
    at: dt.datetime | None


def timed(facts: Facts, situation: Situation) -> Timed | None:
    """Returns how the deadline is made; None if nothing has a time."""
    counted = (
        Timed(rule, start, rule.when.for_, situation.clock_for(rule).deadline(start, rule.when.for_))
        for rule in situation.rules.timings(*node(facts, situation))
        if rule.when.for_ is not None and (start := started(rule, facts, situation.calendar)) is not None
    )
    return min(counted, key=lambda found: found.at or FAR, default=None)


def coming(facts: Facts, situation: Situation, here: Node | None = None) -> Iterator[Due]:
    """Returns each rule of the state that can still fire, with its next moment, in file order.

    Conditions that change as time passes (a season, absences) are not judged: a rule that waits for one is included.
    `here` is the node of the case, for a caller that knows it.
    """
    if not facts.is_open:
        return
    anew = situation.rules.anew(facts.state, facts.accepted) if facts.answers else ()
    for rule in situation.rules.watching(*(here or node(facts, situation))):
        start = started(rule, facts, situation.calendar)
        if start is None or _settled(rule, facts):
            continue
        before = fired(rule, facts, situation.rules) if facts.fired else None
        times, since = before.times if before else 0, None
        if before is None or (rule.id in anew and before.seq < facts.answers[-1].seq):
            since = answered(facts, situation.calendar) if rule.id in anew else None
            start = max(start, since.start) if since else start
            at, start, counted = _first(rule, start, facts, situation)
        elif rule.repeat is not None and (rule.repeat.at_most is None or times <= rule.repeat.at_most):
            start, counted = before.last, rule.repeat.every
            at = situation.steady_for(rule).deadline(start, counted)
        else:
            continue
        if at is not None:
            yield Due(at, rule, times, start, counted, since)


def would_fire(facts: Facts, situation: Situation, rule: Rule, now: dt.datetime) -> bool:
    """Returns whether a rule is due by `now` and holds, whatever the other rules do."""
    due = any(it.rule.id == rule.id and it.at <= now for it in coming(facts, situation))
    return due and _holds(rule, facts, situation, now)


def expected(facts: Facts, situation: Situation, now: dt.datetime) -> list[Due]:
    """Returns what the rules will do if nobody acts, the soonest first, up to the rule that moves the case to another
    state, or asks something else.

    A rule that waits for something that changes as time passes (a season, absences) is included, whether it will hold
    or not.
    """
    found = sorted(
        (due for due in coming(facts, situation) if due.at > now and _possible(due.rule, facts, situation, now)),
        key=lambda due: due.at,
    )
    for number, due in enumerate(found):
        if (due.rule.fires or due.rule.asks) and not waits(due.rule):
            return found[: number + 1]
    return found


def waits(rule: Rule) -> bool:
    """Returns whether the rule also has a condition that changes as time passes."""
    return any(condition.name in DRIFTING for condition in rule.when.conditions)


def _possible(rule: Rule, facts: Facts, situation: Situation, now: dt.datetime) -> bool:
    lasting = (condition for condition in rule.when.conditions if condition.name not in DRIFTING)
    return all(_met_around(condition, facts, situation, now) for condition in lasting)


Node = tuple[str, bool | None, str]


def node(facts: Facts, situation: Situation) -> Node:
    """Returns where the case stands for its rules: the state, whether its offer is accepted, and what else is asked.

    The last is "" while the case asks what its state does by itself, or to be accepted.
    """
    request = facts.request or ""
    own = request == ACCEPT or request == situation.workflow.states[facts.state].asks
    return facts.state, facts.accepted, "" if own else request


def numbered(rule: Rule, facts: Facts, rules: RuleSet) -> int:
    """Returns the number under which a firing of the rule is kept: that of the request, or of the stay."""
    return facts.entry if rules.by_request(rule) else facts.stay


def fired(rule: Rule, facts: Facts, rules: RuleSet) -> Fired | None:
    """Returns how the rule fired for the present request, or in the present stay if it counts all of that."""
    found = facts.fired.get(rule.id)
    return found if found is not None and found.entry == numbered(rule, facts, rules) else None


def started(rule: Rule, facts: Facts, calendar: Calendar) -> dt.datetime | None:
    """Returns from when the rule's time counts; None while the offer is not in the condition that the rule asks for."""
    start: dt.datetime | None = facts.since
    if rule.when.accepted is not None:
        if rule.when.accepted != facts.accepted:
            return None
        start = facts.accepted_at if rule.when.accepted else facts.offered_at
    if (rule.when.since or rule.when.around_deadline) and start and facts.asked_from:
        start = max(start, facts.asked_from)
    since = answered(facts, calendar) if rule.when.awaits_answer else None
    return max(start, since.start) if since and start else start


def answered(facts: Facts, calendar: Calendar) -> Since | None:
    """Returns from when time counts after the contacts and visits of this stay.

    The result is None before the first one, and if the assignee accepted the case after the last one.
    """
    since = answers.since(facts.answers, calendar) if facts.answers else None
    return since if since and (facts.accepted_at is None or since.start >= facts.accepted_at) else None


def _first(
    rule: Rule, start: dt.datetime, facts: Facts, situation: Situation
) -> tuple[dt.datetime | None, dt.datetime, Duration | None]:
    """Returns when a rule is due that has not fired since its time began, and how that moment was counted."""
    if (counted := rule.when.for_) is not None:
        return situation.clock_for(rule).deadline(start, counted), start, counted
    return _around_deadline(rule, start, facts, situation)


def _around_deadline(
    rule: Rule, start: dt.datetime, facts: Facts, situation: Situation
) -> tuple[dt.datetime | None, dt.datetime, Duration | None]:
    """Returns when a rule without `for` is due the first time, and how that moment was counted."""
    when, clock = rule.when, situation.clock_for(rule)
    if when.before_deadline is None and when.after_deadline is None:
        return start, start, None
    due = deadline(facts, situation)
    if due is None:
        return None, start, None
    if when.after_deadline is not None:
        return clock.deadline(due, when.after_deadline), due, when.after_deadline
    if isinstance(when.before_deadline, Fraction):
        return _when_left(situation.steady_for(rule), start, due, when.before_deadline), start, None
    before = given(when.before_deadline, "a rule on the deadline says how long before or after it")
    return max(start, clock.before(due, before)), start, before


def _when_left(clock: Clock, start: dt.datetime, due: dt.datetime, share: Fraction) -> dt.datetime:
    """Returns when a share of the time is left, inside working hours: a reminder at night helps nobody.

    If no working hour lies between, the share is one of the time on the wall.
    """
    return clock.part(start, due, 1 - share) or due - (due - start) * float(share)


def _settled(rule: Rule, facts: Facts) -> bool:
    """Returns whether conditions that only an event can change keep the rule from firing."""
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
    """Returns the school days with an absence, each counted once, since the absence began or in the last days of
    `within`.
    """
    first = facts.absent_since
    if condition.within is not None:
        moment = situation.steady.before(now, condition.within)
        first = situation.calendar.local(moment).date()
    kinds = {"u"} if condition.name == "unexcused" else {"u", "e"}
    days = {day for day, mark in facts.marks if day >= first and mark in kinds}
    return sum(1 for day in days if situation.clock.is_school_day(day))
