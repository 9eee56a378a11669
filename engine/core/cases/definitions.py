"""The workflows, rule sets and calendars of the cases, each by version, and the clocks made of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from engine.core.calendar import Calendar, Clock, ClosedDays, Pause, Window, clock_of, windows
from engine.core.cases.facts import Facts
from engine.core.people.roles import NO_ROLES, RoleBook, Roles
from engine.core.refusals import NotFound
from engine.core.rules.model import RuleSet, Season
from engine.core.words import Label, Sentence
from engine.core.workflow.model import Workflow

MOST_TIMES = 512  # clocks that are kept for other cases; a clock with its own closures takes 50 KB
Seasons = Mapping[str, tuple[Window, ...]]
Holds = tuple[tuple[dt.datetime, dt.datetime | None, str], ...]  # from, to (None: no end), reason


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the rules need to know beside the case: the pupil's units, the teaching days of the class, the closures.

    `school_units` are the codes of the class and all units above it, `home_units` those of the village and all units
    above it. `weekdays` are ISO digits ("123456": Monday to Saturday); None means those of the calendar. `district`:
    the commune lies in a district.
    """

    province: str = ""
    weekdays: str | None = None
    school_units: frozenset[str] = frozenset()
    home_units: frozenset[str] = frozenset()
    closures: tuple[ClosedDays, ...] = ()
    district: bool = False


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything that a decision needs beside the case: its rules, clock, units, risk windows and roles."""

    workflow: Workflow
    rules: RuleSet
    clock: Clock
    calendar: Calendar
    surroundings: Surroundings
    seasons: Seasons
    roles: Roles

    def season_on(self, day: dt.date) -> frozenset[str]:
        """The ids of the risk windows that a day lies in."""
        return frozenset(
            name for name, found in self.seasons.items() if any(window.first <= day < window.end for window in found)
        )


@lru_cache(maxsize=256)
def _windows(season: Season, calendar: Calendar, year: int) -> tuple[Window, ...]:
    return tuple(windows(season.between, season.factor, season.name, calendar, range(year - 1, year + 3)))


def _touches(season: Season, surroundings: Surroundings) -> bool:
    return not (surroundings.school_units.isdisjoint(season.units) and surroundings.home_units.isdisjoint(season.units))


@dataclass(frozen=True)
class Definitions:
    """The definitions that `web.site.composition` read and checked.

    `calendars` are found by province code; "" is the calendar of all other provinces.

    `current` names, for each workflow the versions of workflow and rules with which new cases begin. `roles` are those
    of every administrative tree.
    """

    workflows: Mapping[tuple[str, int], Workflow]
    rulesets: Mapping[tuple[str, int], RuleSet]
    calendars: Mapping[str, Calendar]
    current: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    roles: RoleBook = NO_ROLES
    _times: dict[tuple[object, ...], tuple[Seasons, Clock]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def workflow(self, name: str, version: int | None = None) -> Workflow:
        """Returns a workflow; without a version the one with which new cases begin. Raises `NotFound`."""
        version = version if version is not None else self.current.get(name, (0, 0))[0]
        if found := self.workflows.get((name, version)):
            return found
        raise NotFound(Sentence("There is no workflow “{name}”, version {version}.", name=name, version=version))

    def rules(self, workflow: str, version: int | None = None) -> RuleSet:
        """Returns a rule set of a workflow; without a version the one with which new cases begin. Raises `NotFound`."""
        version = version if version is not None else self.current.get(workflow, (0, 0))[1]
        if found := self.rulesets.get((workflow, version)):
            return found
        raise NotFound(Sentence("There are no rules for “{name}”, version {version}.", name=workflow, version=version))

    def calendar(self, province: str) -> Calendar:
        """Returns the calendar of a province (by unit code), or the calendar of all other provinces."""
        return self.calendars.get(province) or self.calendars[""]

    def situation(self, facts: Facts, surroundings: Surroundings) -> Situation:
        """The rules, clock and risk windows that hold for a case."""
        workflow = self.workflow(facts.workflow, facts.workflow_version)
        rules = self.rules(facts.workflow, facts.rules_version)
        seasons, clock = self._time(rules, facts.since, surroundings, facts.holds)
        calendar, roles = self.calendar(surroundings.province), self.roles_in(surroundings)
        return Situation(workflow, rules, clock, calendar, surroundings, seasons, roles)

    def roles_in(self, surroundings: Surroundings) -> Roles:
        """The roles of the tree that a case lies in."""
        return self.roles.tree(district=surroundings.district)

    def role_labels(self, surroundings: Surroundings) -> Mapping[str, Label]:
        """What the roles are called where a case lies."""
        return self.roles.called(district=surroundings.district)

    def clock(self, rules: RuleSet, when: dt.datetime, surroundings: Surroundings, holds: Holds = ()) -> Clock:
        """Returns the clock of a case in these surroundings at about this time."""
        return self._time(rules, when, surroundings, holds)[1]

    def _time(
        self, rules: RuleSet, when: dt.datetime, surroundings: Surroundings, holds: Holds
    ) -> tuple[Seasons, Clock]:
        """Returns the risk windows and the clock. Most cases of a year share them, so the result is kept."""
        here = tuple(season for season in rules.seasons if not season.units or _touches(season, surroundings))
        names = tuple(season.id for season in here)
        asked = (
            rules.digest,
            names,
            when.year,
            surroundings.province,
            surroundings.weekdays,
            surroundings.closures,
            holds,
        )
        if asked not in self._times:
            if len(self._times) >= MOST_TIMES:
                self._times.clear()
            seasons = {season.id: _windows(season, self.calendar(surroundings.province), when.year) for season in here}
            self._times[asked] = seasons, self._clock(surroundings, seasons, holds)
        return self._times[asked]

    def _clock(self, surroundings: Surroundings, seasons: Seasons, holds: Holds) -> Clock:
        return clock_of(
            self.calendar(surroundings.province),
            weekdays=frozenset(int(day) - 1 for day in surroundings.weekdays) if surroundings.weekdays else None,
            closures=surroundings.closures,
            windows=tuple(window for found in seasons.values() for window in found),
            pauses=tuple(Pause(start, end, reason) for start, end, reason in holds),
        )
