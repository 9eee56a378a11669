"""The server of the pages: a crowd that says little beside people who work, and what it lets in of a request's body."""

import contextlib
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest
import requests

from bench.crowd import Crowd, asked
from engine.store.ops.schema import upgrade
from engine.store.session import open_store
from tests.pages import PASSWORD, Site, site
from tests.ports import await_listener, free_port
from web.app import LARGEST_REQUEST
from web.attendance.imports import LARGEST as LARGEST_FILE
from web.serving.server import CONNECTIONS, FILES, FROM_STRANGERS, SILENT, room
from web.site.bodies import BodyLimits

SECONDS = 60
MB = 2**20


class Served:
    """`ralop serve` as a process, an administrator's cookies, and where its temporary files lie."""

    def __init__(self, port: int, process: subprocess.Popen[bytes], temporary: Path) -> None:
        self.port, self.process, self.temporary = port, process, temporary
        self.address = f"http://127.0.0.1:{port}"
        self.browser = requests.Session()
        self.browser.post(f"{self.address}/login", data=self.form(login="hanh", password=PASSWORD), timeout=SECONDS)

    def form(self, **typed: str) -> dict[str, str]:
        page = self.browser.get(f"{self.address}/login", timeout=SECONDS)
        token = re.search(r'name="csrf[-_]token" (?:value|content)="([^"]+)"', page.text)
        assert token
        return {"csrf_token": token[1], **typed}

    @property
    def cookie(self) -> str:
        return "; ".join(f"{it.name}={it.value}" for it in self.browser.cookies)

    def raw(self, sent: bytes, seconds: float = 10) -> bytes:
        """What is answered to bytes on a connection of their own, until the server hangs up or says no more."""
        got = b""
        with socket.create_connection(("127.0.0.1", self.port), seconds) as line:
            line.sendall(sent)
            with contextlib.suppress(TimeoutError, ConnectionError):
                while piece := line.recv(65536):
                    got += piece
                    if b"</html>" in got:
                        break
        return got

    def on_disk(self) -> int:
        """Bytes in temporary files that the server holds open, whether or not they have a name."""
        found = 0
        for descriptor in Path(f"/proc/{self.process.pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                if str(descriptor.readlink()).startswith(str(self.temporary)):
                    found += descriptor.stat().st_size
        return found


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    url, port = f"sqlite:///{folder / 'ralop.db'}", free_port()
    store = open_store(url)
    upgrade(store)
    here: Site = site(store)
    here.appoint(here.person("hanh"), "teacher", "class", "1A")
    store.close()
    (folder / "tmp").mkdir()
    environment = {
        **os.environ,
        "RALOP_INSTANCE": str(folder),
        "RALOP_DATABASE_URL": url,
        "TMPDIR": str(folder / "tmp"),
    }
    command = [sys.executable, "-m", "web", "serve", "--no-worker", "--port", str(port), "--now", "2026-03-02T08:00"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:
        try:
            await_listener(port)
            yield Served(port, process, folder / "tmp")
        finally:
            process.kill()


def test_six_hundred_silent_and_sixty_slow_connections_hold_up_nobody_who_works(served: Served) -> None:
    asked(served.port, "/work", served.cookie, 10)
    alone = median(asked(served.port, "/work", served.cookie, 20))
    with Crowd(served.port, silent=600, slow=60) as crowd:
        beside = asked(served.port, "/work", served.cookie, 40)
    assert median(beside) < max(10 * alone, 0.5)
    assert max(beside) < 5
    assert crowd.came_again < 600  # nobody was turned away at the door


def test_a_form_that_is_too_large_is_refused_at_once_and_in_words_before_any_of_it_is_sent(served: Served) -> None:
    begun = time.monotonic()
    for size in (FROM_STRANGERS + 1, 600 * MB, 10**15):
        head = f"POST /login HTTP/1.1\r\nHost: here\r\nContent-Length: {size}\r\nConnection: close\r\n\r\n"
        answer = served.raw(head.encode())
        assert answer.startswith(b"HTTP/1.1 413")
        assert "Nội dung gửi quá lớn".encode() in answer
    assert time.monotonic() - begun < 10


def test_a_stranger_who_sends_a_file_is_told_to_sign_in_and_not_that_it_is_too_large(served: Served) -> None:
    head = f"POST /imports HTTP/1.1\r\nHost: here\r\nContent-Length: {5 * MB}\r\nConnection: close\r\n\r\n"
    assert served.raw(head.encode()).startswith(b"HTTP/1.1 401")


def test_a_body_without_a_length_is_cut_at_the_limit_and_does_not_reach_the_disk(served: Served) -> None:
    chunk = b"10000\r\n" + b"a" * 65536 + b"\r\n"
    head = b"POST /login HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n"
    with socket.create_connection(("127.0.0.1", served.port), 10) as line:
        line.sendall(head)
        sent, most = 0, 0
        with contextlib.suppress(ConnectionError, TimeoutError):
            for _ in range(9_600):  # 600 MB
                line.sendall(chunk)
                sent += len(chunk)
                most = max(most, served.on_disk())
    assert sent < 50 * MB  # what the lines between us hold, and no more
    assert most == 0
    answer = served.raw(head + chunk * 2)
    assert answer.startswith(b"HTTP/1.1 413")


def test_a_person_of_ours_may_send_large_forms_and_to_the_pages_for_files_larger_ones(served: Served) -> None:
    def posted(page: str, size: int) -> int:
        form = served.form(kind="pupils")
        files = {"file": ("list.csv", b"a" * size)}
        answer = served.browser.post(f"{served.address}{page}", data=form, files=files, timeout=SECONDS)
        return answer.status_code

    assert posted("/imports", 5 * MB) == 200
    assert posted("/password", MB) == 422  # it went in: the old password is missing
    length = f"Content-Length: {5 * MB}\r\nCookie: {served.cookie}"
    assert served.raw(f"POST /password HTTP/1.1\r\nHost: here\r\n{length}\r\n\r\n".encode()).startswith(b"HTTP/1.1 413")
    length = f"Content-Length: {65 * MB}\r\nCookie: {served.cookie}"
    assert served.raw(f"POST /imports HTTP/1.1\r\nHost: here\r\n{length}\r\n\r\n".encode()).startswith(b"HTTP/1.1 413")


def test_a_form_in_chunks_is_taken_as_one_with_a_length(served: Served) -> None:
    def typed() -> Iterator[bytes]:
        form = served.form(login="hanh", password="matkhau")
        yield b"&".join(f"{name}={value}".encode() for name, value in form.items())

    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = served.browser.post(f"{served.address}/login", data=typed(), headers=headers, timeout=SECONDS)
    assert answer.status_code == 422
    assert "Sai tên đăng nhập hoặc mật khẩu" in answer.text


def test_a_header_with_an_underscore_does_not_pass_for_the_proxys(served: Served) -> None:
    request = b"GET /metrics HTTP/1.1\r\nHost: here\r\nConnection: close\r\n"
    assert served.raw(request + b"\r\n", 2).startswith(b"HTTP/1.1 200")
    assert served.raw(request + b"X-Forwarded-For: 203.0.113.9\r\n\r\n", 2).startswith(b"HTTP/1.1 404")
    assert served.raw(request + b"X_Forwarded_For: 203.0.113.9\r\n\r\n", 2).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("path", [b"/%ff%00", b"//", b"/a/../../etc", b"*", b"http://elsewhere/x", b"/?%00=%ff"])
def test_a_path_that_is_none_is_answered_like_any_other(served: Served, path: bytes) -> None:
    answer = served.raw(b"GET " + path + b" HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n", 5)
    assert re.match(rb"HTTP/1.1 (30[128]|400|404)", answer), answer[:200]


def test_the_soft_limit_of_open_files_is_raised_for_the_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    asked_for: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "setrlimit", lambda _what, limits: asked_for.append(limits))
    monkeypatch.setattr(resource, "getrlimit", lambda _what: (1_024, 1_048_576))
    assert room(CONNECTIONS) == CONNECTIONS
    monkeypatch.setattr(resource, "getrlimit", lambda _what: (1_024, 4_096))
    assert room(CONNECTIONS) == 4_096 - FILES
    assert asked_for == [(CONNECTIONS + FILES, 1_048_576), (4_096, 4_096)]


def test_nginx_as_we_describe_it_lets_in_what_we_let_in_and_lets_go_before_we_do() -> None:
    text = (Path(__file__).parents[3] / "docs" / "operate" / "many-machines.md").read_text("utf-8")
    forms, files = re.findall(r"client_max_body_size (\d+)m", text)
    assert int(forms) * MB == LARGEST_REQUEST
    assert 0 <= int(files) * MB - LARGEST_FILE < MB
    assert int(re.findall(r"    keepalive_timeout (\d+)s", text)[0]) < SILENT
    assert int(re.findall(r"client_header_timeout (\d+)s", text)[0]) <= SILENT


def test_many_files_at_once_do_not_fill_the_disk(served: Served) -> None:
    size, lines = 40 * MB, []
    head = f"POST /imports HTTP/1.1\r\nHost: here\r\nContent-Length: {size}\r\nCookie: {served.cookie}\r\n\r\n".encode()
    try:
        for _ in range(5):
            line = socket.create_connection(("127.0.0.1", served.port), 30)
            lines.append(line)
            line.sendall(head)
            with contextlib.suppress(ConnectionError):
                for _ in range(39):  # all but the last
                    line.sendall(b"a" * MB)
        assert 64 * MB < served.on_disk() <= BodyLimits().together
        lines[-1].settimeout(10)
        assert lines[-1].recv(100).startswith(b"HTTP/1.1 503")
        assert served.browser.get(f"{served.address}/work", timeout=SECONDS).ok
    finally:
        for line in lines:
            line.close()


def test_it_ends_within_seconds_though_many_are_still_sending(served: Served) -> None:
    with Crowd(served.port, silent=50, slow=50):
        served.process.send_signal(signal.SIGTERM)
        assert served.process.wait(20) == 0
