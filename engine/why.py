"""Why a rule fired, in words: the same on the case page, in a notice and in `ralop explain`.

An event keeps what was counted with (when the clock started, for how long, which closures and holds were in force); the
days are counted again from that, so that what was true then is told even if a closure was entered or lifted since.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.calendar import Closure, Duration
from engine.facts import Facts
from engine.handbook import Handbook, Surroundings
from engine.people import PASSED_OVER, ROLE_LABELS
from engine.words import Label, Sentence

Line = Label | Sentence


@dataclass(frozen=True, slots=True)
class Why:
    """`reason`: the rule in words. `facts`: version, when the clock started, what was done. `days`: what counted."""

    reason: Label
    facts: tuple[Line, ...]
    days: tuple[Line, ...]

    def lines(self) -> tuple[Line, ...]:
        """Everything, in the order in which it is read."""
        return (self.reason, *self.facts, *self.days)


def explain_firing(handbook: Handbook, facts: Facts, around: Surroundings, data: Mapping[str, Any]) -> Why | None:
    """Why the rule of this event fired; None for an event that no rule made."""
    if "rule" not in data:
        return None
    rules = handbook.rules(facts.workflow, data["rules"])
    rule = rules.rule(data["rule"])
    name = data["rule"]
    reason = rule.why if rule else Label(name, name)
    local = handbook.calendar(around.province).local
    lines: list[Line] = [Sentence("Rule {rule}, version {version} of the rules.", rule=name, version=data["rules"])]
    start, due = local(dt.datetime.fromisoformat(data["start"])), local(dt.datetime.fromisoformat(data["due"]))
    if data["time"]:
        time = Duration.parse(data["time"]).label
        lines.append(Sentence("Counted {time} from {start}: until {due}.", time=time, start=start, due=due))
    else:
        lines.append(Sentence("It held from {due}.", due=due))
    if data["repetition"]:
        lines.append(Sentence("Repetition {number}.", number=data["repetition"]))
    lines += passed_over(data)
    return Why(reason, tuple(lines), _days(handbook, facts, around, data))


def passed_over(data: Mapping[str, Any]) -> list[Line]:
    """Who was passed over on the way to whom a case was offered, and why."""
    return [
        Sentence("Passed over: {role}, {why}.", role=ROLE_LABELS[role], why=PASSED_OVER[why])
        for role, _unit, why in data.get("passed_over", ())
    ]


def _days(handbook: Handbook, facts: Facts, around: Surroundings, data: Mapping[str, Any]) -> tuple[Line, ...]:
    if not data["time"]:
        return ()
    duration = Duration.parse(data["time"])
    day = dt.date.fromisoformat
    closures = tuple(Closure(day(a), day(b), reason, scope) for a, b, reason, scope in data.get("closures", ()))
    moment = dt.datetime.fromisoformat
    holds = tuple((moment(a), moment(b) if b else None, reason) for a, b, reason in data.get("holds", ()))
    then = Surroundings(around.province, around.weekdays, around.school_units, around.home_units, closures)
    clock = handbook.clock(handbook.rules(facts.workflow, data["rules"]), moment(data["start"]), then, holds)
    return clock.explain(moment(data["start"]), duration).words()
