"""Answers to a form that waited on a device for a line.

The device sends it to the same address as the form itself, with the header `X-Queued` that names, by a mark, the person
who filled it in. The routes do with it what they do with any form; what a page would say is told here as JSON instead:
`state` is "sent", "faults", "conflict" or "refused" (it will be no other next time) or "wait" (it may be).
docs/decisions/0007-offline.md tells why.
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
    """Whether this request is a form that waited on a device."""
    return request.method == "POST" and HEADER in request.headers


def mark(person_id: int) -> str:
    """What a person is called on a device: it tells people apart, and tells nobody who they are."""
    return _mark(deployment().settings.secret_key, person_id)


@lru_cache(maxsize=1024)
def _mark(secret: str, person_id: int) -> str:
    return hmac.new(secret.encode(), f"person:{person_id}".encode(), hashlib.sha256).hexdigest()[:16]


def init_app(app: Flask) -> None:
    """Before sign-in: what one person filled in is never done in the name of another."""
    app.before_request(_refuse_of_others)
    app.after_request(_as_json)


def _refuse_of_others() -> None:
    if queued() and current_user.is_authenticated and request.headers[HEADER] != mark(current_user.id):
        abort(401)


def _as_json(response: Response) -> Response:
    """The answer for the device. Nothing counts as sent but a view's own way on to what it did."""
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
    """It was done, now or when it was sent before: the version that it left, which the next form in the queue saw."""
    if queued() and key:
        with deployment().context.store.reading("the version that one's own act left") as session:
            g.queued_told = {"version": version_after(session, key)}


def left(version: str) -> None:
    """It was done, now or when it was sent before: what the next form that was filled in on the same page may know."""
    if queued():
        g.queued_told = {"version": version}


def refused(form: Form) -> None:
    """It was not done: what is wrong with it, field by field."""
    if queued():
        faults = [(target.rpartition("-")[0] or target, said(words)) for target, words in form.faults]
        g.queued_told = {"faults": faults}


def told(why: Sentence) -> None:
    """It was not done, whatever was filled in: why."""
    if queued():
        g.queued_told = {"why": said(why)}


def anew(key: str) -> None:
    """Something else was sent with the form's key before: with this one it can be sent as an entry of its own."""
    if queued():
        g.queued_told = {**g.get("queued_told", {}), "key": key}


def beside(version: str, there: str, lines: list[str]) -> None:
    """Something else than a case was changed meanwhile: what is there now, in a few words and line by line."""
    if queued():
        g.queued_told |= {"version": version, "case": there, "since": lines}
