"""The addresses of our own pages, each put together once: a page has dozens, nearly the same ones each time."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import flask
from flask import Flask, current_app, request

REMEMBERED = 4096
NAME = "addresses"


CODE = "CODE"  # stands where the code comes in an address


def init_app(app: Flask) -> None:
    """`url_for` in templates is the one of this module."""

    @lru_cache(maxsize=REMEMBERED, typed=True)
    def built(_root: str, endpoint: str, **values: Any) -> str:
        return flask.url_for(endpoint, **values)

    app.extensions[NAME] = built
    app.jinja_env.globals["url_for"] = url_for


def url_for(endpoint: str, **values: Any) -> str:
    """The address that Flask's `url_for` gives; the endpoint is named in full, not from the page it is asked on."""
    if "_external" in values or "_scheme" in values:  # it depends on the name under which the site was called
        return flask.url_for(endpoint, **values)
    try:
        address: str = current_app.extensions[NAME](request.script_root, endpoint, **values)
    except TypeError:  # a list, as in a filter of several kinds, cannot be remembered
        return flask.url_for(endpoint, **values)
    return address
