"""Whose address a request comes from: a proxy that the settings do not name makes everybody look like itself."""

from __future__ import annotations

import datetime as dt
import ipaddress

import structlog
from flask import request

from engine.usecases.ops.proxies import note_undeclared
from web.site.request_context import deployment, now

# A proxy's marks: such a request was passed on by one.
MARKS = ("X-Forwarded-For", "Forwarded", "X-Real-IP", "X-Forwarded-Proto", "X-Forwarded-Host")
NOTED = dt.timedelta(minutes=10)  # so often at most the same thing is said

log = structlog.get_logger()


def is_passed_on() -> bool:
    """Whether a proxy has passed this request on."""
    return any(name in request.headers for name in MARKS)


def is_this_machine() -> bool:
    """Whether the request comes from an address of this very machine."""
    try:
        return ipaddress.ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False


def is_undeclared() -> bool:
    """Whether a proxy has passed this request on, and the settings know of none."""
    return is_passed_on() and not deployment().settings.trusted_proxies


def own_address() -> str:
    """The client's address; "" where it may be everybody's. The operator is told of a proxy that is not declared."""
    if is_undeclared():
        _tell()
        return ""
    return "" if is_this_machine() else request.remote_addr or ""


def _tell() -> None:
    if note_undeclared(deployment().context.store, request.remote_addr or "", now(), NOTED):
        log.warning("a proxy stands in front that trusted_proxies does not name", proxy=request.remote_addr)
