"""The overviews of the roles: a teacher's class, a head's school, an area, an association's needs and gifts.

An area is that of an officer, a leader or an office. Each number is a link to the list it counts.
"""

from __future__ import annotations

import datetime as dt

from flask import Blueprint, g, render_template

from engine.core.invariants import given
from engine.core.people.roles import AREA, CLASS, COMMUNE, SCHOOL, VILLAGE
from engine.core.refusals import NotAllowed, NotFound
from engine.core.units.kinds import KINDS
from engine.core.words import Label, Sentence
from engine.store.attendance import rollcall as stored_rollcall
from engine.store.session import Session
from engine.store.units import overviews
from engine.store.units.overviews import UnitNumbers
from engine.usecases.attendance import rollcall
from engine.usecases.attendance.rollcall import SESSIONS
from web.cases.case_list import KINDS as LIST_KINDS
from web.site.request_context import deployment, local, now, today, whole_arg

LATELY = dt.timedelta(days=28)
MOST_UNITS = 400
MOST_GIFTS, MOST_NEEDS = 30, 50
KEPT = ("support_kind", "giver", "programme", "given_on")  # these values stay from one gift to the next
LAST_GIFT = "last gift"  # key in the session

pages = Blueprint("overviews", __name__)


# --- a class ----------------------------------------------------------------------------------------------------------


@pages.get("/class")
def klass() -> str:
    """Shows the pupils of a class: open cases, recent days absent."""
    viewer, class_id = g.viewer, whole_arg("unit")
    own = sorted(viewer.seated(CLASS))
    if class_id is None:
        if not own:
            raise NotAllowed(Sentence("This page is for homeroom teachers and heads."))
        class_id = own[0]
    with deployment().context.store.reading("is this class theirs") as reading:
        rollcall.check(reading, viewer, class_id)
        names = [it for it in (overviews.unit_name(reading, unit) for unit in {*own, class_id}) if it]
    since = today() - LATELY
    with deployment().context.store.scoped(viewer) as scoped:
        pupils = overviews.pupils_of(scoped, class_id, since, today())
        taken = stored_rollcall.classes(scoped, [class_id], [], today())
    return render_template(
        "overview_class.html",
        pupils=pupils,
        class_id=class_id,
        since=since,
        sessions=SESSIONS,
        states=_state_words,
        names=sorted(names, key=lambda it: it.name),
        taken=taken[0].taken if taken else {},
    )


def _state_words(row: overviews.ClassListRow) -> Label:
    workflow = given(row.workflow, "only a row with a case has a state to be told")
    return deployment().context.definitions.workflow(*workflow).states[row.state or ""].label


# --- a school ---------------------------------------------------------------------------------------------------------


@pages.get("/school")
def school() -> str:
    """Shows the classes of a head's schools: what was not taken today, the open cases."""
    viewer = g.viewer
    if not viewer.seated(SCHOOL):
        raise NotAllowed(Sentence("This page is for heads of schools."))
    with deployment().context.store.scoped(viewer) as scoped:
        classes = stored_rollcall.classes(scoped, [], viewer.seated(SCHOOL), today())
    with deployment().context.store.reading("the numbers of one's own classes") as reading:
        numbers = {it.id: it.numbers for it in _count(reading, [it.id for it in classes])}
    half = "m" if local(now()).hour < 12 else "a"
    waiting = [it for it in classes if half not in it.taken]
    return render_template(
        "overview_school.html",
        classes=classes,
        numbers=numbers,
        sessions=SESSIONS,
        half=half,
        waiting=waiting,
        most=overviews.MOST,
        shown=_shown,
        list_kind=LIST_KINDS["class"],
    )


def _count(reading: Session, units: list[int]) -> list[UnitNumbers]:
    return overviews.counted(reading, units, now(), today())


def _shown(number: int) -> str:
    """Returns a number for the page: "99+" for all larger ones."""
    return f"{overviews.MOST}+" if number > overviews.MOST else str(number)


# --- an area ----------------------------------------------------------------------------------------------------------


@pages.get("/area")
def area() -> str:
    """Shows the villages, schools or communes of a post, the most urgent first."""
    viewer, unit_id = g.viewer, whole_arg("unit")
    if not viewer.opening.seated(VILLAGE, COMMUNE, AREA):
        raise NotAllowed(Sentence("This page is for commune officers, commune leaders and education offices."))
    with deployment().context.store.reading("the numbers of one's own area") as reading:
        inside = _within(reading, unit_id) if unit_id is not None else None
        groups = [(kind, _count(reading, units)) for kind, units in _units(reading, unit_id).items() if units]
    return render_template(
        "overview_area.html",
        groups=groups,
        kinds=KINDS,
        shown=_shown,
        inside=inside,
        deeper={"commune", "province"},
        visits=bool(viewer.seated(VILLAGE)) and unit_id is None,
    )


def _within(reading: Session, unit_id: int) -> overviews.UnitName:
    """Returns the unit to look into. Raises `NotFound` for one that is not in the viewer's area."""
    posts = g.viewer.opening.seated(AREA, COMMUNE)
    found = overviews.unit_name(reading, unit_id) if overviews.is_below(reading, unit_id, posts) else None
    if found is None:
        raise NotFound(Sentence("There is no such unit in your area."))
    return found


def _units(reading: Session, unit_id: int | None) -> dict[str, list[int]]:
    """Returns the units to count, by kind: one step below the viewer's posts."""
    viewer = g.viewer
    posts = {unit_id} if unit_id is not None else set(viewer.opening.seated(AREA, COMMUNE))
    of = overviews.kinds_of(reading, posts)
    found: dict[str, list[int]] = {}
    for kind, inner in (
        ("root", "province"),
        ("province", "commune"),
        ("district", "commune"),
        ("commune", "village"),
        ("commune", "school"),
    ):
        if above := [unit for unit, it in of.items() if it == kind]:
            found.setdefault(inner, []).extend(overviews.below(reading, above, (inner,), today(), MOST_UNITS))
    if unit_id is None and viewer.opening.seated(VILLAGE):
        found["village"] = sorted({*found.get("village", ()), *viewer.opening.seated(VILLAGE)})
    return found
