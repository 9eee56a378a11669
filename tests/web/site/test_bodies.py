"""What a request brings along: taken whole and within limits before the application sees it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from a2wsgi.asgi_typing import HTTPScope, Receive, Send

from engine.store.session import open_store
from tests.pages import site as site_of
from web.site.bodies import REFUSED, Allowance, BodyLimits, WholeBodies

KB = 1024


@dataclass
class Application:
    """An application that reads all it gets, and keeps it; the second wakes those that wait for it to have begun."""

    seen: list[tuple[bytes, dict[bytes, bytes], Any]] = field(default_factory=list)
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.go_on.set()

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        self.begun.set()
        await self.go_on.wait()
        body, more = b"", True
        while more:
            message: Any = await receive()
            body += message["body"]
            more = message["more_body"]
        self.seen.append((body, dict(scope["headers"]), scope["extensions"].get(REFUSED)))
        await send({"type": "http.response.start", "status": 200, "headers": []})


def scope(*headers: tuple[bytes, bytes]) -> HTTPScope:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/login",
        "query_string": b"",
        "root_path": "",
        "headers": list(headers),
    }


def length(size: int) -> tuple[bytes, bytes]:
    return b"content-length", str(size).encode()


CHUNKED = (b"transfer-encoding", b"chunked")


class Client:
    """Sends pieces; after the last of them it hangs up, or waits for good."""

    def __init__(self, *pieces: bytes, whole: bool = True, hangs_up: bool = False) -> None:
        self.pieces: Iterator[bytes] = iter(pieces)
        self.left, self.whole, self.hangs_up = len(pieces), whole, hangs_up
        self.answers: list[int] = []

    async def receive(self) -> Any:
        await asyncio.sleep(0)
        self.left -= 1
        if self.left >= 0:
            return {"type": "http.request", "body": next(self.pieces), "more_body": self.left > 0 or not self.whole}
        if self.hangs_up:
            return {"type": "http.disconnect"}
        await asyncio.Event().wait()
        return None

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.answers.append(message["status"])


def bounded(app: Application, most: int = 256 * KB, refusal: int = 413, **limits: float) -> WholeBodies:
    return WholeBodies(app, lambda _scope: Allowance(most, refusal), BodyLimits(**limits))  # type: ignore[arg-type]


def test_a_body_comes_to_the_application_whole_and_with_its_length_however_it_was_sent() -> None:
    async def play() -> None:
        app = Application()
        site = bounded(app)
        large = bytes(range(256)) * 800  # 200 kB, in three pieces for the application
        for header, pieces in (
            (length(6), (b"abc", b"def")),
            (CHUNKED, (b"abc", b"", b"def")),
            (CHUNKED, (large[:100_000], large[100_000:])),
        ):
            client = Client(*pieces)
            await site(scope(header), client.receive, client.send)
            body, headers, refused = app.seen[-1]
            assert body == b"".join(pieces)
            assert headers == dict([length(len(body))])
            assert refused is None
            assert client.answers == [200]

    asyncio.run(play())


def test_the_application_waits_for_nobody_who_is_still_sending() -> None:
    async def play() -> None:
        app = Application()
        site = bounded(app)
        slow = Client(b"abc", whole=False)
        waits = asyncio.create_task(site(scope(length(6)), slow.receive, slow.send))
        quick = Client(b"abcdef")
        await site(scope(length(6)), quick.receive, quick.send)
        assert [body for body, _, _ in app.seen] == [b"abcdef"]
        assert not waits.done()
        waits.cancel()

    asyncio.run(play())


def test_a_body_that_is_too_large_goes_no_farther_and_the_application_is_told_the_status() -> None:
    async def play() -> None:
        app = Application()
        site = bounded(app, most=100 * KB, refusal=401)
        claims = Client()
        await site(scope(length(100 * KB + 1)), claims.receive, claims.send)
        assert claims.left == 0  # nothing of it was read
        comes = Client(*[b"a" * 10 * KB] * 1_000)
        await site(scope(CHUNKED), comes.receive, comes.send)
        assert comes.left == 1_000 - 11
        exact = Client(b"a" * 100 * KB)
        await site(scope(length(100 * KB)), exact.receive, exact.send)
        assert [(len(body), refused) for body, _, refused in app.seen] == [
            (0, {"status": 401}),
            (0, {"status": 401}),
            (100 * KB, None),
        ]

    asyncio.run(play())


def test_large_bodies_fill_a_room_of_their_own_which_is_free_again_when_they_are_answered() -> None:
    async def play() -> None:
        app = Application()
        site = bounded(app, together=300 * KB)

        async def sent(size: int) -> Any:
            client = Client(b"a" * size)
            await site(scope(length(size)), client.receive, client.send)
            return next(refused for body, _, refused in reversed(app.seen) if len(body) in {0, size})

        app.go_on.clear()
        first = asyncio.create_task(sent(200 * KB))
        await app.begun.wait()
        second = asyncio.create_task(sent(200 * KB))
        small = asyncio.create_task(sent(64 * KB))
        await asyncio.sleep(0.05)
        app.go_on.set()
        await asyncio.gather(first, second, small)
        found = sorted((len(body), refused["status"] if refused else 200) for body, _, refused in app.seen)
        assert found == [(0, 503), (64 * KB, 200), (200 * KB, 200)]
        assert await sent(250 * KB) is None

    asyncio.run(play())


def test_small_bodies_that_are_still_coming_fill_no_more_memory_than_there_is_for_all_of_them() -> None:
    async def play() -> None:
        app = Application()
        site = bounded(app, together_in_memory=200 * KB)
        slow = [Client(b"a" * 60 * KB, whole=False) for _ in range(3)]
        waiting = [asyncio.create_task(site(scope(length(64 * KB)), it.receive, it.send)) for it in slow]
        await asyncio.sleep(0.05)

        async def sent(size: int) -> int:
            client = Client(*[b"a" * 10 * KB] * (size // (10 * KB)))
            await site(scope(length(size)), client.receive, client.send)
            refused = app.seen[-1][2]
            return refused["status"] if refused else 200

        assert [await sent(20 * KB), await sent(30 * KB), await sent(20 * KB)] == [200, 503, 200]
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        assert await sent(60 * KB) == 200

    asyncio.run(play())


def test_a_body_that_grows_to_the_disk_gives_its_memory_free() -> None:
    async def play() -> None:
        app = Application()
        site = bounded(app, together_in_memory=70 * KB)
        grown, small = Client(b"a" * 60 * KB, b"a" * 60 * KB, whole=False), Client(b"a" * 60 * KB)
        waiting = asyncio.create_task(site(scope(CHUNKED), grown.receive, grown.send))
        await asyncio.sleep(0.05)
        await site(scope(length(60 * KB)), small.receive, small.send)
        assert [(len(body), refused) for body, _, refused in app.seen] == [(60 * KB, None)]
        waiting.cancel()

    asyncio.run(play())


def test_who_finds_no_room_is_told_when_to_come_again(sqlite_url: str) -> None:
    store = open_store(sqlite_url)
    told = {"asgi.scope": {"extensions": {REFUSED: {"status": 503}}}}
    answer = site_of(store).client().post("/login", environ_overrides=told)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
    store.close()


def test_who_sends_too_slowly_is_told_so_and_who_hangs_up_is_forgotten() -> None:
    async def play() -> None:
        app = Application()
        site = bounded(app, patience=0.1, pace=100 * KB)
        slow, gone = Client(b"abc", whole=False), Client(b"abc", whole=False, hangs_up=True)
        begun = time.monotonic()
        await site(scope(length(6)), slow.receive, slow.send)
        assert 0.05 < time.monotonic() - begun < 5
        assert slow.answers == [408]
        more = Client(b"a" * 50 * KB, whole=False)
        begun = time.monotonic()
        await site(scope(CHUNKED), more.receive, more.send)
        assert time.monotonic() - begun > 0.5  # half a second for fifty kilobytes
        await site(scope(length(6)), gone.receive, gone.send)
        assert gone.answers == []
        assert app.seen == []

    asyncio.run(play())


def test_a_header_with_an_underscore_does_not_come_through() -> None:
    async def play() -> None:
        app = Application()
        client = Client(b"")
        sent = scope((b"x_forwarded_for", b"203.0.113.9"), (b"x-forwarded-for", b"10.0.0.1"), length(0))
        await bounded(app)(sent, client.receive, client.send)
        assert app.seen[0][1] == {b"x-forwarded-for": b"10.0.0.1", b"content-length": b"0"}

    asyncio.run(play())
