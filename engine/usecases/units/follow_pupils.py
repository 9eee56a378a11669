"""Moves open cases along with their pupils: to another class, another school, another village."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import replace

from engine.core.cases.casework import SYSTEM, Actor
from engine.core.cases.definitions import Definitions
from engine.core.cases.facts import PLACE, Facts
from engine.store.cases import writer
from engine.store.cases.places import open_cases, places
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


def _in_place(facts: Facts, place: Mapping[str, int | None]) -> Facts:
    """A case as it would be in other units."""
    moved = replace(facts)
    for name, unit in place.items():
        setattr(moved, name, unit)
    return moved


def _follow(
    session: Session,
    definitions: Definitions,
    found: list[Facts],
    placed: dict[int, tuple[int | None, ...]],
    now: dt.datetime,
    person_id: int | None,
) -> None:
    world, actor = SurroundingsReader(session, definitions, now), Actor(person_id, SYSTEM)
    place: dict[int, dict[str, int | None]] = {
        facts.id: dict(zip((*PLACE, "grade"), placed[facts.pupil_id], strict=True)) for facts in found
    }
    there = [_in_place(facts, place[facts.id]) for facts in found]
    world.fetch([*there, *found])
    works = []
    for facts, moved in zip(found, there, strict=True):
        work = world.casework(facts)
        work.move(actor, place[facts.id], world.situation(moved))
        works.append(work)
    writer.store(session, works)
