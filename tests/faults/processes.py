"""Processes that do the real work and can be killed in the middle of it: forked from a server that has all modules.

A fork takes milliseconds where a fresh interpreter takes a second, so that a thousand kills fit into minutes.
"""

import datetime as dt
import multiprocessing
import random
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from typing import Any

from bench.data import handbook
from engine.house import House
from engine.store.session import open_store
from engine.sweep import run_due

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["tests.faults.processes", "procrastinate", "engine.store.world"])

HOUR = dt.timedelta(hours=1)


def sweep_for_ever(url: str, now: dt.datetime, seed: int, batch: int) -> None:
    """A worker whose clock jumps forward and back an hour between its rounds."""
    chance, house = random.Random(seed), House(open_store(url), handbook())
    while True:
        run_due(house, now + chance.choice((-HOUR, 0 * HOUR, HOUR)), batch=batch)
        time.sleep(0.002)


class Herd:
    """Some processes at work; `kill_one` kills one as by `kill -9` and starts another in its place."""

    def __init__(self, size: int, work: Callable[..., None], arguments: Callable[[int], tuple[Any, ...]]) -> None:
        self._work, self._arguments, self._started = work, arguments, 0
        self._running = [self._start() for _ in range(size)]
        self.kills = 0

    def _start(self) -> BaseProcess:
        self._started += 1
        process = _context.Process(target=self._work, args=self._arguments(self._started), daemon=True)
        process.start()
        return process

    def kill_one(self, chance: random.Random) -> None:
        """Kill any of them at whatever it is doing."""
        place = chance.randrange(len(self._running))
        self._end(self._running[place])
        self._running[place] = self._start()
        self.kills += 1

    def _end(self, process: BaseProcess) -> None:
        process.kill()
        process.join()
        process.close()

    def stop(self) -> None:
        """Kill them all."""
        for process in self._running:
            self._end(process)
