"""Proving again who one is, before what matters: taking a list away, a new passkey, a code for somebody else.

Whoever signed in, or proved it, within the last minutes (`proof_minutes` of the settings) is not asked. Others are sent
to `/prove`, and from there back to where they were: to the page, or, for a file, to the page whose button they pressed,
which then fetches the file by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from flask import Blueprint, Flask, flash, g, redirect, render_template, request, session
from flask import url_for as url
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.urls import iri_to_uri
from werkzeug.wrappers import Response
from wtforms import HiddenField, PasswordField, StringField

from engine import codes, passkeys, signin
from engine.brakes import TooManyTries
from engine.refusals import Invalid, Refused
from engine.signin import BY_CODE, SignedIn
from web.forms import Form
from web.passkey_session import answered, party, question
from web.shell import local_path, now, page_before, shell

FETCH = "fetch"  # in the session: the file that the next page is to fetch

View = TypeVar("View", bound=Callable[..., Any])
pages = Blueprint("stepup", __name__)


class ProofNeeded(Exception):
    """The person must prove who they are first. `file`: what they asked for is a file, not a page."""

    def __init__(self, *, file: bool = False) -> None:
        super().__init__()
        self.file = file


class ProofForm(Form):
    """The password, or a fresh code, and where to go on to."""

    next = HiddenField()
    back = HiddenField()
    password = PasswordField(render_kw={"autocomplete": "current-password"})
    code = StringField(render_kw={"autocomplete": "one-time-code", "inputmode": "numeric"})


def init_app(app: Flask) -> None:
    """Send those who must prove who they are to the page for it, wherever it turns out."""
    app.register_error_handler(ProofNeeded, _send_to_proof)
    app.after_request(_fetch_file)


def signed_in() -> SignedIn:
    """Who is signed in on this device."""
    found: SignedIn = current_user.signed_in
    return found


def is_proved() -> bool:
    """Whether the person has proved who they are lately."""
    return signed_in().proved(now(), shell().settings.sign_in.proof_lasts)


def require_proof(*, file: bool = False) -> None:
    """Raises `ProofNeeded` unless the person has proved who they are lately."""
    if not is_proved():
        raise ProofNeeded(file=file)


def needs_proof(view: View) -> View:
    """Let a view run only for those who have proved lately who they are."""

    @wraps(view)
    def proved(*args: Any, **kwargs: Any) -> Any:
        require_proof()
        return view(*args, **kwargs)

    return cast("View", proved)


def _send_to_proof(needed: ProofNeeded) -> Response:
    if request.method != "GET":
        flash(_("Show first who you are, then press the button once more."))
        return redirect(url("stepup.prove", next=page_before()), 303)
    wanted = request.full_path.rstrip("?")
    return redirect(url("stepup.prove", next=wanted, back=page_before() if needed.file else None), 303)


@pages.route("/prove", methods=["GET", "POST"])
def prove() -> Response | tuple[str, int] | str:
    """Prove who one is by the password, or by a fresh code."""
    if request.method == "GET":
        return _page(ProofForm(request.args))
    form = ProofForm()
    try:
        if form.code.data and _by_code():
            codes.prove(shell().house.store, signed_in(), form.code.data, now())
        else:
            signin.prove(shell().house.store, signed_in(), form.password.data or "", now())
    except (Invalid, TooManyTries) as refused:
        return _refused(form, refused)
    return _go_on(form)


@pages.post("/prove/passkey/ask")
def ask() -> Response:
    """What one of the person's passkeys is to sign, as JSON."""
    return question(lambda us: passkeys.ask_again(shell().house.store, us, signed_in(), now()))


@pages.post("/prove/passkey")
def by_passkey() -> Response | tuple[str, int]:
    """Prove who one is by a passkey."""
    form = ProofForm()
    try:
        passkeys.prove(shell().house.store, party(), signed_in(), *answered(), now())
    except Refused as refused:
        return _refused(form, refused)
    return _go_on(form)


def _refused(form: ProofForm, refused: Refused) -> tuple[str, int]:
    if isinstance(refused, Invalid):
        form.refuse(refused)
        return _page(form), 422
    form.refuse(Invalid({"": refused.sentence}))
    return _page(form), 429 if isinstance(refused, TooManyTries) else 422


def _by_code() -> bool:
    """Whether the person came with a code, and so may have no password that they know."""
    return signed_in().device.method == BY_CODE


def _page(form: ProofForm) -> str:
    keys = passkeys.of(shell().house.store, current_user.id) if shell().settings.sign_in.party else []
    back = local_path(form.back.data) or "/"
    return render_template("stepup.html", form=form, by_code=_by_code(), has_passkey=bool(keys), back=back)


def _go_on(form: ProofForm) -> Response:
    wanted, back = local_path(form.next.data), local_path(form.back.data)
    if not back or not wanted:
        return redirect(wanted or "/", 303)
    session[FETCH] = wanted
    flash(_("Thank you. Your file comes by itself; if it does not, press its button once more."))
    return redirect(back, 303)


def _fetch_file(response: Response) -> Response:
    """The page that a person has come back to asks for the file by itself, with or without scripts."""
    shown = response.status_code == 200 and response.mimetype == "text/html"
    if shown and "viewer" in g and request.method == "GET" and (wanted := session.pop(FETCH, None)):
        response.headers["Refresh"] = f"0; url={iri_to_uri(wanted)}"
    return response
