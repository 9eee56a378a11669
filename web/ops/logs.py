"""Logs each request as one JSON line on stderr, with an id that all its lines share.

A line never contains a name: no query string, form, header or message of an exception. It has only the route, the
status, the time it took, and the id of the signed-in person.
"""

from __future__ import annotations

import logging
import re
import sys
import time
import traceback
import uuid
from types import TracebackType
from typing import Any

import structlog
from flask import Flask, Response, g, request
from structlog.typing import EventDict, WrappedLogger

HEADER = "X-Request-ID"
SANE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")  # an id that a proxy made; any other is replaced by our own

OWN = "ralop.web"
log = structlog.get_logger()


def configure() -> None:
    """Makes every logger of this process write JSON lines to stderr, for the commands that serve or work.

    The line of a request does not go through the loggers of the standard library, which would take longer than writing
    it.
    """
    before: list[Any] = [structlog.contextvars.merge_contextvars, structlog.processors.add_log_level]
    after: list[Any] = [structlog.processors.TimeStamper(fmt="iso", utc=True), _without_messages]
    to_json = structlog.processors.JSONRenderer(ensure_ascii=False)
    structlog.configure(
        processors=[*before, _as_ours, *after, to_json],
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*before, structlog.stdlib.add_logger_name, *after],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, to_json],
        )
    )
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)


def _as_ours(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    event["logger"] = OWN
    return event


def _without_messages(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Keeps an exception's type and place; its message may quote what somebody typed."""
    info = event.pop("exc_info", None)
    if info is True:
        info = sys.exc_info()
    if isinstance(info, tuple) and info[0] is not None:
        event["exception"] = info[0].__name__
        event["stack"] = _places(info[2])
    return event


def _places(trace: TracebackType | None) -> list[str]:
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(trace)]


def init_app(app: Flask) -> None:
    """Gives each request an id, and writes a line when it is answered."""
    app.before_request(_begin)
    app.after_request(_end)
    app.teardown_request(_forget)


def request_id() -> str:
    """Returns the id of this request: the proxy's if it has the right form, else our own."""
    if "request_id" not in g:
        given = request.headers.get(HEADER, "")
        g.request_id = given if SANE.fullmatch(given) else uuid.uuid4().hex
    made: str = g.request_id
    return made


def _begin() -> None:
    g.began = time.perf_counter()
    structlog.contextvars.bind_contextvars(request=request_id())


def _end(response: Response) -> Response:
    response.headers[HEADER] = request_id()
    took = time.perf_counter() - g.get("began", time.perf_counter())
    rule = request.url_rule.rule if request.url_rule else "-"
    viewer = g.get("viewer")
    log.info(
        "request",
        method=request.method,
        route=rule,
        status=response.status_code,
        ms=round(took * 1000, 1),
        person=viewer.person_id if viewer else None,
    )
    return response


def _forget(_error: BaseException | None) -> None:
    structlog.contextvars.unbind_contextvars("request")
