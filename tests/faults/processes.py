"""Processes that do the real work and can be killed in the middle of it: forked from a server that has all modules.

A fork takes milliseconds where a fresh interpreter takes a second, so that a thousand kills fit into minutes. The
server has read the rules and imported everything; no connection is opened before a fork.
"""

import multiprocessing
import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from engine.channels import Message, Send
from engine.core.words import Label

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["tests.faults.loaded"])


def start(work: Callable[..., None], *arguments: Any) -> BaseProcess:
    """A process of its own at this work; `kill` it as by `kill -9`."""
    process = _context.Process(target=work, args=arguments, daemon=True)
    process.start()
    return process


def kill(process: BaseProcess) -> None:
    """End it at whatever it is doing."""
    process.kill()
    process.join()
    process.close()


class Herd:
    """Some processes at work; `kill_one` kills one and starts another in its place."""

    def __init__(self, size: int, work: Callable[..., None], arguments: Callable[[int], tuple[Any, ...]]) -> None:
        self._work, self._arguments, self._started = work, arguments, 0
        self._running = [self._start() for _ in range(size)]
        self.kills = 0

    def _start(self) -> BaseProcess:
        self._started += 1
        return start(self._work, *self._arguments(self._started))

    def kill_one(self, chance: random.Random) -> None:
        """Kill any of them at whatever it is doing."""
        place = chance.randrange(len(self._running))
        kill(self._running[place])
        self._running[place] = self._start()
        self.kills += 1

    def keep_killing(
        self, kills: int, chance: random.Random, done: Callable[[], float], seconds: float, told: str
    ) -> None:
        """Kill at random moments, spread over the whole work however fast it is, until all is done and all are killed.

        Args:
            done: how much of the work is done, from 0 to 1.
            seconds: how long it may take.
            told: what the lines on the progress begin with.
        """
        begun, next_line = time.monotonic(), 0.0
        while (share := done()) < 1 or self.kills < kills:
            now = time.monotonic() - begun
            assert now < seconds, f"{told}: the workers do not get on, {share:.1%} is done after {self.kills} kills"
            if now >= next_line:
                print(f"{told}: {now:.0f} s, {share:.0%} done, {self.kills} killed", flush=True)
                next_line = now + 15
            time.sleep(chance.uniform(0.002, 0.04))
            if self.kills < min(kills, kills * share + 1):
                self.kill_one(chance)

    def stop(self) -> None:
        """Kill them all."""
        for process in self._running:
            kill(process)


class FileOutbox:
    """A channel that takes messages for good at once: a line each in a file that outlives whoever writes."""

    name = "email"  # under the name of one that everybody has
    label = Label("Thư", "Mail")
    ask = None

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def connect(self) -> Iterator[Send]:
        """A line to the file."""
        file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        try:
            yield lambda _address, message: self._take(file, message)
        finally:
            os.close(file)

    def _take(self, file: int, message: Message) -> None:
        os.write(file, f"{message.key}\n".encode())  # whole or not at all, whoever else appends

    def keys(self) -> list[str]:
        """What was sent so far, in order."""
        return self.path.read_text(encoding="utf-8").splitlines() if self.path.exists() else []
