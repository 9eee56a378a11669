"""The list of cases with its filters and search, and the page that opens a case for a pupil."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from itertools import groupby
from operator import itemgetter

from flask import Blueprint, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from engine.core.people.roles import OPEN
from engine.core.refusals import Conflict, Invalid, NotAllowed, NotFound
from engine.core.words import Label, Sentence
from engine.core.workflow.model import Choice, Field
from engine.store.cases import find_pupil, listing, saved, work_list
from engine.store.cases.rows import CaseRow
from engine.usecases.cases import case_acts
from engine.usecases.idempotency import SentBefore
from web.cases.cards import make_cards
from web.cases.case_list_file import case_file
from web.cases.filters import LONGEST, WHICH, after, asked, chips, written
from web.cases.overtaken import overtaken
from web.site import queued
from web.site.forms import ActForm, act_form
from web.site.request_context import deployment, now, today, whole_arg
from web.site.typed import whole

PUPIL = "pupil"  # the question before those of the workflow's form if the pupil is not chosen yet
KINDS: Mapping[str, Label] = {
    "commune": Label("Xã", "Commune"),
    "village": Label("Thôn / làng / tổ dân phố", "Village"),
    "school": Label("Trường", "School"),
    "class": Label("Lớp", "Class"),
}
HELP = Label(
    "Em đã có hồ sơ đang mở không có trong danh sách này.", "Those who have an open case are not on this list."
)
MOST_IN_FILE, IN_FILE_AT_ONCE = 20_000, 500  # cases of a list that is downloaded

pages = Blueprint("cases", __name__)


# --- the list ---------------------------------------------------------------------------------------------------------


@pages.get("/cases")
def index() -> str:
    """Lists the cases that I may see, narrowed by filters and a search."""
    return list_page()


def list_page(wrong: Sentence | None = None, name: str | None = None) -> str:
    """Returns the list that the address asks for.

    Args:
        wrong: the faults of what was sent from the page.
        name: the typed name of filters that could not be saved.
    """
    viewer, workflow = g.viewer, deployment().context.definitions.workflow(deployment().context.workflow)
    found, begin = asked(workflow), after()
    with deployment().context.store.scoped(viewer) as session:
        page = listing.list_cases(session, viewer, found.filters, now(), begin)
        units = listing.filter_units(session, viewer, today())
        needs = work_list.needs_of(session, [row.id for row in page.rows if row.pupil is None])
        kept = saved.saved_of(session, viewer.person_id)
    names = {id: name for _kind, id, name in units}
    cards = make_cards(deployment().context.definitions, viewer, page.rows, needs=needs)
    return render_template(
        "cases.html",
        asked=found,
        workflow=workflow,
        which=WHICH,
        saved=kept,
        cards=cards,
        places=[(KINDS[kind], tuple(group)) for kind, group in groupby(units, itemgetter(0))],
        assigns=any(card.can_assign for card in cards),
        accepts=any(card.offered_here for card in cards),
        chips_in_force=[(words, found.address(without=name)) for name, words in chips(found, workflow, names)],
        first=found.address() if begin else "",
        key=uuid.uuid4().hex,
        wrong=wrong,
        name=name,
        next=found.address(after=written(page.after)) if page.after else "",
        most=saved.LONGEST,
    )


@pages.get("/cases.xlsx", defaults={"form": "xlsx"})
@pages.get("/cases.csv", defaults={"form": "csv"})
def download_list(form: str) -> Response:
    """Returns the list as a file, all pages up to MOST_IN_FILE cases, with nothing that the page does not show."""
    viewer, workflow = g.viewer, deployment().context.definitions.workflow(deployment().context.workflow)
    filters, found, begin = asked(workflow).filters, list[CaseRow](), None
    with deployment().context.store.scoped(viewer) as session:
        while len(found) < MOST_IN_FILE:
            page = listing.list_cases(session, viewer, filters, now(), begin, limit=IN_FILE_AT_ONCE)
            found += page.rows
            begin = page.after
            if begin is None:
                break
        needs = work_list.needs_of(session, [row.id for row in found if row.pupil is None])
    cards = make_cards(deployment().context.definitions, viewer, found[:MOST_IN_FILE], needs=needs)
    return case_file(form, "ho-so", cards, "cases")


# --- a new case -------------------------------------------------------------------------------------------------------


@pages.get("/cases/new")
def new() -> str:
    """Finds the pupil; then, with the pupil chosen, shows the form."""
    _require_opener()
    chosen, query = whole_arg("pupil"), request.args.get("q", "").strip()[:LONGEST]
    with deployment().context.store.scoped(g.viewer) as session:
        if chosen is not None:
            pupil = find_pupil.candidate(session, g.viewer, chosen)
            if pupil is None:
                raise NotFound(Sentence("There is no such pupil in your classes or your school."))
            first = find_pupil.absent_since(session, pupil.id, today())
            return _form_page(pupil, _open_form({"absent_since": f"{first:%d/%m/%Y}"} if first else {}))
        found = find_pupil.candidates(session, g.viewer, query)
    return render_template(
        "case_new.html", query=query, found=found[: find_pupil.MOST], more=len(found) > find_pupil.MOST
    )


@pages.get("/cases/new/blank")
def blank() -> str:
    """Shows the form with the pupils of one's own classes, which a phone stores for times without a connection."""
    return render_template("case_new.html", form=_blank_form())


@pages.post("/cases/new")
def open_case() -> Response | tuple[str, int]:
    """Opens the case."""
    _require_opener()
    if not request.form.get(PUPIL):
        return _nobody_chosen()
    id = whole(request.form.get(PUPIL)) or 0
    form = _open_form({})
    try:
        code = case_acts.open_case(deployment().context, g.viewer, id, form.values, now(), key=form.once)
    except (Invalid, Conflict) as refused:
        with deployment().context.store.scoped(g.viewer) as session:
            pupil = find_pupil.candidate(session, g.viewer, id)
        if pupil is None:
            raise NotFound(Sentence("There is no such pupil in your classes or your school.")) from refused
        form.refuse(refused if isinstance(refused, Invalid) else Invalid({"": refused.sentence}))
        if isinstance(refused, Conflict) and pupil.case:
            overtaken(pupil.case, None, refused)
        else:
            queued.refused(form)
        if isinstance(refused, SentBefore):
            queued.anew(form.anew())
        return _form_page(pupil, form), 409 if isinstance(refused, Conflict) else 422
    return redirect(url_for("case.show", code=code, done=1), 303)


def _require_opener() -> None:
    if not g.viewer.able(OPEN):
        raise NotAllowed(Sentence("A case is opened by the homeroom teacher or the head of the pupil's school."))


def _open_form(prefill: Mapping[str, str]) -> ActForm:
    workflow = deployment().context.definitions.workflow(deployment().context.workflow)
    form = workflow.forms["open"]
    return act_form(workflow.asked(form), form.needs, prefill=prefill)


def _blank_form() -> ActForm:
    with deployment().context.store.scoped(g.viewer) as session:
        found = find_pupil.of_classes(session, g.viewer)
    if not found:
        raise NotAllowed(Sentence("This page is for homeroom teachers."))
    workflow = deployment().context.definitions.workflow(deployment().context.workflow)
    form = workflow.forms["open"]
    return act_form((_whom(found), *workflow.asked(form)), (PUPIL, *form.needs))


def _whom(found: Sequence[find_pupil.Candidate]) -> Field:
    """Asks for the pupil; those who have an open case cannot be chosen."""
    several = len({it.klass for it in found}) > 1
    told = {it.id: (it.name, it.klass if several else None, it.village) for it in found if not it.case}
    words = {id: " – ".join(filter(None, parts)) for id, parts in told.items()}
    choices = tuple(Choice(str(id), Label(text, text)) for id, text in words.items())
    return Field(PUPIL, "choice", Label("Học sinh", "Pupil"), help=HELP, choices=choices)


def _nobody_chosen() -> tuple[str, int]:
    form = _blank_form()
    form.refuse(Invalid({PUPIL: Sentence("Fill in: {label}.", label=form[PUPIL].label.text)}))
    queued.refused(form)
    return render_template("case_new.html", form=form), 422


def _form_page(pupil: find_pupil.Candidate, form: ActForm) -> str:
    return render_template("case_new.html", pupil=pupil, form=form, first_absent=bool(form["absent_since"].data))
