"""A crowd of connections to a server on this machine that want nothing, or nothing soon; and who works beside them."""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Sequence
from itertools import cycle, islice
from threading import Event, Thread
from types import TracebackType
from typing import Self

from bench.served import Line
from web.serving.server import room

HERE = "127.0.0.1"  # never another machine
MOST = 5_000  # connections of one crowd
LONGEST = 300.0  # seconds until it goes by itself
SILENT = b""
SLOW_HEADER = b"GET /login HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: "
SLOW_BODY = (
    b"POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    b"Content-Length: 60000\r\n\r\n"
)


class Crowd:
    """`silent` connections that say nothing and `slow` ones that send a byte a second, half of them of a header, half
    of a form; who is hung up on comes again. As a context it is there, then gone."""

    def __init__(self, port: int, silent: int, slow: int) -> None:
        assert silent + slow <= MOST
        assert room(silent + slow) >= silent + slow, "too few files may be open"
        self.came_again = 0
        self._port, self._over = port, Event()
        kinds = [SILENT] * silent + list(islice(cycle((SLOW_HEADER, SLOW_BODY)), slow))
        self._watched = selectors.DefaultSelector()
        self._slow: set[socket.socket] = set()
        for kind in kinds:
            self._come(kind)
        self._thread = Thread(target=self._stay, name="crowd", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join(30)
        for key in list(self._watched.get_map().values()):
            self._go(key)
        self._watched.close()

    def _come(self, kind: bytes) -> None:
        line = socket.create_connection((HERE, self._port), 10)
        line.sendall(kind)
        line.setblocking(False)
        self._watched.register(line, selectors.EVENT_READ, kind)
        if kind:
            self._slow.add(line)

    def _go(self, key: selectors.SelectorKey) -> None:
        line = key.fileobj
        assert isinstance(line, socket.socket)
        self._watched.unregister(line)
        self._slow.discard(line)
        line.close()

    def _stay(self) -> None:
        end = time.monotonic() + LONGEST
        while not self._over.is_set() and time.monotonic() < end:
            for line in list(self._slow):
                try:
                    line.send(b"a")
                except OSError:
                    continue  # hung up on: seen below
                self._over.wait(0.9 / len(self._slow))
            for key, _ in self._watched.select(0.1):
                self._go(key)
                try:
                    self._come(key.data)
                except OSError:
                    return  # nobody listens any more
                self.came_again += 1


def asked(port: int, address: str, cookie: str, times: int) -> Sequence[float]:
    """How long a page takes somebody who works, in seconds, each time on a new connection."""
    request = f"GET {address} HTTP/1.1\r\nHost: {HERE}\r\nAccept-Encoding: gzip\r\nCookie: {cookie}\r\n\r\n".encode()
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        line = Line(port)
        line.ask(request)
        line.close()
        taken.append(time.perf_counter() - begun)
    return taken
