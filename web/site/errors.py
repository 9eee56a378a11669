"""Shows why something was not done and what to do next. Only this module maps families of errors to HTTP."""

from __future__ import annotations

import logging

from flask import Flask, Response, current_app, g, render_template, request
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from engine.core.refusals import Refused
from engine.core.words import LANGUAGES, Sentence
from engine.store.database.failures import LOST, word_for
from web.site import languages, queued

log = logging.getLogger("ralop.web")

RETRY_S = 10  # seconds after which a program that got 503 may ask again
STATUS = {
    "no_access": 403,
    "not_allowed": 403,
    "not_found": 404,
    "conflict": 409,
    "insufficient": 422,
    "invalid": 422,
    "too_many": 429,
}

TITLES: dict[int, Sentence] = {
    400: Sentence("This request could not be read"),
    401: Sentence("You are no longer signed in"),
    403: Sentence("You may not do this"),
    404: Sentence("There is no such page"),
    405: Sentence("This cannot be done this way"),
    409: Sentence("Somebody else was faster"),
    413: Sentence("This is too large"),
    415: Sentence("This request could not be read"),
    422: Sentence("Something is missing or wrong"),
    429: Sentence("Too many tries"),
    500: Sentence("Something went wrong with us"),
    503: Sentence("The system cannot work at the moment"),
}
HELPS: dict[int, Sentence] = {
    400: Sentence("Go back, reload the page and try again. Nothing was stored."),
    401: Sentence("Go back and copy what you typed, sign in, and send it again. Nothing was stored."),
    403: Sentence("You have no duty here. If you should have one, ask your administrator to enter it."),
    404: Sentence("The address may be mistyped, or what was here has been moved. Look for it in the list."),
    405: Sentence("Go back and use the buttons of the page."),
    409: Sentence("Go back, reload the page to see what has happened, and try again. What you typed is still there."),
    413: Sentence("Send less at once: a smaller file or a shorter text. Nothing was stored."),
    415: Sentence("Go back, reload the page and try again. Nothing was stored."),
    422: Sentence("Go back and mend it. Nothing was stored."),
    429: Sentence("Wait a little and try again."),
    500: Sentence("Nothing was stored. Try again in a few minutes; if it happens again, tell your administrator when."),
    503: Sentence(
        "Wait a few minutes and try again. Go back: what you typed is still there, and nothing is stored twice. If it "
        "goes on, tell your administrator."
    ),
}
STALE = Sentence("The page was opened before you signed in, or is too old. Go back, reload it and try again.")


def init_app(app: Flask) -> None:
    """Registers pages for refusals, missing pages and failures."""
    app.register_error_handler(Refused, _refused)
    app.register_error_handler(CSRFError, _stale)
    app.register_error_handler(HTTPException, _http)
    for lost in LOST:
        app.register_error_handler(lost, _lost)
    app.register_error_handler(500, _failed)


def _page(status: int, why: Sentence | None = None) -> tuple[str, int]:
    known = status if status in TITLES else 500 if status >= 500 else 400
    return render_template("error.html", title=TITLES[known], why=why, help=HELPS[known], status=status), status


def _refused(error: Refused) -> tuple[str, int]:
    queued.refused_because(error.sentence)
    return _page(STATUS.get(error.code, 400), error.sentence)


def _stale(_error: CSRFError) -> tuple[str, int]:
    return _page(400, STALE)


def _http(error: HTTPException) -> tuple[str, int] | HTTPException:
    if error.code is None or error.code < 400:
        return error  # return a redirect unchanged
    page = _page(error.code)
    response = current_app.make_response(page)
    if error.code == 503:
        response.headers["Retry-After"] = str(RETRY_S)
    for name, value in error.get_headers():
        if name.lower() in {"allow", "retry-after"}:
            response.headers[name] = value
    return response  # type: ignore[return-value]


def _lost(error: Exception) -> Response:
    """Answers that the database takes nothing now and may later: phones keep what they have, people can try again."""
    word = word_for(error)
    if word is None:
        raise error  # a fault of the program
    log.error("A page could not be answered: the database is %s", word)
    return _later()


def _later() -> Response:
    response = current_app.make_response((_bare(503), 503))
    response.headers["Retry-After"] = str(RETRY_S)
    return response


def _failed(error: Exception) -> Response:
    """Answers a fault of the program; or a database that was lost after the page was made."""
    if word_for(getattr(error, "original_exception", None)):
        return _later()
    return current_app.make_response((_bare(500), 500))


def _bare(status: int) -> str:
    """Returns a page in both languages that asks nothing of the database, which may be what failed."""
    cookie = request.cookies.get(languages.COOKIE)
    g.language = cookie if cookie in LANGUAGES else languages.default_language(current_app)
    page = current_app.jinja_env.get_template("failed.html")  # render_template would ask who is signed in
    return page.render(title=TITLES[status], help=HELPS[status], status=status)
