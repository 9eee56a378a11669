"""Pages of difficulties: the post that has to decide answers them; everybody with a duty sees their state."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, g, render_template, request, url_for
from werkzeug.wrappers import Response

from engine.core.refusals import NotAllowed, NotFound
from engine.core.words import Label, Sentence
from engine.core.workflow import builtin_forms
from engine.core.workflow.builtin_forms import BUILTIN_FORMS
from engine.store.cases import difficulties as stored
from engine.store.cases.difficulties import ALL, ANSWERED, OPEN, PAGE
from engine.usecases.cases.difficulties import answer
from engine.usecases.people.note_access import note_reading
from web.cases.act_page import ActRequest, act_from, act_page, attempt
from web.cases.difficulty_items import DifficultyItem, items
from web.cases.page import Seen, see_case
from web.site.forms import ActForm, act_form
from web.site.request_context import deployment, now, whole_arg

pages = Blueprint("difficulties", __name__)

WHICH: Mapping[str, Sentence] = {
    OPEN: Sentence("Waiting for an answer"),
    ANSWERED: Sentence("Answered"),
    ALL: Sentence("All"),
}


@pages.get("/difficulties")
def index() -> str:
    """Lists difficulties of the cases that I may see, the newest first."""
    which, before = request.args.get("which", OPEN), whole_arg("before")
    which = which if which in WHICH else OPEN
    with deployment().context.store.scoped(g.viewer) as session:
        found = stored.listed(session, g.viewer, which, before)
    shown = found[:PAGE]
    return render_template(
        "difficulties.html",
        items=items(shown),
        which=which,
        filters=WHICH,
        first=url_for("difficulties.index", which=which) if before else "",
        next=url_for("difficulties.index", which=which, before=shown[-1].id) if len(found) > PAGE else "",
    )


@pages.get("/cases/<code>/difficulties/<int:difficulty>")
def show(code: str, difficulty: int) -> str:
    """Shows the form to answer a difficulty, for the post it waits for."""
    seen = see_case(code)
    it, act_request, form = _asked(seen, difficulty)
    if not it.mine:
        raise NotAllowed(Sentence("This difficulty waits for somebody else to decide."))
    note_reading(deployment().context.store, g.viewer.person_id, seen.facts.id, seen.facts.pupil_id, now())
    return act_page(seen, act_request, form)


@pages.post("/cases/<code>/difficulties/<int:difficulty>")
def decide(code: str, difficulty: int) -> Response | tuple[str, int]:
    """Answers it."""
    it, act_request, form = _asked(see_case(code), difficulty)
    if not it.mine and it.answer is None:  # a person who was overtaken keeps what was typed, and sees who was faster
        raise NotAllowed(Sentence("This difficulty waits for somebody else to decide."))

    def use_case() -> None:
        answer(deployment().context, act_from(form, code), difficulty)

    return attempt(act_request, code, form, use_case)


def _asked(seen: Seen, seq: int) -> tuple[DifficultyItem, ActRequest, ActForm]:
    with deployment().context.store.scoped(g.viewer.opening) as session:
        found = stored.shown(session, seen.facts.id, seq, known=seen.known)
    if found is None:
        raise NotFound(Sentence("There is no such difficulty in this case."))
    it, form = items([found])[0], BUILTIN_FORMS["difficulty_answer"]
    label = Label(f"Giải quyết: {it.kind.vi}", f"Decide: {it.kind.en}")
    address = url_for("difficulties.decide", code=seen.facts.code, difficulty=seq)
    fields = builtin_forms.asked(seen.workflow, form)
    return it, ActRequest(label, address, about=found.words), act_form(fields, form.needs, version=seen.facts.version)
