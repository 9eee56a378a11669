"""Days without class: lists those of the user's area, announces one with a preview, changes and lifts it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response
from wtforms import HiddenField, RadioField, StringField

from engine.core.calendar.announced import ANNOUNCED, NO_CLASS, SHORT, TODAY
from engine.core.cases.chain import text_hash
from engine.core.cases.study_modes import STUDY_MODES
from engine.core.refusals import Invalid, NotAllowed, NotFound
from engine.core.units import kinds
from engine.core.words import Sentence
from engine.core.workflow.form_values import read_date
from engine.store.calendar import closure_lists as lists
from engine.store.calendar.closure_lists import ClosureRow, PlaceRow
from engine.store.calendar.closures import Plan, Touched, scope_of
from engine.usecases.calendar import closures
from engine.usecases.idempotency import SentBefore
from engine.usecases.notices.reading import read_closure
from web.site.forms import Form, new_key
from web.site.languages import said
from web.site.request_context import deployment, local, now, role_book, today
from web.site.typed import whole

LONGEST_QUERY = 80  # characters
DAY = {"inputmode": "numeric", "autocomplete": "off", "class": "short"}
ACTS = {
    closures.ANNOUNCED: Sentence("Announced"),
    closures.CHANGED: Sentence("Changed"),
    closures.LIFTED: Sentence("Lifted"),
}

pages = Blueprint("closures", __name__)


@pages.app_template_global()
def called(kind: str, name: str) -> str:
    """Returns the name of a unit or pupil in the language of this page."""
    return name if kind == "pupil" else said(kinds.called(kind, name))


@dataclass(frozen=True, slots=True)
class ClosedFor:
    """The unit or pupil of a closure."""

    place: PlaceRow

    @property
    def ids(self) -> dict[str, int]:
        """Returns the ids for the use cases."""
        return {"pupil_id" if self.place.kind == "pupil" else "unit_id": self.place.id}

    @property
    def query(self) -> dict[str, Any]:
        """Returns the query of an address."""
        return {"pupil" if self.place.kind == "pupil" else "unit": self.place.id}


class ClosureForm(Form):
    """Days, what they are, reason and study mode. `key`: sending it twice does it once."""

    first = StringField(render_kw=DAY)
    last = StringField(render_kw=DAY)
    reason = StringField(render_kw={"autocomplete": "off"})
    mode = RadioField(validate_choice=False)
    what = RadioField(validate_choice=False)
    key = HiddenField()

    def plan(self) -> Plan:
        """Returns what was filled in. Raises `Invalid` for days that cannot be read."""
        first = _read_day(self.first.data)
        last = _read_day(self.last.data) if (self.last.data or "").strip() else first
        wrong = {
            name: Sentence("Write the day as in 25/11/2026.")
            for name, day in (("first", first), ("last", last))
            if day is None
        }
        if wrong or first is None or last is None:
            raise Invalid({"first": wrong["first"]} if "first" in wrong else wrong)
        what = self.what.data or NO_CLASS
        mode = self.mode.data or None if what == NO_CLASS else None
        return Plan(first, last, " ".join((self.reason.data or "").split()), mode, what)

    def refuse(self, refused: Invalid) -> None:
        """Shows a refusal; the use cases use other names for the days and the study mode."""
        names = {"first_day": "first", "last_day": "last", "study_mode": "mode"}
        super().refuse(Invalid({names.get(name, name): sentence for name, sentence in refused.fields.items()}))


class LiftForm(Form):
    """The last day without class."""

    last_day = StringField(render_kw=DAY)
    key = HiddenField()

    def day(self) -> dt.date:
        """Returns the day. Raises `Invalid` if it cannot be read."""
        day = _read_day(self.last_day.data)
        if day is None:
            raise Invalid({"last_day": Sentence("Write the day as in 25/11/2026.")})
        return day


def _read_day(text: str | None) -> dt.date | None:
    day = read_date(text or "")
    return day if day and 1900 < day.year < 2200 else None


def _form(plan: Plan | None = None, options: Sequence[str] = (NO_CLASS,)) -> ClosureForm:
    data = None
    if plan:
        data = {
            "first": said(plan.first_day),
            "last": said(plan.last_day),
            "reason": plan.reason,
            "mode": plan.study_mode or "",
            "what": plan.what,
        }
    form = ClosureForm(data=data)
    form.what.choices = [(what, said(ANNOUNCED[what])) for what in options]
    form.mode.choices = [("", _("Not decided yet")), *((code, said(label)) for code, label in STUDY_MODES.items())]
    if not form.is_submitted():
        form.key.data = new_key()
        form.mode.data = form.mode.data or ""
        form.what.data = form.what.data or NO_CLASS
    return form


def _say_again(form: ClosureForm | LiftForm, before: SentBefore) -> None:
    """Says that the form was sent before with other answers, and gives it a new key."""
    form.refuse(Invalid({"": before.sentence}))
    form.key.data = new_key()


# --- lists ------------------------------------------------------------------------------------------------------------


@pages.get("/closures")
def index() -> str:
    """Lists closures of my area: present and coming ones; past ones on another page."""
    with deployment().context.store.scoped(g.viewer) as session:
        if request.args.get("which") == "past":
            return _past(lists.past(session, g.viewer, today(), _after()))
        found = lists.lasting(session, g.viewer, today())
    rows = found[: lists.PAGE]
    return render_template(
        "closures.html",
        modes=STUDY_MODES,
        words=SHORT,
        today_words=TODAY,
        may=_may_somewhere(),
        more=len(found) > lists.PAGE,
        running=[row for row in rows if row.first_day <= today()],
        coming=[row for row in rows if row.first_day > today()],
    )


def _past(found: list[ClosureRow]) -> str:
    rows = found[: lists.PAGE]
    after = f"{rows[-1].last_day.isoformat()}~{rows[-1].id}" if len(found) > lists.PAGE else ""
    return render_template(
        "closures.html",
        modes=STUDY_MODES,
        words=SHORT,
        today_words=TODAY,
        may=_may_somewhere(),
        past=rows,
        first=url_for("closures.index", which="past") if _after() else "",
        next=url_for("closures.index", which="past", after=after) if after else "",
    )


def _after() -> lists.Cursor | None:
    day, _mark, text = request.args.get("after", "").partition("~")
    id, last = whole(text), _read_day(day)
    return (last, id) if last and id is not None else None


def _may_somewhere() -> bool:
    return bool(g.viewer.holds(*role_book().announcers))


# --- announcing -------------------------------------------------------------------------------------------------------


@pages.get("/closures/new")
def new() -> str:
    """Asks for whom; then shows the form."""
    _require_announcer()
    query = request.args.get("q", "").strip()[:LONGEST_QUERY]
    if held := _asked_for():
        return _form_page(held, _form(options=_options(held)), url_for("closures.announce", **held.query))
    with deployment().context.store.scoped(g.viewer) as session:
        found = lists.units_for(session, g.viewer, query, today())
        pupils = lists.pupils_for(session, query)
    return render_template(
        "closure_new.html",
        query=query,
        units=found[: lists.MOST],
        more=len(found) > lists.MOST,
        pupils=pupils,
    )


@pages.post("/closures/new")
def announce() -> Response | tuple[str, int] | str:
    """Shows a preview of what it would move, then announces it."""
    _require_announcer()
    held = _asked_for()
    if held is None:
        raise NotFound(Sentence("There is no such unit or pupil."))
    form = _form(options=_options(held))
    address, context = url_for("closures.announce", **held.query), deployment().context
    try:
        plan = form.plan()
        if request.form.get("confirm") != _mark(plan):
            counted = closures.preview(context, g.viewer, plan, now(), **held.ids)
            return _form_page(held, form, address, plan, counted)
        closure = closures.announce_closure(
            context,
            g.viewer,
            **held.ids,
            first_day=plan.first_day,
            last_day=plan.last_day,
            reason=plan.reason,
            study_mode=plan.study_mode,
            what=plan.what,
            now=now(),
            key=(form.key.data or "")[:64] or None,
        )
    except Invalid as refused:
        form.refuse(refused)
        return _form_page(held, form, address), 422
    except SentBefore as before:
        _say_again(form, before)
        plan = form.plan()
        counted = closures.preview(context, g.viewer, plan, now(), **held.ids)
        return _form_page(held, form, address, plan, counted), 409
    return redirect(url_for("closures.show", closure_id=closure, done=1), 303)


def _options(held: ClosedFor) -> tuple[str, ...]:
    """Returns what the viewer may announce for a unit or a pupil."""
    with deployment().context.store.reading("what may be announced by them") as session:
        scope = scope_of(session, held.ids.get("unit_id"), held.ids.get("pupil_id"))
    return closures.announceable(g.viewer, scope) if scope else (NO_CLASS,)


def _require_announcer() -> None:
    if not _may_somewhere():
        raise NotAllowed(Sentence("Your role does not allow announcing days without class here."))


def _asked_for() -> ClosedFor | None:
    """Returns the unit or pupil of the request; None if it names none.

    Raises `NotFound` for one that is not the viewer's.
    """
    unit_id, pupil_id = whole(request.values.get("unit")), whole(request.values.get("pupil"))
    if unit_id is None and pupil_id is None:
        return None
    with deployment().context.store.scoped(g.viewer) as session:
        found = (
            lists.pupil_for(session, pupil_id)
            if pupil_id is not None
            else lists.unit_for(session, g.viewer, unit_id or 0, today())
        )
    if found is None:
        raise NotFound(Sentence("There is no such unit or pupil."))
    return ClosedFor(found)


def _mark(plan: Plan) -> str:
    """Returns the mark of a preview: a plan with another mark needs a new preview."""
    return text_hash(
        "closure",
        {
            "days": [plan.first_day.isoformat(), plan.last_day.isoformat()],
            "reason": plan.reason,
            "mode": plan.study_mode or "",
            "what": plan.what,
        },
    )[:32]


def _form_page(
    held: ClosedFor,
    form: ClosureForm,
    address: str,
    plan: Plan | None = None,
    counted: Touched | None = None,
    row: ClosureRow | None = None,
) -> str:
    return render_template(
        "closure_form.html",
        held=held.place,
        form=form,
        address=address,
        plan=plan,
        counted=counted,
        row=row,
        mark=_mark(plan) if plan else "",
        modes=STUDY_MODES,
        words=SHORT,
        late=bool(plan and plan.first_day < today()),
    )


# --- one closure ------------------------------------------------------------------------------------------------------


@pages.get("/closures/<int:closure_id>")
def show(closure_id: int) -> str:
    """Shows a closure, the acts on it, and what can be done."""
    form, row = LiftForm(), _row(closure_id)
    form.key.data = new_key()
    read_closure(deployment().context.store, g.viewer.person_id, closure_id, now())
    return _show(row, form)


@pages.post("/closures/<int:closure_id>/lift")
def lift(closure_id: int) -> Response | tuple[str, int]:
    """Ends it earlier, or withdraws it."""
    row, form = _row(closure_id), LiftForm()
    _require_right(row)
    try:
        last = row.first_day - closures.DAY if request.form.get("whole") else form.day()
        closures.lift_closure(
            deployment().context, g.viewer, closure_id, last, now(), key=(form.key.data or "")[:64] or None
        )
    except Invalid as refused:
        form.refuse(refused)
        return _show(row, form), 422
    except SentBefore as before:
        _say_again(form, before)
        return _show(row, form), 409
    return redirect(url_for("closures.show", closure_id=closure_id, done=1), 303)


@pages.get("/closures/<int:closure_id>/change")
def edit(closure_id: int) -> str:
    """Shows the form with its present values."""
    row = _row(closure_id)
    _require_right(row)
    form = _form(Plan(row.first_day, row.last_day, row.reason, row.study_mode, row.what), (row.what,))
    return _form_page(_held_by(row), form, url_for("closures.change", closure_id=closure_id), row=row)


@pages.post("/closures/<int:closure_id>/change")
def change(closure_id: int) -> Response | tuple[str, int] | str:
    """Shows a preview of what the change would move, then stores it."""
    row = _row(closure_id)
    form = _form(options=(row.what,))
    _require_right(row)
    address, context = url_for("closures.change", closure_id=closure_id), deployment().context
    form.what.data = row.what
    try:
        plan = form.plan()
        if request.form.get("confirm") != _mark(plan):
            counted = closures.preview(context, g.viewer, plan, now(), closure_id=closure_id)
            return _form_page(_held_by(row), form, address, plan, counted, row)
        closures.change_closure(context, g.viewer, closure_id, plan, now(), key=(form.key.data or "")[:64] or None)
    except Invalid as refused:
        form.refuse(refused)
        return _form_page(_held_by(row), form, address, row=row), 422
    except SentBefore as before:
        _say_again(form, before)
        plan = form.plan()
        counted = closures.preview(context, g.viewer, plan, now(), closure_id=closure_id)
        return _form_page(_held_by(row), form, address, plan, counted, row), 409
    return redirect(url_for("closures.show", closure_id=closure_id, done=1), 303)


def _row(closure_id: int) -> ClosureRow:
    with deployment().context.store.scoped(g.viewer) as session:
        row = lists.closure(session, g.viewer, closure_id)
    if row is None:
        raise NotFound(Sentence("There is no such closure."))
    return row


def _held_by(row: ClosureRow) -> ClosedFor:
    return ClosedFor(PlaceRow(row.pupil_id or row.unit_id or 0, row.kind, row.name, row.inside))


def _may(row: ClosureRow) -> bool:
    with deployment().context.store.reading("may this closure be changed by them") as session:
        scope = scope_of(session, row.unit_id, row.pupil_id)
    return scope is not None and closures.may_announce(g.viewer, scope, row.what)


def _require_right(row: ClosureRow) -> None:
    if not _may(row):
        raise NotAllowed(Sentence("Your role does not allow announcing days without class here."))


def _show(row: ClosureRow, form: LiftForm) -> str:
    with deployment().context.store.scoped(g.viewer) as session:
        acts = lists.acts_on(session, row.id)
    return render_template(
        "closure.html",
        row=row,
        form=form,
        acts=acts,
        words=ACTS,
        modes=STUDY_MODES,
        whats=SHORT,
        may=_may(row),
        kept=acts[0] if acts and request.args.get("done") else None,
        local=local,
    )
