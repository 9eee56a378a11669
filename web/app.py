"""Makes the Flask application: settings in, pages out. docs/decisions/0005-pages.md tells how to add a page."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from flask import Flask, g, request
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import IntegerConverter, Map

from engine.core.time_source import TimeSource
from engine.store.ops.time_source import ShiftedClock
from engine.store.session import Store, open_store
from engine.usecases.context import Context
from web import lists
from web.account import absences, channels, codes, notices, passkeys, powers, signin, stepup, welcome
from web.admin import demo, index, mergers, people, units
from web.attendance import doubles, imports, proposals, risk, rollcall
from web.calendar import closures, school_year
from web.cases import acts, bulk, case_list, companions, difficulties, printing, saved, work
from web.manual import manual
from web.offline import offline
from web.ops import health, logs, metrics
from web.rules import rulebook, simulate
from web.site import (
    addresses,
    assets,
    compression,
    errors,
    languages,
    navigation,
    queued,
    security,
    template_filters,
    templating,
)
from web.site.composition import build_context
from web.site.request_context import EXTENSION, Deployment
from web.site.settings import Settings, load_settings
from web.units import overviews

BLUEPRINTS = (
    demo.pages,
    signin.pages,
    passkeys.pages,
    codes.pages,
    stepup.pages,
    languages.pages,
    health.pages,
    metrics.pages,
    work.pages,
    bulk.pages,
    proposals.pages,
    case_list.pages,
    saved.pages,
    printing.pages,
    lists.pages,
    acts.pages,
    companions.pages,
    difficulties.pages,
    doubles.pages,
    notices.pages,
    channels.pages,
    simulate.pages,
    risk.pages,
    rollcall.pages,
    closures.pages,
    school_year.pages,
    absences.pages,
    welcome.pages,
    overviews.pages,
    rulebook.pages,
    index.pages,
    people.pages,
    units.pages,
    mergers.pages,
    imports.pages,
    manual.pages,
    offline.pages,
)
"""Every room of the site; a new one is added here."""

LARGEST_REQUEST = 2 * 1024 * 1024  # bytes; a page that takes files raises its own limit
LARGEST_NUMBER = 2**31 - 1  # ids fit into this; a longer number in a path is no page


class SmallInteger(IntegerConverter):
    """Numbers in paths that the database can hold."""

    def __init__(self, urls: Map, **options: int | bool | None) -> None:
        super().__init__(urls, **{"max": LARGEST_NUMBER, **options})  # type: ignore[arg-type]


class Site(Flask):
    """The application. No function of ours is a coroutine: none is looked at for being one, twenty times a page."""

    jinja_environment = templating.Pages

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """The function itself."""
        return func


def create_app(
    settings: Settings | None = None, *, context: Context | None = None, clock: TimeSource | None = None
) -> Flask:
    """The pages of one installation.

    Args:
        settings: of the installation; read from the environment if none are given.
        house: what the use cases need; built from the settings (on a migrated database) if none is given.
        clock: where `now` comes from; the machine's, shifted as the database says, if none is given.

    Raises:
        Faulty: if the settings, or the files that people write, have faults.
    """
    settings = settings or load_settings()
    store = context.store if context else open_store(settings.database_url)
    clock = clock or ShiftedClock(store)
    context = context or build_context(settings, clock.now(), store)
    app = Site(__name__, static_folder=None)
    _configure(app, settings)
    app.extensions[EXTENSION] = Deployment(settings, context, clock)
    _share_a_line(app, store)
    # The order is that of the hooks: headers and nonce before anything can refuse, sign-in before any page.
    for part in (
        logs,
        metrics,
        compression,
        security,
        addresses,
        assets,
        languages,
        templating,
        errors,
        queued,
        signin,
        stepup,
        powers,
        navigation,
        template_filters,
        offline,
    ):
        part.init_app(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    return app


def _share_a_line(app: Flask, store: Store) -> None:
    """A page that changes nothing is read on one line; its last bytes may still be read when the request is over."""

    @app.before_request
    def begin() -> None:
        if request.method in {"GET", "HEAD"}:
            g.line = ExitStack()
            g.line.enter_context(store.one_line())

    @app.teardown_request
    def end(_error: BaseException | None) -> None:
        if "line" in g:
            g.pop("line").close()


def _configure(app: Flask, settings: Settings) -> None:
    app.config.update(
        SECRET_KEY=settings.secret_key,
        MAX_CONTENT_LENGTH=LARGEST_REQUEST,
        MAX_FORM_PARTS=1000,
        WTF_CSRF_TIME_LIMIT=None,  # a form that was filled in without a line is sent days later
    )
    app.url_map.converters["int"] = SmallInteger
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    if proxies := settings.trusted_proxies:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=proxies, x_proto=proxies, x_host=proxies, x_prefix=0
        )
