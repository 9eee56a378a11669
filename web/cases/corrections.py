"""Pages that put right what was recorded wrongly: correct or withdraw an entry, take back the last act, decide."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, flash, g, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from engine.core.cases.act import Act
from engine.core.cases.act_vocabulary import act_label
from engine.core.cases.corrections import why_not, withdrawable
from engine.core.cases.past import PastEvent
from engine.core.refusals import Conflict, NotAllowed, NotFound, Refused
from engine.core.words import Label, Sentence
from engine.core.workflow.builtin_forms import DOUBT, FIELDS, WHY
from engine.core.workflow.model import Field
from engine.store.cases.corrections import entry_shown
from engine.usecases.cases import corrections
from engine.usecases.people.note_access import note_reading
from web.cases.act_page import ActRequest, act_from, act_page, attempt
from web.cases.page import Seen, see_case
from web.site.forms import ActForm, act_form
from web.site.languages import said
from web.site.request_context import deployment, now
from web.site.typed import whole

pages = Blueprint("corrections", __name__)


@pages.get("/cases/<code>/entries/<int:entry>/correct")
def correct_form(code: str, entry: int) -> str:
    """Shows an entry as a form, with what was written."""
    seen = see_case(code)
    found = _entry(seen, entry)
    facts = seen.facts
    pupil_id = facts.pupil_id if seen.known else None
    note_reading(deployment().context.store, g.viewer.person_id, facts.id, pupil_id, now())
    return act_page(seen, *_correction(seen, found))


@pages.post("/cases/<code>/entries/<int:entry>/correct")
def correct(code: str, entry: int) -> Response | tuple[str, int]:
    """Corrects it; if that is impossible, returns the form with everything that was typed."""
    seen = see_case(code)
    act_request, form = _correction(seen, _entry(seen, entry, strict=False))

    def use_case() -> None:
        corrections.correct(deployment().context, act_from(form, code), entry)

    return attempt(act_request, code, form, use_case)


@pages.get("/cases/<code>/entries/<int:entry>/withdraw")
def withdraw_form(code: str, entry: int) -> str:
    """Asks why an entry counts no more."""
    seen = see_case(code)
    found = _entry(seen, entry)
    if not withdrawable(seen.workflow, found):
        raise NotAllowed(
            Sentence("This moved the case on, so it cannot be withdrawn: correct it, or move the case with a step.")
        )
    return act_page(seen, *_withdrawal(seen, found))


@pages.post("/cases/<code>/entries/<int:entry>/withdraw")
def withdraw(code: str, entry: int) -> Response | tuple[str, int]:
    """Withdraws it."""
    seen = see_case(code)
    act_request, form = _withdrawal(seen, _entry(seen, entry, strict=False))

    def use_case() -> None:
        corrections.withdraw(deployment().context, act_from(form, code), entry)

    return attempt(act_request, code, form, use_case)


@pages.post("/cases/<code>/undo")
def undo(code: str) -> Response:
    """Takes back the last act with one tap."""

    def use_case() -> None:
        corrections.undo(deployment().context, _tapped(code, {}))

    return _one_tap(code, use_case, (Conflict, NotAllowed))


@pages.post("/cases/<code>/doubts/<int:fired>")
def decide(code: str, fired: int) -> Response:
    """Decides about something that a rule did because of a wrong entry, with one tap."""
    answer = {DOUBT: request.form.get(DOUBT, "")}

    def use_case() -> None:
        corrections.decide(deployment().context, _tapped(code, answer), fired)

    return _one_tap(code, use_case, (Conflict,))


def _tapped(code: str, values: Mapping[str, Any]) -> Act:
    """What was done with one tap: without a form, so that nothing typed can be lost."""
    key = request.form.get("key", "")[:64] or None
    return Act(g.viewer, code, values, now(), version=whole(request.form.get("version", "")), key=key)


def _one_tap(code: str, use_case: Callable[[], None], told: tuple[type[Refused], ...]) -> Response:
    """Does it and shows the case; refusals that are `told` stand on its page."""
    try:
        use_case()
    except told as refused:
        flash(said(refused.sentence))
    else:
        flash(_("That is done."))
    return redirect(url_for("case.show", code=code), 303)


def _entry(seen: Seen, seq: int, *, strict: bool = True) -> PastEvent:
    """Returns an entry as it counts, with what the viewer may read of it.

    Raises `NotFound`; and `NotAllowed` if it counts no more or, if `strict`, if the viewer may not correct it.
    """
    with deployment().context.store.scoped(g.viewer.opening) as session:
        found = entry_shown(session, seen.facts.id, seq)
    if found is None:
        raise NotFound(Sentence("There is no such entry in this case, or it counts no more."))
    limits = deployment().context.limits
    refusal = why_not(seen.workflow, found, seen.roles, seen.tree, g.viewer.person_id, now(), limits)
    if refusal and (strict or not found.values):
        raise NotAllowed(refusal)
    return found


def _correction(seen: Seen, found: PastEvent) -> tuple[ActRequest, ActForm]:
    what = act_label(seen.workflow, found.kind)
    label = Label(f"Sửa: {what.vi}", f"Correct: {what.en}")
    address = url_for("corrections.correct", code=seen.facts.code, entry=found.seq)
    fields, needs = corrections.asked(seen.workflow, found, seen.roles, seen.tree, g.viewer.person_id)
    fields, needs = (FIELDS[WHY], *fields), (WHY, *needs)
    values = {field.name: _as_asked(field, found.values.get(field.name)) for field in fields}
    form = act_form(fields, needs, version=seen.facts.version, prefill=values)
    again = ""
    if withdrawable(seen.workflow, found):
        again = url_for("corrections.withdraw_form", code=seen.facts.code, entry=found.seq)
    return ActRequest(label, address, withdraw=again), form


def _as_asked(field: Field, value: Any) -> Any:
    """Returns a stored value as people type it."""
    if field.type == "date" and isinstance(value, str):
        return dt.date.fromisoformat(value).strftime("%d/%m/%Y")
    if field.type == "decimal" and isinstance(value, str):
        return value.replace(".", ",")
    return value


def _withdrawal(seen: Seen, found: PastEvent) -> tuple[ActRequest, ActForm]:
    what = act_label(seen.workflow, found.kind)
    label = Label(f"Rút lại: {what.vi}", f"Withdraw: {what.en}")
    address = url_for("corrections.withdraw", code=seen.facts.code, entry=found.seq)
    return ActRequest(label, address), act_form((FIELDS[WHY],), (WHY,), version=seen.facts.version)
