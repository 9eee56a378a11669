"""One reader under the fuzzer: `python -m tests.fuzz.one READER FOUND [options of libFuzzer]`.

What a reader raises is noted in FOUND, once for each place in the code, and the search goes on; a hang or too much
memory ends the process, and leaves its input beside FOUND.
"""

from __future__ import annotations

import hashlib
import json
import resource
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import atheris  # pyright: ignore[reportMissingImports]

with atheris.instrument_imports(include=["engine"]):  # pyright: ignore[reportAttributeAccessIssue]
    from tests.fuzz.readers import READERS, Broken

SLOW_S = 5.0
MOST = 4 * 2**30  # bytes: a reader gone wild must not take the machine with it before libFuzzer looks at its memory


class Finder:
    """Gives inputs to a reader and notes what goes wrong, each thing once."""

    def __init__(self, read: Callable[[bytes], None], found: Path) -> None:
        self.read, self.found, self.known = read, found, set[str]()

    def __call__(self, data: bytes) -> None:
        begun = time.process_time()  # other work on the machine is not the reader's fault
        try:
            self.read(data)
        except Exception as error:  # noqa: BLE001 - every exception is a finding
            frames = [f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)]
            ours = [frame for frame in frames if "/engine/" in frame] or frames
            where = str(error) if isinstance(error, Broken) else ours[-1]
            self.note(f"{type(error).__name__} {where}", "".join(traceback.format_exception(error)), data)
        if (took := time.process_time() - begun) > SLOW_S:
            self.note("slow", f"{took:.1f} s", data)

    def note(self, key: str, said: str, data: bytes) -> None:
        """Keep a finding and the input that led to it."""
        if key in self.known:
            return
        self.known.add(key)
        name = f"found-{hashlib.sha256(key.encode()).hexdigest()[:10]}"
        self.found.joinpath(name).write_bytes(data)
        self.found.joinpath(f"{name}.json").write_text(json.dumps({"key": key, "said": said}), encoding="utf-8")


if __name__ == "__main__":
    reader, found, *options = sys.argv[1:]
    resource.setrlimit(resource.RLIMIT_AS, (MOST, MOST))
    atheris.Setup([sys.argv[0], *options], Finder(READERS[reader], Path(found)))
    atheris.Fuzz()
