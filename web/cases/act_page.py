"""A page with a form on a case: shown, sent, and shown once more with everything that was typed if it was refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask import flash, g, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from engine.core.cases.act import Act
from engine.core.people.access import REFERRED
from engine.core.refusals import Conflict, Invalid, NoAccess, NotAllowed, Refused
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
class Asking:
    """A form on a case: its words, where it is sent, the step of the workflow it is for, and what it is about."""

    label: Label
    address: str
    step: Transition | None = None
    about: str = ""


def act_from(form: ActForm, code: str) -> Act:
    """What the viewer does with a case by sending this form."""
    return Act(g.viewer, code, form.values, now(), version=form.seen, key=form.once)


def attempt(asking: Asking, code: str, form: ActForm, use_case: Callable[[], None]) -> Response | tuple[str, int]:
    """Do what a form asks for, and go on to the case; or the form once more, with what is wrong with it."""
    try:
        use_case()
    except (Invalid, Conflict, NotAllowed) as refused:
        return _again(code, asking, form, refused)
    queued.done(form.once)
    if _gone_on(code):
        flash(_("That is done. The case has gone on to others, and you see it no more."))
        return redirect(url_for("work.index"), 303)
    return redirect(url_for("case.show", code=code, done=1), 303)


def _gone_on(code: str) -> bool:
    """Whether a volunteer or an association has handed the case on: then there is no page to go on to."""
    if not any(map(g.viewer.holds, REFERRED)):
        return False
    with deployment().context.store.reading("is the case still theirs") as session:
        try:
            reached(session, g.viewer, code)
        except NoAccess:
            return True
    return False


def act_page(seen: Seen, asking: Asking, form: ActForm, *, faster: Sentence | None = None) -> str:
    """The page with a form on a case; `faster` says who was, if somebody has changed the case meanwhile."""
    step = asking.step
    return render_template(
        "act.html",
        case=seen.facts,
        who=seen.who,
        state=seen.workflow.states[seen.facts.state],
        label=asking.label,
        address=asking.address,
        form=form,
        faster=faster,
        danger=bool(step and step.danger),
        help=step.help if step else None,
        about=asking.about,
        helpline=seen.helpline,
    )


def _again(code: str, asking: Asking, form: ActForm, refused: Refused) -> tuple[str, int]:
    """The form once more: what is wrong at its field, or who was faster, and the case as it is now.

    After a form that was sent before with other answers it has a new key: sent again, it is done.
    """
    seen = see_case(code)
    if isinstance(refused, Conflict):
        overtaken(code, form.seen, refused)
        form.version.data = str(seen.facts.version)
        if isinstance(refused, SentBefore):
            queued.anew(form.anew())
            form.refuse(Invalid({"": refused.sentence}))
            return act_page(seen, asking, form), 409
        return act_page(seen, asking, form, faster=refused.sentence), 409
    form.refuse(refused if isinstance(refused, Invalid) else Invalid({"": refused.sentence}))
    queued.refused(form)
    return act_page(seen, asking, form), 403 if isinstance(refused, NotAllowed) else 422
