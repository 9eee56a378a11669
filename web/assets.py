"""The few static files: read once, squeezed once, and named by their content, so that browsers keep them for good."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from pathlib import Path

from flask import Flask, Response, abort, request, url_for

from web.security import ONE_YEAR, public

FOLDER = Path(__file__).parent / "static"
FOR_GOOD = f"public, max-age={ONE_YEAR}, immutable"


@dataclass(frozen=True, slots=True)
class Asset:
    """A static file. `squeezed` is None where that would not make it smaller (pictures)."""

    digest: str
    mimetype: str
    body: bytes
    squeezed: bytes | None


def _read(path: Path) -> Asset:
    body = path.read_bytes()
    squeezed = gzip.compress(body, 9, mtime=0)
    mimetype = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    smaller = squeezed if len(squeezed) < 0.9 * len(body) else None
    return Asset(hashlib.sha256(body).hexdigest()[:10], mimetype, body, smaller)


def init_app(app: Flask) -> None:
    """Serve `static/`; in templates `asset("app.css")` is the address of a file."""
    known = {path.relative_to(FOLDER).as_posix(): _read(path) for path in FOLDER.rglob("*") if path.is_file()}

    def asset(name: str) -> str:
        return url_for("static", digest=known[name].digest, name=name)

    @public
    def static(digest: str, name: str) -> Response:
        found = known.get(name) or abort(404)
        squeeze = found.squeezed is not None and bool(request.accept_encodings["gzip"])
        response = Response(found.squeezed if squeeze else found.body, mimetype=found.mimetype)
        response.vary.add("Accept-Encoding")
        if squeeze:
            response.headers["Content-Encoding"] = "gzip"
        # Under an old name the new content is served, but not kept: the page that asked is about to be replaced.
        response.headers["Cache-Control"] = FOR_GOOD if digest == found.digest else "no-cache"
        return response

    app.add_url_rule("/static/<digest>/<path:name>", "static", static)
    app.jinja_env.globals["asset"] = asset
