"""The list of cases with its filters and search, and opening a case for a pupil."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from engine import cases
from engine.export import Value
from engine.fields import read_date
from engine.refusals import Conflict, Invalid, NotAllowed, NotFound
from engine.store import finding, listing, reading
from engine.store.listing import Cursor, Filters
from engine.store.rows import CaseRow
from engine.words import Label, Sentence
from engine.workflow import Workflow
from web.cards import Card, make_cards
from web.exports import download
from web.forms import ActForm, act_form
from web.languages import said
from web.shell import local, now, shell, today, whole_arg
from web.typed import whole

LONGEST_QUERY = 80  # characters
WHICH: Mapping[str, Sentence] = {
    "overdue": Sentence("Overdue"),
    "mine": Sentence("Mine"),
    "offered": Sentence("Waiting for my acceptance"),
    "closed": Sentence("Ended"),
    "all": Sentence("Open and ended"),
}
KINDS: Mapping[str, Label] = {
    "commune": Label("Xã", "Commune"),
    "village": Label("Thôn / làng / tổ dân phố", "Village"),
    "school": Label("Trường", "School"),
    "class": Label("Lớp", "Class"),
}

# Of a list that is taken away as a file: its columns, and how many cases at most.
IN_FILE = (
    Sentence("Case code"), Sentence("Pupil"), Label("Lớp", "Class"), Label("Thôn / làng / tổ dân phố", "Village"),
    Label("Xã", "Commune"), Sentence("State"), Sentence("Assignee"), Sentence("Absent since"), Sentence("Deadline"),
    Sentence("Urgency level"), Sentence("Need"),
)  # fmt: skip
MOST_IN_FILE, IN_FILE_AT_ONCE = 20_000, 500

pages = Blueprint("cases", __name__)


@dataclass(frozen=True, slots=True)
class Asked:
    """The filters as they were typed, and as they are understood. `wrong` are the dates that could not be read."""

    typed: Mapping[str, str]
    filters: Filters
    wrong: tuple[str, ...]

    def address(self, without: str = "", **more: str) -> str:
        """The address of this list, with one filter taken off or something added."""
        kept: dict[str, Any] = {name: value for name, value in self.in_force.items() if name != without}
        return url_for("cases.index", **{**kept, **more})

    @property
    def in_force(self) -> dict[str, Any]:
        """The filters that an address of this list carries."""
        return {name: value for name, value in self.typed.items() if value}


# --- the list ---------------------------------------------------------------------------------------------------------


@pages.get("/cases")
def index() -> str:
    """Cases that I may see, narrowed by filters and a search."""
    viewer, workflow = g.viewer, shell().house.handbook.workflow(shell().house.workflow)
    asked = _asked(workflow)
    with shell().house.store.scoped(viewer) as session:
        people = [viewer.person_id, *reading.covered(session, viewer.person_id, today())]
        page = listing.list_cases(session, viewer, asked.filters, now(), _after(), people=people)
        units = listing.filter_units(session, viewer, today())
        needs = reading.needs_of(session, [row.id for row in page.rows if row.pupil is None])
    names = {id: name for _kind, id, name in units}
    return render_template(
        "cases.html", asked=asked, workflow=workflow, which=WHICH, kinds=KINDS, units=units,
        cards=make_cards(shell().house.handbook, viewer, page.rows, needs=needs),
        chips_in_force=[(words, asked.address(without=name)) for name, words in _chips(asked, workflow, names)],
        first=asked.address() if _after() else "",
        next=asked.address(after=_written(page.after)) if page.after else "",
    )  # fmt: skip


@pages.get("/cases.xlsx", defaults={"form": "xlsx"})
@pages.get("/cases.csv", defaults={"form": "csv"})
def download_list(form: str) -> Response:
    """The same list as a file, all its pages up to MOST_IN_FILE cases; it says no more than the page does."""
    viewer, workflow = g.viewer, shell().house.handbook.workflow(shell().house.workflow)
    filters, found, after = _asked(workflow).filters, list[CaseRow](), None
    with shell().house.store.scoped(viewer) as session:
        people = [viewer.person_id, *reading.covered(session, viewer.person_id, today())]
        while len(found) < MOST_IN_FILE:
            page = listing.list_cases(session, viewer, filters, now(), after, people=people, limit=IN_FILE_AT_ONCE)
            found += page.rows
            after = page.after
            if after is None:
                break
        needs = reading.needs_of(session, [row.id for row in found if row.pupil is None])
    cards = make_cards(shell().house.handbook, viewer, found[:MOST_IN_FILE], needs=needs)
    return download(form, "ho-so", [said(name) for name in IN_FILE], map(_in_file, cards), "cases")


def _in_file(card: Card) -> Sequence[Value]:
    row = card.row
    return (
        row.code, row.pupil, row.klass, row.village, row.commune, card.state, card.owner, row.absent_since,
        local(row.due_at) if row.due_at else None, row.level, card.need.need if card.need else None,
    )  # fmt: skip


def _asked(workflow: Workflow) -> Asked:
    typed = {name: request.args.get(name, "").strip()[:LONGEST_QUERY]
             for name in ("q", "state", "which", "level", "unit", "from", "to")}  # fmt: skip
    days = {name: read_date(typed[name]) if typed[name] else None for name in ("from", "to")}
    filters = Filters(
        q=typed["q"],
        state=typed["state"] if typed["state"] in workflow.states else "",
        which=_which(typed, workflow),
        level=whole_arg("level", 99), unit=whole_arg("unit"),
        opened_from=_midnight(days["from"]), opened_to=_midnight(days["to"], 1),
    )  # fmt: skip
    return Asked(typed, filters, tuple(name for name, day in days.items() if typed[name] and day is None))


def _which(typed: Mapping[str, str], workflow: Workflow) -> str:
    """Which cases; one who asks for a state in which cases have ended means ended ones."""
    if typed["which"] in WHICH:
        return typed["which"]
    state = workflow.states.get(typed["state"])
    return "closed" if state and state.final else ""


def _midnight(day: dt.date | None, later: int = 0) -> dt.datetime | None:
    if day is None or not 1900 < day.year < 2200:
        return None
    return dt.datetime.combine(day + dt.timedelta(days=later), dt.time(), shell().zone).astimezone(dt.UTC)


def _chips(asked: Asked, workflow: Workflow, units: Mapping[int, str]) -> Iterator[tuple[str, Sentence | Label]]:
    """The filters in force, each by the name under which it stands in the address."""
    filters, typed = asked.filters, asked.typed
    if filters.q:
        yield "q", Sentence("Search: {words}", words=filters.q)
    if filters.state:
        yield "state", workflow.states[filters.state].label
    if typed["which"] in WHICH:
        yield "which", WHICH[typed["which"]]
    if filters.level is not None:
        yield "level", Sentence("Urgency level from {level}", level=filters.level)
    if filters.unit is not None:
        name = units.get(filters.unit, "?")
        yield "unit", Label(name, name)
    if filters.opened_from:
        yield "from", Sentence("Opened from {day}", day=read_date(typed["from"]))
    if filters.opened_to:
        yield "to", Sentence("Opened until {day}", day=read_date(typed["to"]))


def _written(cursor: Cursor) -> str:
    due, id = cursor
    return f"{due.astimezone(dt.UTC):%Y%m%dT%H%M%S.%f}~{id}" if due else f"~{id}"


def _after() -> Cursor | None:
    """Where this page begins; the first page for anything that cannot be read."""
    due, _mark, text = request.args.get("after", "").partition("~")
    id = whole(text)
    if id is None:
        return None
    try:
        moment = dt.datetime.strptime(due, "%Y%m%dT%H%M%S.%f").replace(tzinfo=dt.UTC) if due else None
    except ValueError:
        return None
    return moment, id


# --- a new case -------------------------------------------------------------------------------------------------------


@pages.get("/cases/new")
def new() -> str:
    """Find the pupil; then, with the pupil chosen, the form."""
    _require_opener()
    chosen, query = whole_arg("pupil"), request.args.get("q", "").strip()[:LONGEST_QUERY]
    with shell().house.store.scoped(g.viewer) as session:
        if chosen is not None:
            pupil = finding.candidate(session, g.viewer, chosen)
            if pupil is None:
                raise NotFound(Sentence("There is no such pupil in your classes or your school."))
            first = finding.absent_since(session, pupil.id, today())
            return _form_page(pupil, _open_form({"absent_since": f"{first:%d/%m/%Y}"} if first else {}))
        found = finding.candidates(session, g.viewer, query)
    return render_template("case_new.html", query=query, found=found[: finding.MOST], more=len(found) > finding.MOST)


@pages.post("/cases/new")
def open_case() -> Response | tuple[str, int]:
    """Open the case."""
    _require_opener()
    id = whole(request.form.get("pupil")) or 0
    form = _open_form({})
    try:
        code = cases.open_case(shell().house, g.viewer, id, form.values, now(), key=form.once)
    except (Invalid, Conflict) as refused:
        with shell().house.store.scoped(g.viewer) as session:
            pupil = finding.candidate(session, g.viewer, id)
        if pupil is None:
            raise NotFound(Sentence("There is no such pupil in your classes or your school.")) from refused
        form.refuse(refused if isinstance(refused, Invalid) else Invalid({"": refused.sentence}))
        return _form_page(pupil, form), 409 if isinstance(refused, Conflict) else 422
    return redirect(url_for("case.show", code=code, done=1), 303)


def _require_opener() -> None:
    if not any(g.viewer.holds(role) for role in cases.OPENERS):
        raise NotAllowed(Sentence("A case is opened by the homeroom teacher or the head of the pupil's school."))


def _open_form(prefill: Mapping[str, str]) -> ActForm:
    workflow = shell().house.handbook.workflow(shell().house.workflow)
    form = workflow.forms["open"]
    return act_form(workflow.asked(form), form.needs, prefill=prefill)


def _form_page(pupil: finding.Candidate, form: ActForm) -> str:
    return render_template("case_new.html", pupil=pupil, form=form, first_absent=bool(form["absent_since"].data))
