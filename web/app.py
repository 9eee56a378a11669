"""Makes the Flask application from the settings. docs/decisions/0005-pages.md says how to add a page."""

from __future__ import annotations

from contextlib import ExitStack

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
from web.cases import acts, bulk, case_list, companions, corrections, difficulties, printing, saved, work
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
from web.support import funds, gifts, needs, statements
from web.units import gaps, overviews

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
    corrections.pages,
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
    gaps.pages,
    needs.pages,
    gifts.pages,
    funds.pages,
    statements.pages,
    rulebook.pages,
    index.pages,
    people.pages,
    units.pages,
    mergers.pages,
    imports.pages,
    manual.pages,
    offline.pages,
)
"""Every part of the site; a new one is added here."""

LARGEST_REQUEST = 2 * 1024 * 1024  # bytes; a page that takes files has its own, higher limit
LARGEST_NUMBER = 2**31 - 1  # ids fit into this; a path with a longer number has no page


class SmallInteger(IntegerConverter):
    """A converter for numbers in paths that the database can store."""

    def __init__(self, urls: Map, **options: int | bool | None) -> None:
        super().__init__(urls, **{"max": LARGEST_NUMBER, **options})  # type: ignore[arg-type]


def create_app(
    settings: Settings | None = None, *, context: Context | None = None, clock: TimeSource | None = None
) -> Flask:
    """Makes the pages of one installation.

    Args:
        settings: of the installation; default: read from the environment.
        context: what the use cases need; default: built from the settings (on a migrated database).
        clock: gives `now`; default: the machine's clock, shifted as the database says.

    Raises:
        Faulty: the settings, or the files that people write, have faults.
    """
    settings = settings or load_settings()
    store = context.store if context else open_store(settings.database_url)
    clock = clock or ShiftedClock(store)
    context = context or build_context(settings, clock.now(), store)
    app = Flask(__name__, static_folder=None)
    _configure(app, settings)
    app.extensions[EXTENSION] = Deployment(settings, context, clock)
    _share_a_line(app, store)
    # The hooks run in this order: headers and nonce before anything can refuse, sign-in before any page.
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
    """Lets a page that changes nothing read on one connection; its last bytes may still be read after the request."""

    @app.before_request
    def begin() -> None:
        if request.method in {"GET", "HEAD"}:
            g.line = ExitStack()
            g.line.enter_context(store.one_page())

    @app.teardown_request
    def end(_error: BaseException | None) -> None:
        if "line" in g:
            g.pop("line").close()


def _configure(app: Flask, settings: Settings) -> None:
    app.config.update(
        SECRET_KEY=settings.secret_key,
        MAX_CONTENT_LENGTH=LARGEST_REQUEST,
        MAX_FORM_PARTS=1000,
        WTF_CSRF_TIME_LIMIT=None,  # a form filled in without a connection is sent days later
    )
    app.url_map.converters["int"] = SmallInteger
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    if proxies := settings.trusted_proxies:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=proxies, x_proto=proxies, x_host=proxies, x_prefix=0
        )
