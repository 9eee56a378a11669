"""The addresses of our own pages, each put together once: a page has dozens, nearly the same ones each time."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import flask
from flask import Flask, current_app, request

REMEMBERED = 4096
NAME = "addresses"


def init_app(app: Flask) -> None:
    """`url_for` in templates is the one of this module."""

    @lru_cache(maxsize=REMEMBERED)
    def built(_root: str, endpoint: str, values: tuple[tuple[str, Any], ...]) -> str:
        return flask.url_for(endpoint, **dict(values))

    app.extensions[NAME] = built
    app.jinja_env.globals["url_for"] = url_for


def url_for(endpoint: str, **values: Any) -> str:
    """The address that Flask's `url_for` gives; the endpoint is named in full, not from the page it is asked on."""
    plain = tuple((name, value) for name, value in values.items() if type(value) in {str, int})
    if len(plain) < len(values):
        return flask.url_for(endpoint, **values)
    address: str = current_app.extensions[NAME](request.script_root, endpoint, plain)
    return address
