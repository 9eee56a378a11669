"""Knows who works in the folder of an installation: servers and workers side by side, or one restore alone.

Each holds a lock on the file `lock` of the folder. The system releases it when the process ends, in any way.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.core.refusals import Refused
from engine.core.words import Sentence
from engine.usecases.ops.instance_files import LOCK, UNFINISHED


@contextmanager
def at_work(instance: Path) -> Iterator[None]:
    """Marks that the pages or a worker run here. Raises Refused during a restore, or after an interrupted one."""
    with _locked(instance, fcntl.LOCK_SH, Sentence("A restore is under way in {folder}.", folder=str(instance))):
        if (instance / UNFINISHED).exists():
            raise Refused(
                Sentence("A restore into {folder} broke off: do it again, with --replace.", folder=str(instance))
            )
        yield


@contextmanager
def alone(instance: Path) -> Iterator[None]:
    """Makes sure that nobody else works here meanwhile. Raises Refused if somebody does."""
    sentence = Sentence(
        "The program runs in {folder}: end it first (systemctl stop ralop, or ctrl+C where `ralop serve` or "
        "`ralop worker` was typed).",
        folder=str(instance),
    )
    with _locked(instance, fcntl.LOCK_EX, sentence):
        yield


@contextmanager
def _locked(instance: Path, how: int, otherwise: Sentence) -> Iterator[None]:
    instance.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = os.open(instance / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(file, how | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Refused(otherwise) from error
        yield
    finally:
        os.close(file)
