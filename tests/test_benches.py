"""Every bench runs, in its small form, on both databases: what nobody runs for a month no longer runs."""

import json
import os
import subprocess
import sys

import pytest

from bench.__main__ import Module, discover, measure
from tests.test_packaging import ROOT

MODULES = {module.name: module for module in discover()}


def small(*names: str, postgresql: str) -> subprocess.CompletedProcess[str]:
    """Run benches in their small form, as `make bench BENCH="--small NAME"` does, on this session's PostgreSQL."""
    return subprocess.run(
        [sys.executable, "-m", "bench", "--small", *names],
        env={**os.environ, "RALOP_TEST_POSTGRESQL": postgresql},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("module", MODULES.values(), ids=list(MODULES))
def test_a_bench_goes_through_in_its_small_form_and_measures_all_it_names(
    module: Module, postgresql_server: str
) -> None:
    ran = small(module.name, postgresql=postgresql_server)
    assert ran.returncode == 0, ran.stderr
    measurements = [json.loads(line) for line in ran.stdout.splitlines()]
    assert {it["bench"] for it in measurements} == set(module.benches)
    assert {it["database"] for it in measurements} in ({"sqlite", "postgresql"}, {"none"})
    assert all(it["value"] > 0 and it["floor"] > 0 and it["ratio"] > 0 for it in measurements), measurements


def test_every_bench_has_a_small_form() -> None:
    assert [module.name for module in MODULES.values() if module.small is None] == []


def test_a_bench_without_a_small_form_and_one_that_measures_nothing_are_failures(
    capsys: pytest.CaptureFixture[str],
) -> None:
    without = Module("newest", ("newest",), lambda: iter(()), None)
    assert not measure(without, ("newest",), small=True)
    assert "bench/newest.py has no small form" in capsys.readouterr().err
    assert not measure(without, ("newest",))
    assert "newest did not measure newest." in capsys.readouterr().err
