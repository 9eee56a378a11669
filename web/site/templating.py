"""How templates are set up: one set of compiled ones for each language, in which what is settled is written down.

A page asks for some hundred texts, addresses and pictures that are the same whenever it is read in one language. Each
template is therefore compiled for a language, with these calls replaced by what they give, and Jinja joins them with
the markup around them: what is left to do for a page is what is of this page. And what templates can all ask for is one
plain dictionary: Jinja would keep a chain of two for each template, and walk it name by name for each import of a page.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from functools import lru_cache
from typing import Any

from flask import Flask, has_request_context, request
from flask.templating import Environment
from jinja2 import Template, TemplateAssertionError, nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.runtime import Context
from jinja2.visitor import NodeTransformer
from markupsafe import Markup, escape

from engine.core.words import catalogue, written
from web.site.languages import language

# Functions whose result is of the language and the place of the site alone, as long as their arguments are constants.
SETTLED = frozenset({"_", "asset", "fixed", "icon", "language", "other_language", "url_for"})


class _Names(Context):
    """What a template knows; what it calls is called as it is. None of ours asks for the context in return, which
    Jinja looks for at each call, and takes longer over than most macros take."""

    @staticmethod
    def call(called: Any, /, *given: Any, _loop_vars: Any = None, _block_vars: Any = None, **named: Any) -> Any:
        """What a macro or a function gives."""
        return called(*given, **named)


class _Written(CodeGenerator):
    """Compiles templates whose macros are set down as they are: each was escaped when it was made, and Jinja would make
    a copy of it to find that out."""

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: Any) -> None:
        if frame.eval_ctx.autoescape and not frame.eval_ctx.volatile:
            self.write("environment.shown(")
            if finalize.src is not None:
                self.write(finalize.src)
        else:
            super()._output_child_pre(node, frame, finalize)


def _shown(value: Any) -> str:
    return value if type(value) is Markup else escape(value)


class Pages(Environment):
    """Templates of each language, without globals of their own: those given to one would be every page's."""

    spoken: str | None = None
    context_class = _Names
    code_generator_class = _Written
    shown = staticmethod(_shown)

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """Those of the environment themselves."""
        return {**self.globals, **d} if d else self.globals

    def get_template(self, name: str | Template, *more: Any, **named: Any) -> Template:
        """The template, in the language of the page that is asked for."""
        if self.spoken is None and has_request_context():
            found: Template = self.app.extensions[NAME](language(), request.script_root).get_template(
                name, *more, **named
            )
            return found
        return super().get_template(name, *more, **named)

    def _generate(self, source: nodes.Template, *more: Any, **named: Any) -> str:
        if self.spoken is not None:
            assert language() == self.spoken, "a template is compiled while a page in its language is made"
            if own := SETTLED & set(_own_names(source)):
                raise TemplateAssertionError(f"{sorted(own)}: names of what is settled", 1, *more)
            source = _Settle(self.globals).visit(source)
        return super()._generate(source, *more, **named)


def _own_names(source: nodes.Template) -> Iterator[str]:
    """What a template calls things of its own: its macros, what it imports, sets and loops over."""
    yield from (macro.name for macro in source.find_all(nodes.Macro))
    yield from (name.name for name in source.find_all(nodes.Name) if name.ctx != "load")
    yield from (one.target for one in source.find_all(nodes.Import))
    for one in source.find_all(nodes.FromImport):
        yield from (name if isinstance(name, str) else name[1] for name in one.names)


class _Settle(NodeTransformer):
    """Writes down what is settled in a template that is compiled while a page in its language is asked for."""

    def __init__(self, known: Mapping[str, Any]) -> None:
        self.known = known

    def visit_Call(self, node: nodes.Call) -> nodes.Node:  # noqa: N802 - as Jinja looks it up
        """A call, or what it gives; of a text with values to be put in, the text."""
        self.generic_visit(node)
        called, given = node.node, [it.value for it in node.args if isinstance(it, nodes.Const)]
        special = any(it.key.startswith("_") for it in node.kwargs)  # `_external`: as the site is called by who asks
        dynamic = special or node.dyn_args or node.dyn_kwargs or len(given) != len(node.args)
        if not isinstance(called, nodes.Name) or called.name not in SETTLED or dynamic:
            return node
        say, values = self.known[called.name], {it.key: it.value for it in node.kwargs}
        known = {key: value.value for key, value in values.items() if isinstance(value, nodes.Const)}
        if len(known) == len(values):
            return nodes.Const(say(*given, **known), lineno=node.lineno)
        if called.name != "_":
            return node
        pairs = [nodes.Pair(nodes.Const(key), value) for key, value in values.items()]
        return nodes.Mod(nodes.Const(say(*given)), nodes.Dict(pairs), lineno=node.lineno)


NAME = "spoken templates"


def init_app(app: Flask) -> None:
    """In templates: `_("…")` and `ngettext("…", "…", number)`, with `%(name)s` for what is to be put in; `fixed("…")`,
    a macro of macros/frame.html."""

    @lru_cache(maxsize=16)  # languages, and the few places that a site has
    def speaking(spoken: str, _root: str) -> Pages:
        pages: Pages = app.jinja_env.overlay()  # type: ignore[assignment]
        pages.spoken = spoken
        pages.filters = {**app.jinja_env.filters, "said": lambda value: written(value, spoken)}
        return pages

    def fixed(name: str) -> Markup:
        said: Markup = getattr(app.jinja_env.get_template("macros/frame.html").module, name)()
        return said

    app.extensions[NAME] = speaking
    app.jinja_env.globals.update(_=translated, ngettext=counted, fixed=fixed)


def translated(text: str, /, **values: Any) -> Markup:
    """A text of a template in the language of this page; the values are escaped."""
    found = Markup(catalogue(language()).gettext(text))  # noqa: S704 - the text of a template, and its translation
    return found % values if values else found


def counted(one: str, many: str, num: int, /, **values: Any) -> Markup:
    """A text of a template for so many, `%(num)s` in it; the values are escaped."""
    found = Markup(catalogue(language()).ngettext(one, many, num))  # noqa: S704 - the text of a template
    return found % {"num": num, **values}
