"""What templates say: texts in the language of the page, each looked up once a language."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from flask import Flask, request
from markupsafe import Markup

from engine.core.words import catalogue
from web.site.languages import language

KEPT_TEXTS = 8_192  # texts of templates in all languages; there are about two thousand


def init_app(app: Flask) -> None:
    """In templates: `_("…")` and `ngettext("…", "…", number)`, with `%(name)s` for what is to be put in; `fixed("…")`,
    a macro of macros/frame.html."""

    @lru_cache(maxsize=64)  # macros of the frame, in each language, at each place of the site
    def kept(name: str, _language: str, _root: str) -> Markup:
        made: Markup = getattr(app.jinja_env.get_template("macros/frame.html").module, name)()
        return made

    def fixed(name: str) -> Markup:
        return kept(name, language(), request.script_root)

    app.jinja_env.globals.update(_=translated, ngettext=counted, fixed=fixed)


@lru_cache(maxsize=KEPT_TEXTS)
def _text(text: str, spoken: str) -> Markup:
    return Markup(catalogue(spoken).gettext(text))  # noqa: S704 - the text of a template, and its translation


def translated(text: str, /, **values: Any) -> Markup:
    """A text of a template in the language of this page; the values are escaped."""
    found = _text(text, language())
    return found % values if values else found


def counted(one: str, many: str, num: int, /, **values: Any) -> Markup:
    """A text of a template for so many, `%(num)s` in it; the values are escaped."""
    found = Markup(catalogue(language()).ngettext(one, many, num))  # noqa: S704 - the text of a template
    return found % {"num": num, **values}
