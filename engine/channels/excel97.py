"""Reads Excel 97 files (.xls) in a separate process with limited memory and time.

An xlsx file is measured before it is opened. In an .xls file one wrong byte can make the library ask for more memory
than the machine has (found by fuzzing), and only the system can stop it.
"""

from __future__ import annotations

import io
import pickle
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import IO, Any

import python_calamine as calamine

from engine.core.files.excel97 import BATCH, Damaged, Locked, SheetHead
from engine.core.invariants import given

MEMORY = 2**30  # bytes
CPU_S = 60
LOCKED, END = "locked", "end"


def read_excel97(data: bytes) -> Iterator[SheetHead | list[list[Any]]]:
    """Yields the sheets of a file, each followed by its rows in batches.

    Raises `Locked` or `Damaged`, at once or later.
    """
    command = [sys.executable, "-c", f"from {__name__} import serve; serve()"]
    with subprocess.Popen(  # noqa: S603 - our own program
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        stdin = given(process.stdin, "the process was given a pipe")
        stdout = given(process.stdout, "the process was given a pipe")
        try:
            with suppress(BrokenPipeError):  # it ended before it had read all: what it said is still there
                stdin.write(data)
                stdin.close()
            yield from _received(stdout)
        finally:
            process.kill()  # the caller may not want the rest


def _received(stream: IO[bytes]) -> Iterator[SheetHead | list[list[Any]]]:
    try:
        while (message := pickle.load(stream)) != END:  # noqa: S301 - written by our own program
            if message == LOCKED:
                raise Locked
            yield message
    except (EOFError, pickle.UnpicklingError) as error:
        raise Damaged from error


def serve() -> None:
    """Runs in the other process: reads the file from stdin, writes pickled messages to stdout."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    for message in _messages(sys.stdin.buffer.read()):
        pickle.dump(message, sys.stdout.buffer)


def _messages(data: bytes) -> Iterator[SheetHead | list[list[Any]] | str]:
    try:
        book = calamine.load_workbook(io.BytesIO(data))
    except calamine.CalamineError as error:
        if "password" in str(error).lower():
            yield LOCKED
        return
    for sheet in visible(book):
        yield SheetHead(sheet.name, sheet.start, sheet.total_height, sheet.total_width, sheet.merged_cell_ranges or [])
        batch: list[list[Any]] = []
        for cells in sheet.iter_rows():
            batch.append(cells)
            if len(batch) == BATCH:
                yield batch
                batch = []
        yield batch
    yield END


def visible(book: calamine.CalamineWorkbook) -> Iterator[calamine.CalamineSheet]:
    """Yields the visible sheets that have cells, and opens each when it is needed."""
    for sheet in book.sheets_metadata:
        if sheet.visible == calamine.SheetVisibleEnum.Visible and sheet.typ == calamine.SheetTypeEnum.WorkSheet:
            yield book.get_sheet_by_name(sheet.name)
