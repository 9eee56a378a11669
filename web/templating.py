"""How templates are set up: one set of compiled templates for each language, in which what is settled is written down.

A page asks for some hundred texts, addresses and pictures that are the same whenever it is read in one language. Each
template is therefore compiled for a language, with these calls replaced by what they give, and Jinja joins them with the
markup around them: what is left to do for a page is what is of this page. And what templates can all ask for is one plain
dictionary: Jinja would keep a chain of two for each template, and walk it name by name for each import of a page.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from functools import cache
from typing import Any

from flask import Flask, has_request_context, request
from flask.templating import Environment
from jinja2 import Template, nodes
from jinja2.visitor import NodeTransformer
from markupsafe import Markup

from engine.words import catalogue
from web.languages import language

# Functions whose result is of the language and the place of the site alone, as long as their arguments are constants.
SETTLED = frozenset({"_", "asset", "fixed", "icon", "language", "url_for"})


class Pages(Environment):
    """Templates for each language, without globals of their own: what `get_template` were given would be every page's."""

    spoken: str | None = None

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """Those of the environment themselves."""
        return {**self.globals, **d} if d else self.globals

    def _load_template(self, name: str, globals: MutableMapping[str, Any] | None) -> Template:
        if self.spoken is None and has_request_context():
            return self.app.extensions[NAME](language(), request.script_root)._load_template(name, globals)  # type: ignore[no-any-return]
        return super()._load_template(name, globals)

    def _generate(self, source: nodes.Template, *rest: Any, **more: Any) -> str:
        settled = source if self.spoken is None else _Settle(self).visit(source)
        return super()._generate(settled, *rest, **more)


class _Settle(NodeTransformer):
    """Writes down what is settled in a template that is compiled while a page in its language is asked for."""

    def __init__(self, pages: Pages) -> None:
        self.pages = pages

    def visit_Call(self, node: nodes.Call) -> nodes.Node:
        self.generic_visit(node)
        if not isinstance(node.node, nodes.Name) or node.node.name not in SETTLED or node.dyn_args or node.dyn_kwargs:
            return node
        said = self.pages.globals[node.node.name]
        values = {it.key: it.value for it in node.kwargs}
        texts = [it.value for it in node.args if isinstance(it, nodes.Const)]
        if len(texts) != len(node.args):
            return node
        if all(isinstance(value, nodes.Const) for value in values.values()):
            return nodes.Const(said(*texts, **{key: it.as_const() for key, it in values.items()}), lineno=node.lineno)
        if node.node.name != "_":
            return node
        pairs = [nodes.Pair(nodes.Const(key), value) for key, value in values.items()]
        return nodes.Mod(nodes.Const(said(*texts)), nodes.Dict(pairs), lineno=node.lineno)


NAME = "spoken templates"


def init_app(app: Flask) -> None:
    """In templates: `_("…")`, with `%(name)s` for what is to be put in; `fixed("…")`, a macro of macros/frame.html."""

    @cache
    def speaking(spoken: str, _root: str) -> Pages:
        pages: Pages = app.jinja_env.overlay()  # type: ignore[assignment]
        pages.spoken = spoken
        return pages

    def fixed(name: str) -> Markup:
        said: Markup = getattr(app.jinja_env.get_template("macros/frame.html").module, name)()
        return said

    app.extensions[NAME] = speaking
    app.jinja_env.globals.update(_=translated, fixed=fixed)


def translated(text: str, /, **values: Any) -> Markup:
    """A text of a template in the language of this page; the values are escaped."""
    found = Markup(catalogue(language()).gettext(text))  # noqa: S704 - the text of a template, and its translation
    return found % values if values else found
