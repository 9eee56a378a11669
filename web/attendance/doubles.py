"""Possible doubles: records of different schools that may be one child. Only the office that reaches both sees them."""

from __future__ import annotations

from flask import Blueprint, g, render_template, url_for

from engine.core.people.roles import OFFICE
from engine.core.refusals import NotAllowed
from engine.core.words import Sentence
from engine.store.attendance.doubles import Double, doubles, schools_below
from engine.usecases.people.note_access import note_listed
from web.site.request_context import deployment, now, whole_arg

AT_ONCE = 30  # doubles on a page
STATUSES = {
    "enrolled": Sentence("Enrolled"),
    "transferred": Sentence("Gone to another school"),
    "long_leave": Sentence("On leave for long"),
    "dropped_out": Sentence("Dropped out"),
    "left": Sentence("Left"),
}

pages = Blueprint("doubles", __name__)


@pages.get("/doubles")
def index() -> str:
    """Lists pupils who may be on the lists of two schools; notes each pupil on the page as read."""
    viewer, start = g.viewer, whole_arg("after") or 0
    if not viewer.holds(OFFICE):
        raise NotAllowed(Sentence("This page is for the education office."))
    with deployment().context.store.reading("doubles among the schools of an office") as session:
        found = doubles(session, schools_below(session, viewer.of(OFFICE)))
    shown = found[start : start + AT_ONCE]
    note_listed(
        deployment().context.store, viewer.person_id, "doubles", [it.id for one in shown for it in one.records], now()
    )
    more = url_for("doubles.index", after=start + AT_ONCE) if len(found) > start + AT_ONCE else ""
    return render_template(
        "doubles.html",
        doubles=shown,
        count=len(found),
        statuses=STATUSES,
        why=_why,
        next=more,
        first=url_for("doubles.index") if start else "",
    )


def _why(double: Double) -> Sentence:
    if double.same_name and double.same_code:
        return Sentence("Same name, birth date and code")
    return Sentence("Same name and birth date") if double.same_name else Sentence("Same code and birth date")
