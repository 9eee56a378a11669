"""“I am away”: shows and enters the user's absences, who acts meanwhile, and for whom the user acts."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response
from wtforms import RadioField, StringField

from engine.core.refusals import Conflict, Invalid
from engine.store.people import people_lists
from engine.usecases.people import absences
from web.account.going import alone_words, going_words
from web.site.forms import Form
from web.site.languages import said
from web.site.request_context import deployment, now, role_labels, today
from web.site.typed import read_day, whole

DAY: dict[str, Any] = {"inputmode": "numeric", "autocomplete": "off", "class": "short"}

pages = Blueprint("away", __name__)


class AwayForm(Form):
    """Days away, and who acts meanwhile."""

    first_day = StringField(render_kw=DAY)
    last_day = StringField(render_kw=DAY)
    delegate = RadioField(validate_choice=False)
    reason = StringField(render_kw={"autocomplete": "off"})


def _form() -> AwayForm:
    form = AwayForm()
    found = absences.colleagues(deployment().context, g.viewer.person_id, now())
    form.delegate.choices = [
        *((str(it.id), f"{it.name} ({said(role_labels()[it.role])}, {it.unit})") for it in found),
        ("", _("Nobody: the next one up is asked")),
    ]
    form.delegate.data = form.delegate.data or ""
    return form


@pages.get("/me/away")
def index() -> str:
    """Shows when I am away, who acts for me, for whom I act."""
    return _page(_form())


def _page(form: AwayForm) -> str:
    with deployment().context.store.reading("one's own absences") as session:
        own = people_lists.absences_of(session, g.viewer.person_id, today())
        others = people_lists.stands_in(session, g.viewer.person_id, today())
    return render_template("away.html", form=form, own=own, others=others)


@pages.post("/me/away")
def enter() -> Response | tuple[str, int]:
    """Enters an absence of mine."""
    form = _form()
    try:
        first = read_day(form.first_day.data, "first_day", today())
        last = read_day(form.last_day.data, "last_day")
        delegate = whole(form.delegate.data)
        entered = absences.go_away(deployment().context, g.viewer, delegate, first, last, form.reason.data or "", now())
    except Invalid as refused:
        form.refuse(refused)
        return _page(form), 422
    except Conflict as refused:
        form.refuse(Invalid({"first_day": refused.sentence}))
        return _page(form), 409
    flash(_("The absence is kept."))
    if entered.alone:
        flash(said(alone_words(entered.alone)))
    for sentence in going_words(str(_("You")), entered.going):
        flash(said(sentence))
    return redirect(url_for("away.index"), 303)


@pages.post("/me/away/end")
def end() -> Response:
    """Ends an absence of mine, or cancels a future one."""
    me = g.viewer.person_id
    absences.end(deployment().context, me, whole(request.form.get("absence")) or 0, now(), by=me)
    flash(_("The absence has ended."))
    return redirect(url_for("away.index"), 303)
