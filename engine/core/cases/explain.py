"""Explains why a rule fired, why a case is offered to a post, and why a deadline is when it is.

The case page, notices and `ralop explain` use the same words. An event stores what the count used (when the clock
started, for how long, which closures and holds were in force). The explanation counts the days again from these. So it
tells what was true then, even if a closure was entered or lifted later.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import zip_longest
from typing import Any

from engine.core.calendar import Calendar, Clock, ClosedDays, Duration, clock_of
from engine.core.cases import escalation
from engine.core.cases.definitions import DAYS_APART, Definitions, Situation, Surroundings
from engine.core.cases.facts import Facts
from engine.core.cases.turn import asked
from engine.core.people.responsibility import PASSED_OVER
from engine.core.rules.model import Rule, RuleSet
from engine.core.words import Label, Sentence
from engine.core.workflow.answers import FARTHEST, MOST_PUT_OFF, REQUEST, Answer, Since

Line = Label | Sentence
Labels = Mapping[str, Label]  # what each role is called where the case lies

BECAUSE: Mapping[str, Line] = {
    "closure": Sentence("Days without class were entered or lifted."),
    "hold": Sentence("The clock was put on hold."),
    "rules": Sentence("The rules have changed."),
    "merger": Sentence("Units have merged."),
    "calendar": Sentence("The calendar has changed."),
    "shut": Sentence("Days on which an office is shut were entered or lifted."),
    "harvest": Sentence("A harvest was entered or lifted."),
}

_DAYS: Mapping[str, Sentence] = {
    "closure": Sentence("Days without class: {first} to {last}."),
    "shut": Sentence("The office is shut: {first} to {last}."),
    "harvest": Sentence("Harvest: {first} to {last}."),
}
COUNTED_THEN = Sentence(
    "The days were counted as the calendar and the rules of that time had it; since then it changed."
)
NOTHING: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Why:
    """The reason of an event or deadline.

    `reason`: the rule in words. `facts`: the version, when the clock started, what was done. `days`: the days that
    counted.
    """

    reason: Line
    facts: tuple[Line, ...]
    days: tuple[Line, ...] = ()

    def lines(self) -> tuple[Line, ...]:
        """Returns all of it, in reading order."""
        return (self.reason, *self.facts, *self.days)


@dataclass(frozen=True, slots=True)
class Next:
    """What the rules will do at a moment (UTC) if nobody acts before; `perhaps`: only if another condition
    holds then.
    """

    at: dt.datetime
    rule: Rule
    perhaps: bool


def why_of_event(
    definitions: Definitions,
    facts: Facts,
    surroundings: Surroundings,
    data: Mapping[str, Any],
    text: Mapping[str, Any] = NOTHING,
) -> Why | None:
    """Returns why an event happened, or why a case went to a post; None for an event that a person made without a rule.

    Args:
        definitions: the rules by version.
        facts: the case.
        surroundings: the surroundings of the case now; the closures come from the event.
        data: the data of the event.
        text: what people wrote with the event, if it still exists and the reader may see it: reasons of closures,
            holds.
    """
    labels, calendar = definitions.role_labels(surroundings), definitions.calendar(surroundings.province)
    if "rule" in data:
        return explain_firing(definitions, facts, surroundings, data, text)
    if "asked" in data or "stays" in data:
        return _asked(calendar, data, labels)
    if "due_before" in data:
        return _recounted(calendar, data, labels)
    if "offered_to" in data or "passed_over" in data:
        return _handed(data, labels)
    if "next" in data:
        return _put_off(definitions, facts, calendar, data, labels)
    return None


def why_of_deadline(situation: Situation, facts: Facts) -> Why | None:
    """Returns why the deadline of a case is when it is, counted now; None for a state without a deadline."""
    timed = escalation.timed(facts, situation) if facts.is_open else None
    if timed is None:
        return None
    rule, start, time, _until = timed
    found = situation.clock_for(rule).explain(start, time)
    lines = [_version(rule.id, situation.rules.version), _counted(situation.calendar, time, start, found.at)]
    since = escalation.answered(facts, situation.calendar) if rule.when.awaits_answer else None
    answered = _answered(situation.calendar, since) if since else _agreed(situation.calendar, rule, facts)
    return Why(rule.why, (*lines, *answered), found.words())


def what_comes(situation: Situation, facts: Facts, now: dt.datetime) -> tuple[Next, ...]:
    """What the rules will do if nobody acts, the soonest first."""
    return tuple(
        Next(due.at, due.rule, escalation.waits(due.rule)) for due in escalation.expected(facts, situation, now)
    )


def explain_firing(
    definitions: Definitions,
    facts: Facts,
    surroundings: Surroundings,
    data: Mapping[str, Any],
    text: Mapping[str, Any] = NOTHING,
) -> Why | None:
    """Returns why the rule of this event fired; None for an event that no rule made."""
    if "rule" not in data:
        return None
    rules, name = definitions.rules(facts.workflow, data["rules"]), data["rule"]
    rule, calendar = rules.rule(name), definitions.calendar(surroundings.province)
    clock = _clock_then(definitions, rules, surroundings, data, text)
    timing, days = _time(calendar, clock, rules, rule, data)
    lines: list[Line] = [_version(name, data["rules"]), timing]
    if "answered" in data:
        lines += _answered(calendar, _since(data))
    elif data["repetition"]:
        lines.append(Sentence("Repetition {number}.", number=data["repetition"]))
    lines += _posts(data, definitions.role_labels(surroundings))
    return Why(rule.why if rule else Label(name, name), tuple(lines), days)


def _posts(data: Mapping[str, Any], labels: Labels) -> list[Line]:
    """Returns the post to which an event offered the case, and those that were passed over on the way."""
    role = data.get("offered_to")
    offered: list[Line] = [Sentence("Offered to: {role}.", role=labels[role])] if role else []
    return offered + _passed_over(data, labels)


def _passed_over(data: Mapping[str, Any], labels: Labels) -> list[Line]:
    """Returns the posts that were passed over on the way to the offer, and why."""
    return [
        Sentence("Passed over: {role}, {why}.", role=labels[role], why=PASSED_OVER[why])
        for role, _unit, why in data.get("passed_over", ())
    ]


def _handed(data: Mapping[str, Any], labels: Labels) -> Why:
    """Explains an offer or a hand-over that a person caused."""
    if data.get("passed_over"):
        asked = data["passed_over"][0][0]
        reason = Sentence(
            "Responsible here: {role}. The nearest post on the way up that is filled has it.", role=labels[asked]
        )
    else:
        reason = Sentence("Responsible here: {role}.", role=labels[data["offered_to"]])
    return Why(reason, tuple(_posts(data, labels)))


def _asked(calendar: Calendar, data: Mapping[str, Any], labels: Labels) -> Why:
    """Explains why a difficulty waits for a post."""
    late, until = _moment(calendar, data.get("late")), _moment(calendar, data.get("answer_by"))
    if "stays" in data:
        return Why(Sentence("No answer until {late}, and nobody stands higher: it stays where it is.", late=late), ())
    reason = Sentence("The next post up decides.")
    if late:
        reason = Sentence("No answer until {late}: it goes to the next post up.", late=late)
    asked = Sentence("An answer is due from: {role}, until {until}.", role=labels[data["asked"]], until=until)
    return Why(reason, (asked, *_passed_over(data, labels)))


def _agreed(calendar: Calendar, rule: Rule, facts: Facts) -> tuple[Line, ...]:
    """Says that a next date put the present request off."""
    if rule.when.since != REQUEST or facts.asked_from is None or facts.asked_at is None:
        return ()
    if facts.asked_from <= facts.asked_at:
        return ()
    asked_at, asked_from = calendar.local(facts.asked_at), calendar.local(facts.asked_from)
    if facts.asked_from != clock_of(calendar).deadline(facts.asked_at, FARTHEST):
        return (Sentence("Counted from the next date, {day}, given at {at}.", day=asked_from.date(), at=asked_at),)
    # As far off as a date may be: it was this day, or a later one.
    return (Sentence("A next date was given at {at}: time counts from {start}.", at=asked_at, start=asked_from),)


def _put_off(
    definitions: Definitions, facts: Facts, calendar: Calendar, data: Mapping[str, Any], labels: Labels
) -> Why:
    """Explains what a next date changed."""
    workflow = definitions.workflow(facts.workflow, facts.workflow_version)
    reason = asked(workflow, str(data.get("to", facts.state)), data["request"], data["requested_of"], labels)
    day = dt.date.fromisoformat(data["next"])
    if "spent" in data:
        said = Sentence("Its next date, {day}, puts nothing off: that was done often enough.", day=day)
    elif "bounded" in data:
        start = _moment(calendar, data["counts_from"])
        said = Sentence(
            "The next date, {day}, is farther off than {time}: counted from {start}.",
            day=day,
            time=FARTHEST.label,
            start=start,
        )
    else:
        said = Sentence("Time counts from the end of the next date, {day}.", day=day)
    return Why(reason, (said,))


def _recounted(calendar: Calendar, data: Mapping[str, Any], labels: Labels) -> Why:
    """Explains a deadline that was counted again."""
    none = Label("không có hạn", "no deadline")
    before, after = (_moment(calendar, data[key]) or none for key in ("due_before", "due"))
    lines: list[Line] = [Sentence("The deadline was {before}; now it is {after}.", before=before, after=after)]
    reason = BECAUSE.get(str(data.get("because")), Sentence("The deadline was counted anew."))
    if "first" in data and "last" in data and data.get("because") in _DAYS:
        first, last = (dt.date.fromisoformat(data[key]) for key in ("first", "last"))
        lines.append(Sentence(_DAYS[data["because"]].msgid, first=first, last=last))
    return Why(reason, (*lines, *_posts(data, labels)))


# --- how the time of a firing was counted -----------------------------------------------------------------------------


def _version(rule: str, version: int) -> Sentence:
    return Sentence("Rule {rule}, version {version} of the rules.", rule=rule, version=version)


def _counted(calendar: Calendar, time: Duration, start: dt.datetime, due: dt.datetime | None) -> Sentence:
    if due is None:
        return Sentence("There is no deadline while the clock is held.")
    return Sentence(
        "Counted {time} from {start}: until {due}.",
        time=time.label,
        start=calendar.local(start),
        due=calendar.local(due),
    )


def _since(data: Mapping[str, Any]) -> Since:
    """Reads the contact or visit that a firing counted from, as stored with the firing."""
    kept, moment = data["answered"], dt.datetime.fromisoformat
    answer = Answer(0, moment(kept["at"]), moment(kept["next"]) if kept["next"] else None)
    return Since(moment(kept["start"]), answer, kept["bounded"], kept["spent"])


def _answered(calendar: Calendar, since: Since) -> tuple[Line, ...]:
    """Says from which contact or visit time counts, and what its next date changes."""
    at, next_at = calendar.local(since.answer.at), since.answer.next_at
    recorded = Sentence("Counted from the contact or visit recorded at {at}.", at=at)
    if next_at is None:
        return (recorded,)
    day = calendar.local(next_at).date()
    if since.spent:
        none_left = Sentence(
            "Its next date, {day}, puts nothing off: that was done {times} times already.", day=day, times=MOST_PUT_OFF
        )
        return recorded, none_left
    agreed = Sentence("Counted from the next date, {day}, given at {at}.", day=day, at=at)
    if since.bounded:
        start = calendar.local(since.start)
        agreed = Sentence(
            "The next date, {day}, given at {at}, is farther off than {time}: counted from {start}.",
            day=day,
            at=at,
            time=FARTHEST.label,
            start=start,
        )
    return (agreed,)


def _moment(calendar: Calendar, text: str | None) -> dt.datetime | None:
    return calendar.local(dt.datetime.fromisoformat(text)) if text else None


def _clock_then(
    definitions: Definitions,
    rules: RuleSet,
    surroundings: Surroundings,
    data: Mapping[str, Any],
    text: Mapping[str, Any],
) -> Clock:
    """Returns the clock at the time of the event: with the closures and holds that were in force then."""
    day, moment = dt.date.fromisoformat, dt.datetime.fromisoformat
    apart = {
        name: tuple(
            ClosedDays(day(when[0]), day(when[1]), reason, when[2])
            for when, reason in zip_longest(data.get(name, ()), text.get(name, ()), fillvalue="")
        )
        for name in DAYS_APART
    }
    held = zip_longest(data.get("holds", ()), text.get("holds", ()), fillvalue="")
    holds = tuple((moment(when[0]), moment(when[1]) if when[1] else None, reason) for when, reason in held)
    steady = bool(data.get("steady"))
    around = replace(surroundings, closures=apart["closures"], shut=apart["shut"], harvests=apart["harvests"])
    return definitions.clock(rules, moment(data["start"]), around, holds, steady=steady)


def _time(
    calendar: Calendar, clock: Clock, rules: RuleSet, rule: Rule | None, data: Mapping[str, Any]
) -> tuple[Sentence, tuple[Line, ...]]:
    """Returns how the moment of the rule was counted, and the days that counted."""
    start, due = dt.datetime.fromisoformat(data["start"]), dt.datetime.fromisoformat(data["due"])
    first = not data["repetition"] or "answered" in data
    before = rule.when.before_deadline if rule and first else None
    if rule and before is not None:
        timing = rules.timing(rule.when.state, rule.when.accepted, next(iter(rule.when.requests), ""))
        days = clock.explain(start, timing.when.for_).words() if timing and timing.when.for_ else ()
        return Sentence("{time} before the deadline: from {due}.", time=_share(before), due=calendar.local(due)), days
    if not data["time"]:
        return Sentence("It held from {due}.", due=calendar.local(due)), ()
    time = Duration.parse(data["time"])
    found = clock.explain(start, time)
    days = found.words() if found.at == due else (COUNTED_THEN,)
    return _counted(calendar, time, start, due), days


def _share(before: Duration | Fraction) -> Label:
    if isinstance(before, Duration):
        return before.label
    return Label(f"{float(before):.0%} thời hạn", f"{float(before):.0%} of the time")
