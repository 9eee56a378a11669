"""The main pages under granian among 100,000 and a million cases, beside their floor (bench/page_floor.py).

`page_<name>` is the time of a page for somebody who is alone on the server and has been on the page before,
`page_<name>_rate` how many a second it hands out to eight at once; two workers of two threads each, the asking done on
the same machine. Ours and the floor's, among few cases and among many, take turns: short ones and many, as the readers
come to the one worker or the other by chance.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from statistics import fmean, median
from threading import Thread
from typing import NamedTuple

import requests
from sqlalchemy import insert, select, update

from bench import DATABASES, Database, Measurement, measured, serving
from bench.country import NOW
from bench.data import COUNTRY, HAMLETS, PROVINCES, CountrySize, Filled, filled
from bench.page_cut import cut, written
from engine.core.people import passwords
from engine.store import tables as t
from engine.store.session import open_store
from tests.pages import PASSWORD

# Page, who reads it, its address.
PAGES = (
    ("login", "", "/login"),
    ("work", "teacher", "/work"),
    ("cases", "education_office", "/cases"),
    ("case", "teacher", "/cases/{code}"),
    ("case_new", "teacher", "/cases/new"),
    ("notices", "teacher", "/notices"),
    ("help", "teacher", "/help"),
    ("attendance", "teacher", "/attendance"),
)
BENCHES = tuple(f"page_{name}{what}" for name, _, _ in PAGES for what in ("", "_rate"))
READERS = 8
SERVER = ("--interface", "wsgi", "--workers", "2", "--blocking-threads", "2", "--no-ws", "--log-level", "error")


class Size(NamedTuple):
    """The lands, fewer cases first; how often a page is asked for alone; by readers, for how many seconds, how often,
    and how many of the turns count."""

    lands: tuple[CountrySize, ...] = (PROVINCES, COUNTRY)
    times: int = 40
    seconds: float = 0.15
    rounds: int = 20
    best: int = 5


FULL, SMALL = Size(), Size((HAMLETS,), 2, 0.05, 1, 1)
NOTICES = 60  # of the teacher: more than a page


@dataclass(frozen=True)
class Page:
    """A page to be asked for: its bench, its address, the server's port, the request as it goes over the line."""

    name: str
    address: str
    port: int
    cookie: str

    @property
    def request(self) -> bytes:
        return (
            f"GET {self.address} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept-Encoding: gzip\r\nCookie: {self.cookie}\r\n\r\n"
        ).encode()


@dataclass(frozen=True)
class ServedCountry:
    """A country that is served by us and by the floor: the pages as its people ask us for them, and the floor."""

    cases: int
    pages: tuple[tuple[Page, Page], ...]


def run(size: Size = FULL) -> Iterator[Measurement]:
    """The time of each page in milliseconds, and how many a second."""
    for database in DATABASES:
        with ExitStack() as running:
            lands = [_land(running, filled(database, country), country.cases) for country in size.lands]
            for pages in zip(*(country.pages for country in lands), strict=True):
                yield from _measured(database, lands, pages, size)


def _measured(
    database: Database, lands: Sequence[ServedCountry], pages: Sequence[tuple[Page, Page]], size: Size
) -> Iterator[Measurement]:
    """A page in all lands, ours and the floor's: they take turns, as a machine's pace changes from minute to minute."""
    asked = list(chain.from_iterable(pages))
    name, alone, rates = asked[0].name, _alone(asked, size.times), _rates(asked, size)
    for n, country in enumerate(lands):
        value, least = alone[2 * n : 2 * n + 2]
        yield measured(f"page_{name}", database, n=country.cases, value=value, unit="ms", floor=least)
        value, least = rates[2 * n : 2 * n + 2]
        yield measured(f"page_{name}_rate", database, n=country.cases, value=value, unit="per_s", floor=least)
    grown = alone[2 * len(lands) - 2] / alone[0]
    print(f"page_{name} on {database}: among most cases {grown:.2f} times the time", file=sys.stderr, flush=True)


def _land(running: ExitStack, data: Filled, cases: int) -> ServedCountry:
    people, code = _prepared(data, cases)
    ours = running.enter_context(_served({serving.URL: data.url}))
    cookies = {who: _signed_in(ours, login) for who, login in people.items()} | {"": ""}
    pages = [_visited(Page(name, address.format(code=code), ours, cookies[who])) for name, who, address in PAGES]
    shown = {page.address: _text(page) for page in pages}
    cuts = Path(running.enter_context(tempfile.TemporaryDirectory())) / "pages.json"
    cuts.write_text(written({page.address: cut(page.name, shown[page.address]) for page in pages}), "utf-8")
    floor = running.enter_context(_served({serving.URL: data.url, serving.CUT: str(cuts)}))
    floors = [_visited(replace(page, port=floor)) for page in pages]
    for page, its_floor in zip(pages, floors, strict=True):
        _compare(page, shown[page.address], _text(its_floor))
    return ServedCountry(cases, tuple(zip(pages, floors, strict=True)))


def _prepared(data: Filled, cases: int) -> tuple[dict[str, str], str]:
    """The people who read, by post, with a password and with notices; and the code of the teacher's case."""
    hashed, case = passwords.hash(PASSWORD), cases // 2
    store = open_store(data.url)
    with store.writing("bench") as session:
        places = select(t.Case.code, t.Case.class_id, t.Case.province_id).where(t.Case.id == case)
        code, class_id, province = session.execute(places).one()
        people = {"teacher": f"teacher-{class_id}", "education_office": f"education_office-{province}"}
        known = update(t.Person).where(t.Person.login.in_(people.values())).values(password_hash=hashed)
        session.execute(known)
        reader = session.scalars(select(t.Person.id).where(t.Person.login == people["teacher"])).one()
        session.execute(
            insert(t.Notice),
            [
                {"case_id": case, "seq": 1000 + n, "person_id": reader, "role": "teacher", "kind": "offered", "at": NOW}
                for n in range(NOTICES)
            ],
        )
    store.close()
    return people, code


@contextmanager
def _served(environment: Mapping[str, str]) -> Iterator[int]:
    """Granian with one of the applications; the port it listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    command = [sys.executable, "-m", "granian", *SERVER, "--port", str(port), "--factory", "bench.serving:application"]
    with tempfile.TemporaryFile() as log:
        server = subprocess.Popen(command, env={**os.environ, **environment}, stdout=log, stderr=log)
        try:
            _await(port, server)
            yield port
        except Exception:
            log.seek(0)
            print(log.read().decode()[-2000:], file=sys.stderr)
            raise
        finally:
            server.terminate()
            server.wait(20)


def _await(port: int, server: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if server.poll() is not None:
                raise RuntimeError("granian ended") from None
            time.sleep(0.1)
        else:
            return
    raise TimeoutError("granian does not listen")


def _signed_in(port: int, login: str) -> str:
    """The cookies of somebody who has signed in, and whose browser has got the style sheet."""
    browser, address = requests.Session(), f"http://127.0.0.1:{port}/login"
    page = browser.get(address, timeout=60).text
    token, sheet = re.search(r'name="csrf_token" value="([^"]+)"', page), re.search(r'href="([^"]+/app.css)"', page)
    assert token
    assert sheet
    assert browser.get(f"http://127.0.0.1:{port}{sheet[1]}", timeout=60).ok
    form = {"csrf_token": token[1], "login": login, "password": PASSWORD}
    answer = browser.post(address, data=form, allow_redirects=False, timeout=60)
    assert answer.status_code == 303, (login, answer.status_code)
    return "; ".join(f"{name}={browser.cookies[name]}" for name in ("session", "sheet"))


def _visited(page: Page) -> Page:
    """The page as somebody asks for it who has been there before, with the cookies that it set; a stranger has none."""
    if not page.cookie:
        return page
    kept = dict(cookie.split("=", 1) for cookie in page.cookie.split("; "))
    kept.update({cookie.name: cookie.value or "" for cookie in _answer(page).cookies})
    return replace(page, cookie="; ".join(f"{name}={value}" for name, value in kept.items()))


def _text(page: Page) -> str:
    return _answer(page).text


def _answer(page: Page) -> requests.Response:
    answer = requests.get(f"http://127.0.0.1:{page.port}{page.address}", headers={"Cookie": page.cookie}, timeout=60)
    assert answer.status_code == 200, (page.address, answer.status_code)
    return answer


def _compare(page: Page, ours: str, floor: str) -> None:
    """A floor that says less than we do would be none."""
    if not 0.85 < len(floor) / len(ours) < 1.15:
        raise ValueError(f"page_{page.name}: the floor's page has {len(floor)} characters, ours {len(ours)}")


class Line:
    """A connection that stays open, and asks for one page after the other."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), 60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, request: bytes) -> None:
        """Ask for a page and take it to its last byte."""
        self._socket.sendall(request)
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self._more()
        head, _, body = answer.partition(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
        assert head.startswith(b"HTTP/1.1 200"), head
        assert length, head
        left = int(length[1]) - len(body)
        while left > 0:
            left -= len(self._more())

    def _more(self) -> bytes:
        got = self._socket.recv(65536)
        if not got:
            raise ConnectionError("the server hung up")
        return got

    def close(self) -> None:
        self._socket.close()


def _alone(asked: Sequence[Page], times: int) -> list[float]:
    """The typical time of a page on each server (port), in milliseconds, asked for one after the other in turns."""
    lines = [Line(page.port) for page in asked]
    taken: list[list[float]] = [[] for _ in asked]
    for turn in range(times + 8):
        for line, took, page in zip(lines, taken, asked, strict=True):
            begun = time.perf_counter()
            line.ask(page.request)
            if turn >= 8:  # both workers and all threads have seen it by then
                took.append((time.perf_counter() - begun) * 1e3)
    for line in lines:
        line.close()
    return [median(took) for took in taken]


def _rates(asked: Sequence[Page], size: Size) -> list[float]:
    """How many pages a second each server gives to some readers who ask at once, again and again: the mean of its best
    turns, as whatever else the machine does can only make it fewer."""
    rates: list[list[float]] = [[] for _ in asked]
    for number in range(size.rounds * len(asked)):
        turn = (number + number // len(asked)) % len(asked)  # a round begins with each by turns
        rates[turn].append(_read(asked[turn], size.seconds))
    return [fmean(sorted(of_rounds)[-size.best :]) for of_rounds in rates]


def _read(page: Page, lasting: float) -> float:
    """How many pages a second the readers got, until the last of them had the last."""
    counts, request, begun = [0] * READERS, page.request, time.monotonic()
    end = begun + lasting

    def read(number: int) -> None:
        line = Line(page.port)
        while time.monotonic() < end:
            line.ask(request)
            counts[number] += 1
        line.close()

    readers = [Thread(target=read, args=(number,)) for number in range(READERS)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    return sum(counts) / (time.monotonic() - begun)
