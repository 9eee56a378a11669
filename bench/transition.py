"""Transitions persisted: one by one as people do them, and a hundred in one transaction, against the raw driver.

What ours said to the database is said again by the raw driver on a copy of the same database, made before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from statistics import median
from typing import Any, NamedTuple

from bench import DATABASES, Database, Measurement, copy_of, measured, seconds
from bench.country import NOW
from bench.data import HAMLETS, PROVINCES, CountrySize, Filled, filled
from bench.replay import heard, replay
from engine.core.cases.act import Act
from engine.core.cases.casework import Actor
from engine.core.people.access import Viewer
from engine.store.cases import surroundings, writer
from engine.store.cases.surroundings import caseworks_of, read_facts
from engine.usecases.cases import case_acts
from engine.usecases.context import Context
from tests.shipped_roles import ROLES

BENCHES = ("transition", "transition_batch")


class Size(NamedTuple):
    """The country, how many transitions one by one, how many batches of how many."""

    country: CountrySize = PROVINCES
    steps: int = 200
    batches: int = 8
    batch: int = 100


FULL, SMALL = Size(), Size(HAMLETS, 5, 2, 10)
CONTACT = {"contact_way": "phone", "reached": False, "note": "Không ai nghe máy"}

Case = tuple[int, str, int, int]  # id, code, class, who has it
Work = Callable[[Context, Sequence[Case]], None]


def run(size: Size = FULL) -> Iterator[Measurement]:
    """How many transitions a second."""
    for database in DATABASES:
        data = filled(database, size.country)
        todo = _todo(data, size.steps + size.batches * size.batch)
        rounds = [todo[at : at + 1] for at in range(size.steps)]
        yield _measure("transition", database, data, rounds, _one_by_one)
        rounds = [todo[at : at + size.batch] for at in range(size.steps, len(todo), size.batch)]
        yield _measure("transition_batch", database, data, rounds, _together)


def _measure(bench: str, database: Database, data: Filled, rounds: Sequence[Sequence[Case]], work: Work) -> Measurement:
    ours, floor = [], []
    with copy_of(database, data.url) as before, closing(replay(before)) as raw, data.context() as context:
        for batch in rounds:
            with heard(context.store) as one:
                ours.append(seconds(lambda: work(context, batch)))  # noqa: B023 - called at once
            floor.append(seconds(lambda: raw.say(one)))
    size, warm = len(rounds[0]), len(rounds) // 5
    value, least = (size / median(times[warm:]) for times in (ours, floor))
    return measured(bench, database, n=sum(map(len, rounds)), value=value, unit="per_s", floor=least)


def _todo(data: Filled, count: int) -> list[Case]:
    """Cases whose pupil is absent, far from each other, with their teachers."""
    with data.context() as context, context.store.reading("bench") as session:
        c = surroundings.cases.c
        query = (
            surroundings.cases.select()
            .with_only_columns(c.id, c.code, c.class_id, c.assignee_id)
            .where(c.state == "absent", c.id % 10 == 1)  # one of a class
            .order_by(c.id)
            .limit(count)
        )
        found: list[Any] = [tuple(row) for row in session.connection().execute(query)]
    assert len(found) == count, len(found)
    return found


def _one_by_one(context: Context, batch: Sequence[Case]) -> None:
    for _id, code, class_id, teacher in batch:
        viewer = Viewer(teacher, {"teacher": frozenset({class_id})}, roles=ROLES)
        case_acts.step(context, Act(viewer, code, CONTACT, NOW, version=1, key=f"bench-{code}"), "contact")


def _together(context: Context, batch: Sequence[Case]) -> None:
    with context.store.writing("bench") as session:
        found = read_facts(session, surroundings.cases.c.id.in_([case[0] for case in batch]), lock=True)
        works = caseworks_of(session, context.definitions, found, NOW)
        for work in works:
            work.step("contact", Actor(work.facts.assignee_id, frozenset({"teacher"})), CONTACT)
        writer.store(session, works)
