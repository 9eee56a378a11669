"""A page with a form on a case. After a refusal it comes back with everything that was typed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask import flash, g, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from engine.core.cases.act import Act
from engine.core.refusals import Conflict, Invalid, NoAccess, NotAllowed, NotEnough, Refused
from engine.core.words import Label, Sentence
from engine.core.workflow.model import Transition
from engine.store.cases.case_page import reached
from engine.usecases.idempotency import SentBefore
from web.cases.overtaken import overtaken
from web.cases.page import Seen, see_case
from web.site import queued
from web.site.forms import ActForm
from web.site.request_context import deployment, now


@dataclass(frozen=True, slots=True)
class ActRequest:
    """A form on a case: its words, its address, the step of the workflow, and the thing on the case that it is
    about.
    """

    label: Label
    address: str
    step: Transition | None = None
    about: str = ""
    withdraw: str = ""  # the address at which the entry is withdrawn instead


def act_from(form: ActForm, code: str) -> Act:
    """What the viewer does with a case by sending this form."""
    return Act(g.viewer, code, form.values, now(), version=form.seen, key=form.once)


def attempt(
    act_request: ActRequest, code: str, form: ActForm, use_case: Callable[[], None]
) -> Response | tuple[str, int]:
    """Does what a form asks for and redirects to the case; or returns the form with what is wrong."""
    try:
        use_case()
    except (Invalid, Conflict, NotAllowed, NotEnough) as refused:
        return _again(code, act_request, form, refused)
    queued.done(form.once)
    if _gone_on(code):
        flash(_("That is done. The case has gone on to others, and you see it no more."))
        return redirect(url_for("work.index"), 303)
    return redirect(url_for("case.show", code=code, done=1), 303)


def _gone_on(code: str) -> bool:
    """Returns whether a volunteer or an association has handed the case on, so that they can no longer open it."""
    if not g.viewer.asked:
        return False
    with deployment().context.store.reading("is the case still theirs") as session:
        try:
            reached(session, g.viewer, code)
        except NoAccess:
            return True
    return False


def act_page(seen: Seen, act_request: ActRequest, form: ActForm, *, faster: Sentence | None = None) -> str:
    """Returns the page with a form on a case; `faster` says who has changed the case meanwhile."""
    step = act_request.step
    return render_template(
        "act.html",
        case=seen.facts,
        who=seen.who,
        state=seen.workflow.states[seen.facts.state],
        label=act_request.label,
        address=act_request.address,
        form=form,
        faster=faster,
        danger=bool(step and step.danger),
        help=step.help if step else None,
        about=act_request.about,
        withdraw=act_request.withdraw,
        helpline=seen.helpline,
    )


def _again(code: str, act_request: ActRequest, form: ActForm, refused: Refused) -> tuple[str, int]:
    """Returns the form again: what is wrong at its field, or who was faster, and the case as it is now.

    If the form was sent before with other answers, it gets a new key, so that sending it again works.
    """
    seen = see_case(code)
    if isinstance(refused, Conflict):
        overtaken(code, form.seen, refused)
        form.version.data = str(seen.facts.version)
        if isinstance(refused, SentBefore):
            queued.anew(form.anew())
            form.refuse(Invalid({"": refused.sentence}))
            return act_page(seen, act_request, form), 409
        return act_page(seen, act_request, form, faster=refused.sentence), 409
    form.refuse(refused if isinstance(refused, Invalid) else Invalid({"": refused.sentence}))
    queued.refused(form)
    return act_page(seen, act_request, form), 403 if isinstance(refused, NotAllowed) else 422
