"""The sweep among 100,000 open cases: 1,000 that are due, and none, against set-based statements that do the same.

A worker is a process of its own, whose memory is told on stderr; more than 200 MB fails the bench. Rounds of ours and
of the floor take turns, each on a wave of its own. In the end there must be as many firings, events
and notices as if either had swept all waves.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from statistics import median
from typing import NamedTuple

from bench import DATABASES, Measurement, floors, measured, seconds, typical
from bench.data import HAMLETS, PROVINCES, CountrySize, Filled, filled
from bench.processes import BEFORE, WorkerProcesses
from engine.jobs.sweep import run_due

BENCHES = ("sweep", "sweep_idle")


class Size(NamedTuple):
    """The country, how many waves ours and the floor sweep each, and how often none is due."""

    country: CountrySize = PROVINCES
    rounds: int = 9
    idle: int = 51


FULL, SMALL = Size(), Size(HAMLETS, 2, 3)
NOTICES = 2  # of one firing: the officer's and the head's


def run(size: Size = FULL) -> Iterator[Measurement]:
    """The time of one sweep, in milliseconds."""
    for database in DATABASES:
        data = filled(database, size.country)
        value, floor = idle_ms(data, size.idle)
        yield measured("sweep_idle", database, n=size.country.cases, value=value, unit="ms", floor=floor)
        value, floor = sweep_ms(data, size.rounds)
        yield measured("sweep", database, n=data.country.waves.due, value=value, unit="ms", floor=floor)


def idle_ms(data: Filled, times: int) -> tuple[float, float]:
    """The time of a sweep that finds nothing due, ours and the floor's."""
    with data.context() as context, closing(floors.driver(data.url)) as raw:
        ours, floor = typical(lambda: run_due(context, BEFORE), times), typical(lambda: raw.idle(BEFORE), times)
    return ours * 1e3, floor * 1e3


def sweep_ms(data: Filled, rounds: int) -> tuple[float, float]:
    """The median time of a wave, ours and the floor's, after one round of each that does not count."""
    ours, floor = [], []
    with closing(WorkerProcesses(data.url)) as worker, closing(floors.driver(data.url)) as raw:
        before = raw.counts()
        for _ in range(rounds + 1):
            ours.append(worker.sweep(data.next_wave()))
            now = data.next_wave()
            floor.append(seconds(lambda: raw.sweep(now)))  # noqa: B023 - called at once
        fired = 2 * (rounds + 1) * data.country.waves.due
        added = {table: count - before[table] for table, count in raw.counts().items()}
    assert added == {"events": fired, "firings": fired, "offers": fired, "notices": NOTICES * fired}, added
    return median(ours[1:]) * 1e3, median(floor[1:]) * 1e3
