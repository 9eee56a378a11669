"""Reads the `when` of a rule: the state, the clock, and the conditions on the case."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

from engine.core.calendar.values import Duration
from engine.core.rules.model import Condition, When
from engine.core.toml_reader import Reader, is_whole
from engine.core.words import Sentence
from engine.core.workflow.answers import ANSWER, answered_in
from engine.core.workflow.model import Workflow

STATE, FLAG, CAUSE, SEASON = Sentence("state"), Sentence("flag"), Sentence("cause"), Sentence("season")
MOMENT = Sentence("moment")
DURATION = Sentence('a duration such as "3 school days"')
BEFORE = Sentence('a duration such as "4 working hours", or a share such as "25 %"')
COUNT = Sentence("a whole number or {{ at_least = 1, at_most = 3 }}")
GRADES = Sentence("a list of grades, or {{ at_least = 1, at_most = 3 }}")
CLOCKS = ("for", "before_deadline", "after_deadline")

_SHARE = re.compile(r"([1-9]\d?) ?%")


def when_of(reader: Reader, workflow: Workflow, seasons: tuple[str, ...]) -> When:
    """Returns the moment that a `when` table describes; `seasons` are the ids of the seasons of the file."""
    when = When(
        state=reader.one_of("state", workflow.states, STATE),
        accepted=reader.flag("accepted") if "accepted" in reader else None,
        for_=reader.parsed("for", Duration.parse, DURATION),
        before_deadline=reader.parsed("before_deadline", duration_or_share, BEFORE),
        after_deadline=reader.parsed("after_deadline", Duration.parse, DURATION),
        conditions=tuple(_conditions(reader, workflow, seasons)),
        since=reader.one_of("since", (ANSWER,), MOMENT, default=""),
    )
    reader.raw("accepted")
    if sum(clock in reader for clock in CLOCKS) > 1:
        reader.fault("", Sentence("Only one of {keys} can stand here.", keys=CLOCKS))
    if when.awaits_answer:
        _check_since(reader, when, workflow)
    return replace(when, whole_stay=_watches_all(when, workflow))


def _watches_all(when: When, workflow: Workflow) -> bool:
    """Returns whether the rule watches the whole stay in its state, whatever is asked meanwhile: it fires once in it.

    So does a rule without a time, and one that does not say whether the offer is accepted: its time runs from the first
    moment.
    """
    if when.awaits_answer or when.around_deadline:
        return False
    state = workflow.states.get(when.state)
    return when.for_ is None or (when.accepted is None and state is not None and state.offered)


def _check_since(reader: Reader, when: When, workflow: Workflow) -> None:
    if "for" not in reader:
        reader.fault("since", Sentence("Say with `for` how long after the contact or visit."))
    elif when.accepted is False:
        reader.fault("since", Sentence("Who has not accepted owes no visit yet: `since` goes with `accepted = true`."))
    elif when.state and not answered_in(workflow, when.state):
        reader.fault(
            "since",
            Sentence("No step that leads to “{state}” is a contact or a visit (asks “met_whom”).", state=when.state),
        )


def duration_or_share(text: str) -> Duration | Fraction:
    """`"4 working hours"`, or `"25 %"` as a quarter (1 to 99 %); raises ValueError on anything else."""
    share = _SHARE.fullmatch(text)
    if not share and "%" in text:
        raise ValueError(text)
    return Fraction(int(share[1]), 100) if share else Duration.parse(text)


def _conditions(reader: Reader, workflow: Workflow, seasons: tuple[str, ...]) -> Iterator[Condition]:
    yield from _counted(reader, "level")
    yield from _grades(reader)
    yield from _counted(reader, "absences", days=True)
    yield from _counted(reader, "unexcused", days=True)
    yield from _counted(reader, "unreached_attempts")
    causes = [choice.code for choice in workflow.fields["causes"].choices]
    yield from _listed("cause", "any_of", reader.some_of("cause", causes, CAUSE, required="cause" in reader))
    for place in ("unit", "residence"):
        yield from _listed(place, "any_of", reader.texts(place, required=place in reader))
    season = reader.one_of("season", seasons, SEASON, default="")
    yield from _listed("season", "any_of", (season,) if season else ())
    for key, operator in (("flags", "all_of"), ("without_flags", "none_of")):
        flags = reader.some_of(key, workflow.flags, FLAG, required=key in reader)
        yield from _listed("flags", operator, flags)


def _listed(name: str, operator: str, values: tuple[str, ...]) -> Iterator[Condition]:
    if values:
        yield Condition(name, operator, values)


def _grades(reader: Reader) -> Iterator[Condition]:
    """`grade = [6, 7]`, or bounds, or one grade."""
    value = reader.raw("grade")
    if not isinstance(value, list):
        yield from _counted(reader, "grade", kind=GRADES)
    elif value and all(is_whole(grade) and 1 <= grade <= 12 for grade in value):
        yield Condition("grade", "any_of", tuple(value))
    else:
        reader.wrong("grade", GRADES)


def _counted(reader: Reader, name: str, days: bool = False, kind: Sentence = COUNT) -> Iterator[Condition]:
    """Reads `level = 1` (exactly), or `level = { at_least = 1, at_most = 3 }`; for days also `within = "10 school
    days"`.
    """
    value = reader.raw(name)
    if value is None:
        return
    if is_whole(value):
        yield from (Condition(name, operator, value) for operator in ("at_least", "at_most"))
    elif isinstance(value, dict):
        yield from _bounds(reader.table(name), name, days)
    else:
        reader.wrong(name, kind)


def _bounds(reader: Reader, name: str, days: bool) -> Iterator[Condition]:
    within = reader.parsed("within", Duration.parse, DURATION) if days else None
    bounds = [key for key in ("at_least", "at_most") if key in reader]
    if not bounds:
        reader.fault("", Sentence("Say at_least, at_most or both."))
    for key in ("at_least", "at_most"):
        value = reader.whole(key, default=0, least=0)
        if key in bounds:
            yield Condition(name, key, value, within)
