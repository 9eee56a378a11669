"""Open cases go with their pupils: to another class, another school, another village."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import replace

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from engine.core.cases.casework import SYSTEM, Actor, Casework
from engine.core.cases.definitions import Handbook
from engine.core.cases.facts import Facts
from engine.core.people.access import ADMIN
from engine.core.people.responsibility import find
from engine.store import tables as t
from engine.store.cases import writer
from engine.store.cases.surroundings import World, cases, chunks, read_facts

PLACE = ("class_id", "school_id", "village_id", "commune_id", "province_id")
_pupils, _units = t.Base.metadata.tables["pupils"], t.Base.metadata.tables["units"]


def follow_pupils(
    session: Session, handbook: Handbook, pupil_ids: Collection[int], now: dt.datetime, person_id: int | None = None
) -> int:  # fmt: skip
    """Place the open cases of these pupils where the pupils are now; how many were moved.

    The case, its state and its history stay. Where another post answers for it now, it goes to that post.
    """
    moved = 0
    for chunk in chunks(pupil_ids):
        places = _places(session, chunk)
        found = [facts for facts in read_facts(session, t.OPEN, cases.c.pupil_id.in_(chunk), lock=True)
                 if _place(facts) != places[facts.pupil_id][:-1]]  # fmt: skip
        if found:
            _follow(session, handbook, found, places, now, person_id)
        moved += len(found)
    return moved


def _places(session: Session, pupil_ids: list[int]) -> dict[int, tuple[int | None, ...]]:
    """Each pupil's place, as PLACE, and the grade of the class."""
    query = select(_pupils.c.id, *(_pupils.c[name] for name in PLACE), _units.c.grade).join(
        _units, _units.c.id == _pupils.c.class_id
    )
    return {row[0]: tuple(row[1:]) for row in session.connection().execute(query.where(_pupils.c.id.in_(pupil_ids)))}


def _place(facts: Facts) -> tuple[int | None, ...]:
    return tuple(getattr(facts, name) for name in PLACE)


def _follow(
    session: Session, handbook: Handbook, found: list[Facts], places: dict[int, tuple[int | None, ...]],
    now: dt.datetime, person_id: int | None,
) -> None:  # fmt: skip
    world, actor = World(session, handbook, now), Actor(person_id, SYSTEM)
    before = [replace(facts) for facts in found]
    for facts in found:
        for name, value in zip((*PLACE, "grade"), places[facts.pupil_id], strict=True):
            setattr(facts, name, value)
        columns = {name: getattr(facts, name) for name in (*PLACE, "grade")}
        session.connection().execute(update(cases).where(cases.c.id == facts.id).values(columns))
    world.fetch([*before, *found])
    works = []
    for old, facts in zip(before, found, strict=True):
        work = Casework(facts, world.situation(facts), world, now)
        units = {name: [getattr(old, name), getattr(facts, name)] for name in PLACE}
        data = {"because": "pupil moved", **{name: pair for name, pair in units.items() if pair[0] != pair[1]}}
        work.write("placed", actor, {}, data=data)
        owner = work.situation.workflow.states[facts.state].owner or ADMIN
        then, today = find(owner, old, world), find(owner, facts, world)
        if (then.role, then.unit_id) != (today.role, today.unit_id):
            work.hand_on(actor, None)
        works.append(work)
    writer.store(session, works)
