"""The server of the pages: granian, in this process. docs/decisions/0013-the-server.md has why, and what it holds."""

from __future__ import annotations

import asyncio
import resource
import signal
import socket
import threading
from collections.abc import Callable
from typing import Any

from a2wsgi import WSGIMiddleware
from a2wsgi.asgi_typing import HTTPScope
from flask import Flask
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.embed import Server as Granian
from werkzeug.exceptions import HTTPException

from web.account.signin import IN_SESSION
from web.site.bodies import Allowance, WholeBodies

THREADS = 8
CONNECTIONS = 8_192
FILES = 512  # descriptors for other things than connections: the database, uploads, files
BACKLOG = 2_048
SILENT = 30  # seconds without a complete header, or between two requests, before a connection is closed
GRACE = 5  # seconds for unfinished requests when the server ends
FROM_STRANGERS = 64 * 1024  # bytes of a form from somebody who is not signed in
LOGS = {"loggers": {"_granian": {"handlers": [], "propagate": True}}, "handlers": {}, "formatters": {}}


class Server:
    """Serves the pages of `app` on a host and a port; raises OSError if it cannot listen there."""

    def __init__(self, app: Flask, host: str, port: int) -> None:
        wsgi: Any = app.wsgi_app  # a2wsgi has another type for it
        pages = WholeBodies(WSGIMiddleware(wsgi, workers=THREADS), allowance(app))
        self._granian = Granian(
            pages,
            _address(host, port),
            port,
            interface=Interfaces.ASGINL,
            http=HTTPModes.http1,
            websockets=False,
            http1_settings=HTTP1Settings(header_read_timeout=SILENT * 1000),
            backlog=BACKLOG,
            backpressure=room(CONNECTIONS),
            log_dictconfig=LOGS,
            log_level=LogLevels.error,
        )
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ending = asyncio.Event()

    def run(self) -> None:
        """Serves until `stop`, SIGTERM or SIGINT."""
        asyncio.run(self._serve())
        if not self._ending.is_set():
            raise RuntimeError("the server of the pages ended")

    def stop(self) -> None:
        """Ends the server; from any thread."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._end)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        if threading.current_thread() is threading.main_thread():
            for sign in (signal.SIGTERM, signal.SIGINT):
                self._loop.add_signal_handler(sign, self._end)
        serving = self._loop.create_task(self._granian.serve())
        ending = self._loop.create_task(self._ending.wait())
        await asyncio.wait({serving, ending}, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.wait({serving}, timeout=GRACE)  # granian would wait for connections that never end

    def _end(self) -> None:
        self._ending.set()
        self._granian.stop()  # type: ignore[no-untyped-call]


def allowance(app: Flask) -> Callable[[HTTPScope], Allowance]:
    """Returns how much a request may bring: from a signed-in person as much as the page takes, from a stranger
    little.
    """

    def of(scope: HTTPScope) -> Allowance:
        view = _view(app, scope)
        most: int = getattr(view, "largest_request", app.config["MAX_CONTENT_LENGTH"])
        if _is_ours(app, scope):
            return Allowance(most)
        return Allowance(min(most, FROM_STRANGERS), 413 if getattr(view, "is_public", False) else 401)

    return of


def _view(app: Flask, scope: HTTPScope) -> Any:
    try:
        endpoint, _ = app.url_map.bind("").match(scope["path"], scope["method"])
    except HTTPException:
        return None
    return app.view_functions.get(endpoint)


def _is_ours(app: Flask, scope: HTTPScope) -> bool:
    """Returns whether we signed this session for somebody; the page checks whether it is still valid."""
    cookies = ";".join(value.decode("latin1") for name, value in scope["headers"] if name == b"cookie")
    session = app.session_interface.open_session(app, app.request_class({"HTTP_COOKIE": cookies}))
    return session is not None and IN_SESSION in session


def _address(host: str, port: int) -> str:
    """Returns the host as a number, after a test that the port is free: granian would share a port."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, kind, protocol, _, address = min(found, key=lambda it: it[0] != socket.AF_INET)
    with socket.socket(family, kind, protocol) as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections that are closing do not count
        tried.bind(address)
    return str(address[0])


def room(connections: int) -> int:
    """Returns how many of so many connections are possible; raises the soft limit of open files, if the hard one allows
    it.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + FILES
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    return max(most - FILES, 1)
