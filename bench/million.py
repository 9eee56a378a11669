"""The sweep among a million open cases, about what a whole country would have: 10,000 due, none, and two workers.

Each sweep runs in a process of its own, as a worker does; its memory is told on stderr, and more than MEMORY_MB fails
the bench. Two workers are measured against one on as many cases, both of ours; so their floor is the one worker.
"""

from __future__ import annotations

import datetime as dt
import multiprocessing
import resource
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from multiprocessing.connection import Connection
from statistics import median
from time import perf_counter

from bench import DATABASES, Measurement, floors, measured, seconds
from bench.data import Filled, filled, handbook
from bench.sweep import NOTICES, idle_ms
from engine.house import House
from engine.store.session import open_store
from engine.sweep import run_due

BENCHES = ("sweep_million", "sweep_idle_million", "sweep_two_workers")
CASES, ROUNDS = 1_000_000, 3
MEMORY_MB = 200


def run() -> Iterator[Measurement]:
    """The time of one sweep in milliseconds; of two workers, cases a second."""
    for database in DATABASES:
        data = filled(database, CASES)
        value, floor = idle_ms(data)
        yield measured("sweep_idle_million", database, n=CASES, value=value, unit="ms", floor=floor)
        value, floor = _sweep_ms(data)
        yield measured("sweep_million", database, n=data.land.waves.due, value=value, unit="ms", floor=floor)
        if database == "postgresql":
            value, floor = _two_workers(data)
            yield measured("sweep_two_workers", database, n=data.land.waves.due, value=value, unit="per_s", floor=floor)


def _sweep_ms(data: Filled) -> tuple[float, float]:
    """The median time of a wave, ours and the floor's, in turns."""
    ours, floor = [], []
    with closing(floors.driver(data.url)) as raw, closing(Crew(data.url, 1)) as crew:
        before = raw.counts()
        for _ in range(ROUNDS):
            ours.append(crew.sweep(data.next_wave()))
            now = data.next_wave()
            floor.append(seconds(lambda: raw.sweep(now)))  # noqa: B023 - called at once
        fired = 2 * ROUNDS * data.land.waves.due
        added = {table: count - before[table] for table, count in raw.counts().items()}
    assert added == {"events": fired, "firings": fired, "offers": fired, "notices": NOTICES * fired}, added
    return median(ours) * 1e3, median(floor) * 1e3


def _two_workers(data: Filled) -> tuple[float, float]:
    """Cases a second, of two workers and of one, in turns."""
    two, one = [], []
    with closing(Crew(data.url, 2)) as pair, closing(Crew(data.url, 1)) as single:
        for _ in range(ROUNDS):
            two.append(pair.sweep(data.next_wave()))
            one.append(single.sweep(data.next_wave()))
    return data.land.waves.due / median(two), data.land.waves.due / median(one)


class Crew:
    """Worker processes that sweep at the same time when told to."""

    def __init__(self, url: str, size: int) -> None:
        spawning = multiprocessing.get_context("spawn")  # not a copy of this process and its memory
        pipes = [spawning.Pipe() for _ in range(size)]
        self._ends = [ours for ours, _ in pipes]
        self._processes = [spawning.Process(target=_work, args=(url, theirs)) for _, theirs in pipes]
        for process in self._processes:
            process.start()
        self._answers()

    def sweep(self, now: dt.datetime) -> float:
        """Sweep what is due by `now`; the seconds until the last of them is done."""
        begun = perf_counter()
        for end in self._ends:
            end.send(now)
        self._answers()
        return perf_counter() - begun

    def _answers(self) -> Sequence[object]:
        return [end.recv() for end in self._ends]

    def close(self) -> None:
        """Let them go home, and tell how much memory the largest had."""
        for end in self._ends:
            end.send(None)
        memory = max(float(str(answer)) for answer in self._answers())
        for process in self._processes:
            process.join()
        print(f"{len(self._processes)} worker(s): {memory:.0f} MB at most", file=sys.stderr, flush=True)
        if memory > MEMORY_MB:
            raise AssertionError(f"A worker took {memory:.0f} MB; {MEMORY_MB} is the most.")


def _work(url: str, orders: Connection) -> None:
    with closing(open_store(url)) as store:
        house = House(store, handbook())
        run_due(house, dt.datetime(2025, 1, 1, tzinfo=dt.UTC))  # connected, and warm
        orders.send("ready")
        while now := orders.recv():
            run_due(house, now)
            orders.send("done")
    orders.send(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
