"""Finds the address of a client: behind a proxy that the settings do not name, all clients have the proxy's address."""

from __future__ import annotations

import datetime as dt
import ipaddress

import structlog
from flask import request

from engine.usecases.ops.proxies import note_undeclared
from web.site.request_context import deployment, now

# Marks of a proxy: such a request was passed on by one.
MARKS = ("X-Forwarded-For", "Forwarded", "X-Real-IP", "X-Forwarded-Proto", "X-Forwarded-Host")
NOTED = dt.timedelta(minutes=10)  # the same message at most this often

log = structlog.get_logger()


def is_passed_on() -> bool:
    """Returns whether a proxy has passed this request on."""
    return any(name in request.headers for name in MARKS)


def is_this_machine() -> bool:
    """Returns whether the request comes from an address of this machine."""
    try:
        return ipaddress.ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False


def _may_be_a_proxy() -> bool:
    """Returns whether the request comes from this machine or a private network, where a proxy of ours would stand."""
    try:
        peer = ipaddress.ip_address(request.remote_addr or "")
    except ValueError:
        return True  # a socket has no address
    return peer.is_loopback or peer.is_private


def is_undeclared() -> bool:
    """Returns whether a proxy has passed this request on, and the settings name none."""
    return is_passed_on() and not deployment().settings.trusted_proxies


def own_address() -> str:
    """Returns the client's address; "" if many may share it. Tells the operator of an undeclared proxy.

    Who comes straight from the internet is counted by their address, whatever headers they write.
    """
    if is_undeclared():
        _tell()
        return "" if _may_be_a_proxy() else request.remote_addr or ""
    return "" if is_this_machine() else request.remote_addr or ""


def _tell() -> None:
    if note_undeclared(deployment().context.store, request.remote_addr or "", now(), NOTED):
        log.warning("a proxy stands in front that trusted_proxies does not name", proxy=request.remote_addr)
