"""The notices of the signed-in person, the newest first; opening a case marks those about it as read."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from flask import Blueprint, flash, g, redirect, render_template, request
from flask_babel import ngettext
from werkzeug.wrappers import Response

from engine.notices import reason
from engine.store import reading
from engine.store.reading import PAGE, NoticeRow
from engine.words import Sentence, written
from web.addresses import url_for
from web.cards import CODE
from web.languages import language
from web.parts import gone
from web.shell import local, now, shell, whole_arg
from web.typed import whole

pages = Blueprint("notices", __name__)


class Line(NamedTuple):
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
    lines = _lines(rows[:PAGE])
    return render_template(
        "notices.html", lines=lines, unread=[line.row.id for line in lines if line.row.read_at is None],
        first=url_for("notices.index") if before else "",
        next=url_for("notices.index", before=rows[PAGE - 1].id) if len(rows) > PAGE else "",
    )  # fmt: skip


def _lines(rows: Sequence[NoticeRow]) -> list[Line]:
    """The notices in words; what is the same for all is looked up once, as there are many."""
    handbook, spoken, here, address = shell().house.handbook, language(), local(now()), url_for("case.show", code=CODE)
    case, closure = Sentence("Case {code}", code=CODE).in_(spoken), Sentence("Days without class").in_(spoken)
    why = cache(lambda *of: reason(handbook, *of).in_(spoken))
    lines = []
    for row in rows:
        about, to = case.replace(CODE, row.code), address.replace(CODE, row.code)
        if row.closure_id is not None:
            about, to = closure, url_for("closures.show", closure_id=row.closure_id)
        at = row.at.astimezone(here.tzinfo)
        words = why(row.workflow, row.rules_version, row.kind, row.cases), about, to
        lines.append(Line(row, *words, gone(at, here).in_(spoken), written(at, spoken)))
    return lines


@pages.post("/notices/read")
def read() -> Response:
    """Mark some of my notices as read."""
    ids = [id for text in request.form.getlist("notice")[:PAGE] if (id := whole(text)) is not None]
    with shell().house.store.writing("mark notices as read") as session:
        done = reading.mark_read(session, g.viewer.person_id, ids, now())
    flash(ngettext("%(num)s notice marked as read.", "%(num)s notices marked as read.", done))
    return redirect(url_for("notices.index"), 303)
