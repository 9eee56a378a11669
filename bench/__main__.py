"""Run the benches: `python -m bench [--small] [NAME...]`. One JSON object a line on stdout, progress on stderr.

A name is a bench's (`sweep_idle`) or a module's (`sweep`: all it measures). Without names all run. `--small` runs them
in the small form, which shows that they go through and measures nothing. Ends with 1 when a bench failed or measured
nothing (the others still run) and with 2 when a name is nobody's.
"""

import json
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules
from time import monotonic

import bench
from bench import Measurement


@dataclass(frozen=True)
class Module:
    """A module of benches: its name, the names of what it measures, its function, the size for its small form."""

    name: str
    benches: tuple[str, ...]
    run: Callable[..., Iterator[Measurement]]
    small: object | None

    def measure(self, small: bool) -> Iterator[Measurement]:
        """What it measures. Raises ValueError for the small form of one that has none."""
        if not small:
            return self.run()
        if self.small is None:
            raise ValueError(f"bench/{self.name}.py has no small form: give it SMALL, a size that run() takes.")
        return self.run(self.small)

    def wanted(self, names: Sequence[str]) -> tuple[str, ...]:
        """Those of its benches that `names` asks for."""
        if not names or self.name in names:
            return self.benches
        return tuple(name for name in self.benches if name in names)


def discover() -> list[Module]:
    """All modules of this package that have a function `run`, in the order of their names."""
    found = (import_module(f"bench.{info.name}") for info in iter_modules(bench.__path__) if info.name != "__main__")
    return [
        Module(
            name := module.__name__.removeprefix("bench."),
            getattr(module, "BENCHES", (name,)),
            module.run,
            getattr(module, "SMALL", None),
        )
        for module in found
        if hasattr(module, "run")
    ]


def measure(module: Module, wanted: tuple[str, ...], small: bool = False) -> bool:
    """Print what a module measures and was asked for, as it comes; whether it went through and measured it all."""
    begun, missed = monotonic(), set(wanted)
    say(f"{module.name}: measuring {', '.join(wanted)}")
    try:
        for measurement in module.measure(small):
            if measurement["bench"] in wanted:
                missed.discard(measurement["bench"])
                print(json.dumps(measurement, sort_keys=True, ensure_ascii=False), flush=True)
    except Exception:  # noqa: BLE001 - whatever it was: the other benches still run, and the run ends with 1
        say(traceback.format_exc())
        return False
    say(f"{module.name}: {monotonic() - begun:.1f} s")
    if missed:
        say(f"{module.name} did not measure {', '.join(sorted(missed))}.")
    return not missed


def say(text: str) -> None:
    """Progress, for whoever waits: not part of the result."""
    print(text, file=sys.stderr, flush=True)


def main(names: Sequence[str]) -> int:
    """Run what `names` asks for; the process's exit code."""
    small, names = "--small" in names, [name for name in names if name != "--small"]
    modules = discover()
    known = {name for module in modules for name in (module.name, *module.benches)}
    if strangers := [name for name in names if name not in known]:
        say(f"There is no bench {', '.join(strangers)}. There are: {', '.join(sorted(known))}.")
        return 2
    chosen = [(module, wanted) for module in modules if (wanted := module.wanted(names))]
    results = [measure(module, wanted, small) for module, wanted in chosen]
    return 0 if all(results) else 1


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that the server it started is stopped, too
    sys.exit(main(sys.argv[1:]))
