"""Reads files that people wrote, within a limit: text in UTF-8, or a fault that names the file."""

from __future__ import annotations

from pathlib import Path

from engine.core.words import Fault, Faulty, Sentence

LARGEST = 16 * 2**20  # bytes of a text; the largest one that a person wrote has 200 KB


def read_bytes(path: Path, most: int, name: str = "") -> bytes:
    """Reads at most `most` bytes of a file, because a device or a pipe may never end. Raises `Faulty`.

    `name` is the name of the file in a fault; default: its path.
    """
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except OSError:
        sentence = Sentence("This file is not there or cannot be read.")
    else:
        if len(data) <= most:
            return data
        sentence = Sentence("The file is larger than {most} MB. Split it.", most=most // 2**20)
    raise Faulty([Fault(name or str(path), "", sentence)])


def read_text(path: Path, name: str = "") -> str:
    """Reads the text of a file that a person wrote. Raises `Faulty` if it is not UTF-8, or cannot be read."""
    try:
        return read_bytes(path, LARGEST, name).decode("utf-8")
    except UnicodeDecodeError as error:
        sentence = Sentence("This is not text in UTF-8, from byte {byte} on.", byte=error.start)
        raise Faulty([Fault(name or str(path), "", sentence)]) from error
