"""Merges communes, for the administrator: first tries a table and shows what needs a decision, then merges."""

from __future__ import annotations

import datetime as dt
import os
from dataclasses import dataclass
from pathlib import Path

from flask import Blueprint, g, render_template, request
from wtforms import StringField, TextAreaField

from engine.core.cases.chain import text_hash
from engine.core.refusals import Invalid, NotAllowed, Refused
from engine.core.words import Sentence
from engine.usecases.units.mergers import Merged, merge_units, read_moves, read_table
from web.account.stepup import needs_proof
from web.admin.index import require_admin
from web.admin.people import DAY
from web.site.forms import Form
from web.site.request_context import deployment, now, today
from web.site.security import takes_up_to
from web.site.typed import read_day

LARGEST = 512 * 1024  # bytes; the table of a province has a tenth of it

pages = Blueprint("admin_mergers", __name__)


class MergeForm(Form):
    """The first day of the new units, the table, and the decisions about divided communes."""

    on = StringField(render_kw=DAY)
    table = TextAreaField(render_kw={"rows": 8, "spellcheck": "false"})
    moves = TextAreaField(render_kw={"rows": 4, "spellcheck": "false"})


@dataclass(frozen=True, slots=True)
class MergerShown:
    """What a merger did (`kept`), or would do; `left` is what somebody must decide, `mark` identifies what was
    tried.
    """

    kept: bool
    left: tuple[Sentence, ...]
    lines: tuple[Sentence, ...]
    mark: str


@pages.get("/admin/mergers")
@needs_proof
def index() -> str:
    """Shows the form."""
    require_admin()
    return render_template("admin_mergers.html", form=MergeForm(), outcome=None)


@pages.post("/admin/mergers")
@takes_up_to(LARGEST)
def run() -> str | tuple[str, int]:
    """Tries it; the same form with its mark does it."""
    require_admin()
    form = MergeForm()
    try:
        outcome = _merge(form)
    except Invalid as refused:
        names = {name if name in form else "moves": sentence for name, sentence in refused.fields.items()}
        form.refuse(Invalid(names))
    except NotAllowed:
        raise
    except Refused as refused:
        form.refuse(Invalid({"table": refused.sentence}))
    else:
        return render_template("admin_mergers.html", form=form, outcome=outcome)
    return render_template("admin_mergers.html", form=form, outcome=None), 422


def _merge(form: MergeForm) -> MergerShown:
    on: dt.date = read_day(form.on.data, "on", today())
    table, typed = form.table.data or "", form.moves.data or ""
    mark = text_hash("merger", {"on": on.isoformat(), "table": table, "moves": typed})[:32]
    kept = request.form.get("confirm") == mark
    mergers, left = read_table(table)
    path = undo_path(deployment().settings.instance, on, now())
    merged = merge_units(
        deployment().context,
        mergers,
        on,
        now(),
        moves=read_moves(typed),
        by=g.viewer.person_id,
        dry_run=not kept,
        keep_undo=lambda undoing: keep(path, undoing),
    )
    lines = [
        *report_lines(merged),
        *([Sentence("To undo it: ralop merge-units {path}", path=path)] if path.exists() else []),
    ]
    return MergerShown(kept, tuple(left), tuple(lines), mark)


def report_lines(merged: Merged) -> list[Sentence]:
    """Says what was done, or would be, and what somebody must do."""
    lines = [Sentence("Ended: {names}.", names=merged.ended)] if merged.ended else []
    lines += [Sentence("Came over: {names}.", names=merged.came_over)] if merged.came_over else []
    lines.append(
        Sentence(
            "Moved along: {cases} open cases, {offers} offers, {posts} posts, {closures} closures; places of pupils "
            "changed: {pupils}; cases handed to another person: {handed}.",
            cases=merged.cases,
            offers=merged.offers,
            posts=merged.posts,
            closures=merged.closures,
            pupils=merged.pupils,
            handed=merged.handed_on,
        )
    )
    return [*lines, *merged.left]


def keep(path: Path, text: str) -> None:
    """Writes the file, readable only by its owner. Raises OSError, and then the merger is rolled back."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def undo_path(instance: Path, on: dt.date, now: dt.datetime) -> Path:
    """Returns the file that undoes a merger: in the folder of the installation, a new one for each."""
    return instance / "mergers" / f"{on:%Y-%m-%d}-undo-{now:%Y%m%dT%H%M%S%f}.json"
