"""A teacher's work page of `ralop serve`, alone (the floor) and beside 2,000 silent connections and 200 slow ones.

They take turns, and of each the best turn counts: whatever else the machine does can only make it slower.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median
from typing import NamedTuple

import requests
from sqlalchemy import select, update

from bench import DATABASES, Database, Measurement, measured
from bench.country import NOW
from bench.crowd import Crowd, asked
from bench.data import HAMLETS, CountrySize, filled
from engine.core.people import passwords
from engine.store import tables as t
from engine.store.session import open_store
from tests.pages import PASSWORD
from tests.ports import await_listener, free_port

PAGE = "/work"


class Size(NamedTuple):
    """How many connections, cases, pages in a turn, and turns."""

    silent: int = 2_000
    slow: int = 200
    country: CountrySize = CountrySize(1_000)
    times: int = 40
    rounds: int = 6


FULL, SMALL = Size(), Size(150, 10, HAMLETS, 3, 1)


def run(size: Size = FULL) -> Iterator[Measurement]:
    """The typical time of the page in milliseconds."""
    for database in DATABASES:
        yield _measured(database, size)


def _measured(database: Database, size: Size) -> Measurement:
    url = filled(database, size.country).url
    alone, beside = [], []
    with _serving(url) as port:
        cookie = _signed_in(port, _teacher(url))
        asked(port, PAGE, cookie, size.times)
        for _ in range(size.rounds):
            alone.append(asked(port, PAGE, cookie, size.times))
            with Crowd(port, size.silent, size.slow):
                beside.append(asked(port, PAGE, cookie, size.times))
    worst = max(map(max, beside)) * 1e3
    print(f"idle_connections on {database}: at worst {worst:.0f} ms", file=sys.stderr, flush=True)
    return measured(
        "idle_connections",
        database,
        n=size.silent + size.slow,
        value=min(map(median, beside)) * 1e3,
        unit="ms",
        floor=min(map(median, alone)) * 1e3,
    )


def _teacher(url: str) -> str:
    """The login of a teacher, who has a password now."""
    store = open_store(url)
    with store.writing("bench") as session:
        login = f"teacher-{session.scalars(select(t.Case.class_id).order_by(t.Case.id)).first()}"
        known = update(t.Person).where(t.Person.login == login).values(password_hash=passwords.hash(PASSWORD))
        session.execute(known)
    store.close()
    return login


@contextmanager
def _serving(url: str) -> Iterator[int]:
    """`ralop serve` at the moment of the country; the port it listens at."""
    port = free_port()
    command = [sys.executable, "-m", "web", "serve", "--no-worker", "--port", str(port), "--now", NOW.isoformat()]
    with tempfile.TemporaryDirectory(prefix="ralop-bench-") as instance, tempfile.TemporaryFile() as log:
        environment = {**os.environ, "RALOP_INSTANCE": instance, "RALOP_DATABASE_URL": url}
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            await_listener(port)
            yield port
        finally:
            server.terminate()
            server.wait(30)


def _signed_in(port: int, login: str) -> str:
    """The cookies of somebody who has signed in and has seen the page."""
    browser, site = requests.Session(), f"http://127.0.0.1:{port}"
    token = re.search(r'name="csrf_token" value="([^"]+)"', browser.get(f"{site}/login", timeout=60).text)
    assert token
    form = {"csrf_token": token[1], "login": login, "password": PASSWORD}
    browser.post(f"{site}/login", data=form, timeout=60).raise_for_status()
    return "; ".join(f"{cookie.name}={cookie.value}" for cookie in browser.cookies)
