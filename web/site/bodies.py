"""Receives the whole body of a request, within limits, before a thread handles it.

A thread makes a page in milliseconds. A phone in the hills needs seconds to send a form, and an attacker sends a byte a
minute. So this ASGI layer waits for all of them at once, and the application reads from a complete file.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import IO, Any

from a2wsgi.asgi_typing import ASGIApp, HTTPScope, Receive, Scope, Send

from engine.core.invariants import Broken

REFUSED = "ralop.refused"  # among the scope's extensions: the status that the application is to answer
PIECE = 64 * 1024  # bytes, of a body that is handed on
TOO_SLOW = "Quá chậm, hãy gửi lại. Too slow, send it again.\n".encode()


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """The limits of bodies: bytes in memory for each, and of all those together; bytes of all larger ones together;
    seconds, and bytes a second.

    A body must be complete after these seconds; at this rate it gets more time.
    """

    in_memory: int = 64 * 1024
    together_in_memory: int = 64 * 2**20
    together: int = 128 * 2**20
    patience: float = 60
    pace: int = 8 * 1024


@dataclass(frozen=True, slots=True)
class Allowance:
    """The most bytes of a request, and the status that refuses more."""

    most: int
    refusal: int = 413


@dataclass(frozen=True, slots=True)
class _Held:
    """Bytes of bodies that were received and not answered yet."""

    in_memory: int = 0
    on_disk: int = 0

    def __add__(self, other: _Held) -> _Held:
        return _Held(self.in_memory + other.in_memory, self.on_disk + other.on_disk)

    def __sub__(self, other: _Held) -> _Held:
        return _Held(self.in_memory - other.in_memory, self.on_disk - other.on_disk)


class _Refused(Exception):
    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class _Gone(Exception):
    """The client closed the connection."""


class WholeBodies:
    """An ASGI application that passes only complete requests to `app`.

    It stops reading a body that is larger than `allowance` says, by its Content-Length or while it comes in. The
    application gets the request without the body, and with the status to answer. The same holds if there is no room.
    """

    def __init__(
        self, app: ASGIApp, allowance: Callable[[HTTPScope], Allowance], limits: BodyLimits | None = None
    ) -> None:
        self._app, self._allowance, self._limits = app, allowance, limits or BodyLimits()
        self._held = _Held()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The interface of ASGI."""
        if scope["type"] != "http":
            raise Broken("the server speaks nothing but HTTP")
        # `X_Forwarded_For` would come to the application under the name of `X-Forwarded-For`.
        headers = {name: value for name, value in scope["headers"] if b"_" not in name}
        if b"content-length" in headers or b"transfer-encoding" in headers:
            await self._with_body(scope, int(headers.get(b"content-length", b"0")), receive, send)
        else:
            await self._app(_cleaned(scope), receive, send)

    async def _with_body(self, scope: HTTPScope, claimed: int, receive: Receive, send: Send) -> None:
        body = _Body(self._limits)
        try:
            await self._take(body, self._allowance(scope), claimed, receive)
            await self._app(_cleaned(scope, body.size), body.again, send)
        except _Refused as refused:
            await self._app(_cleaned(scope, 0, refused.status), _nothing, send)
        except TimeoutError:
            await _say(send, 408, TOO_SLOW)
        except _Gone:
            return
        finally:
            self._held -= body.held
            body.close()

    async def _take(self, body: _Body, allowed: Allowance, claimed: int, receive: Receive) -> None:
        if claimed > allowed.most:
            raise _Refused(allowed.refusal)
        began, more = asyncio.get_running_loop().time(), True
        while more:
            async with asyncio.timeout_at(began + self._limits.patience + body.size / self._limits.pace):
                message: Any = await receive()
            if message["type"] != "http.request":
                raise _Gone
            piece = message.get("body", b"")
            if body.size + len(piece) > allowed.most:
                raise _Refused(allowed.refusal)
            self._hold(body, piece)
            more = message.get("more_body", False)
        body.rewind()

    def _hold(self, body: _Body, piece: bytes) -> None:
        after = self._held - body.held + body.held_with(piece)
        if after.in_memory > self._limits.together_in_memory or after.on_disk > self._limits.together:
            raise _Refused(503)
        self._held = after
        body.add(piece)


class _Body:
    """The body received so far. It is on disk if it is larger than the limit for memory."""

    def __init__(self, limits: BodyLimits) -> None:
        self.size, self._in_memory = 0, limits.in_memory
        self._file: IO[bytes] = SpooledTemporaryFile(max_size=limits.in_memory)  # noqa: SIM115

    @property
    def held(self) -> _Held:
        return self.held_with(b"")

    def held_with(self, piece: bytes) -> _Held:
        size = self.size + len(piece)
        return _Held(on_disk=size) if size > self._in_memory else _Held(in_memory=size)

    def add(self, piece: bytes) -> None:
        self.size += len(piece)
        self._file.write(piece)

    def rewind(self) -> None:
        self._file.seek(0)

    def close(self) -> None:
        self._file.close()

    async def again(self) -> Any:
        """Returns the next piece, for the application."""
        piece = self._file.read(PIECE)
        return {"type": "http.request", "body": piece, "more_body": self._file.tell() < self.size}


async def _nothing() -> Any:
    return {"type": "http.request", "body": b"", "more_body": False}


def _cleaned(scope: HTTPScope, size: int | None = None, refused: int | None = None) -> HTTPScope:
    """Returns the scope for the application, with the length of the body that it will get."""
    headers = [(name, value) for name, value in scope["headers"] if b"_" not in name]
    if size is not None:
        headers = [it for it in headers if it[0] not in {b"content-length", b"transfer-encoding"}]
        headers.append((b"content-length", str(size).encode()))
    marks: dict[str, dict[object, object]] = {REFUSED: {"status": refused}} if refused else {}
    return {**scope, "headers": headers, "extensions": marks}


async def _say(send: Send, status: int, text: bytes) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(text)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text})
