"""One-time codes: the administrator makes one and prints it; a person signs in with it once.

The QR code leads to the page where a code is typed, with the code after the `#` of the address. So no server, log or
link preview ever sees the code, and opening the page does not use it up.
"""

from __future__ import annotations

from urllib.parse import quote

import segno
from flask import Blueprint, g, render_template, request
from flask import url_for as url
from markupsafe import Markup
from werkzeug.wrappers import Response
from wtforms import HiddenField, StringField

from engine.core.notices.settings import URL
from engine.core.people.roles import ADMIN
from engine.core.refusals import Invalid, NotAllowed, NotFound
from engine.core.words import Sentence
from engine.usecases.people import signin, signin_codes
from engine.usecases.people.rate_limits import TooManyTries
from engine.usecases.people.signin_codes import Slip, WrongCode
from web.account.signin import origin, turned_down, welcome
from web.account.stepup import needs_proof
from web.site.forms import Form
from web.site.request_context import deployment, local_path, now
from web.site.security import public

pages = Blueprint("codes", __name__)


class CodeForm(Form):
    """Login and code."""

    next = HiddenField()
    login = StringField(render_kw={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"})
    code = StringField(render_kw={"autocomplete": "one-time-code", "inputmode": "numeric"})


class LoginForm(Form):
    """The login of the person for whom a code is made."""

    login = StringField(render_kw={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"})


@pages.route("/login/code", methods=["GET", "POST"])
@public
def sign_in() -> Response | str:
    """Signs in with a code; only the button uses it up."""
    if request.method == "GET":
        return render_template("code.html", form=CodeForm(request.args))
    form = CodeForm()
    login = signin.fold_login(form.login.data or "")
    try:
        token = signin_codes.sign_in(deployment().context.store, login, form.code.data or "", origin(login), now())
    except (WrongCode, TooManyTries) as refused:
        form.refuse(Invalid({"code": refused.sentence}))
        return turned_down(render_template("code.html", form=form), refused)
    target = local_path(form.next.data) or "/"
    return welcome(token, login, url("signin.password", next=target))


@pages.get("/admin/codes")
@needs_proof
def index() -> str:
    """Asks for whom to make a code."""
    _only_administrators()
    return render_template("codes.html", form=LoginForm(request.args))


@pages.post("/admin/codes")
def make() -> tuple[str, int] | str:
    """Makes a new code and shows it once, on a slip to print."""
    _only_administrators()
    form, lasts = LoginForm(), deployment().settings.sign_in.code_lasts
    try:
        slip = signin_codes.make(deployment().context.store, form.login.data or "", g.viewer.person_id, lasts, now())
    except NotFound as refused:
        form.refuse(Invalid({"login": refused.sentence}))
        return render_template("codes.html", form=form), 422
    known = deployment().settings.sign_in.origin
    page = (request.host_url.rstrip("/") if known == URL else known) + url("codes.sign_in")
    return render_template("code_slip.html", slip=slip, page=page, picture=_picture(address_of(slip, page)))


def address_of(slip: Slip, page: str) -> str:
    """Returns the address in the QR code of a slip. `page`: the page on which a code is typed."""
    return f"{page}?login={quote(slip.login)}#{signin_codes.tidy(slip.code)}"


def _picture(address: str) -> Markup:
    """Draws the QR code, dark on white in both themes; it contains only numbers, so nothing needs escaping."""
    return Markup(segno.make_qr(address).svg_inline(scale=5, light="#fff", border=3))  # noqa: S704


def _only_administrators() -> None:
    if not g.viewer.holds(ADMIN):
        raise NotAllowed(Sentence("Only the administrator makes codes to sign in with."))
