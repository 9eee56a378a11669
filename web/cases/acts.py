"""A page for each act on a case, made from the workflow's fields. It works without scripts and loses nothing typed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from flask import g, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from engine.core.cases.act import Act
from engine.core.cases.available_acts import FORM_LABELS, act_named
from engine.core.cases.casework import LESSON
from engine.core.people.roles import ADMIN, REGISTER
from engine.core.refusals import Invalid, NotAllowed, NotFound
from engine.core.words import Label, Sentence
from engine.core.workflow import builtin_forms
from engine.core.workflow.machine import follow
from engine.core.workflow.model import ActFields, Choice, Field, Transition, Workflow
from engine.store.cases import case_page
from engine.store.cases.cases import undone
from engine.store.cases.history import people_named
from engine.usecases.cases import case_acts
from engine.usecases.cases.companions import add as add_companion
from engine.usecases.cases.difficulties import raise_difficulty
from engine.usecases.context import Context
from engine.usecases.support import gifts
from engine.usecases.support.needs import raise_need
from web.cases import companions, page
from web.cases.act_page import ActRequest, act_from, act_page, attempt
from web.cases.page import Seen, see_case
from web.site.addresses import url_for
from web.site.forms import ActForm, act_form
from web.site.languages import said
from web.site.request_context import deployment, now, role_book, today
from web.site.typed import whole

__all__ = ["pages"]  # its own routes are added to those of the case page

pages = page.pages  # with these acts on it; the application registers it from here

PERSON = "person"  # the field of an assignment beside those of the workflow's form


@pages.get("/cases/<code>/<name>")
def act(code: str, name: str) -> str:
    """Shows the form of an act."""
    seen = see_case(code)
    asked, label = _named(seen.workflow, name)
    _require(seen, name, asked)
    about = _about(seen, name, asked)
    return act_page(seen, replace(_act_request(seen, name, label), about=about), _form(seen, name, asked))


@pages.post("/cases/<code>/<name>")
def do(code: str, name: str) -> Response | tuple[str, int]:
    """Does the act; if that is impossible, returns the form with everything that was typed."""
    seen = see_case(code)
    asked, label = _named(seen.workflow, name)
    form = _form(seen, name, asked)
    use_case = _USE_CASES.get(name, _step)
    return attempt(
        _act_request(seen, name, label), seen.facts.code, form, lambda: use_case(seen.facts.code, name, form)
    )


def _act_request(seen: Seen, name: str, label: Label) -> ActRequest:
    address = url_for("case.do", code=seen.facts.code, name=name)
    return ActRequest(label, address, seen.workflow.transitions.get(name))


def _named(workflow: Workflow, name: str) -> tuple[Transition | ActFields, Label]:
    found = act_named(workflow, name)
    if found is None:
        raise NotFound(Sentence("There is no step “{step}” in this workflow.", step=name))
    return found


def _require(seen: Seen, name: str, asked: Transition | ActFields) -> None:
    """Raises the refusal that sending the form would cause, so that nobody fills in a form in vain."""
    if isinstance(asked, Transition):
        follow(seen.workflow, seen.facts.state, name, seen.roles)
    elif name not in seen.can and not (
        name == LESSON and seen.roles & seen.tree.able(REGISTER)
    ):  # if a lesson is planned
        raise NotAllowed(Sentence("“{act}” is not possible for you in this case as it is now.", act=FORM_LABELS[name]))


def _form(seen: Seen, name: str, asked: Transition | ActFields) -> ActForm:
    asked = builtin_forms.in_state(asked, seen.facts.state)
    fields, needs = builtin_forms.asked(seen.workflow, asked), asked.needs
    if name == "companion" and (guests := companions.guests(seen)):
        fields = (*fields, guests)
    elif name == "assign":
        fields, needs = (_people(seen), *fields), (PERSON, *needs)
    elif case_acts.meets(seen.workflow, name) and (company := companions.company(seen)):
        fields = (*fields[: len(needs)], company, *fields[len(needs) :])
    elif isinstance(asked, Transition) and _undone(seen, asked):
        fields = (*fields[: len(needs)], builtin_forms.FIELDS[builtin_forms.END_ANYWAY], *fields[len(needs) :])
        needs = (*needs, builtin_forms.END_ANYWAY)
    return act_form(fields, needs, version=seen.facts.version)


def _undone(seen: Seen, step: Transition) -> Mapping[str, int]:
    """Returns what is left undone if this step ends the case; nothing for another step."""
    if not seen.workflow.states[step.to].final:
        return {}
    with deployment().context.store.scoped(g.viewer) as session:
        return undone(session, seen.facts.id)


def _about(seen: Seen, name: str, asked: Transition | ActFields) -> str:
    """Says what follows from an act before it is sent: to whom a case goes, what an end leaves undone."""
    if name == "decline":
        with deployment().context.store.reading("to whom a case that is returned goes next") as session:
            found = case_acts.after_decline(deployment().context, session, seen.facts, now())
            names = people_named(session, set(found.people))
        people = ", ".join(names[person] for person in found.people) if found.role != ADMIN else ""
        said_role = said(seen.labels[found.role])
        return str(_("If you return it, it goes to: %(whom)s.", whom=f"{said_role}: {people}" if people else said_role))
    if isinstance(asked, Transition) and (left := _undone(seen, asked)):
        return said(case_acts.undone_words(left))
    return ""


def _people(seen: Seen) -> Field:
    """Returns the people to whom the case can be given, as a question."""
    ladder, labels = seen.tree.ladder(seen.workflow.states[seen.facts.state].owner or ""), seen.labels
    with deployment().context.store.scoped(g.viewer) as session:
        found = case_page.eligible(session, seen.facts, ladder, today(), role_book())
    choices = tuple(
        Choice(str(id), Label(f"{name} – {labels[role].vi}", f"{name} – {labels[role].en}")) for id, name, role in found
    )
    return Field(PERSON, "choice", Label("Người phụ trách", "Assignee"), choices=choices)


def _step(code: str, name: str, form: ActForm) -> None:
    act = act_from(form, code)
    if "end_anyway_asked" not in request.form:  # a page from before this was asked
        act = replace(act, values={**act.values, builtin_forms.END_ANYWAY: True})
    case_acts.step(deployment().context, act, name)


def _assign(code: str, _name: str, form: ActForm) -> None:
    chosen = whole(str(form.values.get(PERSON) or ""))
    if chosen is None:
        raise Invalid({PERSON: Sentence("Fill in: {label}.", label=Label("Người phụ trách", "Assignee"))})
    case_acts.assign(deployment().context, act_from(form, code), chosen)


def _companion(code: str, _name: str, form: ActForm) -> None:
    person = whole(str(form.values.get(companions.PERSON) or ""))
    add_companion(deployment().context, act_from(form, code), person)


def _standing(use_case: Callable[[Context, Act], None]) -> Callable[[str, str, ActForm], None]:
    def done(code: str, _name: str, form: ActForm) -> None:
        use_case(deployment().context, act_from(form, code))

    return done


_USE_CASES: Mapping[str, Callable[[str, str, ActForm], None]] = {
    "accept": _standing(case_acts.accept),
    "decline": _standing(case_acts.decline),
    "note": _standing(case_acts.note),
    "support": _standing(gifts.give),
    "check_in": _standing(case_acts.check_in),
    "hold": _standing(case_acts.hold),
    "assign": _assign,
    "companion": _companion,
    "difficulty": _standing(raise_difficulty),
    "raise_need": _standing(raise_need),
    LESSON: _standing(case_acts.hold_lesson),
}
