"""How templates are set up: what they can all ask for is one plain dictionary, and words are looked up once a language.

Jinja would keep a chain of two dictionaries for each template, and walk it name by name for each template and each
import of a page; and it would format each text anew, though most have nothing to put in.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from functools import cache, lru_cache
from typing import Any

from flask import Flask, request
from flask.templating import Environment
from markupsafe import Markup

from engine.words import catalogue
from web.languages import language

TEXTS = 4096  # remembered; the catalogue has fewer, in two languages


class Pages(Environment):
    """Templates without globals of their own: what `get_template` were given as such would be every page's."""

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """Those of the environment themselves."""
        return {**self.globals, **d} if d else self.globals


def init_app(app: Flask) -> None:
    """In templates: `_("…")`, with `%(name)s` for what is to be put in; `fixed("…")`, a macro of macros/frame.html."""

    @cache
    def set_down(name: str, _root: str, _language: str) -> Markup:
        said: Markup = getattr(app.jinja_env.get_template("macros/frame.html").module, name)()
        return said

    app.jinja_env.globals["_"] = translated
    app.jinja_env.globals["fixed"] = lambda name: set_down(name, request.script_root, language())


def translated(text: str, /, **values: Any) -> Markup:
    """A text of a template in the language of this page; the values are escaped."""
    found = _text(language(), text)
    return found % values if values else found


@lru_cache(maxsize=TEXTS)
def _text(of: str, text: str) -> Markup:
    return Markup(catalogue(of).gettext(text))  # noqa: S704 - the text of a template, and its translation
