"""Answers a form that waited on a device for a connection.

The device sends it to the same address as the form itself. The header `X-Queued` has a mark of the person who filled it
in. The routes handle it like any form; this module answers with JSON instead of a page: `state` is "sent", "faults",
"conflict" or "refused" (trying again does not help) or "wait" (it may help). docs/decisions/0007-offline.md says why.
"""

from __future__ import annotations

import hashlib
import hmac
from functools import lru_cache
from typing import Any

from flask import Flask, Response, abort, g, jsonify, request
from flask_login import current_user

from engine.core.words import Sentence
from engine.store.cases.history import version_after
from web.site.forms import Form
from web.site.languages import said
from web.site.request_context import deployment

HEADER = "X-Queued"
STATES = {404: "refused", 409: "conflict", 403: "refused", 422: "faults"}


def queued() -> bool:
    """Returns whether this request is a form that waited on a device."""
    return request.method == "POST" and HEADER in request.headers


def mark(person_id: int) -> str:
    """Returns the mark of a person on a device: it tells people apart, but does not say who they are."""
    return _mark(deployment().settings.secret_key, person_id)


@lru_cache(maxsize=1024)
def _mark(secret: str, person_id: int) -> str:
    return hmac.new(secret.encode(), f"person:{person_id}".encode(), hashlib.sha256).hexdigest()[:16]


def init_app(app: Flask) -> None:
    """Registers a check before sign-in: a form of one person is never done in the name of another."""
    app.before_request(_refuse_of_others)
    app.after_request(_as_json)


def _refuse_of_others() -> None:
    if queued() and current_user.is_authenticated and request.headers[HEADER] != mark(current_user.id):
        abort(401)


def _as_json(response: Response) -> Response:
    """Makes the answer for the device. Only a view's redirect after its act counts as sent."""
    if not queued():
        return response
    answer: dict[str, Any] = {"state": STATES.get(response.status_code, "wait"), **g.get("queued_told", {})}
    if response.status_code == 303 and "viewer" in g and not current_user.must_change:
        answer |= {"state": "sent", "at": response.location}
    response.status_code = 200 if answer["state"] == "sent" else max(response.status_code, 400)
    response.headers.pop("Location", None)
    response.mimetype = "application/json"
    response.set_data(jsonify(answer).get_data())
    return response


# --- what the views have to tell --------------------------------------------------------------------------------------


def done(key: str | None) -> None:
    """Answers that it was done, now or before, with the version after it, for the next form in the queue."""
    if queued() and key:
        with deployment().context.store.reading("the version that one's own act left") as session:
            g.queued_told = {"version": version_after(session, key)}


def left(version: str) -> None:
    """Answers that it was done, now or before, with the version for the next form filled in on the same page."""
    if queued():
        g.queued_told = {"version": version}


def refused(form: Form) -> None:
    """Answers that it was not done, and what is wrong with it, field by field."""
    if queued():
        faults = [(target.rpartition("-")[0] or target, said(words)) for target, words in form.faults]
        g.queued_told = {"faults": faults}


def refused_because(why: Sentence) -> None:
    """Answers that it was not done, and why; its content does not matter."""
    if queued():
        g.queued_told = {"why": said(why)}


def anew(key: str) -> None:
    """Answers that other content was sent with the form's key before; with this new key it can be sent again."""
    if queued():
        g.queued_told = {**g.get("queued_told", {}), "key": key}


def beside(version: str, there: str, lines: list[str]) -> None:
    """Answers that something other than a case changed meanwhile: what is there now, briefly and line by line."""
    if queued():
        g.queued_told |= {"version": version, "case": there, "since": lines}
