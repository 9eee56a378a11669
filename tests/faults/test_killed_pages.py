"""The web process, its worker in it, is killed while people write: what it acknowledged is there, and once."""

import os
import random
import re
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from http.client import HTTPException
from http.cookiejar import CookieJar
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from engine.core.people import passwords
from engine.store import tables as t
from engine.store.cases import verify
from engine.store.session import open_store
from engine.store.simulation import seed
from engine.usecases.context import Context
from engine.usecases.ops.clock import set_clock
from tests.faults import FULL, processes
from tests.installation import CastInstallation, at, definitions
from tests.ports import free_port
from web.cli.serve import serve

KILLS = 50 if FULL else 3
SAID = "said.log"  # what the program said since it was started last
WRITERS = ("teacher", "head")
PASSWORD = "rừng xanh núi cao"


class Served:
    """`ralop serve`, its worker beside it, killed and started again on the same port."""

    def __init__(self, url: str, instance: Path) -> None:
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self._environment = {"RALOP_DATABASE_URL": url, "RALOP_INSTANCE": str(instance)}
        self.start()

    def start(self) -> None:
        self.process = processes.start(_serve, self.port, self._environment)
        for _ in range(400):
            try:
                urllib.request.urlopen(f"{self.address}/login", timeout=5).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        said = (Path(self._environment["RALOP_INSTANCE"]) / SAID).read_text(encoding="utf-8")
        raise AssertionError(f"ralop serve does not come up: {said[-2_000:]}")

    def kill(self) -> None:
        processes.kill(self.process)


def _serve(port: int, environment: dict[str, str]) -> None:
    os.environ |= environment
    said = os.open(Path(environment["RALOP_INSTANCE"]) / SAID, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(said, 1)
    os.dup2(said, 2)
    serve.main(["--port", str(port)], standalone_mode=False)


class Writer(threading.Thread):
    """Somebody who writes one note after another and sends each until it is acknowledged, as a phone would."""

    def __init__(self, address: str, login: str, code: str, stop: threading.Event) -> None:
        super().__init__(daemon=True)
        self.address, self.login, self.code, self.stop = address, login, code, stop
        self.acknowledged: list[str] = []
        self._web = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))

    def run(self) -> None:
        self._sign_in()
        while not self.stop.is_set():
            try:
                form = self._form(f"/cases/{self.code}/note")
                if self._send(f"/cases/{self.code}/note", {**form, "note": "Đã gọi điện cho gia đình"}):
                    self.acknowledged.append(form["key"])
            except (OSError, HTTPException):
                time.sleep(0.05)

    def _sign_in(self) -> None:
        while True:
            try:
                form = self._form("/login")
                self._send("/login", {**form, "login": self.login, "password": PASSWORD})
            except (OSError, HTTPException):
                time.sleep(0.05)
            else:
                return

    def _form(self, path: str) -> dict[str, str]:
        with self._web.open(self.address + path, timeout=10) as page:
            hidden = re.findall(r'<input[^>]*type="hidden"[^>]*>', page.read().decode())
        pairs = [(re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)) for tag in hidden]
        return {name[1]: value[1] for name, value in pairs if name and value}

    def _send(self, path: str, form: dict[str, str]) -> bool:
        data = urllib.parse.urlencode(form).encode()
        with self._web.open(self.address + path, data, timeout=10) as page:
            return bool(page.url.rstrip("/") != self.address + path)


@pytest.fixture
def served(database_url: str, tmp_path: Path) -> Iterator[tuple[CastInstallation, Served]]:
    """The cast, and the program serving it."""
    store = open_store(database_url)
    with store.writing("set the stage") as session:
        cast = seed.add_cast(session, at("2026-03-01 08:00"))
        session.execute(update(t.Person).values(password_hash=passwords.hash(PASSWORD), must_change=False))
    set_clock(store, at("2026-03-02 16:00"))
    serving = Served(database_url, tmp_path)
    yield CastInstallation(Context(store, definitions()), cast), serving
    serving.kill()
    store.close()


def test_what_the_pages_acknowledged_is_kept_once_however_often_they_are_killed(
    served: tuple[CastInstallation, Served], figures: Callable[..., None]
) -> None:
    installed, serving = served
    chance, stop, begun = random.Random(7), threading.Event(), time.time()
    code = installed.open()
    writers = [Writer(serving.address, login, code, stop) for login in WRITERS]
    for writer in writers:
        writer.start()
    for kills in range(KILLS):
        _wait_for_one_more(writers)
        time.sleep(chance.uniform(0, 0.5))
        if kills % 10 == 0:
            print(f"pages: {time.time() - begun:.0f} s, {kills} killed", flush=True)
        serving.kill()
        serving.start()
    _wait_for_one_more(writers)
    stop.set()
    for writer in writers:
        writer.join(30)

    keys = [key for writer in writers for key in writer.acknowledged]
    with installed.store.reading("test") as session:
        kept = list(session.scalars(select(t.Event.key).where(t.Event.key.is_not(None))))
        assert session.scalar(select(func.count()).select_from(t.Event)) == installed.case(code).version
    figures(
        kills=KILLS,
        acknowledged=len(keys),
        lost=len(set(keys) - set(kept)),
        doubled=len(kept) - len(set(kept)),
        seconds=round(time.time() - begun),
    )
    assert len(keys) > KILLS
    assert set(keys) <= set(kept)
    assert len(kept) == len(set(kept))
    assert list(verify.breaks(installed.store)) == []


def _wait_for_one_more(writers: list[Writer]) -> None:
    before, end = sum(len(writer.acknowledged) for writer in writers), time.monotonic() + 60
    while sum(len(writer.acknowledged) for writer in writers) == before:
        assert time.monotonic() < end, "nothing gets through any more"
        time.sleep(0.02)
