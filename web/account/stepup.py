"""Asks for a fresh proof of identity before important acts: downloading a list, a new passkey, a code for somebody
else.

A person who signed in, or proved it, within the last minutes (`proof_minutes` of the settings) is not asked. Others are
asked, and then come back: to the page or, for a file, to the page whose button they pressed, which then fetches the
file by itself. A sent form is not lost: it is sent again with the proof.
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
from wtforms import PasswordField, StringField

from engine.core.refusals import Invalid, Refused
from engine.usecases.people import passkeys, signin, signin_codes
from engine.usecases.people.rate_limits import TooManyTries
from engine.usecases.people.signin import BY_CODE, SignedIn
from web.account.passkey_session import answered, party, question
from web.site.forms import Form
from web.site.request_context import deployment, local_path, now, page_before

FETCH = "fetch"  # key in the session: the file that the next page should fetch
PROOFS = frozenset({"proof_password", "proof_code", "proof_answer"})  # names of the proofs in any form

View = TypeVar("View", bound=Callable[..., Any])
pages = Blueprint("stepup", __name__)


class ProofNeeded(Exception):
    """The person must prove who they are first.

    `file`: they asked for a file, not a page. `refused`: what was wrong with the proof in the request.
    """

    def __init__(self, *, file: bool = False, refused: Refused | None = None) -> None:
        super().__init__()
        self.file, self.refused = file, refused


class ProofForm(Form):
    """The password, or a fresh code; a passkey's answer comes in another form."""

    proof_password = PasswordField(render_kw={"autocomplete": "current-password"})
    proof_code = StringField(render_kw={"autocomplete": "one-time-code", "inputmode": "numeric"})


def init_app(app: Flask) -> None:
    """Redirects people who must prove who they are to the page for it, from any view."""
    app.register_error_handler(ProofNeeded, _send_to_proof)
    app.after_request(_fetch_file)


def signed_in() -> SignedIn:
    """Returns who is signed in on this device."""
    found: SignedIn = current_user.signed_in
    return found


def is_proved() -> bool:
    """Returns whether the person has lately proved who they are."""
    return bool(g.get("proved")) or signed_in().proved(now(), deployment().settings.sign_in.proof_lasts)


def require_proof(*, file: bool = False) -> None:
    """Raises `ProofNeeded` unless the person has lately proved who they are, or proves it with this form."""
    if is_proved():
        return
    if request.method != "POST" or request.form.keys().isdisjoint(PROOFS):
        raise ProofNeeded(file=file)
    try:
        _prove()
    except Refused as refused:
        raise ProofNeeded(file=file, refused=refused) from refused


def _prove() -> None:
    """Takes the proof in a form. Raises `Invalid`, `TooManyTries` or `PasskeyRefused`."""
    store, given = deployment().context.store, request.form
    if "proof_answer" in given:
        answer, challenge = answered("proof_answer")
        passkeys.prove(store, party(), signed_in(), answer, challenge, now())
    elif given.get("proof_code") and _by_code():
        signin_codes.prove(store, signed_in(), given["proof_code"], "proof_code", now())
    else:
        signin.prove(store, signed_in(), given.get("proof_password", ""), "proof_password", now())
    g.proved = True


def needs_proof(view: View) -> View:
    """Makes a view require a recent proof."""

    @wraps(view)
    def proved(*args: Any, **kwargs: Any) -> Any:
        require_proof()
        return view(*args, **kwargs)

    return cast("View", proved)


def _send_to_proof(needed: ProofNeeded) -> Response | tuple[str, int]:
    if request.method == "POST":
        return _page(request.full_path.rstrip("?"), page_before(), needed.refused, file=needed.file)
    wanted = request.full_path.rstrip("?")
    return redirect(url("stepup.prove", next=wanted, back=page_before() if needed.file else None), 303)


@pages.get("/prove")
def prove() -> tuple[str, int]:
    """Asks for a proof before a page or a file."""
    return _page(url("stepup.proved"), request.args.get("back") or request.args.get("next"))


@pages.post("/prove")
def proved() -> Response | tuple[str, int]:
    """Takes the proof and goes on."""
    wanted, back = local_path(request.form.get("next")), local_path(request.form.get("back"))
    try:
        _prove()
    except Refused as refused:
        return _page(url("stepup.proved"), back, refused)
    if not back or not wanted:
        return redirect(wanted or "/", 303)
    session[FETCH] = wanted
    flash(_("Thank you. Your file comes by itself; if it does not, press its button once more."))
    return redirect(back, 303)


@pages.post("/prove/passkey/ask")
def ask() -> Response:
    """Returns what one of the person's passkeys should sign, as JSON."""
    return question(lambda us: passkeys.ask_again(deployment().context.store, us, signed_in(), now()))


def _page(action: str, back: str | None, refused: Refused | None = None, *, file: bool = False) -> tuple[str, int]:
    """Returns the page that asks for a proof.

    It carries the sent form, and sends it to `action` again with the proof.
    """
    form, given = ProofForm(None), request.form if request.method == "POST" else request.args
    if refused:
        form.refuse(refused if isinstance(refused, Invalid) else Invalid({"": refused.sentence}))
    carried = [(name, value) for name, value in given.items(multi=True) if name not in {*PROOFS, "csrf_token"}]
    keys = passkeys.of(deployment().context.store, current_user.id) if deployment().settings.sign_in.party else []
    page = render_template(
        "stepup.html",
        form=form,
        by_code=_by_code(),
        has_passkey=bool(keys),
        back=local_path(back) or "/",
        action=action,
        carried=carried,
        file=file,
    )
    if request.method == "GET":
        return page, 200
    return page, 429 if isinstance(refused, TooManyTries) else 422 if refused else 403


def _by_code() -> bool:
    """Returns whether the person signed in with a code, and so may not know a password."""
    return signed_in().device.method == BY_CODE


def _fetch_file(response: Response) -> Response:
    """Makes the page to which a person returns fetch the file by itself, with or without scripts."""
    shown = response.status_code == 200 and response.mimetype == "text/html"
    if shown and "viewer" in g and request.method == "GET" and (wanted := session.pop(FETCH, None)):
        response.headers["Refresh"] = f"0; url={iri_to_uri(wanted)}"
    return response
