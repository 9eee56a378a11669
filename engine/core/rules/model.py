"""Rules as data: what happens when nobody acts.

The order of the rules settles conflicts: rules that are due at the same moment fire in file order. After one of them
has fired a transition, the others are judged on the new state. `load_ruleset` in engine/core/rules/reader.py reads a
rule set and checks it against its workflow.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from engine.core.calendar.values import Duration
from engine.core.words import Fault, Label
from engine.core.workflow.answers import ANSWER

OWN, NEXT_UP = "own", "next_up"  # where an offer goes: the case's own unit, or the one above it that has the role


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition on a case: `name` is a fact, compared by `operator` with `value`.

    Facts and operators: `level`, `unreached_attempts`: at_least, at_most (int). `grade`: any_of (ints), at_least,
    at_most. `absences`, `unexcused`: at_least, at_most (school days, counted in the last `within` if given, else since
    the absence began). `cause`: any_of (codes). `unit` (the class and all above it), `residence` (the village and all
    above it): any_of (unit codes). `season`: any_of (season ids; the moment lies in one). `flags`: all_of, none_of
    (flag names).
    """

    name: str
    operator: str
    value: int | tuple[int, ...] | tuple[str, ...]
    within: Duration | None = None


@dataclass(frozen=True, slots=True)
class When:
    """The moment a rule waits for, in one state.

    `accepted` None: whether the offer is accepted or not. `for_`: the time in the state (or, with `accepted`, the time
    without or since acceptance; with `since` ANSWER, the time after the last contact or visit of the stay, if any).
    `before_deadline` counts back from the deadline, a Fraction being a share of the whole time (25 % = 1/4 of it is
    left); `after_deadline` counts on from it; `RuleSet.timing` says which deadline that is. Without any of the three
    the rule fires as soon as the other conditions hold. `whole_stay`: it fires once in the state, else once for each
    request.
    """

    state: str
    accepted: bool | None = None
    for_: Duration | None = None
    before_deadline: Duration | Fraction | None = None
    after_deadline: Duration | None = None
    conditions: tuple[Condition, ...] = ()
    since: str = ""
    whole_stay: bool = False

    @property
    def awaits_answer(self) -> bool:
        """Returns whether its time begins again with each contact or visit."""
        return self.since == ANSWER

    @property
    def around_deadline(self) -> bool:
        """Returns whether its moment counts from the deadline, back or on."""
        return self.before_deadline is not None or self.after_deadline is not None


@dataclass(frozen=True, slots=True)
class Notify:
    """Tell the holders of these roles ("assignee": who has the case)."""

    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OfferTo:
    """Offer the case to a role in a unit: OWN, NEXT_UP or a unit code."""

    role: str
    unit: str = OWN


@dataclass(frozen=True, slots=True)
class Fire:
    """Does a transition in the name of the system."""

    transition: str


@dataclass(frozen=True, slots=True)
class RaiseLevel:
    """Raises the level of escalation by this number."""

    by: int


@dataclass(frozen=True, slots=True)
class SetFlag:
    """Put a flag on the case."""

    flag: str


@dataclass(frozen=True, slots=True)
class AskCheckIn:
    """Ask who has the case for a check-in on the pupil within this time."""

    within: Duration


Action = Notify | OfferTo | Fire | RaiseLevel | SetFlag | AskCheckIn


@dataclass(frozen=True, slots=True)
class Repeat:
    """Fires again `every` so long while the rule still holds, at most `at_most` times after the first."""

    every: Duration
    at_most: int


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; `urgent` notices do not wait for quiet hours or a digest."""

    id: str
    why: Label
    when: When
    then: tuple[Action, ...]
    repeat: Repeat | None = None
    urgent: bool = False

    @property
    def fires(self) -> tuple[str, ...]:
        """The transitions this rule does, in order."""
        return tuple(action.transition for action in self.then if isinstance(action, Fire))


@dataclass(frozen=True, slots=True)
class Season:
    """A risk window: from the first anchor (included) to the second (excluded) a day counts 1/`factor` times.

    `between` are anchors as engine/core/calendar/__init__.py reads them ("tet + 14 days"); `units` are unit codes,
    empty: everywhere.
    """

    id: str
    name: Label
    between: tuple[str, str]
    factor: float
    units: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RuleSet:
    """A whole, checked rule set. `text` is the file as it was read, `digest` its SHA-256 in hex.

    `warnings` are what is allowed but probably a mistake: rules that can never fire, rules that always fire together.
    """

    workflow: str
    version: int
    rules: tuple[Rule, ...]
    seasons: tuple[Season, ...]
    text: str
    digest: str
    warnings: tuple[Fault, ...] = ()
    # Earlier answers of `watching` and `timing`: a sweep asks the same for each of a million cases.
    _watching: dict[tuple[str, bool | None], tuple[Rule, ...]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    _timing: dict[tuple[str, bool | None], Rule | None] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def rule(self, id: str) -> Rule | None:
        """The rule with this id, or None."""
        return next((rule for rule in self.rules if rule.id == id), None)

    def watching(self, state: str, accepted: bool | None = None) -> tuple[Rule, ...]:
        """Returns the rules that can fire in `state`, in file order; with `accepted`, those for an offer in that
        condition.
        """
        asked = state, accepted
        if asked not in self._watching:
            found = tuple(rule for rule in self.rules if rule.when.state == state and _fits(rule, accepted))
            self._watching[asked] = found
        return self._watching[asked]

    def timing(self, state: str, accepted: bool | None = None) -> Rule | None:
        """Returns the rule whose `for` is the deadline in `state`; None if there is none.

        This is the first rule without conditions in file order, or the first of all if each has conditions.
        """
        asked = state, accepted
        if asked not in self._timing:
            timed = [rule for rule in self.watching(state, accepted) if rule.when.for_ is not None]
            plain = (rule for rule in timed if not rule.when.conditions)
            self._timing[asked] = next(plain, timed[0] if timed else None)
        return self._timing[asked]

    def anew(self, state: str, accepted: bool | None = None) -> frozenset[str]:
        """Returns the ids of the rules of `watching` whose time begins again with a contact or visit.

        These are the rules that say so, and those that count from the deadline if the deadline does.
        """
        timing = self.timing(state, accepted)
        moves = timing is not None and timing.when.awaits_answer
        return frozenset(
            rule.id
            for rule in self.watching(state, accepted)
            if rule.when.awaits_answer or (moves and rule.when.around_deadline)
        )


def _fits(rule: Rule, accepted: bool | None) -> bool:
    return accepted is None or rule.when.accepted is None or rule.when.accepted == accepted
