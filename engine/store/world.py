"""What lies around the cases at hand, read in a few statements for any number of them and kept for one transaction.

A `World` answers the core's questions (`engine.people.Directory`, `engine.handbook.Surroundings`) for one moment. Call
`fetch` with the cases first; what was not fetched is looked up one by one.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.access import ADMIN
from engine.calendar import Closure
from engine.facts import Facts
from engine.handbook import Handbook, Situation, Surroundings
from engine.people import Found, Holder, acting
from engine.store import tables as t
from engine.store.ledger import CASE_COLUMNS

_TABLES = t.Base.metadata.tables
cases, events, firings, holds, marks, causes = (
    _TABLES[name] for name in ("cases", "events", "firings", "holds", "marks", "case_causes")
)
units, links, appointments, delegations, people, closures = (
    _TABLES[name] for name in ("units", "unit_links", "appointments", "delegations", "people", "closures")
)
CHUNK = 5_000  # ids in one statement; SQLite takes 32,766 values, PostgreSQL 65,535


def chunks(ids: Iterable[int]) -> Iterable[list[int]]:
    """The ids, each once and in order, in pieces that fit one statement."""
    ordered = sorted(set(ids))
    return (ordered[at : at + CHUNK] for at in range(0, len(ordered), CHUNK))


def read_facts(
    session: Session, *where: Any,
    lock: bool = False, skip_locked: bool = False, order: Any = None, limit: int | None = None,
) -> list[Facts]:  # fmt: skip
    """Cases as facts, without what lies beside them; `lock` keeps others away until the transaction ends."""
    query = select(*(cases.c[name] for name in CASE_COLUMNS)).where(*where)
    if order is not None:
        query = query.order_by(order)
    if limit is not None:
        query = query.limit(limit)
    if lock:
        query = query.with_for_update(skip_locked=skip_locked)  # SQLite has locked the whole file already
    return [Facts(*row) for row in session.connection().execute(query)]


def due_cases(session: Session, now: dt.datetime, limit: int, *, lock: bool = True) -> list[Facts]:
    """Open cases that a rule may have something to say about by `now`, the longest waiting first."""
    return read_facts(
        session,
        t.OPEN,
        cases.c.next_look_at <= now,
        lock=lock,
        skip_locked=True,
        order=cases.c.next_look_at,
        limit=limit,
    )


@dataclass(frozen=True, slots=True)
class UnitFacts:
    """What the core needs of a unit."""

    id: int
    code: str
    kind: str
    name: str
    teaching_days: str | None


class World:
    """The units, posts and closures around some cases, on the day of `now`."""

    def __init__(self, session: Session, handbook: Handbook, now: dt.datetime) -> None:
        self.session, self.handbook, self.now = session, handbook, now
        self.today = handbook.calendar("").local(now).date()
        self._connection = session.connection()
        self._above: dict[int, tuple[UnitFacts, ...]] = {}
        self._holders: dict[tuple[str, int], tuple[Holder, ...]] = {}
        self._posts_read: set[int] = set()
        self._associations: dict[int, list[int]] = {}
        self._people: dict[int, Holder] = {}
        self._closures: dict[tuple[str, int], list[Any]] = {}
        self._admins: tuple[Holder, ...] | None = None

    # --- reading ahead --------------------------------------------------------------------------------------------

    def fetch(self, found: Sequence[Facts]) -> None:
        """Read what lies around and beside these cases."""
        ids = {
            unit
            for facts in found
            for unit in (facts.class_id, facts.village_id, facts.commune_id, facts.association_id)
            if unit
        }
        self._read_above(ids - self._above.keys())
        areas = {unit.id for one in ids for unit in self._above[one]}
        self._read_associations(areas - self._associations.keys())
        self._read_posts(
            areas | {facts.school_id for facts in found} | {a for one in areas for a in self._associations[one]}
        )
        self._read_people({facts.assignee_id for facts in found if facts.assignee_id} - self._people.keys())
        self._read_closures(found)
        self._read_beside({facts.id: facts for facts in found})

    def _read_above(self, ids: Collection[int]) -> None:
        rows = defaultdict(list)
        for chunk in chunks(ids):
            query = (
                select(
                    links.c.descendant_id, units.c.id, units.c.code, units.c.kind, units.c.name, units.c.teaching_days
                )
                .join(units, units.c.id == links.c.ancestor_id)
                .where(links.c.descendant_id.in_(chunk))
                .order_by(links.c.descendant_id, links.c.depth)
            )
            for below, *unit in self._connection.execute(query):
                rows[below].append(UnitFacts(*unit))
        for one in ids:
            self._above[one] = tuple(rows[one])

    def _read_associations(self, ids: Collection[int]) -> None:
        self._associations |= {one: [] for one in ids}
        for chunk in chunks(ids):
            query = select(units.c.parent_id, units.c.id).where(
                units.c.parent_id.in_(chunk), units.c.kind == "association",
                units.c.valid_from <= self.today, units.c.valid_to > self.today,
            ).order_by(units.c.id)  # fmt: skip
            for parent, unit in self._connection.execute(query):
                self._associations[parent].append(unit)

    def _read_posts(self, ids: Collection[int]) -> None:
        ids = set(ids) - self._posts_read
        self._posts_read |= ids
        found: dict[tuple[str, int], list[int]] = defaultdict(list)
        for chunk in chunks(ids):
            query = (
                select(appointments.c.role, appointments.c.unit_id, appointments.c.person_id)
                .join(people, people.c.id == appointments.c.person_id)
                .where(appointments.c.unit_id.in_(chunk), *self._in_post())
                .order_by(appointments.c.id)
            )
            for role, unit, person in self._connection.execute(query):
                found[role, unit].append(person)
        self._read_people({person for holders in found.values() for person in holders} - self._people.keys())
        for seat, holders in found.items():
            self._holders[seat] = tuple(self._people[person] for person in dict.fromkeys(holders))

    def _in_post(self) -> tuple[Any, ...]:
        return (
            appointments.c.valid_from <= self.today,
            appointments.c.valid_to > self.today,
            people.c.disabled_at.is_(None),
        )

    def _read_people(self, ids: Collection[int]) -> None:
        away: dict[int, list[int]] = {}
        for chunk in chunks(ids):
            query = (
                select(delegations.c.person_id, delegations.c.delegate_id, people.c.disabled_at)
                .outerjoin(people, people.c.id == delegations.c.delegate_id)
                .where(
                    delegations.c.person_id.in_(chunk),
                    delegations.c.first_day <= self.today,
                    delegations.c.last_day >= self.today,
                )
                .order_by(delegations.c.id)
            )
            for person, delegate, disabled_at in self._connection.execute(query):
                away.setdefault(person, []).extend([delegate] if delegate and not disabled_at else [])
        for person in ids:
            self._people[person] = Holder(person, person in away, tuple(dict.fromkeys(away.get(person, ()))))

    def _read_closures(self, found: Sequence[Facts]) -> None:
        wanted = {("unit", unit.id) for facts in found for unit in self._above[facts.class_id]}
        wanted |= {("pupil", facts.pupil_id) for facts in found}
        wanted -= self._closures.keys()
        self._closures |= {scope: [] for scope in wanted}
        for kind, column in (("unit", closures.c.unit_id), ("pupil", closures.c.pupil_id)):
            for chunk in chunks(id for scope, id in wanted if scope == kind):
                query = select(column, closures.c.first_day, closures.c.last_day, closures.c.reason).where(
                    column.in_(chunk)
                )
                for row in self._connection.execute(query.order_by(closures.c.first_day, closures.c.id)):
                    self._closures[kind, row[0]].append(row)

    def _read_beside(self, found: Mapping[int, Facts]) -> None:
        for chunk in chunks(found):
            query = (
                select(firings.c.case_id, firings.c.rule, firings.c.at)
                .join(cases, (cases.c.id == firings.c.case_id) & (cases.c.entry == firings.c.entry))
                .where(firings.c.case_id.in_(chunk))
                .order_by(firings.c.repetition)
            )
            for case, rule, at in self._connection.execute(query):
                facts = found[case]
                facts.fired[rule] = (facts.fired.get(rule, (0, at))[0] + 1, at)
            held = select(holds.c.case_id, holds.c.starts_at, holds.c.ends_at, holds.c.reason)
            for case, *hold in self._connection.execute(held.where(holds.c.case_id.in_(chunk)).order_by(holds.c.seq)):
                found[case].holds += ((hold[0], hold[1], hold[2]),)
        self._read_for_conditions(found)

    def _read_for_conditions(self, found: Mapping[int, Facts]) -> None:
        named = {facts.id: self._conditions(facts) for facts in found.values()}
        for chunk in chunks(id for id, names in named.items() if "cause" in names):
            for case, cause in self._connection.execute(
                select(causes.c.case_id, causes.c.cause).where(causes.c.case_id.in_(chunk))
            ):
                found[case].causes += (cause,)
        by_pupil = {found[id].pupil_id: found[id] for id, names in named.items() if names & {"absences", "unexcused"}}
        for chunk in chunks(by_pupil):
            first = min(self.today - dt.timedelta(days=120), *(by_pupil[id].absent_since for id in chunk))
            query = select(marks.c.pupil_id, marks.c.day, marks.c.mark).where(
                marks.c.pupil_id.in_(chunk), marks.c.day >= first, marks.c.mark.in_(("e", "u"))
            )
            for pupil, day, mark in self._connection.execute(query):
                by_pupil[pupil].marks += ((day, mark),)

    def _conditions(self, facts: Facts) -> set[str]:
        rules = self.handbook.rules(facts.workflow, facts.rules_version)
        return {condition.name for rule in rules.watching(facts.state) for condition in rule.when.conditions}

    # --- what the core asks ---------------------------------------------------------------------------------------

    def holders(self, role: str, unit_id: int) -> tuple[Holder, ...]:
        """The people in a post today."""
        if unit_id not in self._posts_read:
            self._read_posts({unit_id})
        return self._holders.get((role, unit_id), ())

    def above(self, unit_id: int) -> tuple[int, ...]:
        """The unit and those above it, nearest first."""
        return tuple(unit.id for unit in self.units_above(unit_id))

    def units_above(self, unit_id: int) -> tuple[UnitFacts, ...]:
        """The unit and those above it, nearest first, with their names."""
        if unit_id not in self._above:
            self._read_above({unit_id})
        return self._above[unit_id]

    def associations(self, unit_id: int) -> tuple[int, ...]:
        """The associations that serve a unit, the nearest first."""
        above = self.above(unit_id)
        self._read_associations(set(above) - self._associations.keys())
        return tuple(found for unit in above for found in self._associations[unit])

    def admins(self) -> tuple[Holder, ...]:
        """The administrators."""
        if self._admins is None:
            query = (
                select(appointments.c.person_id)
                .join(people, people.c.id == appointments.c.person_id)
                .where(appointments.c.role == ADMIN, *self._in_post())
                .order_by(appointments.c.id)
            )
            found = dict.fromkeys(self._connection.execute(query).scalars())
            self._admins = tuple(self.person(person) for person in found)
        return self._admins

    def person(self, person_id: int) -> Holder:
        """A person, and who acts for them today."""
        if person_id not in self._people:
            self._read_people({person_id})
        return self._people[person_id]

    def seat(self, role: str, code: str) -> Found | None:
        """The post of a role in the unit with this code, if somebody acts in it today."""
        query = select(units.c.id).where(
            units.c.code == code, units.c.valid_from <= self.today, units.c.valid_to > self.today
        )
        unit = self._connection.execute(query).scalar()
        filled = acting(self.holders(role, unit)) if unit else ()
        return Found(role, unit, filled) if unit and filled else None

    def around(self, facts: Facts) -> Surroundings:
        """The codes, teaching days and closures around a case."""
        school = self.units_above(facts.class_id)
        lives_in = facts.village_id or facts.commune_id
        home = self.units_above(lives_in) if lives_in else ()
        province = next((unit.code for unit in (*home, *school) if unit.kind == "province"), "")
        taught = next((unit.teaching_days for unit in school if unit.teaching_days), None)
        return Surroundings(
            province, taught, frozenset(unit.code for unit in school), frozenset(unit.code for unit in home),
            self._closed(facts, school),
        )  # fmt: skip

    def _closed(self, facts: Facts, school: tuple[UnitFacts, ...]) -> tuple[Closure, ...]:
        scopes = [("pupil", facts.pupil_id), *(("unit", unit.id) for unit in school)]
        if any(scope not in self._closures for scope in scopes):
            self._read_closures([facts])
        names = {unit.id: unit.kind for unit in school}
        return tuple(
            Closure(row.first_day, row.last_day, row.reason, "pupil" if kind == "pupil" else names[id])
            for kind, id in scopes
            for row in self._closures[kind, id]
        )

    def situation(self, facts: Facts) -> Situation:
        """The rules and the clock that hold for a case."""
        return self.handbook.situation(facts, self.around(facts))
