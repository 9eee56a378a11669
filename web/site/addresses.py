"""Makes the addresses of our own pages, each once: a page has dozens, nearly the same ones each time."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import flask
from flask import Flask, current_app, request

REMEMBERED = 4096
NAME = "addresses"


CODE = "CODE"  # placeholder for the code in an address


def init_app(app: Flask) -> None:
    """Makes `url_for` of this module available in templates."""

    @lru_cache(maxsize=REMEMBERED, typed=True)
    def built(_root: str, endpoint: str, **values: Any) -> str:
        return flask.url_for(endpoint, **values)

    app.extensions[NAME] = built
    app.jinja_env.globals["url_for"] = url_for


def url_for(endpoint: str, **values: Any) -> str:
    """Returns the same address as Flask's `url_for`; needs the full name of the endpoint."""
    if "_external" in values or "_scheme" in values:  # it depends on the name under which the site was called
        return flask.url_for(endpoint, **values)
    try:
        address: str = current_app.extensions[NAME](request.script_root, endpoint, **values)
    except TypeError:  # a list, as in a filter with several values, cannot be a key
        return flask.url_for(endpoint, **values)
    return address
