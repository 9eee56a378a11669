"""The gaps of the coming days, for who can fill them: uncovered posts, and people whom no message reaches."""

from __future__ import annotations

from flask import Blueprint, g, render_template

from engine.core.people.access import Viewer
from engine.core.people.gaps import DAYS
from engine.core.people.responsibility import PASSED_OVER
from engine.core.people.roles import ADMINISTER, AREA, ASSOCIATION, CLASS, COMMUNE, HOLD, SCHOOL, VILLAGE, RoleBook
from engine.core.refusals import NotAllowed
from engine.core.units.kinds import called
from engine.core.words import Sentence
from engine.store.people import gaps as stored
from engine.store.people.gaps import Roots
from engine.store.units.unit_lists import sought
from web.site.languages import said
from web.site.request_context import deployment, role_book, role_labels, today

pages = Blueprint("gaps", __name__)

# The seats that a leader with such a seat may fill, or have filled, in its own units and those below.
FILLS = {
    SCHOOL: (CLASS, SCHOOL),
    COMMUNE: (VILLAGE, COMMUNE, ASSOCIATION),
    AREA: (CLASS, SCHOOL, VILLAGE, COMMUNE, ASSOCIATION),
}


@pages.get("/gaps")
def index() -> str:
    """Shows the gaps of the next fourteen days in the viewer's area."""
    viewer: Viewer = g.viewer
    if not (viewer.able(HOLD) or viewer.able(ADMINISTER)):
        raise NotAllowed(Sentence("This page is for heads, commune leaders, education offices and administrators."))
    wanted, roots = sought(role_book()), _roots(viewer)
    available = deployment().context.outbox.channels
    with deployment().context.store.reading("posts and people of one's own area, without any pupil") as session:
        seats = stored.seat_gaps(session, wanted, roots, today())
        people = stored.unreached(session, wanted, roots, available, today()) if available else []
    return render_template(
        "gaps.html",
        seats=seats,
        people=people,
        channels=bool(available),
        days=DAYS,
        most=stored.MOST,
        roles=role_labels(),
        why=PASSED_OVER,
        called=lambda kind, name: said(called(kind, name)),
        admin=viewer.able(ADMINISTER),
    )


def _roots(viewer: Viewer) -> Roots | None:
    """Returns where the viewer may fill which posts; None: everywhere."""
    if viewer.able(ADMINISTER):
        return None
    return {role: ids for role, own in _fills(role_book()).items() if (ids := viewer.of(*own))}


def _fills(book: RoleBook) -> dict[str, set[str]]:
    """Returns, for each role that every place needs, who fills its posts or has them filled."""
    found: dict[str, set[str]] = {role: set() for role in sought(book)}
    for own in book.able(HOLD):
        for role in {*book.seated(*FILLS.get(book[own].seat, ()))} & found.keys():
            found[role].add(own)
    return found
