"""Reads the surroundings of many cases in a few statements, and keeps them for one transaction.

A `SurroundingsReader` answers the questions of the core (`engine.core.people.responsibility.Directory`,
`engine.core.cases.definitions.Surroundings`) for one moment. Call `fetch` with the cases first; what was not fetched is
read one by one.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Executable, TextClause, bindparam, select
from sqlalchemy.orm import Session

from engine.core.calendar import ClosedDays
from engine.core.calendar.announced import HARVEST, NO_CLASS, OFFICE_SHUT
from engine.core.cases.casework import Casework
from engine.core.cases.definitions import Definitions, Situation, Surroundings
from engine.core.cases.facts import Facts, note_fired
from engine.core.cases.past import Acted, answers_among
from engine.core.people.access import Place
from engine.core.people.responsibility import Found, Holder, acting
from engine.core.people.roles import ADMIN, AREA, INVITED, Roles
from engine.core.workflow.answers import ANSWER
from engine.store import stand_ins
from engine.store import tables as t
from engine.store.bulk import read_columns
from engine.store.cases import surroundings_sql
from engine.store.cases.writer import CASE_COLUMNS

_TABLES = t.Base.metadata.tables
cases, events, firings, holds, marks, causes = (
    _TABLES[name] for name in ("cases", "events", "firings", "holds", "marks", "case_causes")
)
units, links, appointments, people, closures = (
    _TABLES[name] for name in ("units", "unit_links", "appointments", "people", "closures")
)
PLACES = ("class_id", "school_id", "village_id", "commune_id", "province_id", "association_id")
COUNTS = frozenset({"absences", "unexcused"})  # conditions on attendance
CHUNK = 5_000  # ids in one statement; SQLite takes 32,766 values, PostgreSQL 65,535


def chunks(ids: Iterable[int]) -> Iterable[list[int]]:
    """Returns the ids, each once and in order, in pieces that fit into one statement."""
    ordered = sorted(set(ids))
    return (ordered[at : at + CHUNK] for at in range(0, len(ordered), CHUNK))


def read_facts(
    session: Session,
    *where: ColumnElement[bool] | TextClause,
    lock: bool = False,
    skip_locked: bool = False,
    order: ColumnElement[Any] | None = None,
    limit: int | None = None,
) -> list[Facts]:
    """Returns cases as facts, without data of other tables; `lock` locks them until the transaction ends."""
    query = select(*(cases.c[name] for name in CASE_COLUMNS)).where(*where)
    if order is not None:
        query = query.order_by(order)
    if limit is not None:
        query = query.limit(limit)
    if lock:
        query = query.with_for_update(skip_locked=skip_locked)  # SQLite has already locked the whole file
    columns = read_columns(session.connection(), query)
    return list(map(Facts, *columns)) if columns else []


_ANY_DUE = (
    select(cases.c.id)
    .where(t.OPEN, cases.c.next_look_at <= bindparam("now"))
    .order_by(cases.c.next_look_at)  # without it a plan for any moment would read all cases to find none
    .limit(1)
)


def anything_due(session: Session, now: dt.datetime) -> bool:
    """Returns whether a rule of any open case may be due by `now`: one look into one index."""
    return session.connection().execute(_ANY_DUE, {"now": now}).first() is not None


def due_cases(session: Session, now: dt.datetime, limit: int) -> list[Facts]:
    """Returns open cases for which a rule may be due by `now`, the longest waiting first; locked."""
    due = t.OPEN, cases.c.next_look_at <= now
    return read_facts(session, *due, lock=True, skip_locked=True, order=cases.c.next_look_at, limit=limit)


class UnitFacts(NamedTuple):
    """What the core needs to know of a unit."""

    id: int
    code: str
    kind: str
    name: str
    teaching_days: str | None
    parent_id: int | None


class SurroundingsReader:
    """The units, posts and closures around some cases, on the day of `now`."""

    def __init__(self, session: Session, definitions: Definitions, now: dt.datetime) -> None:
        self.session, self.definitions, self.now = session, definitions, now
        self.today = definitions.calendar("").local(now).date()
        self._connection = session.connection()
        # The units of all fetched cases, and the people who have these cases.
        self._places: dict[str, set[int]] = {column: set() for column in PLACES}
        self._assignees: set[int] = set()
        self._units: dict[int, UnitFacts] = {}
        self._above: dict[int, tuple[UnitFacts, ...]] = {}
        self._posts_read: dict[str, set[int]] = defaultdict(set)
        self._holders: dict[tuple[str, int], tuple[Holder, ...]] = {}
        self._associations: dict[int, list[int]] = {}
        self._people: dict[int, Holder] = {}
        self._closures_read: dict[str, set[int]] = defaultdict(set)
        self._closures: dict[tuple[str, int], list[Any]] = defaultdict(list)
        self._situations: dict[tuple[Any, ...], Situation] = {}
        self._named: dict[tuple[str, int, str], frozenset[str]] = {}
        self._admins: tuple[Holder, ...] | None = None

    # --- reading ahead --------------------------------------------------------------------------------------------

    def fetch(self, found: Sequence[Facts]) -> None:
        """Reads the surroundings of these cases. Holders of posts are read for all of them at the first question."""
        for column, ids in (*self._places.items(), ("assignee_id", self._assignees)):
            ids.update(set(map(attrgetter(column), found)) - {None})
        self._read_units({unit for ids in self._places.values() for unit in ids})
        self._read_closures(found)
        self._read_beside({facts.id: facts for facts in found})

    def _read_units(self, ids: Collection[int]) -> None:
        """Reads units and all above them. Most parents of a case's units are among its other units."""
        missing = set(ids) - self._units.keys()
        while missing:
            self._units |= {row[0]: UnitFacts._make(row) for row in self._rows(surroundings_sql.UNITS, missing)}
            parents = {unit.parent_id for one in missing if (unit := self._units.get(one)) and unit.parent_id}
            missing = parents - self._units.keys()

    def _read_associations(self, ids: Collection[int]) -> None:
        self._associations |= {one: [] for one in ids}
        for parent, unit in self._rows(surroundings_sql.ASSOCIATIONS, ids, today=self.today):
            self._associations[parent].append(unit)

    def _read_posts(self, role: str, ids: Collection[int]) -> None:
        read = self._posts_read[role]
        wanted = set(ids) - read
        read |= wanted
        found: dict[int, list[int]] = defaultdict(list)
        for unit, person in self._rows(surroundings_sql.POSTS, wanted, role=role, today=self.today):
            found[unit].append(person)
        self._read_people({person for holders in found.values() for person in holders})
        for unit, holders in found.items():
            self._holders[role, unit] = tuple(self._people[person] for person in dict.fromkeys(holders))

    def _seats(self, role: str) -> set[int]:
        """Returns the units of the fetched cases in which a role has its post."""
        found = self.definitions.roles.get(role)
        if found is not None and found.column:
            return self._places[found.column]
        if found is None or found.seat not in {AREA, INVITED}:
            return set()
        return {unit for commune in self._places["commune_id"] for unit in self.above(commune)}

    def _read_people(self, ids: Collection[int]) -> None:
        wanted = set(ids) - self._people.keys()
        absent: dict[int, list[int]] = {}
        for person, acts in self._rows(stand_ins.ACTING, wanted, today=self.today):
            absent.setdefault(person, []).extend([acts] if acts is not None else [])
        for person in wanted:
            self._people[person] = Holder(person, person in absent, tuple(absent.get(person, ())))

    def _read_closures(self, found: Sequence[Facts]) -> None:
        pupils = {facts.pupil_id for facts in found}
        learning = {unit for facts in found for unit in self.above(facts.class_id)}
        learning |= {unit for facts in found for unit in self._home(facts)}
        asked = {"units": learning - self._closures_read["unit"], "pupils": pupils - self._closures_read["pupil"]}
        self._closures_read["unit"] |= asked["units"]
        self._closures_read["pupil"] |= asked["pupils"]
        if any(asked.values()):
            for row in self._connection.execute(surroundings_sql.CLOSURES, asked).all():
                self._closures[row.kind, row.whose].append(row)

    def _home(self, facts: Facts) -> tuple[int, ...]:
        """Returns the village of a case and the units above it, the nearest first."""
        lives_in = facts.village_id or facts.commune_id
        return self.above(lives_in) if lives_in else ()

    def _read_beside(self, found: Mapping[int, Facts]) -> None:
        self._read_fired(found)
        self.read_answers(found.values())

    def _read_fired(self, found: Mapping[int, Facts]) -> None:
        for case, rule, entry, at, seq in self._rows(surroundings_sql.FIRED, found):
            facts = found[case]
            if entry in (facts.entry, facts.stay):
                note_fired(facts.fired, rule, entry, at, seq)
        for case, start, end, reason in self._rows(surroundings_sql.HELD, found):
            found[case].holds += ((start, end, reason),)
        self._read_for_conditions(found)

    def read_answers(self, found: Iterable[Facts]) -> None:
        """Reads the contacts and visits of the present stay of these cases, if a rule counts from them."""
        asked = {facts.id: facts for facts in found if ANSWER in self._conditions(facts)}
        acts: dict[int, list[Acted]] = defaultdict(list)
        for case, *act in self._rows(surroundings_sql.ACTS, asked):
            acts[case].append(Acted(*act))
        for case, done in acts.items():
            facts = asked[case]
            workflow = self.definitions.workflow(facts.workflow, facts.workflow_version)
            facts.answers = answers_among(workflow, done)

    def read_again(self, facts: Facts) -> None:
        """Reads again what the rules ask of a case in its present state, without its contacts and visits."""
        facts.fired, facts.holds, facts.causes, facts.marks = {}, (), (), ()
        self._read_fired({facts.id: facts})

    def _read_for_conditions(self, found: Mapping[int, Facts]) -> None:
        named = {id: names for id, facts in found.items() if (names := self._conditions(facts))}
        for case, cause in self._rows(surroundings_sql.CAUSES, [id for id, names in named.items() if "cause" in names]):
            found[case].causes += (cause,)
        by_pupil = {found[id].pupil_id: found[id] for id, names in named.items() if names & COUNTS}
        first = min([self.today - dt.timedelta(days=120), *(facts.absent_since for facts in by_pupil.values())])
        for pupil, day, mark in self._rows(surroundings_sql.ABSENCES, by_pupil, first=first):
            by_pupil[pupil].marks += ((day, mark),)

    def _rows(self, query: Executable, ids: Collection[int], **values: Any) -> Sequence[Any]:
        """Returns all rows for these ids at once; reading them one by one costs twice as much."""
        return self._connection.execute(query, {"ids": ids, **values}).all() if ids else ()

    def _conditions(self, facts: Facts) -> frozenset[str]:
        at = facts.workflow, facts.rules_version, facts.state
        if at not in self._named:
            rules = self.definitions.rules(facts.workflow, facts.rules_version).ever_watching(facts.state)
            names = {condition.name for rule in rules for condition in rule.when.conditions}
            self._named[at] = frozenset(names | {rule.when.since for rule in rules if rule.when.since})
        return self._named[at]

    def caseworks(self, found: Sequence[Facts]) -> list[Casework]:
        """These cases at this moment, ready to be worked on; what lies around them is read for all of them at once."""
        self.fetch(found)
        return [self.casework(facts) for facts in found]

    def casework(self, facts: Facts) -> Casework:
        """A case at this moment, ready to be worked on; `fetch` has read what lies around it."""
        return Casework(facts, self.situation(facts), self, self.now)

    # --- what the core asks ---------------------------------------------------------------------------------------

    def roles(self, place: Place) -> Roles:
        """Returns the roles of the tree that a place lies in: where the pupil lives, else where they learn."""
        return self.definitions.roles.tree(district=self._in_district(place.commune_id or place.school_id))

    def _in_district(self, unit_id: int) -> bool:
        return any(unit.kind == "district" for unit in self.units_above(unit_id))

    def own_line(self, school_id: int) -> tuple[int, ...]:
        """A school that lies directly below a province (THPT, PTDTNT, GDTX), and the units above it; else nothing."""
        line = self.units_above(school_id)
        return tuple(unit.id for unit in line) if len(line) > 1 and line[1].kind == "province" else ()

    def holders(self, role: str, unit_id: int) -> tuple[Holder, ...]:
        """The people in a post today."""
        if unit_id not in self._posts_read[role]:
            self._read_posts(role, self._seats(role) | {unit_id})
        return self._holders.get((role, unit_id), ())

    def above(self, unit_id: int) -> tuple[int, ...]:
        """The unit and those above it, nearest first."""
        return tuple(unit.id for unit in self.units_above(unit_id))

    def units_above(self, unit_id: int) -> tuple[UnitFacts, ...]:
        """The unit and those above it, nearest first, with their names."""
        if unit_id not in self._above:
            if unit_id not in self._units:
                self._read_units({unit_id})
            unit = self._units.get(unit_id)
            further = self.units_above(unit.parent_id) if unit and unit.parent_id else ()
            self._above[unit_id] = (unit, *further) if unit else ()
        return self._above[unit_id]

    def associations(self, unit_id: int) -> tuple[int, ...]:
        """Returns the associations that serve a unit, the nearest first."""
        above = self.above(unit_id)
        if any(unit not in self._associations for unit in above):
            near = {one for commune in self._places["commune_id"] for one in self.above(commune)}
            self._read_associations((near | set(above)) - self._associations.keys())
        return tuple(found for unit in above for found in self._associations[unit])

    def admins(self) -> tuple[Holder, ...]:
        """The administrators."""
        if self._admins is None:
            posts: Any = self._connection.execute(surroundings_sql.ALL_POSTS, {"role": ADMIN, "today": self.today})
            found = dict.fromkeys(person for _unit, person in posts)
            self._admins = tuple(self.person(person) for person in found)
        return self._admins

    def person(self, person_id: int) -> Holder:
        """Returns a person, and who acts for them today."""
        if person_id not in self._people:
            self._read_people(self._assignees | {person_id})
        return self._people[person_id]

    def seat(self, role: str, code: str) -> Found | None:
        """Returns the post of a role in the unit with this code, if somebody acts in it today."""
        unit = self._connection.execute(surroundings_sql.UNIT_CALLED, {"code": code, "today": self.today}).scalar()
        filled = acting(self.holders(role, unit)) if unit else ()
        return Found(role, unit, filled) if unit and filled else None

    def surroundings(self, facts: Facts) -> Surroundings:
        """Returns the codes, teaching days and closures of a case."""
        self._read_units({place for column in PLACES if (place := getattr(facts, column)) is not None})
        school = self.units_above(facts.class_id)
        lives_in = facts.village_id or facts.commune_id
        home = self.units_above(lives_in) if lives_in else ()
        province = next((unit.code for unit in (*home, *school) if unit.kind == "province"), "")
        taught = next((unit.teaching_days for unit in school if unit.teaching_days), None)
        return Surroundings(
            province,
            taught,
            frozenset(unit.code for unit in school),
            frozenset(unit.code for unit in home),
            self._closed(facts, school),
            *self._announced(facts),
            self._in_district(facts.commune_id or facts.school_id),
        )

    def _announced(self, facts: Facts) -> tuple[tuple[ClosedDays, ...], tuple[ClosedDays, ...]]:
        """Returns the days on which the office of the pupil's place is shut, and the harvests there or at school."""
        if not self._closures:
            return (), ()
        home = self._home(facts)
        places = {OFFICE_SHUT: home, HARVEST: tuple(dict.fromkeys((*home, *self.above(facts.class_id))))}
        shut, harvests = (
            tuple(
                ClosedDays(row.first_day, row.last_day, row.reason, self._units[unit].kind)
                for unit in units
                for row in self._closures.get(("unit", unit), ())
                if row.what == what and row.first_day <= row.last_day
            )
            for what, units in places.items()
        )
        return shut, harvests

    def _closed(self, facts: Facts, school: tuple[UnitFacts, ...]) -> tuple[ClosedDays, ...]:
        if facts.pupil_id not in self._closures_read["pupil"] or facts.class_id not in self._closures_read["unit"]:
            self._read_closures([facts])
        if not self._closures:
            return ()
        scopes = [("pupil", facts.pupil_id), *(("unit", unit.id) for unit in school)]
        names: dict[int | None, str] = {unit.id: unit.kind for unit in school}
        if facts.village_id is not None:  # the way from the village is cut off, wherever the school is
            scopes.append(("unit", facts.village_id))
            names[facts.village_id] = "village"
        return tuple(
            ClosedDays(row.first_day, row.last_day, row.reason, "pupil" if kind == "pupil" else names[id])
            for kind, id in scopes
            for row in self._closures.get((kind, id), ())
            if row.what == NO_CLASS
        )

    def situation(self, facts: Facts) -> Situation:
        """Returns the rules and the clock of a case; the same object for cases that share them."""
        alike = (
            facts.workflow,
            facts.workflow_version,
            facts.rules_version,
            facts.since.year,
            facts.class_id,
            facts.village_id,
            facts.commune_id,
            facts.holds,
            self._closed_to(facts.pupil_id),
        )
        found = self._situations.get(alike)
        if found is None:
            found = self._situations[alike] = self.definitions.situation(facts, self.surroundings(facts))
        return found

    def _closed_to(self, pupil_id: int) -> int | None:
        """Returns the pupil if closures may concern only this pupil of the class."""
        free = pupil_id in self._closures_read["pupil"] and ("pupil", pupil_id) not in self._closures
        return None if free else pupil_id


def casework_of(session: Session, definitions: Definitions, facts: Facts, now: dt.datetime) -> Casework:
    """A case at this moment, ready to be worked on, with all that its rules ask about."""
    (work,) = caseworks_of(session, definitions, [facts], now)
    return work


def caseworks_of(
    session: Session, definitions: Definitions, found: Sequence[Facts], now: dt.datetime
) -> list[Casework]:
    """Cases at this moment, ready to be worked on, with all that their rules ask about, read for all at once."""
    return SurroundingsReader(session, definitions, now).caseworks(found)
