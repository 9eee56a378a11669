"""Serves the few static files: reads and compresses each once, and names it by its content, so that browsers can keep
it.

A page contains the style sheet for a browser that does not have it yet: on a bad line this saves half a second. The
browser then also loads the sheet for later pages, and a cookie says that it has it.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from flask import Flask, Response, abort, g, request
from markupsafe import Markup

from web.site.addresses import url_for
from web.site.security import ONE_YEAR, public

FOLDER = Path(__file__).parents[1] / "static"
FOR_GOOD = f"public, max-age={ONE_YEAR}, immutable"
SHEET = "app.css"
ICON = Markup('<svg class="icon" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>')
HAS_SHEET = "sheet"  # the cookie that names the sheet a browser has


@dataclass(frozen=True, slots=True)
class Asset:
    """A static file. `squeezed` is None if compression would not make it smaller (pictures)."""

    digest: str
    mimetype: str
    body: bytes
    squeezed: bytes | None


def read(path: Path) -> Asset:
    """Reads a static file in the form in which it is served."""
    body = path.read_bytes()
    squeezed = gzip.compress(body, 9, mtime=0)
    mimetype = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    smaller = squeezed if len(squeezed) < 0.9 * len(body) else None
    return Asset(hashlib.sha256(body).hexdigest()[:10], mimetype, body, smaller)


def init_app(app: Flask) -> None:
    """Serves `static/`; in templates `asset("app.js")` is the address of a file, `icon("done")` a picture of icons.svg,
    `sheet_along()` the sheet or None.
    """
    known = {path.relative_to(FOLDER).as_posix(): read(path) for path in FOLDER.rglob("*") if path.is_file()}

    @cache
    def address(_root: str, name: str) -> str:
        return url_for("static", digest=known[name].digest, name=name)

    def asset(name: str) -> str:
        return address(request.script_root, name)

    def icon(name: str) -> Markup:
        """Returns a picture for use beside words; it has no meaning alone."""
        return ICON.format(asset("icons.svg"), name)

    @public
    def static(digest: str, name: str) -> Response:
        found = known.get(name) or abort(404)
        squeeze = found.squeezed is not None and bool(request.accept_encodings["gzip"])
        response = Response(found.squeezed if squeeze else found.body, mimetype=found.mimetype)
        response.vary.add("Accept-Encoding")
        if squeeze:
            response.headers["Content-Encoding"] = "gzip"
        # An old name gets the new content, but browsers must not keep it: the page that asked will soon be replaced.
        kept = digest == found.digest
        response.headers["Cache-Control"] = FOR_GOOD if kept else "no-cache"
        if name == SHEET and kept:
            response.set_cookie(
                HAS_SHEET, digest, max_age=ONE_YEAR, httponly=True, samesite="Lax", secure=request.is_secure
            )
        return response

    sheet = known[SHEET]
    style = Markup(sheet.body.decode())  # noqa: S704 - our own file
    allowed = f"'sha256-{base64.b64encode(hashlib.sha256(sheet.body).digest()).decode()}'"

    def sheet_along() -> Markup | None:
        if request.cookies.get(HAS_SHEET) == sheet.digest:
            return None
        g.style_allowed = allowed
        return style

    app.add_url_rule("/static/<digest>/<path:name>", "static", static)
    app.jinja_env.globals.update(asset=asset, icon=icon, sheet_along=sheet_along)
