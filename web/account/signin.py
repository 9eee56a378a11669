"""Signs in and out, changes the password, lists devices; a hook lets only signed-in people past the public pages."""

from __future__ import annotations

from typing import Any, cast

from flask import Blueprint, Flask, abort, current_app, flash, g, redirect, render_template, request, session
from flask import url_for as url
from flask.sessions import SecureCookieSessionInterface, SessionMixin
from flask.wrappers import Response as FlaskResponse
from flask_babel import gettext as _
from flask_login import LoginManager, current_user, login_user
from itsdangerous import BadSignature, URLSafeSerializer, URLSafeTimedSerializer
from werkzeug.wrappers import Response
from wtforms import HiddenField, PasswordField, StringField

from engine.core.people.access import Viewer
from engine.core.refusals import Invalid, Refused
from engine.core.words import Sentence
from engine.usecases.people import passkeys, signin
from engine.usecases.people.rate_limits import Origin, TooManyTries
from engine.usecases.people.signin import BY_CODE, BY_PASSKEY, BY_PASSWORD, IDLE, SignedIn, WrongPassword
from web.account.device_names import name_of_device
from web.account.stepup import is_proved
from web.site import proxies
from web.site.forms import Form
from web.site.request_context import copied, deployment, local_path, now, role_book, today, user
from web.site.security import ONE_YEAR, public

IN_SESSION = "_user_id"  # where Flask-Login stores the result of `User.get_id` in the session
STATE = "X-Session"  # tells the device's worker why it is refused: "none" or "ended", see docs/operate/index.md
WIPE = '"cache", "storage"'
KNOWN_DEVICE = "known_device"  # the cookie of a device on which its person has signed in before
FIRST_DOORS = frozenset({"signin.password", "signin.sign_out", "signin.end_device", "languages.choose"})

METHODS = {
    BY_PASSWORD: Sentence("with the password"),
    BY_PASSKEY: Sentence("with a passkey"),
    BY_CODE: Sentence("with a one-time code"),
}

pages = Blueprint("signin", __name__)
manager = LoginManager()


class User:
    """The signed-in person in the form that Flask-Login needs: `get_id` returns the device's token, never the person's
    id.
    """

    is_authenticated = is_active = True
    is_anonymous = False

    def __init__(self, token: str, signed_in: SignedIn) -> None:
        self._token, self.signed_in = token, signed_in
        account = signed_in.account
        self.id, self.login, self.name, self.language = account.id, account.login, account.name, account.language
        self.must_change = signed_in.must_change
        self.viewer: Viewer = signed_in.viewer

    def get_id(self) -> str:
        return self._token


class _Cookies(SecureCookieSessionInterface):
    """Sends the session cookie only over https if the page itself came over https.

    A static file is the same for everybody. But Flask-Login reads the session at each answer, and Flask would say that
    the file varies with the cookies: a browser would fetch it again whenever one of them changes. Also, a copy that the
    device fetches by itself may arrive after the person has signed out, or in again. Its cookie would be old, and the
    token of the page on the screen would be refused.
    """

    _signing: URLSafeTimedSerializer | None = None

    def get_cookie_secure(self, app: Flask) -> bool:
        return request.is_secure

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        if self._signing is None:  # Flask would make one for each page
            self._signing = super().get_signing_serializer(app)
        return self._signing

    def save_session(self, app: Flask, session: SessionMixin, response: FlaskResponse) -> None:
        if request.endpoint != "static" and not copied():
            super().save_session(app, session, response)


class SignInForm(Form):
    """Login and password."""

    login = StringField(render_kw={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"})
    password = PasswordField(render_kw={"autocomplete": "current-password"})


class PasswordForm(Form):
    """The present password, and the new one twice; and the page to go to next for a person who has just signed in."""

    next = HiddenField()
    old = PasswordField(render_kw={"autocomplete": "current-password"})
    new = PasswordField(render_kw={"autocomplete": "new-password"})
    again = PasswordField(render_kw={"autocomplete": "new-password"})


def init_app(app: Flask) -> None:
    """Makes every page ask for a sign-in unless it is public."""
    app.config.update(
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=IDLE,
        SESSION_REFRESH_EACH_REQUEST=False,
    )
    app.session_interface = _Cookies()
    cast("Any", manager).session_protection = None  # phones change their address all the time
    manager.init_app(app)
    app.jinja_env.globals["blank_sign_in"] = lambda: SignInForm(formdata=None)
    app.before_request(_require_sign_in)
    app.after_request(_tell_why)


@manager.user_loader
def _load(token: str) -> User | None:
    found = signin.who(deployment().context.store, token, now(), today(), role_book())
    if found is None:
        return None
    if now() - found.device.seen_at > signin.TOUCHED:
        session.modified = True  # so that the cookie lives as long as the device is used
    return User(token, found)


def _require_sign_in() -> Response | None:
    view = current_app.view_functions.get(request.endpoint or "")
    if view is None or getattr(view, "is_public", False):
        return None
    reader = user()
    if not reader.is_authenticated:
        g.turned_away = True
        if getattr(view, "asked_by_device", False):
            return Response(status=401)
        if request.method not in {"GET", "HEAD"}:
            abort(401)
        return redirect(url("signin.sign_in", next=request.full_path.rstrip("?")))
    g.viewer = reader.viewer
    g.now = now()
    if reader.must_change and request.endpoint not in FIRST_DOORS:
        return redirect(url("signin.password"))
    return None


def _tell_why(response: Response) -> Response:
    """Tells a refused device whether to delete what it stores.

    "ended": its sign-in was ended from elsewhere. "none": it must only sign in again, because the sign-in ran out or
    was ended on the device itself.
    """
    if response.status_code == 503:  # the database cannot say now who it is
        return response
    if not (g.get("turned_away") or response.status_code in {400, 401}) or current_user.is_authenticated:
        return response
    token = session.get(IN_SESSION)
    ended = isinstance(token, str) and signin.was_given_up(deployment().context.store, token)
    response.headers[STATE] = "ended" if ended else "none"
    if ended:
        response.headers["Clear-Site-Data"] = WIPE
    return response


@pages.get("/")
def home() -> Response:
    """Redirects to the user's work."""
    return redirect(url("work.index") if "work.index" in current_app.view_functions else url("signin.password"))


@pages.route("/login", methods=["GET", "POST"])
@public
def sign_in() -> Response | tuple[str, int] | str:
    """Shows the sign-in page."""
    target = local_path(request.values.get("next")) or "/"
    if request.method == "GET":
        g.turned_away = True  # a worker that followed the redirect reads it, too
        return redirect(target) if current_user.is_authenticated else login_page()
    form = SignInForm()
    login = signin.fold_login(form.login.data or "")
    try:
        token = signin.sign_in(deployment().context.store, login, form.password.data or "", origin(login), now())
    except (WrongPassword, TooManyTries) as refused:
        form.refuse(Invalid({"login": refused.sentence}))
        return turned_down(login_page(form), refused)
    return welcome(token, login, target)


def login_page(form: SignInForm | None = None) -> str:
    """Returns the sign-in page, with what was typed on it."""
    return render_template("login.html", form=form, passkeys=deployment().settings.sign_in.party is not None)


def turned_down(page: str, refused: Refused) -> Response:
    """Returns a page that says what was wrong, and tells programs how long to wait."""
    response = current_app.make_response((page, 422))
    if isinstance(refused, TooManyTries):
        response.status_code = 429
        response.headers["Retry-After"] = str(int(refused.wait.total_seconds()) + 1)
    return response


def welcome(token: str, login: str, target: str) -> Response:
    """Signs in the person with this new token, and redirects to a page of this site."""
    if current_user.is_authenticated:  # somebody else was signed in on this device
        signin.sign_out(deployment().context.store, current_user.signed_in, now())
    session.clear()  # removes everything from before the sign-in
    session.permanent = True
    user = _load(token)
    if user is None:
        abort(401)
    login_user(user)
    response = redirect(target, 303)
    response.set_cookie(
        KNOWN_DEVICE,
        _marks().dumps([login, user.signed_in.device.id]),
        max_age=ONE_YEAR,
        httponly=True,
        samesite="Lax",
        secure=request.is_secure,
        path=url("signin.sign_in"),
    )
    return response


def _marks() -> URLSafeSerializer:
    return URLSafeSerializer(deployment().settings.secret_key, salt="known device")


def origin(login: str) -> Origin:
    """Returns where the try comes from; a device is known only to the login for which it was marked."""
    known = None
    try:
        marked: Any = _marks().loads(request.cookies.get(KNOWN_DEVICE, ""))
        if isinstance(marked, list) and len(marked) == 2 and marked[0] == login:
            known = str(marked[1])
    except BadSignature:
        pass
    return Origin(proxies.own_address(), name_of_device(request.user_agent.string), known)


@pages.post("/logout")
@public
def sign_out() -> Response:
    """Ends this device's sign-in; tells the browser to delete what it has of this site."""
    if current_user.is_authenticated:
        signin.sign_out(deployment().context.store, current_user.signed_in, now())
    session.clear()
    response = redirect(url("signin.sign_in"), 303)
    response.headers["Clear-Site-Data"] = WIPE
    return response


@pages.route("/password", methods=["GET", "POST"])
def password() -> Response | tuple[str, int] | str:
    """Sets a new password; lists the passkeys and the signed-in devices."""
    if request.method == "GET":
        return _password_page(PasswordForm(request.args))
    form = PasswordForm()
    old = None if _need_not_know_it() else form.old.data or ""
    typed = (form.new.data or "", form.again.data or "")
    try:
        signin.change_password(deployment().context.store, current_user.signed_in, old, *typed, now())
    except Invalid as refused:
        form.refuse(refused)
        return _password_page(form), 422
    except TooManyTries as refused:
        form.refuse(Invalid({"old": refused.sentence}))
        return _password_page(form), 429
    flash(_("Your password was changed. Other devices must sign in again."))
    first = url("welcome.index") if current_user.must_change else url("signin.password")
    return redirect(local_path(form.next.data) or first, 303)


def _need_not_know_it() -> bool:
    """Returns whether the person has just proved in another way who they are, and may have forgotten the password."""
    return is_proved() and current_user.signed_in.device.proved_by != BY_PASSWORD


def _password_page(form: PasswordForm) -> str:
    store = deployment().context.store
    return render_template(
        "password.html",
        form=form,
        devices=signin.devices(store, current_user.id, now()),
        methods=METHODS,
        need_not_know=_need_not_know_it(),
        arrived=bool(local_path(form.next.data)),
        keys=passkeys.of(store, current_user.id),
        passkeys=deployment().settings.sign_in.party is not None,
    )


@pages.post("/password/devices/<int:device>/end")
def end_device(device: int) -> Response:
    """Ends the sign-in of one of the user's devices."""
    signin.end_device(deployment().context.store, current_user.signed_in, device, now())
    flash(_("The device was signed out."))
    return redirect(url("signin.password"), 303)
