"""People for the administrator: accounts, posts with their dates, absences, handing over everything."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response
from wtforms import RadioField, SelectField, StringField

from engine.core.people.account_events import WORDS
from engine.core.refusals import Conflict, Invalid, NotAllowed, NotFound
from engine.core.units.kinds import called
from engine.core.words import Sentence
from engine.store.people import people_lists
from engine.store.people.account_events import PAGE as ACTS
from engine.store.people.account_events import acts_on
from engine.store.people.people_lists import PersonRow
from engine.store.units import unit_lists
from engine.usecases.cases.reseat import Going, Reseated
from engine.usecases.people import absences, accounts
from web.account.going import alone_words, going_words
from web.account.notices import actor
from web.admin.index import meant, require_admin
from web.site.forms import Form
from web.site.languages import NAMES, said
from web.site.request_context import deployment, now, role_book, role_labels, today, whole_arg
from web.site.typed import read_day, whole

LONGEST_QUERY = 80  # characters
DAY: dict[str, Any] = {"inputmode": "numeric", "autocomplete": "off", "class": "short"}
PLAIN = {"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}

pages = Blueprint("admin_people", __name__)


class PersonForm(Form):
    """A new account."""

    name = StringField(render_kw={"autocomplete": "off"})
    login = StringField(render_kw=PLAIN)
    phone = StringField(render_kw={"inputmode": "tel", "autocomplete": "off"})
    email = StringField(render_kw={"inputmode": "email", **PLAIN})
    language = RadioField(choices=dict(NAMES), validate_choice=False, default="vi")


class AwayOfPersonForm(Form):
    """Days away, and who acts meanwhile."""

    first_day = StringField(render_kw=DAY)
    last_day = StringField(render_kw=DAY)
    delegate = StringField(render_kw=PLAIN)
    reason = StringField(render_kw={"autocomplete": "off"})


class HandOverForm(Form):
    """The person who gets everything."""

    to = StringField(render_kw=PLAIN)


class PostForm(Form):
    """A post: the unit, the first and the last day."""

    unit = RadioField(validate_choice=False)
    first_day = StringField(render_kw=DAY)
    last_day = StringField(render_kw=DAY)


class SeekForm(Form):
    """The role, and the name of the unit."""

    role = SelectField(validate_choice=False)
    q = StringField(render_kw={"autocomplete": "off"})


# --- the list ---------------------------------------------------------------------------------------------------------


@pages.get("/admin/people")
def index() -> str:
    """Lists everybody, by login, or those with a name."""
    require_admin()
    query, after = request.args.get("q", "").strip()[:LONGEST_QUERY], request.args.get("after", "")[:64]
    with deployment().context.store.reading("the administrator's list of people") as session:
        found = people_lists.people(session, query, today(), after)
    rows = found[: people_lists.PAGE]
    more = rows[-1].login if len(found) > people_lists.PAGE else ""
    return render_template(
        "admin_people.html",
        rows=rows,
        query=query,
        roles=role_labels(),
        first=url_for("admin_people.index", q=query) if after else "",
        next=url_for("admin_people.index", q=query, after=more) if more else "",
    )


@pages.get("/admin/people/new")
def new() -> str:
    """Shows the form for a new account."""
    require_admin()
    return render_template("admin_person_new.html", form=PersonForm())


@pages.post("/admin/people/new")
def add() -> tuple[str, int] | str:
    """Makes the account and shows its password once."""
    require_admin()
    form = PersonForm()
    values = {name: form[name].data or "" for name in ("phone", "email", "language")}
    try:
        login = (form.login.data or "").strip().lower()
        store, by = deployment().context.store, g.viewer.person_id
        password = accounts.add_person(store, login, form.name.data or "", now(), **values, by=by)
    except Conflict as refused:
        form.refuse(Invalid({"login": refused.sentence}))
    except Invalid as refused:
        form.refuse(refused)
    else:
        return _password_page(meant(login, "login"), password)
    return render_template("admin_person_new.html", form=form), 422


def _password_page(person: PersonRow, password: str) -> str:
    return render_template("admin_password.html", person=person, password=password)


# --- one person -------------------------------------------------------------------------------------------------------


@pages.get("/admin/people/<int:person_id>")
def show(person_id: int) -> str:
    """Shows an account, its posts and absences, possible and past acts; `before` is an act for earlier ones."""
    require_admin()
    return _page(_person(person_id))


def _person(person_id: int) -> PersonRow:
    with deployment().context.store.reading("a person, for the administrator") as session:
        found = people_lists.person(session, person_id, today())
    if found is None:
        raise NotFound(Sentence("There is nobody of this number."))
    return found


def _page(person: PersonRow, *, away: AwayOfPersonForm | None = None, over: HandOverForm | None = None) -> str:
    with deployment().context.store.reading("a person's posts, for the administrator") as session:
        known = {
            "absences": people_lists.absences_of(session, person.id, today()),
            "stands_in": people_lists.stands_in(session, person.id, today()),
        }
        acts = acts_on(session, person.id, whole_arg("before"))
    going = accounts.going(deployment().context, person.login, now())
    return render_template(
        "admin_person.html",
        person=person,
        cases=going.total,
        going=[said(sentence) for sentence in going_words(person.name, going)],
        roles=role_labels(),
        form=away or over,
        away=away or AwayOfPersonForm(None),
        over=over or HandOverForm(None),
        itself=person.id == g.viewer.person_id,
        acts=acts[:ACTS],
        words=WORDS,
        actor=actor,
        older=acts[ACTS - 1].id if len(acts) > ACTS else None,
        **known,
    )


def _back(person_id: int) -> Response:
    return redirect(url_for("admin_people.show", person_id=person_id), 303)


@pages.post("/admin/people/<int:person_id>/reset")
def reset(person_id: int) -> str:
    """Sets a new password and shows it once; every device must sign in again."""
    require_admin()
    person = _person(person_id)
    password = accounts.reset_password(deployment().context.store, person.login, now(), g.viewer.person_id)
    return _password_page(person, password)


@pages.post("/admin/people/<int:person_id>/disable")
def disable(person_id: int) -> Response:
    """Disables the account at once; its history stays."""
    require_admin()
    person = _person(person_id)
    if person.id == g.viewer.person_id:
        raise NotAllowed(Sentence("Nobody shuts their own account: ask another administrator."))
    going = accounts.disable(deployment().context, person.login, now(), g.viewer.person_id)
    flash(_("%(name)s can no longer sign in.", name=person.name))
    _flash_going(person.name, going)
    return _back(person.id)


def _flash_going(name: str, going: Going) -> None:
    for sentence in going_words(name, going):
        flash(said(sentence))


@pages.post("/admin/people/<int:person_id>/enable")
def enable(person_id: int) -> Response:
    """Enables it again."""
    require_admin()
    person = _person(person_id)
    moved = accounts.enable(deployment().context, person.login, now(), g.viewer.person_id)
    flash(_("%(name)s can sign in again.", name=person.name))
    _flash_came(moved)
    return _back(person.id)


@pages.post("/admin/people/<int:person_id>/hand-over")
def hand_over(person_id: int) -> Response | tuple[str, int]:
    """Gives all posts and open cases to a successor, or to whoever is responsible for each if there is none."""
    require_admin()
    person, form = _person(person_id), HandOverForm()
    try:
        if (form.to.data or "").strip():
            to = meant(form.to.data or "", "to")
            codes = accounts.hand_over(deployment().context, person.login, to.login, now(), g.viewer.person_id)
            flash(_("%(name)s has all posts now, and %(count)s open cases.", name=to.name, count=len(codes)))
        else:
            going = accounts.leave(deployment().context, person.id, now(), g.viewer.person_id)
            flash(_("The posts have ended."))
            _flash_going(person.name, going)
    except NotAllowed as refused:
        form.refuse(Invalid({"to": refused.sentence}))
        return _page(person, over=form), 403
    except Invalid as refused:
        form.refuse(refused)
    else:
        return _back(person.id)
    return _page(person, over=form), 422


# --- absences ---------------------------------------------------------------------------------------------------------


@pages.post("/admin/people/<int:person_id>/away")
def delegate(person_id: int) -> Response | tuple[str, int]:
    """Enters an absence; somebody acts for the person, or the next post above."""
    require_admin()
    person, form = _person(person_id), AwayOfPersonForm()
    try:
        first = read_day(form.first_day.data, "first_day", today())
        last = read_day(form.last_day.data, "last_day")
        other = meant(form.delegate.data or "", "delegate").id if (form.delegate.data or "").strip() else None
        entered = absences.enter(
            deployment().context, person.id, other, first, last, form.reason.data or "", now(), by=g.viewer.person_id
        )
    except Invalid as refused:
        form.refuse(refused)
        return _page(person, away=form), 422
    except Conflict as refused:
        form.refuse(Invalid({"first_day": refused.sentence}))
        return _page(person, away=form), 409
    flash(_("The absence is kept."))
    if entered.alone:
        flash(said(alone_words(entered.alone)))
    _flash_going(person.name, entered.going)
    return _back(person.id)


@pages.post("/admin/people/<int:person_id>/back")
def back(person_id: int) -> Response:
    """Ends an absence today, or cancels a future one."""
    require_admin()
    absences.end(deployment().context, person_id, whole(request.form.get("absence")) or 0, now(), by=g.viewer.person_id)
    flash(_("The absence has ended."))
    return _back(person_id)


# --- posts ------------------------------------------------------------------------------------------------------------


@pages.get("/admin/people/<int:person_id>/appoint")
def seek(person_id: int) -> str:
    """Asks for a role and finds the unit; then asks for the days."""
    require_admin()
    return _post_page(_person(person_id), PostForm(None))


@pages.post("/admin/people/<int:person_id>/appoint")
def appoint(person_id: int) -> Response | tuple[str, int]:
    """Gives the person the post."""
    require_admin()
    person, form = _person(person_id), PostForm()
    role = request.values.get("role", "")
    try:
        unit = _unit(form)
        first = read_day(form.first_day.data, "first_day", today())
        last = read_day(form.last_day.data, "last_day") if (form.last_day.data or "").strip() else None
        context, by = deployment().context, g.viewer.person_id
        moved = accounts.appoint(context, person.login, role, unit.code, first, last, now=now(), by=by)
    except (Conflict, NotFound) as refused:
        form.refuse(Invalid({"unit": refused.sentence}))
    except Invalid as refused:
        form.refuse(refused)
    else:
        flash(_("%(name)s holds the post.", name=person.name))
        _flash_came(moved)
        return _back(person.id)
    return _post_page(person, form), 422


def _flash_came(moved: Reseated) -> None:
    if moved.codes:
        flash(
            ngettext(
                "%(num)s case that waited elsewhere has come to a post that is filled again.",
                "%(num)s cases that waited elsewhere have come to a post that is filled again.",
                len(moved.codes),
            )
        )


def _unit(form: PostForm) -> unit_lists.UnitRow:
    with deployment().context.store.reading("the unit of a post") as session:
        found = unit_lists.unit(session, whole(form.unit.data) or 0)
    if found is None:
        raise Invalid({"unit": Sentence("Choose the unit of the post.")})
    return found


def _post_page(person: PersonRow, form: PostForm) -> str:
    role, query = request.values.get("role", ""), request.values.get("q", "").strip()[:LONGEST_QUERY]
    chosen = whole(form.unit.data) or whole_arg("unit")
    units: list[unit_lists.UnitRow] = []
    with deployment().context.store.reading("units for a post") as session:
        if role in role_book().held_in and chosen and (one := unit_lists.unit(session, chosen)):
            units = [one]
        elif role in role_book().held_in and query:
            units = unit_lists.units_named(session, query, today(), kinds=role_book().held_in[role])
        elif role == "admin":
            units = unit_lists.roots(session, today())
    seek_form = SeekForm(None, data={"role": role, "q": query})
    seek_form.role.choices = [(name, said(role_labels()[name])) for name in role_book().held_in]
    form.unit.choices = [(str(it.id), _named(it)) for it in units[:20]]
    if len(units) == 1:
        form.unit.data = str(units[0].id)
    return render_template(
        "admin_post.html",
        person=person,
        form=form,
        seek=seek_form,
        role=role if role in role_book().held_in else "",
        query=query,
        units=units,
        roles=role_labels(),
        most=20,
    )


def _named(unit: unit_lists.UnitRow) -> str:
    inside = f" ({unit.inside})" if unit.inside else ""
    return f"{said(called(unit.kind, unit.name))}{inside}, {unit.code}"


@pages.post("/admin/people/<int:person_id>/end")
def end_post(person_id: int) -> Response:
    """Ends a post today, or on the given day."""
    require_admin()
    last = read_day(request.form.get("last_day"), "last_day", today())
    post, by = whole(request.form.get("post")) or 0, g.viewer.person_id
    going = accounts.end_post(deployment().context, person_id, post, last, now=now(), by=by)
    flash(_("The post ends with %(day)s.", day=said(last)))
    _flash_going(_person(person_id).name, going)
    return _back(person_id)
