"""The headers of every answer: what a page may load and run (nothing of others), and who may keep or frame it."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from flask import Flask, Response, abort, current_app, g, request
from flask_wtf.csrf import CSRFProtect
from werkzeug.datastructures import MultiDict

from engine.core.text import storable
from web.site.bodies import REFUSED

View = TypeVar("View", bound=Callable[..., Any])

csrf = CSRFProtect()

POLICY = (
    "default-src 'none'; base-uri 'none'; connect-src 'self'; font-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; img-src 'self' data:; manifest-src 'self'; worker-src 'self'; "
)
HEADERS = {  # of every answer, and set by no page
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), geolocation=(), microphone=(), payment=(), usb=()",
}
ONE_YEAR = 31_536_000  # seconds


def takes_up_to(size: int) -> Callable[[View], View]:
    """Let a view take requests of up to `size` bytes, more than the site's limit: for pages that take files."""

    def mark(view: View) -> View:
        view.largest_request = size  # type: ignore[attr-defined]
        return view

    return mark


def init_app(app: Flask) -> None:
    """Before CSRF: a request that it refuses gets its headers, too."""
    app.after_request(_add_headers)
    app.before_request(_set_limit)
    app.before_request(_refuse_what_cannot_be_stored)
    app.jinja_env.globals["csp_nonce"] = nonce
    csrf.init_app(app)


def public(view: View) -> View:
    """Mark a view as one that may be seen without signing in; all others may not."""
    view.is_public = True  # type: ignore[attr-defined]
    return view


def asked_by_device(view: View) -> View:
    """Mark a view that a device's own worker asks: who is not signed in gets 401, and is not led to the sign-in page.

    Fetched behind the page on the screen, it would make a token of its own, and the one on the screen be refused.
    """
    view.asked_by_device = True  # type: ignore[attr-defined]
    return view


def nonce() -> str:
    """The mark of this answer's own scripts; made when a page first asks for it."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(16)
    made: str = g.csp_nonce
    return made


def _add_headers(response: Response) -> Response:
    script = f" 'nonce-{g.csp_nonce}'" if "csp_nonce" in g else ""
    style = f" {g.style_allowed}" if "style_allowed" in g else ""  # of the sheet that a page brings along
    policy = f"{POLICY}script-src 'self'{script}; style-src 'self'{style}"
    response.headers.setdefault("Content-Security-Policy", policy)
    response.headers.extend(HEADERS)
    if request.is_secure:
        response.headers.setdefault("Strict-Transport-Security", f"max-age={ONE_YEAR}")
    # Pages are about pupils: no copy is kept by a browser or a proxy, on whatever device they were read.
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def _set_limit() -> None:
    """Before anything reads the body; what the server did not let in has none, and is answered as the server says."""
    if refused := request.environ.get("asgi.scope", {}).get("extensions", {}).get(REFUSED):
        abort(refused["status"])
    view = current_app.view_functions.get(request.endpoint or "")
    if size := getattr(view, "largest_request", None):
        request.max_content_length = size


def _refuse_what_cannot_be_stored() -> None:
    """A zero byte is no text, nor is half a character; PostgreSQL would fail on either much later.

    No page of ours takes JSON: a form library would read it, however deeply it is nested.
    """
    if request.is_json:
        abort(415)
    if not all(text is not None and storable(text) for text in _texts()):  # a part of a form may have no name
        abort(400)


def _texts() -> Iterator[str | None]:
    """All that a view could read of this request as text: names and values, each of those that come several times."""
    yield request.path
    yield from _pairs(request.args)
    yield from request.headers.values()
    yield from _pairs(request.cookies)
    if request.method not in {"GET", "HEAD"}:
        yield from _pairs(request.form)
        for name, file in request.files.items(multi=True):
            yield from (name, file.filename or "", file.mimetype)


def _pairs(found: MultiDict[str, str]) -> Iterator[str | None]:
    for pair in found.items(multi=True):
        yield from pair
