"""Finds the language of a page: the signed-in person's, else the one chosen on this device, else the installation's.

Pages and engine share one catalogue (`engine.core.words.catalogue`), which Flask-Babel uses too.
"""

from __future__ import annotations

from typing import Any

from babel.support import NullTranslations
from flask import Blueprint, Flask, g, redirect, request
from flask_babel import Babel, Domain
from flask_babel import get_locale as babel_locale
from flask_login import current_user
from werkzeug.wrappers import Response

from engine.core.words import LANGUAGES, Label, Sentence, catalogue, written
from engine.usecases.people.preferences import choose_language
from web.site.request_context import deployment, local_path, user
from web.site.security import ONE_YEAR, public

COOKIE = "language"
NAMES = {"vi": "Tiếng Việt", "en": "English"}

pages = Blueprint("languages", __name__)


class _OneCatalogue(Domain):
    """Flask-Babel's messages, from the catalogue that the engine uses."""

    def get_translations(self) -> NullTranslations:
        locale = babel_locale()
        return catalogue(locale.language if locale else "en")


class _Babel(Babel):
    domain_instance: Any = _OneCatalogue()  # pyright: ignore[reportIncompatibleMethodOverride]


def init_app(app: Flask) -> None:
    """Sets up words in views, and in templates the filter `said` for labels, sentences, dates and numbers.

    `web.site.templating` handles the texts of templates.
    """
    _Babel(configure_jinja=False).init_app(app, default_locale=default_language(app), locale_selector=language)
    app.jinja_env.filters["said"] = said
    app.jinja_env.globals.update(language=language, other_language=other_language, languages=NAMES)


def default_language(app: Flask) -> str:
    """Returns the language of the installation, outside a request."""
    language: str = app.extensions["ralop"].settings.default_language
    return language


def language() -> str:
    """Returns the language of this page, "vi" or "en"."""
    found: str | None = g.get("language")  # one look into the request's context: a page asks hundreds of times
    if found is None:
        found = g.language = _chosen()
    return found


def other_language() -> str:
    """Returns the other language, to which a page links."""
    return "vi" if language() == "en" else "en"


def _chosen() -> str:
    if (reader := user()) and reader.is_authenticated:
        return str(reader.language)
    cookie = request.cookies.get(COOKIE)
    return cookie if cookie in LANGUAGES else deployment().settings.default_language


def said(value: Label | Sentence | object) -> str:
    """Returns a value as it is written in the language of this page."""
    return written(value, language())


@pages.post("/language")
@public
def choose() -> Response:
    """Changes the language, here and, for a signed-in person, everywhere."""
    chosen = request.form.get("language")
    back = redirect(local_path(request.form.get("next")) or "/", 303)
    if chosen in LANGUAGES:
        back.set_cookie(COOKIE, chosen, max_age=ONE_YEAR, httponly=True, samesite="Lax", secure=request.is_secure)
        if current_user.is_authenticated:
            choose_language(deployment().context.store, current_user.id, chosen)
    return back
