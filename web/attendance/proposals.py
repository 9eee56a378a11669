"""Decides about cases that the risk watch proposes: the teacher opens one from “My work”, or says why no case is
needed.
"""

from __future__ import annotations

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from engine.core.refusals import Conflict, Invalid
from engine.core.words import Sentence
from engine.usecases.attendance import proposals
from web.site.languages import said
from web.site.request_context import deployment, now

pages = Blueprint("proposals", __name__)

COMMON = (
    Sentence("Excused: the family has told the school"),
    Sentence("Attendance was taken wrongly"),
    Sentence("The pupil is back in class"),
)
"""Reasons to choose from; any other can be written."""


@pages.post("/proposals/<int:id>/open")
def take_up(id: int) -> Response:
    """Opens the case. Pressing twice opens one case. If somebody else decided meanwhile, the page says so."""
    try:
        code = proposals.take_up(deployment().context, g.viewer, id, now())
    except Conflict as refused:
        return _told(refused)
    return redirect(url_for("case.show", code=code, done=1), 303)


@pages.get("/proposals/<int:id>/dismiss")
def ask(id: int) -> Response | str:
    """Asks why no case is needed."""
    try:
        return _page(id)
    except Conflict as refused:
        return _told(refused)


@pages.post("/proposals/<int:id>/dismiss")
def dismiss(id: int) -> Response | tuple[str, int]:
    """Dismisses the proposal, for a reason."""
    chosen, typed = request.form.get("reason", ""), request.form.get("other", "")
    reason = typed if typed.strip() else chosen
    try:
        proposals.dismiss(deployment().context, g.viewer, id, reason, now())
    except Invalid as refused:
        return _page(id, refused.sentence, typed), 422
    except Conflict as refused:
        return _told(refused)
    flash(_("Noted: no case is needed."))
    return redirect(url_for("work.index"), 303)


def _page(id: int, wrong: Sentence | None = None, typed: str = "") -> str:
    row = proposals.proposal(deployment().context, g.viewer, id)
    why = proposals.reasons(deployment().context.risk, row.signals)
    return render_template("proposal.html", it=row, why=why, common=COMMON, wrong=wrong, typed=typed)


def _told(refused: Conflict) -> Response:
    flash(said(refused.sentence), "refused")
    return redirect(url_for("work.index"), 303)
