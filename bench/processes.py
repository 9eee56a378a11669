"""Runs workers in separate processes, as in production, and measures their time and memory."""

from __future__ import annotations

import datetime as dt
import json
import multiprocessing
import sys
from collections.abc import Sequence
from contextlib import closing
from multiprocessing.connection import Connection
from pathlib import Path
from time import perf_counter

from bench.data import definitions
from engine.jobs.gc_tuning import keep_what_is_loaded
from engine.jobs.sweep import run_due
from engine.store.session import open_store
from engine.usecases.context import Context

MEMORY_MB = 200
SPIN = 200  # a second or so of work
BEFORE = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)  # nothing is due yet


class WorkerProcesses:
    """Worker processes that sweep at the same time."""

    def __init__(self, url: str, size: int = 1) -> None:
        spawning = multiprocessing.get_context("spawn")  # not a copy of this process and its memory
        pipes = [spawning.Pipe() for _ in range(size)]
        self._ends = [ours for ours, _ in pipes]
        self._processes = [spawning.Process(target=_work, args=(url, theirs)) for _, theirs in pipes]
        for process in self._processes:
            process.start()
        self._answers()

    def sweep(self, now: dt.datetime) -> float:
        """Sweeps what is due by `now`; returns the seconds until the last process is done."""
        return self._do(now)

    def spin(self, times: int) -> float:
        """Lets each process compute the same, without sharing; returns the seconds until the last one is done."""
        return self._do(times)

    def _do(self, order: dt.datetime | int) -> float:
        begun = perf_counter()
        for end in self._ends:
            end.send(order)
        self._answers()
        return perf_counter() - begun

    def _answers(self) -> Sequence[object]:
        return [end.recv() for end in self._ends]

    def close(self) -> None:
        """Ends the processes, and prints how much memory the largest one had."""
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
        context = Context(store, definitions())
        run_due(context, BEFORE)  # connected, and warm
        keep_what_is_loaded()  # as `ralop worker` does
        orders.send("ready")
        while order := orders.recv():
            _spin(order) if isinstance(order, int) else run_due(context, order)
            orders.send("done")
    orders.send(_most_mb())


def _spin(times: int) -> None:
    rows = [{"number": number, "text": str(number)} for number in range(2_000)]
    for _ in range(times):
        json.loads(json.dumps(rows))


def _most_mb() -> float:
    """Returns the peak memory of this process; `getrusage` would give that of its parent."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM"))
