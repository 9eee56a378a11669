"""The notices of the signed-in person, the newest first; opening a case marks those about it as read."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, flash, g, redirect, render_template, request
from flask_babel import ngettext
from werkzeug.wrappers import Response

from engine.notices import reason
from engine.store import reading
from engine.store.reading import PAGE, NoticeRow
from engine.words import Sentence
from web.addresses import url_for
from web.languages import said
from web.parts import ago, moment
from web.shell import now, shell, whole_arg
from web.typed import whole

pages = Blueprint("notices", __name__)


@dataclass(frozen=True, slots=True)
class Line:
    """A notice in words: why it was sent, what it is about, and when, as one says it and to the minute."""

    row: NoticeRow
    why: str
    about: str
    address: str
    ago: str
    exact: str


@pages.get("/notices")
def index() -> str:
    """What I was told."""
    before = whole_arg("before")
    with shell().house.store.reading("one's own notices, with the codes of cases that went to others") as session:
        rows = reading.notices_of(session, g.viewer.person_id, before)
    lines = [_line(row) for row in rows[:PAGE]]
    return render_template(
        "notices.html", lines=lines, unread=[line.row.id for line in lines if line.row.read_at is None],
        first=url_for("notices.index") if before else "",
        next=url_for("notices.index", before=rows[PAGE - 1].id) if len(rows) > PAGE else "",
    )  # fmt: skip


def _line(row: NoticeRow) -> Line:
    why = said(reason(shell().house.handbook, row.workflow, row.rules_version, row.kind, row.cases))
    if row.closure_id is None:
        about, address = Sentence("Case {code}", code=row.code), url_for("case.show", code=row.code)
    else:
        about, address = Sentence("Days without class"), url_for("closures.show", closure_id=row.closure_id)
    return Line(row, why, said(about), address, said(ago(row.at)), moment(row.at))


@pages.post("/notices/read")
def read() -> Response:
    """Mark some of my notices as read."""
    ids = [id for text in request.form.getlist("notice")[:PAGE] if (id := whole(text)) is not None]
    with shell().house.store.writing("mark notices as read") as session:
        done = reading.mark_read(session, g.viewer.person_id, ids, now())
    flash(ngettext("%(num)s notice marked as read.", "%(num)s notices marked as read.", done))
    return redirect(url_for("notices.index"), 303)
