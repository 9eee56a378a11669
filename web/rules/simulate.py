"""“What if”: plays a past period again under other rules, and compares. For people who write rules."""

from __future__ import annotations

import datetime as dt

from flask import Blueprint, g, render_template, request
from werkzeug.wrappers import Response
from wtforms import StringField, TextAreaField

from engine.core.calendar import Calendar
from engine.core.calendar.span import is_known, outside
from engine.core.files.export import TYPES
from engine.core.people.roles import ADMIN, OFFICE
from engine.core.refusals import Invalid, NotAllowed, Refused
from engine.core.rules.reader import load_ruleset
from engine.core.toml_reader import read_toml
from engine.core.words import Faulty, Sentence
from engine.core.workflow.form_values import read_date
from engine.core.workflow.model import Workflow
from engine.simulation.what_if import Outcome, simulate
from engine.usecases.context import Context
from web.account.exports import download
from web.site.forms import Form
from web.site.languages import said
from web.site.request_context import deployment, now, today
from web.site.security import takes_up_to

MOST_CASES = 2_000  # a page must answer soon; the command line takes more
LARGEST = 512 * 1024  # bytes
SHOWN = 50
MONTH = dt.timedelta(days=28)
DAY = {"inputmode": "numeric", "autocomplete": "off", "class": "short"}

pages = Blueprint("simulate", __name__)


class TrialForm(Form):
    """The rules on trial, as the text of a rules file, and the two days of the period, both included."""

    rules = TextAreaField(render_kw={"rows": 16, "spellcheck": "false"})
    first = StringField(render_kw=DAY)
    last = StringField(render_kw=DAY)


@pages.get("/simulate")
def index() -> str:
    """Shows the rules in force, to be changed, and the last four weeks."""
    _only_those_who_may()
    context = deployment().context
    data = {
        "rules": context.definitions.rules(context.workflow).text,
        "first": said(today() - MONTH),
        "last": said(today()),
    }
    return render_template("simulate.html", form=TrialForm(data=data), outcome=None)


@pages.post("/simulate")
@takes_up_to(LARGEST)
def run() -> str | tuple[str, int] | Response:
    """Shows what would have been different; stores nothing."""
    _only_those_who_may()
    form = TrialForm(request.form)
    try:
        outcome = _outcome(form)
    except Faulty as faulty:
        words = [Sentence("{key}: {what}", key=it.key, what=it.sentence) for it in faulty.faults]
        form.refuse(Invalid({str(number): sentence for number, sentence in enumerate(words)}))
    except Invalid as invalid:
        form.refuse(invalid)
    except Refused as refused:
        form.refuse(Invalid({"": refused.sentence}))
    else:
        if request.form.get("as") in TYPES:
            return _file(request.form["as"], outcome)
        return render_template("simulate.html", form=form, outcome=outcome, shown=SHOWN)
    return render_template("simulate.html", form=form, outcome=None), 422


def _file(form: str, outcome: Outcome) -> Response:
    """Returns the comparison as a file: how often each rule fired, what each person was told, which cases would
    differ.
    """
    rows = [
        *((said(Sentence("Rule")), *row) for row in outcome.rules()),
        *((said(Sentence("Person")), *row) for row in outcome.people()),
        *((said(Sentence("Case code")), it.code, len(it.did), len(it.would)) for it in outcome.changed),
    ]
    columns = [Sentence("What"), Sentence("Name"), Sentence("Then"), Sentence("With these rules")]
    return download(form, "simulate", [said(column) for column in columns], rows, "rules on trial")


def _outcome(form: TrialForm) -> Outcome:
    context, text = deployment().context, form.rules.data or ""
    first, last = _day(form, "first"), _day(form, "last")
    rules = load_ruleset(text, "", workflow_for(context, text, ""))
    begin, end = moments(first, last, context.definitions.calendar(""), now())
    viewer = None if ADMIN in g.viewer.units else g.viewer
    try:
        return simulate(context, rules, begin, end, viewer=viewer, most=MOST_CASES)
    except Invalid as invalid:
        raise Invalid({"last": invalid.sentence}) from invalid


def _day(form: TrialForm, name: str) -> dt.date:
    day = read_date(form[name].data or "")
    if day is None or not is_known(day):
        raise Invalid({name: Sentence("Write the day as in 25/11/2026.")})
    return day


def _only_those_who_may() -> None:
    if not {ADMIN, OFFICE} & g.viewer.units.keys():
        raise NotAllowed(Sentence("Trying out rules is for administrators and education offices."))


def moments(first: dt.date, last: dt.date, calendar: Calendar, now: dt.datetime) -> tuple[dt.datetime, dt.datetime]:
    """Returns when a period of whole days begins and ends, at the latest `now`.

    Raises `Invalid` for impossible days.
    """
    for day in (first, last):
        if not is_known(day):
            raise Invalid({"over": outside(day)})
    return calendar.instant(first, 0), min(calendar.instant(last + dt.timedelta(days=1), 0), now)


def workflow_for(context: Context, text: str, file: str) -> Workflow:
    """Returns the workflow that a rules file names. Raises `Faulty` or `NotFound`."""
    return context.definitions.workflow(str(read_toml(text, file).data.get("workflow", "")))
