"""Puts a rule into words: when it fires and what it does. `Rule.why` has the reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction

from engine.core.rules.model import (
    NEXT_UP,
    OWN,
    Action,
    Ask,
    AskCheckIn,
    Condition,
    Fire,
    Notify,
    OfferTo,
    RaiseLevel,
    Rule,
    RuleSet,
    SetFlag,
    When,
)
from engine.core.words import Label, Sentence
from engine.core.workflow.answers import FARTHEST, MOST_PUT_OFF
from engine.core.workflow.model import Workflow

Line = Label | Sentence
_AT_LEAST: Mapping[str, Sentence] = {
    "level": Sentence("urgency level at least {value}"),
    "unreached_attempts": Sentence("at least {value} attempts in a row reached nobody"),
    "grade": Sentence("grade {value} or higher"),
    "absences": Sentence("at least {value} school days absent"),
    "unexcused": Sentence("at least {value} school days absent without excuse"),
}
_AT_MOST: Mapping[str, Sentence] = {
    "level": Sentence("urgency level at most {value}"),
    "unreached_attempts": Sentence("at most {value} attempts in a row reached nobody"),
    "grade": Sentence("grade {value} or lower"),
    "absences": Sentence("at most {value} school days absent"),
    "unexcused": Sentence("at most {value} school days absent without excuse"),
}
_LISTED: Mapping[tuple[str, str], Sentence] = {
    ("cause", "any_of"): Sentence("one of the causes: {values}"),
    ("flags", "all_of"): Sentence("with the flags: {values}"),
    ("flags", "none_of"): Sentence("without the flags: {values}"),
    ("season", "any_of"): Sentence("in the season: {values}"),
    ("unit", "any_of"): Sentence("learns in one of the units: {values}"),
    ("residence", "any_of"): Sentence("lives in one of the units: {values}"),
    ("grade", "any_of"): Sentence("grade {values}"),
}


def when_words(rule: Rule, rules: RuleSet, workflow: Workflow) -> tuple[Line, ...]:
    """Returns the state, the time and the conditions, one line each; all must hold."""
    return (*_moment(rule.when, workflow), *(_condition(it, rules, workflow) for it in rule.when.conditions))


def _moment(when: When, workflow: Workflow) -> Iterator[Line]:
    yield Sentence("The case is in the state “{state}”", state=workflow.states[when.state].label)
    if when.accepted is not None:
        yield Sentence("it was accepted") if when.accepted else Sentence("nobody has accepted it")
    if when.requests:
        asks = workflow.states[when.state].asks
        names = [workflow.request_label(when.state, request or asks) for request in when.requests]
        yield Sentence("it asks: {requests}", requests=names)
    if when.for_:
        yield Sentence("for {time}", time=when.for_.label)
        if when.awaits_answer:
            yield Sentence(
                "counted anew from each contact or visit, or from the next date given with it: at most {time} off, "
                "{times} times",
                time=FARTHEST.label,
                times=MOST_PUT_OFF,
            )
        elif when.since:
            yield Sentence("counted from when it last asked for it, or from the end of an agreed next date")
    elif isinstance(when.before_deadline, Fraction):
        percent = f"{float(when.before_deadline * 100):g}%"
        yield Sentence("{share} of the time to the deadline is left", share=percent)
    elif when.before_deadline:
        yield Sentence("{time} before the deadline", time=when.before_deadline.label)
    elif when.after_deadline:
        yield Sentence("{time} after the deadline", time=when.after_deadline.label)
    else:
        yield Sentence("at once")


def _condition(it: Condition, rules: RuleSet, workflow: Workflow) -> Line:
    if it.operator in {"at_least", "at_most"}:
        words = (_AT_LEAST if it.operator == "at_least" else _AT_MOST)[it.name]
        said = Sentence(words.msgid, value=it.value)
        return Sentence("{what}, within {time}", what=said, time=it.within.label) if it.within else said
    values = it.value if isinstance(it.value, tuple) else (it.value,)
    return Sentence(
        _LISTED[it.name, it.operator].msgid, values=[_named(it.name, one, rules, workflow) for one in values]
    )


def _named(fact: str, value: object, rules: RuleSet, workflow: Workflow) -> object:
    """A code as people call it."""
    if fact == "cause":
        choice = workflow.fields["causes"].choice(str(value))
        return choice.label if choice else value
    if fact == "flags":
        return workflow.flags[str(value)]
    return next((it.name for it in rules.seasons if fact == "season" and it.id == value), value)


def then_words(rule: Rule, workflow: Workflow, labels: Mapping[str, Label]) -> tuple[Line, ...]:
    """Returns what the rule does, in order; how often it repeats; whether it waits for the end of quiet hours.

    `labels` say what each role is called.
    """
    lines: list[Line] = [_action(action, workflow, rule.when.state, labels) for action in rule.then]
    if rule.repeat and rule.repeat.at_most is None:
        lines.append(Sentence("again every {time}, until somebody acts", time=rule.repeat.every.label))
    elif rule.repeat:
        lines.append(
            Sentence(
                "again every {time}, at most {times} times more",
                time=rule.repeat.every.label,
                times=rule.repeat.at_most,
            )
        )
    if not rule.season:
        lines.append(Sentence("a risk season does not shorten this time"))
    if rule.urgent:
        lines.append(Sentence("urgent: no quiet hours, no digest"))
    return tuple(lines)


def _action(action: Action, workflow: Workflow, state: str, labels: Mapping[str, Label]) -> Line:
    match action:
        case Notify(roles):
            return Sentence("tells: {roles}", roles=[labels[role] for role in roles])
        case OfferTo(role, unit):
            return _offer(labels[role], unit)
        case Fire(name):
            step = workflow.transitions[name]
            return Sentence(
                "does the step “{step}”: the case goes to “{state}”",
                step=step.label,
                state=workflow.states[step.to].label,
            )
        case Ask(request):
            return Sentence("asks: {request}", request=workflow.request_label(state, request))
        case _:
            return _beside(action, workflow)


def _beside(action: RaiseLevel | SetFlag | AskCheckIn, workflow: Workflow) -> Line:
    """Puts what a rule does without moving the case into words."""
    match action:
        case RaiseLevel(by):
            return Sentence("raises the urgency level by {by}", by=by)
        case SetFlag(flag):
            return Sentence("sets the flag “{flag}”", flag=workflow.flags[flag])
        case AskCheckIn(within):
            return Sentence("asks for a check-in on the pupil within {time}", time=within.label)


def _offer(label: Label, unit: str) -> Line:
    if unit == OWN:
        return Sentence("offers the case to: {role}", role=label)
    if unit == NEXT_UP:
        return Sentence("offers the case to: {role}, one level up", role=label)
    return Sentence("offers the case to: {role}, unit {unit}", role=label, unit=unit)


def anchor_words(anchor: str) -> Line:
    """Returns one end of a season in words; an unknown form stays as in the file."""
    base, sign, rest = anchor.partition(" + ") if " + " in anchor else anchor.partition(" - ")
    number = rest.split(" ")[0] if rest else "0"
    names: Mapping[str, Line] = {
        "tet": Label("Tết", "Tết"),
        "break_end": Label("ngày đi học lại sau kỳ nghỉ Tết", "the first day after the Tết break"),
        "school_year": Label("khai giảng", "the start of the school year"),
        "gathering": Label("ngày tựu trường", "the day on which pupils gather"),
    }
    what: Line = names.get(base.strip(), Label(base.strip(), base.strip()))
    if number == "0" or not sign:
        return what
    if sign == " + ":
        return Sentence("{days} days after {what}", days=number, what=what)
    return Sentence("{days} days before {what}", days=number, what=what)
