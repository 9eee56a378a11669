"""The form of a gift: few taps, and what stays the same is kept from one to the next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, flash, g, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from engine.core.cases.act import Act
from engine.core.refusals import Conflict, Invalid, NotEnough, Refused
from engine.core.support.ledger import FUND, STOCK, Account
from engine.core.words import Label, Sentence
from engine.core.workflow.model import Choice, Field
from engine.store.support import statements
from engine.usecases.idempotency import SentBefore
from engine.usecases.support import gifts
from web.site.forms import ActForm, act_form
from web.site.request_context import deployment, now
from web.site.typed import whole
from web.support.needs import associations_of, needed, require_association, workflow

KEPT = ("support_kind", "giver", "programme", "given_on", "source")  # these values stay from one gift to the next
LAST_GIFT = "last gift"  # key in the session
OUTSIDE = "outside"

pages = Blueprint("gifts", __name__)


@pages.get("/gifts/new")
def new() -> str:
    """Shows the form of a gift; what stays the same from one to the next is filled in."""
    require_association()
    kept: Mapping[str, Any] = session.get(LAST_GIFT, {})
    form = _gift_form({**kept, "code": request.args.get("case", "")[:24]})
    return _gift_page(form)


@pages.post("/gifts/new")
def log() -> Response | tuple[str, int]:
    """Stores a gift; then goes to the next one, or back to the needs."""
    require_association()
    form = _gift_form({})
    code = (form["code"].data or "")[:24]
    if not code:
        form.refuse(Invalid({"code": Sentence("Choose for which case it was given.")}))
        return _gift_page(form), 422
    source = whole(str(form.values.get("source") or ""))
    typed = {name: value for name, value in form.values.items() if name != "source"}
    try:
        gifts.give(deployment().context, Act(g.viewer, code, typed, now(), key=form.once), source)
    except (Invalid, Conflict) as refused:
        form.refuse(refused if isinstance(refused, Invalid) else Invalid({"": refused.sentence}))
        if isinstance(refused, SentBefore):
            form.anew()
        return _gift_page(form), 409 if isinstance(refused, Conflict) else 422
    except Refused as refused:
        form.refuse(Invalid({"source" if isinstance(refused, NotEnough) else "code": refused.sentence}))
        return _gift_page(form), 422
    session[LAST_GIFT] = {name: form.values.get(name) or "" for name in KEPT}
    flash(_("The support for case %(code)s was logged.", code=code))
    if request.form.get("next"):
        return redirect(url_for("gifts.new"), 303)
    return redirect(url_for("needs.index"), 303)


def _gift_form(prefill: Mapping[str, Any]) -> ActForm:
    asked = workflow().forms["support"]
    with deployment().context.store.scoped(g.viewer) as scoped:
        lines = needed(scoped)
        places = [it.account for it in statements.places(scoped, associations_of(), (FUND, STOCK))]
    words = {it.code: f"{it.code}: {it.need[:60]}" for it in lines}
    whose = Field(
        "code",
        "choice",
        Label("Cho hồ sơ nào", "For which case"),
        choices=tuple(Choice(code, Label(said, said)) for code, said in words.items()),
    )
    fields = (whose, *((source_field(places),) if places else ()), *workflow().asked(asked))
    return act_form(fields, ("code", *asked.needs), prefill=prefill)


def source_field(places: list[Account]) -> Field:
    """Returns the question where a gift comes from: a fund, a stock, or outside the books."""
    own = (Choice(str(it.id), Label(it.name, it.name)) for it in places)
    outside = Choice(OUTSIDE, Label("Ngoài quỹ, trao thẳng", "Outside the funds, handed over directly"))
    return Field("source", "choice", Label("Lấy từ", "Taken from"), choices=(*own, outside))


def _gift_page(form: ActForm) -> str:
    return render_template("gift.html", form=form)
