"""Checks a rule set as a whole: faults between its rules, and what is allowed but probably a mistake."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations

from engine.core.calendar.values import Duration
from engine.core.rules.model import Condition, Rule, RuleSet, When
from engine.core.toml_reader import Reader, duplicates
from engine.core.words import Sentence
from engine.core.workflow.model import Workflow


def check(ruleset: RuleSet, workflow: Workflow, reader: Reader) -> None:
    """Notes every fault between the rules in `reader`, the reader of the whole file."""
    for id in duplicates(rule.id for rule in ruleset.rules):
        reader.fault("rule", Sentence("The id “{id}” is given to two rules.", id=id))
    for id in duplicates(season.id for season in ruleset.seasons):
        reader.fault("season", Sentence("The id “{id}” is given to two seasons.", id=id))
    for rule in ruleset.rules:
        _check_when(rule, ruleset, workflow, reader)
    _check_cycles(ruleset, workflow, reader)
    _check_requests(ruleset, workflow, reader)


def _check_requests(ruleset: RuleSet, workflow: Workflow, reader: Reader) -> None:
    """Notes requests that nothing would ever follow."""
    for state in workflow.states.values():
        for name in state.requests:
            if ruleset.timing(state.name, None, name) is None:
                sentence = Sentence(
                    "Nothing follows when nobody answers “{request}”: write a rule with `for`, or `within` and `else` "
                    "in the workflow.",
                    request=name,
                )
                reader.fault(f"states.{state.name}.requests.{name}", sentence)


def _rounds(ruleset: RuleSet, workflow: Workflow) -> Iterator[tuple[str, Sentence]]:
    """Returns a warning for each state in which answers could go round for ever: no rule counts the whole stay."""
    for state in workflow.states.values():
        timed = [rule for rule in ruleset.ever_watching(state.name) if rule.when.for_]
        answered = [step for step in workflow.leaving(state.name) if step.to == state.name and step.answers]
        if (
            answered
            and any(rule.when.since and not rule.when.requests for rule in timed)
            and all(rule.when.by_request for rule in timed)
        ):
            yield (
                "rule",
                Sentence(
                    "Answers can go round in “{state}” for ever: let one rule without `since` count the whole stay.",
                    state=state.name,
                ),
            )


def _check_when(rule: Rule, ruleset: RuleSet, workflow: Workflow, reader: Reader) -> None:
    when = rule.when
    if not when.state:
        return
    if workflow.states[when.state].final:
        reader.fault(
            f"rule “{rule.id}”.when.state",
            Sentence("“{state}” is final: nothing is waited for there.", state=when.state),
        )
    for key, value in (("before_deadline", when.before_deadline), ("after_deadline", when.after_deadline)):
        if value is not None and all(ruleset.timing(*node) is None for node in _nodes(when)):
            reader.fault(
                f"rule “{rule.id}”.when.{key}",
                Sentence("There is no deadline here: no rule for “{state}” has a `for`.", state=when.state),
            )


def _check_cycles(ruleset: RuleSet, workflow: Workflow, reader: Reader) -> None:
    """Notes cycles: rules alone must not move a case in a circle in no time, because that would never end."""
    instant = {rule.id: rule for rule in ruleset.rules if rule.when.state and _instant(rule, ruleset, workflow)}
    told: set[str] = set()
    for rule in instant.values():
        round_ = _round(rule, instant, workflow)
        if round_ and rule.id not in told:
            told.update(round_)
            words = " → ".join((*round_, rule.id))
            reader.fault(
                f"rule “{rule.id}”.then",
                Sentence("These rules fire each other without time passing: {rules}.", rules=words),
            )


def _instant(rule: Rule, ruleset: RuleSet, workflow: Workflow) -> bool:
    """Returns whether the rule could fire at the moment the case enters the state, without any act of a person."""
    when = rule.when
    if when.for_ or when.after_deadline or (when.accepted and workflow.states[when.state].offered):
        return False
    before, timing = when.before_deadline, ruleset.timing(*_nodes(when)[0])
    if before is None:
        return True
    whole = timing.when.for_ if timing else None
    if not isinstance(before, Duration) or whole is None:
        return False
    return before.unit != whole.unit or before.amount >= whole.amount


def _nodes(when: When) -> list[tuple[str, bool | None, str]]:
    """Returns where a rule watches: the state, whether the offer is accepted, and each request that it names."""
    return [(when.state, when.accepted, request) for request in when.requests or ("",)]


def _round(rule: Rule, rules: Mapping[str, Rule], workflow: Workflow) -> tuple[str, ...]:
    """Returns the ids of the rules, this one first, that lead a case from the state of `rule` back to it; empty if none
    do.
    """
    waiting: list[tuple[Rule, tuple[str, ...]]] = [(rule, (rule.id,))]
    seen = {rule.id}
    while waiting:
        last, path = waiting.pop(0)
        ends = {workflow.transitions[name].to for name in last.fires}
        if rule.when.state in ends:
            return path
        following = [next_ for next_ in rules.values() if next_.when.state in ends and next_.id not in seen]
        seen.update(next_.id for next_ in following)
        waiting.extend((next_, (*path, next_.id)) for next_ in following)
    return ()


def warnings(ruleset: RuleSet, workflow: Workflow) -> Iterator[tuple[str, Sentence]]:
    """Returns what is allowed but probably a mistake, each with its key: rules that never fire, rules that fire
    together.
    """
    for rule in ruleset.rules:
        if rule.when.accepted is not None and not workflow.states[rule.when.state].offered:
            yield (
                f"rule “{rule.id}”.when.accepted",
                Sentence(
                    "This rule can never fire: “{state}” is not offered, so nobody accepts it.", state=rule.when.state
                ),
            )
        for name in _contradicted(rule.when.conditions):
            yield (
                f"rule “{rule.id}”.when",
                Sentence("This rule can never fire: the conditions on “{name}” cannot hold together.", name=name),
            )
    yield from _rounds(ruleset, workflow)
    for first, second in combinations(ruleset.rules, 2):
        yield from _of_two(first, second, workflow)
    yield from _silent(ruleset, workflow)


def _silent(ruleset: RuleSet, workflow: Workflow) -> Iterator[tuple[str, Sentence]]:
    """Returns the states in which a case could wait and nobody would be told, or not any more after some time."""
    for name, state in workflow.states.items():
        for accepted in () if state.final else (False, True) if state.offered else (None,):
            rules = ruleset.watching(name, accepted)
            if not rules:
                yield "rule", _unwatched(name, accepted)
            elif not any(_lasting(rule, workflow) for rule in rules):
                yield (
                    f"rule “{rules[-1].id}”.repeat",
                    Sentence(
                        "After this rule a case can wait in “{state}” in silence: let the last rule there do a step, "
                        "or repeat without at_most.",
                        state=name,
                    ),
                )


def _unwatched(state: str, accepted: bool | None) -> Sentence:
    if accepted is None:
        return Sentence("No rule watches “{state}”: a case can wait there in silence.", state=state)
    if accepted:
        return Sentence("No rule watches “{state}” once it is accepted: a case can wait there in silence.", state=state)
    return Sentence("No rule watches “{state}” until it is accepted: a case can wait there in silence.", state=state)


def _lasting(rule: Rule, workflow: Workflow) -> bool:
    """Returns whether the rule takes every case out of its state in the end, or goes on telling."""
    endless = rule.repeat is not None and rule.repeat.at_most is None
    return not rule.when.conditions and (endless or _leaves(rule, workflow))


def _of_two(first: Rule, second: Rule, workflow: Workflow) -> Iterator[tuple[str, Sentence]]:
    """Returns the warning about two rules; `first` comes first in the file."""
    for early, late in ((first, second), (second, first)):
        if _leaves(early, workflow) and _sooner(early.when, late.when, level=early is first):
            yield (
                f"rule “{late.id}”.when",
                Sentence("This rule can never fire: “{id}” has taken the case out of the state by then.", id=early.id),
            )
            return
    if first.when == second.when:
        yield f"rule “{second.id}”.when", Sentence("This rule always fires together with “{id}”.", id=first.id)


def _leaves(rule: Rule, workflow: Workflow) -> bool:
    return any(workflow.transitions[name].to != rule.when.state for name in rule.fires)


def _sooner(early: When, late: When, level: bool) -> bool:
    """Returns whether `early` holds whenever `late` does, and not later; `level`: the same moment is enough."""
    if early.state != late.state or early.accepted not in (None, late.accepted) or early.requests != late.requests:
        return False
    if early.before_deadline or early.after_deadline or not set(early.conditions) <= set(late.conditions):
        return False
    if early.for_ and _starts_later(early, late):
        return False
    if early.for_ is None:
        return level or late.for_ is not None
    if late.for_ is None or early.for_.unit != late.for_.unit:
        return False
    return early.for_.amount < late.for_.amount or (level and early.for_ == late.for_)


def _starts_later(one: When, other: When) -> bool:
    """Returns whether the clock of `one` may start later than that of `other`, by an unknown time."""
    if one.since and one.since != other.since:
        return True
    return one.accepted is None and bool(other.accepted)


def _contradicted(conditions: Iterable[Condition]) -> Iterator[str]:
    """Returns the facts for which these conditions can never all hold."""
    for one, other in combinations(conditions, 2):
        if one.name == other.name and _clash(one, other):
            yield one.name
    for condition in conditions:
        within = condition.within
        too_many = within and condition.operator == "at_least" and _count(condition) > within.amount
        if too_many and within and within.unit in ("school days", "days"):
            yield condition.name


def _clash(one: Condition, other: Condition) -> bool:
    if (one.operator, other.operator) == ("at_least", "at_most"):
        return one.within == other.within and _count(one) > _count(other)
    if (one.operator, other.operator) == ("all_of", "none_of"):
        return bool(set(_names(one)) & set(_names(other)))
    return False


def _count(condition: Condition) -> int:
    return condition.value if isinstance(condition.value, int) else 0


def _names(condition: Condition) -> tuple[object, ...]:
    return condition.value if isinstance(condition.value, tuple) else ()
