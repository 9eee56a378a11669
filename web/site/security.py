"""Sets the headers of every answer: what a page may load and run (nothing from others), and who may store or
frame it.
"""

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
HEADERS = {  # on every answer; no page sets them
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), geolocation=(), microphone=(), payment=(), usb=()",
}
ONE_YEAR = 31_536_000  # seconds


def takes_up_to(size: int) -> Callable[[View], View]:
    """Lets a view take requests of up to `size` bytes, more than the site's limit: for pages that take files."""

    def mark(view: View) -> View:
        view.largest_request = size  # type: ignore[attr-defined]
        return view

    return mark


def init_app(app: Flask) -> None:
    """Registers its hooks before CSRF, so that a refused request gets the headers, too."""
    app.after_request(_add_headers)
    app.before_request(_set_limit)
    app.before_request(_refuse_what_cannot_be_stored)
    app.jinja_env.globals["csp_nonce"] = nonce
    csrf.init_app(app)


def public(view: View) -> View:
    """Marks a view that anybody may open without signing in."""
    view.is_public = True  # type: ignore[attr-defined]
    return view


def asked_by_device(view: View) -> View:
    """Marks a view for a device's worker: without a sign-in it answers 401, not with the sign-in page.

    That page, fetched in the background, would make a new token, and the token on the screen would be refused.
    """
    view.asked_by_device = True  # type: ignore[attr-defined]
    return view


def nonce() -> str:
    """Returns the nonce of this answer's scripts; made when a page first asks for it."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(16)
    made: str = g.csp_nonce
    return made


def _add_headers(response: Response) -> Response:
    script = f" 'nonce-{g.csp_nonce}'" if "csp_nonce" in g else ""
    style = f" {g.style_allowed}" if "style_allowed" in g else ""  # of the sheet inside a page
    policy = f"{POLICY}script-src 'self'{script}; style-src 'self'{style}"
    response.headers.setdefault("Content-Security-Policy", policy)
    response.headers.extend(HEADERS)
    if request.is_secure:
        response.headers.setdefault("Strict-Transport-Security", f"max-age={ONE_YEAR}")
    # Pages are about pupils: no browser or proxy may store a copy, on any device.
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def _set_limit() -> None:
    """Sets the limit before anything reads the body.

    If the server refused the body, answers with the server's status.
    """
    if refused := request.environ.get("asgi.scope", {}).get("extensions", {}).get(REFUSED):
        abort(refused["status"])
    view = current_app.view_functions.get(request.endpoint or "")
    if size := getattr(view, "largest_request", None):
        request.max_content_length = size


def _refuse_what_cannot_be_stored() -> None:
    """Refuses zero bytes and half characters; PostgreSQL would fail on them much later.

    Also refuses JSON, because no page takes it, and a form library would read it at any depth.
    """
    if request.is_json:
        abort(415)
    if not all(text is not None and storable(text) for text in _texts()):  # a part of a form may have no name
        abort(400)


def _texts() -> Iterator[str | None]:
    """Yields all texts that a view could read from this request: names and values, also repeated ones."""
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
