"""The sweep among a million open cases, about what a whole country would have: 10,000 due, none, and two workers.

Two workers are measured against one on as many cases, both of ours: their floor is the one worker.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import closing
from statistics import median
from typing import NamedTuple

from bench import DATABASES, Measurement, measured
from bench.data import COUNTRY, HAMLETS_FOR_TWO, CountrySize, Filled, filled
from bench.processes import SPIN, WorkerProcesses
from bench.sweep import idle_ms, sweep_ms

BENCHES = ("sweep_million", "sweep_idle_million", "sweep_two_workers")


class Size(NamedTuple):
    """The country, how many waves are swept, how often two workers take turns with one, how long they spin."""

    country: CountrySize = COUNTRY
    rounds: int = 3
    idle: int = 51
    turns: int = 9
    spin: int = SPIN


FULL, SMALL = Size(), Size(HAMLETS_FOR_TWO, 1, 3, 1, 1)


def run(size: Size = FULL) -> Iterator[Measurement]:
    """The time of one sweep in milliseconds; of two workers, cases a second."""
    for database in DATABASES:
        data = filled(database, size.country)
        value, floor = idle_ms(data, size.idle)
        yield measured("sweep_idle_million", database, n=size.country.cases, value=value, unit="ms", floor=floor)
        value, floor = sweep_ms(data, size.rounds)
        yield measured("sweep_million", database, n=data.country.waves.due, value=value, unit="ms", floor=floor)
        if database == "postgresql":
            value, floor = _two_workers(data, size)
            yield measured(
                "sweep_two_workers", database, n=data.country.waves.due, value=value, unit="per_s", floor=floor
            )


def _two_workers(data: Filled, size: Size) -> tuple[float, float]:
    """Cases a second, of two workers and of one, in turns.

    What two processes that share nothing do here beside one is measured in the same turns and told: where both cores
    are one machine's to share out, it is less than twice as much, and no two workers can do better.
    """
    took: dict[str, list[float]] = {"two": [], "one": [], "two alone": [], "one alone": []}
    with closing(WorkerProcesses(data.url, 2)) as pair, closing(WorkerProcesses(data.url, 1)) as single:
        for _ in range(size.turns):
            took["two"].append(pair.sweep(data.next_wave()))
            took["one"].append(single.sweep(data.next_wave()))
            took["two alone"].append(pair.spin(size.spin))
            took["one alone"].append(single.spin(size.spin))
    typical = {name: median(times) for name, times in took.items()}
    most = 2 * typical["one alone"] / typical["two alone"]
    print(f"two processes that share nothing do {most:.2f} times what one does", file=sys.stderr, flush=True)
    return data.country.waves.due / typical["two"], data.country.waves.due / typical["one"]
