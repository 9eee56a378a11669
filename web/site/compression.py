"""Compresses answers for slow lines, so that a small machine needs no other server in front.

The CSRF token of a page changes each second, so the length of a page that repeats typed text tells a listener nothing
(BREACH).
"""

from __future__ import annotations

import gzip
from functools import lru_cache

from flask import Flask, Response, request
from werkzeug.http import parse_accept_header

SHORTEST = 500  # bytes; less fits into one packet anyway
LEVEL = 6
SQUEEZED = ("text/", "application/json", "application/javascript", "application/manifest+json", "image/svg+xml")


def init_app(app: Flask) -> None:
    """Compresses answers that are worth it."""
    app.after_request(_squeeze)


@lru_cache(maxsize=256)
def _takes_gzip(accepted: str | None) -> bool:
    return bool(parse_accept_header(accepted)["gzip"])


def _squeeze(response: Response) -> Response:
    if not (response.mimetype or "").startswith(SQUEEZED):
        return response
    response.vary.add("Accept-Encoding")
    fit = response.status_code not in {204, 206, 304} and not response.is_streamed and not response.direct_passthrough
    if not fit or "Content-Encoding" in response.headers or not _takes_gzip(request.headers.get("Accept-Encoding")):
        return response
    body = response.get_data()
    if len(body) >= SHORTEST:
        response.set_data(gzip.compress(body, LEVEL, mtime=0))
        response.headers["Content-Encoding"] = "gzip"
    return response
