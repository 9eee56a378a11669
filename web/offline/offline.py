"""Serves what a phone stores for a day without a connection: the service worker, its list of pages, the queue page.

Nothing here writes: forms filled in offline come through the routes of the acts (`web.site.queued`).
docs/decisions/0007-offline.md says what is stored and why.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Sequence
from typing import Any

from flask import Blueprint, Flask, Response, current_app, g, jsonify, render_template, session, url_for
from flask_wtf.csrf import generate_csrf

from engine.core.cases.available_acts import FORM_LABELS, choices
from engine.core.people.roles import CLASS
from engine.core.words import Label, Sentence
from engine.core.workflow.model import Workflow
from engine.store.attendance import rollcall
from engine.store.cases import find_pupil, work_list
from engine.store.cases.rows import CaseRow
from engine.store.cases.work_list import seats_of
from engine.usecases.people import signin
from web.account.signin import IN_SESSION
from web.cases.cards import roles_of
from web.site.assets import FOLDER
from web.site.languages import language, said
from web.site.queued import mark
from web.site.request_context import deployment, role_book, today, user
from web.site.security import asked_by_device, public

KEPT = 20  # cases whose pages a device stores, the most urgent first
ASSETS = ("app.css", "app.js", "offline.js", "icon.svg", "icons.svg")
OPENING = Label("Lập hồ sơ", "Open a case")
ATTENDANCE = Label("Điểm danh", "Attendance")
LEFT = Sentence("Deleted from this device")
LEFT_HELP = Sentence(
    "There is no line. The copies and what waited here are deleted. Signing out is completed when there is a line, "
    "before the next page opens."
)

pages = Blueprint("offline", __name__)


def init_app(app: Flask) -> None:
    """Adds to templates: `me_mark()`, and whether this device was `given_up()`."""
    app.jinja_env.globals.update(me_mark=me_mark, given_up=given_up)


def me_mark() -> str:
    """Returns the mark of the signed-in person; "" for nobody."""
    person = user()
    return mark(person.id) if person.is_authenticated and not person.must_change else ""


def given_up() -> bool:
    """Returns whether this device was signed out from another one or by an administrator: a stranger may have it."""
    token = session.get(IN_SESSION)
    if not isinstance(token, str) or user().is_authenticated:
        return False
    return signin.was_given_up(deployment().context.store, token)


# --- the service worker -----------------------------------------------------------------------------------------------


@pages.get("/sw.js")
@public
def worker() -> Response:
    """Serves the one service worker of the site: copies, queue and push messages; before it, its list of files."""
    asset = current_app.jinja_env.globals["asset"]
    files = [asset(name) for name in ASSETS]  # type: ignore[operator]
    known = json.dumps([*files, url_for("offline.left")])
    source = (FOLDER / "sw.js").read_text(encoding="utf-8")
    response = current_app.response_class(f"const FILES = {known};\n{source}", mimetype="text/javascript")
    response.headers["Cache-Control"] = "no-cache"
    return response


@pages.get("/offline/left")
@public
def left() -> str:
    """Shows a page to a person who signed out offline; it is stored with the static files, in both languages."""
    return render_template("left.html", title=LEFT, help=LEFT_HELP)


@pages.get("/offline/me")
@asked_by_device
def me() -> Response:
    """Returns who is signed in here, and the token for sending the queue."""
    return jsonify(me=me_mark(), csrf=generate_csrf())


@pages.get("/offline/pages")
@asked_by_device
def kept() -> Response:
    """Returns the addresses that the person needs today, each with a stamp that changes with its page."""
    return jsonify(me=me_mark(), pages=[[address, f"{stamp}{language()}"] for address, stamp in _addresses()])


def _addresses() -> Iterator[tuple[str, str]]:
    yield "/offline", ""
    yield "/work", ""
    yield from _of_classes()
    for row in _own():
        yield f"/cases/{row.code}", str(row.version)
        for name in _acts(row):
            yield f"/cases/{row.code}/{name}", str(row.version)


def _of_classes() -> Iterator[tuple[str, str]]:
    """Returns what a homeroom teacher fills in about own classes: blank forms that replace those of a pupil or
    a day.
    """
    own = g.viewer.seated(CLASS)
    with deployment().context.store.scoped(g.viewer) as session:
        classes = rollcall.classes(session, own, [], today()) if own else []
        pupils = find_pupil.of_classes(session, g.viewer) if own else []
    if classes:
        yield "/attendance", _stamp(classes)
        yield "/cases/new/blank", _stamp(pupils)
    for row in classes:
        yield f"/attendance/{row.id}/blank", _stamp(pupils)


def _stamp(rows: Sequence[object]) -> str:
    """Returns a stamp that changes with the rows, and every day."""
    return f"{today():%m%d}{zlib.crc32(repr(rows).encode()):x}"


def _own() -> list[CaseRow]:
    viewer = g.viewer
    with deployment().context.store.scoped(viewer) as session:
        return work_list.my_work(session, viewer, KEPT)


def _acts(row: CaseRow) -> list[str]:
    """Returns the acts on a case, without those that are hard to undo: they can wait for a connection."""
    here = row.waiting and (row.offered_role, row.offered_unit_id) in seats_of(g.viewer)
    workflow = deployment().context.definitions.workflow(row.workflow, row.workflow_version)
    tree = role_book().tree(district=row.district)
    can = choices(workflow, row, roles_of(g.viewer, row), tree, offered_here=here)
    return [act.name for act in (can.primary, *can.others) if act]


# --- what waits -------------------------------------------------------------------------------------------------------


@pages.get("/offline")
def index() -> str:
    """Shows what waits on this device. The device fills the page; the server does not know the queue."""
    workflow = deployment().context.definitions.workflow(deployment().context.workflow)
    words = json.dumps(_words(workflow), ensure_ascii=False)
    return render_template("offline.html", words=words, of_class=bool(g.viewer.seated(CLASS)))


def _words(workflow: Workflow) -> dict[str, Any]:
    """Returns the words for the names that forms send, in the language of the page, and which of them are private."""
    steps = {name: step.label for name, step in workflow.transitions.items()}
    acts = {**FORM_LABELS, **steps, "open": OPENING, "attendance": ATTENDANCE}
    return {
        "acts": {name: said(label) for name, label in acts.items()},
        "fields": {name: said(field.label) for name, field in workflow.fields.items()},
        "choices": {
            name: {choice.code: said(choice.label) for choice in field.choices}
            for name, field in workflow.fields.items()
            if field.choices
        },
        "yes": said(Label("Có", "Yes")),
        "no": said(Label("Không", "No")),
        "restricted": [name for name, field in workflow.fields.items() if field.restricted]
        + [choice.code for field in workflow.fields.values() for choice in field.choices if choice.restricted],
    }
