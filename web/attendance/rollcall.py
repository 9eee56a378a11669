"""Takes the roll call of a class on a phone: everybody counts as present; the teacher taps only absent pupils.

A phone stores the blank form, and shows it when it has no connection (`web.offline.offline`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from engine.core.people.roles import CLASS, SCHOOL
from engine.core.refusals import Conflict, Invalid
from engine.core.words import Sentence
from engine.store.attendance import rollcall as stored
from engine.store.units.overviews import unit_name
from engine.usecases.attendance import rollcall
from engine.usecases.attendance.rollcall import MARKS, SESSIONS, version_of
from engine.usecases.idempotency import SentBefore
from web.site import queued
from web.site.forms import new_key
from web.site.languages import said
from web.site.request_context import deployment, local, now, today
from web.site.template_filters import weekday
from web.site.typed import whole

NOON = 12  # from this hour on the page asks for the afternoon first
PUPIL = "pupil-"  # prefix of the controls' names: pupil-17
AROUND = range(-2, 3)  # days before and after its own for which a blank form works: a phone keeps it for two

Pupils = Sequence[tuple[int, str, str | None]]

pages = Blueprint("rollcall", __name__)


@pages.get("/attendance")
def index() -> str:
    """Shows my classes, and which of them nobody has taken today."""
    viewer = g.viewer
    with deployment().context.store.scoped(viewer) as session:
        classes = stored.classes(session, viewer.seated(CLASS), viewer.seated(SCHOOL), today())
    return render_template("rollcall_classes.html", classes=classes, day=today(), sessions=SESSIONS)


@pages.get("/attendance/<int:class_id>")
def show(class_id: int) -> str:
    """Shows the list of a class for a session."""
    day, half = _day(request.args.get("day")) or today(), request.args.get("session", "")
    return _page(class_id, day, half if half in SESSIONS else "m" if local(now()).hour < NOON else "a")


@pages.get("/attendance/<int:class_id>/blank")
def blank(class_id: int) -> str:
    """Shows the list of a class with a choice of day and session; it does not show what was taken."""
    return _blank(class_id)


@pages.post("/attendance/<int:class_id>")
def send(class_id: int) -> Response | tuple[str, int]:
    """Takes the register, or corrects it."""
    day, half = _day(request.form.get("day")), request.form.get("session", "")
    if day is None:  # never store the marks under another day than that of the form
        return _blank(class_id, Sentence("Attendance is taken for today or for a day of the last month.")), 422
    if half not in SESSIONS:
        return _blank(class_id, Sentence("Choose the session: morning or afternoon.")), 422
    marks, version = _typed(), request.form.get("version") or None
    try:
        rollcall.send(deployment().context, g.viewer, class_id, day, half, marks, now(), key=_key(), version=version)
    except Invalid as refused:
        return _page(class_id, day, half, next(iter(refused.fields.values()))), 422
    except Conflict as faster:
        key = new_key() if isinstance(faster, SentBefore) else None
        return _page(class_id, day, half, faster.sentence, faster=True, key=key), 409
    queued.left(version_of(marks))
    if not queued.queued():
        flash(_("Attendance was sent."))
    at = url_for("rollcall.show", class_id=class_id, day=day.isoformat(), session=half, done=1)
    return redirect(at, 303)


def _page(
    class_id: int,
    day: dt.date,
    half: str,
    wrong: Sentence | None = None,
    *,
    faster: bool = False,
    key: str | None = None,
) -> str:
    """Returns the page of a register; after a fault with what was typed and what was wrong.

    `key` is a new key if the form was sent before with other content.
    """
    name, pupils = _list(class_id, day, half)
    with deployment().context.store.scoped(g.viewer) as session:
        taken = {pupil: mark for pupil, (mark, _reason) in stored.marks(session, class_id, day, half).items()}
        changes = stored.corrections(session, class_id, day)
    typed = _typed() or taken
    others = _others(pupils, taken, typed) if faster else []
    if wrong:
        queued.refused_because(wrong)
    if faster:
        count = _("Taken: %(number)s of %(all)s pupils", number=len(taken), all=len(pupils))
        queued.beside(version_of(taken), count, [said(line) for line in others])
    if key:
        queued.anew(key)
    surroundings = [day + dt.timedelta(days=n) for n in (-1, 1) if day + dt.timedelta(days=n) <= today()]
    version = version_of(taken)
    return render_template(
        "rollcall.html",
        class_id=class_id,
        name=name,
        day=day,
        half=half,
        days=_days(day),
        sessions=SESSIONS,
        marks=MARKS,
        pupils=pupils,
        taken=taken,
        typed=typed,
        changes=changes,
        key=key or _key(),
        version=version,
        wrong=wrong,
        others=others,
        surroundings=surroundings,
        draft_of=f"{day}{half}{version}",
    )


def _blank(class_id: int, wrong: Sentence | None = None) -> str:
    name, pupils = _list(class_id, today())
    if wrong:
        queued.refused_because(wrong)
    return render_template(
        "rollcall.html",
        class_id=class_id,
        name=name,
        day=_day(request.form.get("day")),
        half=request.form.get("session"),
        days=_days(*(today() + dt.timedelta(days=n) for n in AROUND)),
        sessions=SESSIONS,
        marks=MARKS,
        pupils=pupils,
        typed=_typed(),
        key=_key(),
        version=rollcall.NOT_TAKEN,
        wrong=wrong,
        blank=True,
    )


def _days(*days: dt.date) -> dict[str, str]:
    """Returns the days to choose from, as sent by a form and in words."""
    return {day.isoformat(): f"{weekday(day)} {said(day)}" for day in days}


def _list(class_id: int, day: dt.date, half: str = "") -> tuple[str, Pupils]:
    """Returns the name of a class and who was in it on a day, for the person who takes its register."""
    with deployment().context.store.reading("is this class's register theirs to take") as session:
        rollcall.check(session, g.viewer, class_id)
        unit = unit_name(session, class_id)
    with deployment().context.store.scoped(g.viewer) as session:
        return unit.name if unit else "", stored.pupils(session, class_id, day, half)


def _others(pupils: Pupils, taken: Mapping[int, str], typed: Mapping[int, str]) -> list[Sentence]:
    """Returns the pupils whose stored marks differ from the typed ones."""
    return [
        Sentence("{pupil}: {there}; you said: {said}", pupil=name, there=MARKS[taken[id]], said=MARKS[mark])
        for id, name, _village in pupils
        if id in taken and (mark := typed.get(id, taken[id])) != taken[id]
    ]


def _typed() -> dict[int, str]:
    """Returns the marks in the form."""
    return {
        pupil: mark
        for name, mark in request.form.items()
        if name.startswith(PUPIL) and (pupil := whole(name.removeprefix(PUPIL))) is not None
    }


def _key() -> str:
    """Returns the idempotency key in the form, or a new one."""
    return (request.form.get("key") or new_key())[:64]


def _day(text: str | None) -> dt.date | None:
    """Returns the day; None for no day, or for one at the end of the calendar."""
    try:
        day = dt.date.fromisoformat(text or "")
    except ValueError:
        return None
    return day if dt.date.min < day < dt.date.max else None
