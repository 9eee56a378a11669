"""What every forked process has already when it begins: all modules, and the shipped files read."""

import procrastinate

import tests.faults.test_killed_deliveries
import tests.faults.test_killed_pages
import tests.faults.test_killed_workers
import tests.faults.test_lost_databases
from bench.data import definitions
from web.cli import main

__all__ = ["main", "procrastinate", "tests"]

definitions()
