"""Shares the minutes out among the readers, one process at a time, and tells what was found; ends with 1 if anything.

The inputs that led to new paths are kept in a directory (`--corpus`, by default .fuzz/), so that the next run goes on
from there.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

from tests.fuzz.readers import READERS, seeds, words

TIMEOUT_S, MEMORY_MB, LONGEST = 60, 1_500, 1 << 14  # of one input
EXECUTED = re.compile(r"stat::number_of_executed_units:\s*(\d+)|^#(\d+)\s")


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--corpus", type=Path, default=Path(".fuzz"))
    parser.add_argument("readers", nargs="*", choices=[[], *READERS], metavar="READER", help=", ".join(READERS))
    asked = parser.parse_args()
    readers = asked.readers or list(READERS)
    found = 0
    for reader in readers:
        minutes, executions, findings = fuzz(reader, asked.corpus, 60 * asked.minutes / len(readers))
        told = {"reader": reader, "minutes": minutes, "executions": executions, "findings": findings}
        print(json.dumps(told), flush=True)
        found += len(findings)
    return 1 if found else 0


def fuzz(reader: str, corpus: Path, seconds: float) -> tuple[float, int, list[str]]:
    """Search one reader for so long: minutes, how many inputs were tried, the names of what was found."""
    kept, found = corpus / reader, corpus / f"{reader}-found"
    for directory in (kept, found):
        directory.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds(reader)):
        kept.joinpath(f"seed-{number}").write_bytes(seed)
    dictionary = corpus / "words.txt"
    dictionary.write_text("".join(f'"{_escaped(word)}"\n' for word in dict.fromkeys(words())), encoding="ascii")
    before = set(found.iterdir())
    executed, begun = 0, time.monotonic()
    while (left := seconds - (time.monotonic() - begun)) > 1:  # a hang or too much memory ends a process early
        executed += _run(reader, kept, found, dictionary, left)
    new = sorted(path.name for path in set(found.iterdir()) - before if path.suffix != ".json")
    return round((time.monotonic() - begun) / 60, 1), executed, new


def _run(reader: str, kept: Path, found: Path, dictionary: Path, seconds: float) -> int:
    command = [
        sys.executable,
        "-m",
        "tests.fuzz.one",
        reader,
        str(found),
        str(kept),
        f"-dict={dictionary}",
        f"-max_total_time={int(seconds)}",
        f"-timeout={TIMEOUT_S}",
        f"-rss_limit_mb={MEMORY_MB}",
        f"-max_len={LONGEST}",
        f"-artifact_prefix={found}/",
        "-print_final_stats=1",
        "-verbosity=1",
    ]
    executed, log = 0, found.parent / f"{reader}.log"
    # The workbook library says on stderr what it panics about: read on, so that no pipe fills, and not kept.
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, errors="replace", env=_environment()) as process:
        assert process.stderr is not None
        with log.open("a", encoding="utf-8") as file:
            for line in process.stderr:
                if number := EXECUTED.search(line):
                    executed = max(executed, int(number[1] or number[2]))
                if "panicked at" not in line and "RUST_BACKTRACE" not in line:
                    file.write(line)
    return executed


def _environment() -> dict[str, str]:
    return {**os.environ, "RUST_BACKTRACE": "0", "PYTHONPATH": str(Path.cwd())}


def _escaped(word: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in word.encode())


if __name__ == "__main__":
    sys.exit(main())
