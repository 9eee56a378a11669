"""Imports files: choose one, see what it would change, decide, confirm; get wrong rows back as a file to correct."""

from __future__ import annotations

import datetime as dt

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response
from wtforms import FileField, RadioField, StringField

from engine.core.files.export import wrong_file
from engine.core.files.identity import BIRTH_DATE, NAME
from engine.core.files.options import (
    ADD,
    BLANKS,
    DECISIONS,
    HOLD,
    KEEP,
    KINDS,
    NOT_TAKEN,
    PRESENT,
    SAME,
    TAKE,
    Options,
    reach_of,
)
from engine.core.files.sheets import LIMITS
from engine.core.refusals import NotAllowed, Refused
from engine.core.words import Sentence
from engine.usecases.attendance import import_jobs
from engine.usecases.attendance.importing import given_back, label
from web.account.exports import attachment
from web.site.forms import Form
from web.site.languages import language, said
from web.site.request_context import deployment, now
from web.site.security import takes_up_to

LARGEST = LIMITS.size + 64 * 1024  # bytes: the file and the rest of the form
SHOWN = 20  # wrong rows on the page; the others are in the file
DECISION = "decide-"  # prefix of the controls' names: decide-<key>
NAMES = {"attendance": Sentence("Attendance"), "pupils": Sentence("List of pupils")}
FIELDS = {NAME: Sentence("Name"), BIRTH_DATE: Sentence("Date of birth")}
BLANK_MEANS = {
    "": Sentence("As usual: present in a monthly sheet, not looked at in a list of absences"),
    PRESENT: Sentence("Present: the file names all who were absent in its sessions"),
    NOT_TAKEN: Sentence("Not taken: nothing is known of a pupil without a mark"),
}
STATES = {
    "checking": Sentence("Being checked"),
    "checked": Sentence("Waits for your confirmation"),
    "waiting": Sentence("Waits for the worker"),
    "running": Sentence("Being brought in"),
    "done": Sentence("Brought in"),
    "cancelled": Sentence("Cancelled"),
    "refused": Sentence("Not taken"),
    "failed": Sentence("Broke off"),
}

pages = Blueprint("imports", __name__)


class FileForm(Form):
    """A file, its kind, the month if the sheet does not say it, and what a blank means."""

    kind = RadioField()
    blank = RadioField()
    file = FileField()
    month = StringField(render_kw={"inputmode": "numeric", "autocomplete": "off", "class": "short"})


@pages.get("/imports")
def index() -> str:
    """Lists my imports, with the form for another one."""
    return _index(_form())


@pages.post("/imports")
@takes_up_to(LARGEST)
def submit() -> Response | tuple[str, int]:
    """Hands a file in; the worker checks it."""
    form = _form()
    file, kind = request.files.get("file"), form.kind.data or ""
    month = _month(form.month.data or "")
    wrong: list[Sentence] = []
    form.file.errors = wrong  # pyright: ignore[reportAttributeAccessIssue]
    if file is None or not file.filename:
        wrong.append(Sentence("Choose a file: .xlsx, .xls or .csv."))
    if form.month.data and month is None:
        form.month.errors = [Sentence("Write a month as 9/2026.")]  # pyright: ignore[reportAttributeAccessIssue]
    if file is None or wrong or form.month.errors:
        return _index(form), 422
    try:
        job = import_jobs.submit(
            deployment().context,
            g.viewer,
            kind,
            file.filename or "",
            file.read(),
            Options(month=month, blank=form.blank.data or ""),
            now(),
        )
    except NotAllowed:
        raise
    except Refused as refused:
        wrong.append(refused.sentence)
        return _index(form), 422
    return redirect(url_for("imports.show", job_id=job), 303)


@pages.get("/imports/<int:job_id>")
def show(job_id: int) -> str:
    """Shows the progress of a file: the preview of its changes, the progress, the results."""
    job = import_jobs.job_of(deployment().context, g.viewer, job_id)
    rows = import_jobs.wrong_rows(deployment().context, g.viewer, job_id, SHOWN)
    return render_template(
        "import.html",
        job=job,
        name=NAMES[job.kind],
        state=STATES[job.state],
        wrong=rows,
        label=label,
        hold=HOLD,
        same=SAME,
        add=ADD,
        take=TAKE,
        keep=KEEP,
        decision=DECISION,
        fields=FIELDS,
        moving=job.state in {"checking", "waiting", "running"},
    )


@pages.post("/imports/<int:job_id>/confirm")
def confirm(job_id: int) -> Response:
    """Imports what was checked, with the decisions about possible doubles and other names."""
    found = {name.removeprefix(DECISION): value for name, value in request.form.items() if name.startswith(DECISION)}
    decisions = {code: value for code, value in found.items() if value in DECISIONS}
    import_jobs.confirm(deployment().context, g.viewer, job_id, decisions)
    return redirect(url_for("imports.show", job_id=job_id), 303)


@pages.post("/imports/<int:job_id>/cancel")
def cancel(job_id: int) -> Response:
    """Stops after the present piece; imported pieces stay."""
    import_jobs.cancel(deployment().context, g.viewer, job_id, now())
    flash(_("The import was cancelled."))
    return redirect(url_for("imports.show", job_id=job_id), 303)


@pages.get("/imports/<int:job_id>/wrong.xlsx")
def wrong(job_id: int) -> Response:
    """Returns the wrong rows, to be corrected and sent again."""
    rows = [given_back(row) for row in import_jobs.wrong_rows(deployment().context, g.viewer, job_id)]
    return attachment(wrong_file(rows, language()), "xlsx", f"dong-loi-{job_id}", "wrong rows")


def _form() -> FileForm:
    kinds = [kind for kind in reversed(KINDS) if not reach_of(g.viewer, kind).nowhere]
    if not kinds:
        raise NotAllowed(Sentence("Your role does not bring in such files."))
    form = FileForm(request.form if request.method == "POST" else None)
    form.kind.choices = [(kind, said(NAMES[kind])) for kind in kinds]
    form.kind.data = form.kind.data if form.kind.data in kinds else kinds[0]
    form.blank.choices = [(blank, said(words)) for blank, words in BLANK_MEANS.items()]
    form.blank.data = form.blank.data if form.blank.data in BLANKS else ""
    return form


def _index(form: FileForm) -> str:
    jobs = import_jobs.jobs_of(deployment().context, g.viewer)
    return render_template("imports.html", form=form, jobs=jobs, names=NAMES, states=STATES)


def _month(text: str) -> dt.date | None:
    month, _mark, year = text.replace("-", "/").replace(".", "/").strip().partition("/")
    try:
        return dt.date(int(year), int(month), 1)
    except ValueError:
        return None
