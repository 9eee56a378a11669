"""The gaps of the coming days, for who can fill them: uncovered posts, and people whom no message reaches."""

from __future__ import annotations

from flask import Blueprint, g, render_template

from engine.core.people.access import ADMIN, OFFICE, Viewer
from engine.core.people.gaps import DAYS
from engine.core.people.responsibility import PASSED_OVER, ROLE_LABELS
from engine.core.refusals import NotAllowed
from engine.core.units.kinds import called
from engine.core.words import Sentence
from engine.store.people import gaps as stored
from engine.store.people.gaps import Roots
from engine.store.units.unit_lists import SOUGHT
from web.site.languages import said
from web.site.request_context import deployment, today

pages = Blueprint("gaps", __name__)

# Whose posts a role may fill, or have filled, in its own units and those below.
FILLS = {
    "head": ("teacher", "head"),
    "commune_leader": ("commune_officer", "commune_leader", "volunteer", "association"),
    OFFICE: tuple(SOUGHT),
}


@pages.get("/gaps")
def index() -> str:
    """Shows the gaps of the next fourteen days in the viewer's area."""
    viewer: Viewer = g.viewer
    if not any(viewer.holds(role) for role in (*FILLS, ADMIN)):
        raise NotAllowed(Sentence("This page is for heads, commune leaders, education offices and administrators."))
    available = deployment().context.outbox.channels
    with deployment().context.store.reading("posts and people of one's own area, without any pupil") as session:
        seats = stored.seat_gaps(session, _roots(viewer), today())
        people = stored.unreached(session, _roots(viewer), available, today()) if available else []
    return render_template(
        "gaps.html",
        seats=seats,
        people=people,
        channels=bool(available),
        days=DAYS,
        most=stored.MOST,
        roles=ROLE_LABELS,
        why=PASSED_OVER,
        called=lambda kind, name: said(called(kind, name)),
        admin=viewer.holds(ADMIN),
    )


def _roots(viewer: Viewer) -> Roots | None:
    """Returns where the viewer may fill which posts; None: everywhere."""
    if viewer.holds(ADMIN):
        return None
    found: dict[str, frozenset[int]] = {}
    for own, roles in FILLS.items():
        for role in roles:
            found[role] = found.get(role, frozenset()) | viewer.of(own)
    return found
