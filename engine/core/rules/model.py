"""Rules as data: what happens when nobody acts.

Rules stand in the order in which conflicts are settled: of the rules that are due at the same moment each fires in file
order, and after one has fired a transition the rest are judged on the state the case is in by then.
`load_ruleset` in engine/core/rules/reader.py reads and checks one against its workflow.
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
    """One thing that must hold of a case: `name` is a fact, compared by `operator` with `value`.

    Facts and operators: `level`, `unreached_attempts`: at_least, at_most (int). `grade`: any_of (ints), at_least,
    at_most. `absences`, `unexcused`: at_least, at_most (school days, counted in the last `within` if given, else
    since the absence began). `cause`: any_of (codes). `unit` (the class and all above it), `residence` (the village
    and all above it): any_of (unit codes). `season`: any_of (season ids; the moment lies in one). `flags`: all_of,
    none_of (flag names).
    """

    name: str
    operator: str
    value: int | tuple[int, ...] | tuple[str, ...]
    within: Duration | None = None


@dataclass(frozen=True, slots=True)
class When:
    """The moment a rule waits for, in one state.

    `accepted` None: whether the offer is accepted or not. `for_`: so long in the state (or, with `accepted`, so long
    unaccepted or accepted; with `since` ANSWER, so long after the last contact or visit of the stay, if there is one).
    `before_deadline` counts back from the deadline, a Fraction being a share of the whole time
    (25 % = 1/4 of it is left); `after_deadline` counts on from it; which deadline that is, `RuleSet.timing` says. With
    none of the three the rule fires as soon as the rest holds.
    """

    state: str
    accepted: bool | None = None
    for_: Duration | None = None
    before_deadline: Duration | Fraction | None = None
    after_deadline: Duration | None = None
    conditions: tuple[Condition, ...] = ()
    since: str = ""

    @property
    def awaits_answer(self) -> bool:
        """Whether its time begins anew with each contact or visit."""
        return self.since == ANSWER

    @property
    def around_deadline(self) -> bool:
        """Whether its moment is counted from the deadline, back or on."""
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
    """Do a transition in the system's name."""

    transition: str


@dataclass(frozen=True, slots=True)
class RaiseLevel:
    """Raise the level of escalation by so many."""

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
    """Fire again `every` so long while the rule still holds, `at_most` so many times after the first."""

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
    """A risk window: from the first anchor up to, not including, the second, time counts 1/`factor`-fold.

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

    `warnings` are things that are allowed but hardly meant: rules that can never fire, rules that always fire together.
    """

    workflow: str
    version: int
    rules: tuple[Rule, ...]
    seasons: tuple[Season, ...]
    text: str
    digest: str
    warnings: tuple[Fault, ...] = ()
    # What `watching` and `timing` answered before: a sweep asks the same for each of a million cases.
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
        """The rules that can fire in `state`, in file order; with `accepted`, those for an offer in that condition."""
        asked = state, accepted
        if asked not in self._watching:
            found = tuple(rule for rule in self.rules if rule.when.state == state and _fits(rule, accepted))
            self._watching[asked] = found
        return self._watching[asked]

    def timing(self, state: str, accepted: bool | None = None) -> Rule | None:
        """The rule whose `for` is the deadline in `state`, None if there is none: the first without conditions in file
        order, or the first of all if each has some."""
        asked = state, accepted
        if asked not in self._timing:
            timed = [rule for rule in self.watching(state, accepted) if rule.when.for_ is not None]
            plain = (rule for rule in timed if not rule.when.conditions)
            self._timing[asked] = next(plain, timed[0] if timed else None)
        return self._timing[asked]

    def anew(self, state: str, accepted: bool | None = None) -> frozenset[str]:
        """The ids of the rules of `watching` whose time begins anew with a contact or visit: those that say so, and
        those that are counted from the deadline if it does."""
        timing = self.timing(state, accepted)
        moves = timing is not None and timing.when.awaits_answer
        return frozenset(
            rule.id
            for rule in self.watching(state, accepted)
            if rule.when.awaits_answer or (moves and rule.when.around_deadline)
        )


def _fits(rule: Rule, accepted: bool | None) -> bool:
    return accepted is None or rule.when.accepted is None or rule.when.accepted == accepted
