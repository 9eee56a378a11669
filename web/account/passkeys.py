"""Passkeys: signs in with one, makes one on this device, deletes one. `passkey_session` has the challenges."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request
from flask import url_for as url
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response
from wtforms import HiddenField, StringField

from engine.core.refusals import Invalid, Refused
from engine.usecases.people import passkeys
from web.account.device_names import name_of_device
from web.account.passkey_session import answered, party, question
from web.account.signin import SignInForm, login_page, turned_down, welcome
from web.account.stepup import needs_proof, signed_in
from web.site.forms import Form
from web.site.request_context import deployment, local_path, now
from web.site.security import public

pages = Blueprint("passkeys", __name__)


class KeyForm(Form):
    """The name of the device, and the page to go to next."""

    next = HiddenField()
    name = StringField(render_kw={"autocomplete": "off"})


@pages.post("/login/passkey/ask")
@public
def ask() -> Response:
    """Returns what a passkey should sign, as JSON: any known passkey, because nobody is named yet."""
    return question(lambda us: passkeys.ask_whoever(deployment().context.store, us, now()))


@pages.post("/login/passkey")
@public
def sign_in() -> Response:
    """Signs in with the signature of a passkey."""
    device = name_of_device(request.user_agent.string)
    try:
        token, login = passkeys.sign_in(deployment().context.store, party(), *answered(), device, now())
    except Refused as refused:
        form = SignInForm()
        form.refuse(Invalid({"": refused.sentence}))
        return turned_down(login_page(form), refused)
    return welcome(token, login, local_path(request.form.get("next")) or "/")


@pages.get("/password/passkeys/new")
@needs_proof
def new() -> str:
    """Shows the page on which a device makes a key."""
    party()
    form = KeyForm(data={"name": name_of_device(request.user_agent.string), "next": request.args.get("next")})
    return _page(form)


@pages.post("/password/passkeys/ask")
def ask_for_new() -> Response:
    """Returns from what this device should make a key, as JSON."""
    return question(lambda us: passkeys.ask_for_new(deployment().context.store, us, signed_in(), now()))


@pages.post("/password/passkeys")
def add() -> Response | tuple[str, int]:
    """Stores the key that this device has made."""
    form = KeyForm()
    try:
        answer, challenge = answered()
        passkeys.add(deployment().context.store, party(), signed_in(), form.name.data or "", answer, challenge, now())
    except Refused as refused:
        form.refuse(refused if isinstance(refused, Invalid) else Invalid({"": refused.sentence}))
        return _page(form), 422
    flash(_("From now on you can sign in with the passkey of this device."))
    return redirect(local_path(form.next.data) or url("signin.password"), 303)


@pages.post("/password/passkeys/<int:key>/remove")
def remove(key: int) -> Response:
    """Deletes one of the user's passkeys."""
    passkeys.remove(deployment().context.store, signed_in(), key, now())
    flash(_("The passkey was removed: nobody signs in with it any more."))
    return redirect(url("signin.password"), 303)


def _page(form: KeyForm) -> str:
    return render_template("passkey_new.html", form=form, login=current_user.login)
