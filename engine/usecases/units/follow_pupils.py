"""Moves open cases along with their pupils: to another class, another school, another village."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import replace

from engine.core.cases.casework import SYSTEM, Actor, Casework
from engine.core.cases.definitions import Definitions
from engine.core.cases.facts import Facts
from engine.core.people.access import ADMIN
from engine.core.people.responsibility import find
from engine.store.cases import writer
from engine.store.cases.places import PLACE, open_cases, place_cases, places
from engine.store.cases.surroundings import SurroundingsReader, chunks
from engine.store.session import Session


def follow_pupils(
    session: Session,
    definitions: Definitions,
    pupil_ids: Collection[int],
    now: dt.datetime,
    person_id: int | None = None,
) -> int:
    """Moves the open cases of these pupils to where the pupils are now; returns how many moved.

    The case, its state and its history stay. If another post is responsible now, the case goes to that post.
    """
    moved = 0
    for chunk in chunks(pupil_ids):
        today = places(session, chunk)
        found = [facts for facts in open_cases(session, chunk) if _place(facts) != today[facts.pupil_id][:-1]]
        if found:
            _follow(session, definitions, found, today, now, person_id)
        moved += len(found)
    return moved


def _place(facts: Facts) -> tuple[int | None, ...]:
    return tuple(getattr(facts, name) for name in PLACE)


def _follow(
    session: Session,
    definitions: Definitions,
    found: list[Facts],
    placed: dict[int, tuple[int | None, ...]],
    now: dt.datetime,
    person_id: int | None,
) -> None:
    reader, actor = SurroundingsReader(session, definitions, now), Actor(person_id, SYSTEM)
    before = [replace(facts) for facts in found]
    for facts in found:
        for name, value in zip((*PLACE, "grade"), placed[facts.pupil_id], strict=True):
            setattr(facts, name, value)
    place_cases(session, found)
    reader.fetch([*before, *found])
    works = []
    for old, facts in zip(before, found, strict=True):
        work = Casework(facts, reader.situation(facts), reader, now)
        units = {name: [getattr(old, name), getattr(facts, name)] for name in PLACE}
        data = {"because": "pupil moved", **{name: pair for name, pair in units.items() if pair[0] != pair[1]}}
        work.write("placed", actor, {}, data=data)
        owner = work.situation.workflow.states[facts.state].owner or ADMIN
        then, today = find(owner, old, reader), find(owner, facts, reader)
        if (then.role, then.unit_id) != (today.role, today.unit_id):
            work.hand_on(actor, None)
        works.append(work)
    writer.store(session, works)
