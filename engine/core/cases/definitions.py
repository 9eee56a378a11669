"""The workflows, rule sets and calendars of the cases, each by version, and the clocks made of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

from engine.core.calendar import Calendar, Clock, ClosedDays, Pause, Window, clock_of, windows
from engine.core.calendar.announced import HARVEST
from engine.core.cases.facts import Facts
from engine.core.people.roles import NO_ROLES, OF_A_COMMUNE, RoleBook, Roles
from engine.core.refusals import NotFound
from engine.core.rules.model import Rule, RuleSet, Season
from engine.core.words import Label, Sentence
from engine.core.workflow.model import Workflow

MOST_TIMES = 512  # clocks that are kept for other cases; a clock with its own closures takes 50 KB
DAYS_APART = ("closures", "shut", "harvests")  # what of the surroundings a clock counts with
HALF, DAY = 0.5, dt.timedelta(days=1)
Seasons = Mapping[str, tuple[Window, ...]]
Holds = tuple[tuple[dt.datetime, dt.datetime | None, str], ...]  # from, to (None: no end), reason


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the rules need to know beside the case: the pupil's units, the teaching days of the class, the closures.

    `school_units` are the codes of the class and all units above it, `home_units` those of the village and all units
    above it. `weekdays` are ISO digits ("123456": Monday to Saturday); None means those of the calendar. `shut` are the
    days on which the office of the place does not work, `harvests` the seasons that communes have entered there.
    `district`: the commune lies in a district.
    """

    province: str = ""
    weekdays: str | None = None
    school_units: frozenset[str] = frozenset()
    home_units: frozenset[str] = frozenset()
    closures: tuple[ClosedDays, ...] = ()
    shut: tuple[ClosedDays, ...] = ()
    harvests: tuple[ClosedDays, ...] = ()
    district: bool = False


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything that a decision needs beside the case: its rules, its clocks, its units, its risk windows, its roles.

    `clock` hurries in a season. `steady` does not: repetitions, lessons and rules with `season = false` count with it.
    `commune` are the same two, but without the days on which the office of the pupil's commune is shut. Only the states
    that this office answers for count with them: a funeral at the commune delays no teacher.
    """

    workflow: Workflow
    rules: RuleSet
    clock: Clock
    calendar: Calendar
    surroundings: Surroundings
    seasons: Seasons
    roles: Roles
    steady: Clock
    commune: tuple[Clock, Clock]

    def clock_for(self, rule: Rule) -> Clock:
        """Returns the clock with which the time of a rule counts."""
        return self._clocks(rule)[0 if rule.season else 1]

    def steady_for(self, rule: Rule) -> Clock:
        """Returns the clock with which the repetitions and the shares of time of a rule count."""
        return self._clocks(rule)[1]

    def shut_for(self, rule: Rule) -> tuple[ClosedDays, ...]:
        """Returns the days of a shut office that a rule counts with."""
        return self.surroundings.shut if self._of_commune(rule) else ()

    def _clocks(self, rule: Rule) -> tuple[Clock, Clock]:
        return self.commune if self._of_commune(rule) else (self.clock, self.steady)

    def _of_commune(self, rule: Rule) -> bool:
        owner = self.roles.get(self.workflow.states[rule.when.state].owner)
        return owner is not None and owner.seat in OF_A_COMMUNE

    def season_on(self, day: dt.date) -> frozenset[str]:
        """The ids of the risk windows that a day lies in."""
        return frozenset(
            name for name, found in self.seasons.items() if any(window.first <= day < window.end for window in found)
        )


@lru_cache(maxsize=256)
def _windows(season: Season, calendar: Calendar, year: int) -> tuple[Window, ...]:
    return tuple(windows(season.between, season.factor, season.name, calendar, range(year - 1, year + 3)))


def _harvest(days: ClosedDays) -> Window:
    """Returns the risk window of a harvest that a commune has entered: times are half in it."""
    name = Label(f"mùa thu hoạch: {days.reason}", f"harvest: {days.reason}")
    return Window(days.first, days.last + DAY, HALF, name)


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
    # Seasons, a clock that hurries in them, and one that does not.
    _times: dict[tuple[object, ...], tuple[Seasons, Clock, Clock]] = field(
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
        seasons, *commune = self._time(rules, facts.since, surroundings, facts.holds)
        own = replace(surroundings, shut=()) if surroundings.shut else surroundings
        clock, steady = self._time(rules, facts.since, own, facts.holds)[1:]
        calendar, roles = self.calendar(surroundings.province), self.roles_in(surroundings)
        pair = commune[0], commune[1]
        return Situation(workflow, rules, clock, calendar, surroundings, seasons, roles, steady, pair)

    def roles_in(self, surroundings: Surroundings) -> Roles:
        """The roles of the tree that a case lies in."""
        return self.roles.tree(district=surroundings.district)

    def role_labels(self, surroundings: Surroundings) -> Mapping[str, Label]:
        """What the roles are called where a case lies."""
        return self.roles.called(district=surroundings.district)

    def clock(
        self, rules: RuleSet, when: dt.datetime, surroundings: Surroundings, holds: Holds = (), *, steady: bool = False
    ) -> Clock:
        """Returns the clock of a case in these surroundings at about this time; `steady`: the one without seasons."""
        _seasons, hurried, even = self._time(rules, when, surroundings, holds)
        return even if steady else hurried

    def _time(
        self, rules: RuleSet, when: dt.datetime, surroundings: Surroundings, holds: Holds
    ) -> tuple[Seasons, Clock, Clock]:
        """Returns the risk windows and the two clocks. Most cases of a year share them, so the result is kept."""
        here = tuple(season for season in rules.seasons if not season.units or _touches(season, surroundings))
        names = tuple(season.id for season in here)
        asked = (
            rules.digest,
            names,
            when.year,
            surroundings.province,
            surroundings.weekdays,
            surroundings.closures,
            surroundings.shut,
            surroundings.harvests,
            holds,
        )
        if asked not in self._times:
            if len(self._times) >= MOST_TIMES:
                self._times.clear()
            seasons = {season.id: _windows(season, self.calendar(surroundings.province), when.year) for season in here}
            if surroundings.harvests:
                # The id of the seasons that communes enter; a season of the rules may have it, too.
                seasons[HARVEST] = (*seasons.get(HARVEST, ()), *map(_harvest, surroundings.harvests))
            hurried = self._clock(surroundings, seasons, holds)
            self._times[asked] = seasons, hurried, self._clock(surroundings, {}, holds)
        return self._times[asked]

    def _clock(self, surroundings: Surroundings, seasons: Seasons, holds: Holds) -> Clock:
        return clock_of(
            self.calendar(surroundings.province),
            weekdays=frozenset(int(day) - 1 for day in surroundings.weekdays) if surroundings.weekdays else None,
            closures=surroundings.closures,
            windows=tuple(window for found in seasons.values() for window in found),
            pauses=tuple(Pause(start, end, reason) for start, end, reason in holds),
            shut=surroundings.shut,
        )
