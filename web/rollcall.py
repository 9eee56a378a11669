"""The roll call of a class on a phone: everybody is present, only those who are missing are tapped."""

from __future__ import annotations

import datetime as dt
import uuid

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from engine import rollcall
from engine.refusals import Invalid
from engine.rollcall import MARKS, SESSIONS
from engine.store import rollcall as stored
from engine.words import Sentence
from web.shell import local, now, shell, today
from web.typed import whole

NOON = 12  # from this hour on the afternoon is asked for first
PUPIL = "pupil-"  # the names of the controls: pupil-17

pages = Blueprint("rollcall", __name__)


@pages.get("/attendance")
def index() -> str:
    """My classes, and which of them have not been taken today."""
    viewer = g.viewer
    with shell().house.store.scoped(viewer) as session:
        classes = stored.classes(session, viewer.of("teacher"), viewer.of("head"), today())
    return render_template("rollcall_classes.html", classes=classes, day=today(), sessions=SESSIONS)


@pages.get("/attendance/<int:class_id>")
def show(class_id: int) -> str:
    """A class's list for a session."""
    return _page(class_id)


@pages.post("/attendance/<int:class_id>")
def send(class_id: int) -> Response | tuple[str, int]:
    """Take the register, or correct it."""
    day, half = _day(request.form.get("day")), request.form.get("session", "")
    if day is None:  # never another day's register than the one that was filled in
        return _page(class_id, Sentence("Attendance is taken for today or for a day of the last month.")), 422
    said = {pupil: mark for name, mark in request.form.items()
            if name.startswith(PUPIL) and (pupil := whole(name.removeprefix(PUPIL))) is not None}  # fmt: skip
    key = (request.form.get("key") or uuid.uuid4().hex)[:64]
    absent = {pupil: mark for pupil, mark in said.items() if mark != "p"}
    try:
        rollcall.send(shell().house, g.viewer, class_id, day, half, absent, now(), key=key)
    except Invalid as refused:
        return _page(class_id, next(iter(refused.fields.values()))), 422
    flash(_("Attendance was sent."))
    return redirect(url_for("rollcall.show", class_id=class_id, day=day.isoformat(), session=half), 303)


def _page(class_id: int, fault: Sentence | None = None) -> str:
    day, half = _day(request.values.get("day")) or today(), request.values.get("session", "")
    half = half if half in SESSIONS else "m" if local(now()).hour < NOON else "a"
    with shell().house.store.reading("is this class's register theirs to take") as session:
        rollcall.check(session, g.viewer, class_id)
    with shell().house.store.scoped(g.viewer) as session:
        pupils, marks = stored.pupils(session, class_id), stored.marks(session, class_id, day, half)
        changes = stored.corrections(session, class_id, day)
        found = stored.classes(session, [class_id], [], day)
    around = [day + dt.timedelta(days=n) for n in (-1, 1) if day + dt.timedelta(days=n) <= today()]
    return render_template(
        "rollcall.html", class_id=class_id, name=found[0].name if found else "", day=day, half=half, sessions=SESSIONS,
        marks=MARKS, pupils=pupils, taken=marks, changes=changes, key=uuid.uuid4().hex, wrong=fault, around=around,
    )  # fmt: skip


def _day(text: str | None) -> dt.date | None:
    """The day; None for none, or for one so far off that it has no day before or after."""
    try:
        day = dt.date.fromisoformat(text or "")
    except ValueError:
        return None
    return day if dt.date.min < day < dt.date.max else None
