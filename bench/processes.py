"""Workers as processes of their own, as in use: what they sweep, how long it takes, how much memory they had."""

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
    """Worker processes that sweep at the same time when told to."""

    def __init__(self, url: str, size: int = 1) -> None:
        spawning = multiprocessing.get_context("spawn")  # not a copy of this process and its memory
        pipes = [spawning.Pipe() for _ in range(size)]
        self._ends = [ours for ours, _ in pipes]
        self._processes = [spawning.Process(target=_work, args=(url, theirs)) for _, theirs in pipes]
        for process in self._processes:
            process.start()
        self._answers()

    def sweep(self, now: dt.datetime) -> float:
        """Sweep what is due by `now`; the seconds until the last of them is done."""
        return self._do(now)

    def spin(self, times: int) -> float:
        """Each computes as much, and shares nothing with the others; the seconds until the last of them is done."""
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
    """The most memory this process had at a time; `getrusage` would tell the parent's, which it began as."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM"))
