"""The notices of the signed-in person, the newest first; opening a case marks those about it as read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import NamedTuple

from flask import Blueprint, flash, g, redirect, render_template, request
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from engine.core.notices.planning import CAME_MANY, reason
from engine.core.people.roles import ADMIN
from engine.core.units.kinds import called
from engine.core.words import Sentence, written
from engine.store.cases import work_list
from engine.store.cases.work_list import PAGE, NoticeRow
from engine.store.people.account_events import AccountEventRow, acts_of
from engine.usecases.notices.reading import mark_read
from web.site.addresses import CODE, url_for
from web.site.languages import language, said
from web.site.request_context import deployment, local, now, role_labels, whole_arg
from web.site.template_filters import gone
from web.site.typed import whole

pages = Blueprint("notices", __name__)


class Line(NamedTuple):
    """A notice in words: why it was sent, what it is about, and when, in relative words and exactly."""

    row: NoticeRow
    why: str
    about: str
    address: str
    ago: str
    exact: str


@pages.get("/notices")
def index() -> str:
    """Shows what I was told."""
    before = whole_arg("before")
    with deployment().context.store.reading(
        "one's own notices, with the codes of cases that went to others"
    ) as session:
        rows = work_list.notices_of(session, g.viewer.person_id, before)
        acts = acts_of(session, [row.act_id for row in rows if row.act_id is not None])
    lines = _lines(rows[:PAGE], acts)
    return render_template(
        "notices.html",
        lines=lines,
        unread=[line.row.id for line in lines if line.row.read_at is None],
        first=url_for("notices.index") if before else "",
        next=url_for("notices.index", before=rows[PAGE - 1].id) if len(rows) > PAGE else "",
    )


def _lines(rows: Sequence[NoticeRow], acts: Mapping[int, AccountEventRow]) -> list[Line]:
    """Returns the notices in words; looks up common things once, because there are many notices."""
    definitions, spoken, here, address = (
        deployment().context.definitions,
        language(),
        local(now()),
        url_for("case.show", code=CODE),
    )
    case, closure = Sentence("Case {code}", code=CODE).in_(spoken), Sentence("Days without class").in_(spoken)
    why = cache(lambda *of: reason(definitions, *of).in_(spoken))
    lines = []
    for row in rows:
        about, to = case.replace(CODE, row.code or ""), address.replace(CODE, row.code or "")
        if row.act_id is not None:
            about, to = _of_act(acts[row.act_id]), _person(acts[row.act_id])
        elif row.kind == CAME_MANY:
            about, to = Sentence("My work").in_(spoken), url_for("work.index")
        elif row.closure_id is not None:
            about, to = closure, url_for("closures.show", closure_id=row.closure_id)
        at = row.at.astimezone(here.tzinfo)
        words = why(row.workflow or "", row.rules_version or 0, row.kind, row.cases), about, to
        lines.append(Line(row, *words, gone(at, here).in_(spoken), written(at, spoken)))
    return lines


def _of_act(act: AccountEventRow) -> str:
    """Says to whom something was done, what exactly, and by whom."""
    parts = [f"{act.person} ({act.login})"]
    if act.role:
        parts.append(f"{said(role_labels()[act.role])}, {said(called(act.unit_kind or '', act.unit or ''))}")
    if act.first_day:
        parts.append(f"{said(act.first_day)} – {said(act.last_day) if act.last_day else _('no end')}")
    return " · ".join([*parts, *([act.other] if act.other else []), _by(act)])


def _by(act: AccountEventRow) -> str:
    return str(_("by %(name)s", name=act.by)) if act.by else actor(act)


def actor(act: AccountEventRow) -> str:
    """Says who did something to an account or a post."""
    if act.by:
        return act.by
    if act.operator:
        return str(_("on the server, by command: %(user)s", user=act.operator))
    return str(_("On the server, by command"))


def _person(act: AccountEventRow) -> str:
    """Returns the page of the person concerned, for viewers who may open it."""
    return url_for("admin_people.show", person_id=act.person_id) if g.viewer.holds(ADMIN) else ""


@pages.post("/notices/read")
def read() -> Response:
    """Marks some of my notices as read."""
    ids = [id for text in request.form.getlist("notice")[:PAGE] if (id := whole(text)) is not None]
    done = mark_read(deployment().context.store, g.viewer.person_id, ids, now())
    flash(ngettext("%(num)s notice marked as read.", "%(num)s notices marked as read.", done))
    return redirect(url_for("notices.index"), 303)
