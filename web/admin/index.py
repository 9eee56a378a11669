"""The administrator's overview: what needs a decision, and the links to people, units and settings.

Never a pupil's case.
"""

from __future__ import annotations

from flask import Blueprint, g, render_template

from engine.core.people.roles import ADMIN
from engine.core.refusals import Invalid, NotAllowed
from engine.core.words import Sentence
from engine.store.notices import deliveries
from engine.store.ops import proxies
from engine.store.people import people_lists
from engine.store.people.people_lists import PersonRow
from engine.store.units import unit_lists
from web.site.request_context import deployment, now, role_book, role_labels, today

pages = Blueprint("admin", __name__)


def require_admin() -> None:
    """Raises `NotAllowed` unless the person is an administrator."""
    if not g.viewer.holds(ADMIN):
        raise NotAllowed(Sentence("This page is for administrators."))


@pages.get("/admin")
def index() -> str:
    """Shows what needs a decision, and the links."""
    require_admin()
    with deployment().context.store.reading("what wants an administrator's decision") as session:
        counts = unit_lists.vacancies(session, unit_lists.sought(role_book()), today())
        alone = people_lists.away_alone(session, today())
        undecided = unit_lists.undecided(session, today())
        dead = deliveries.count_by_state(session).get(deliveries.DEAD, 0)
        proxy = proxies.undeclared(session, now())
    return render_template(
        "admin.html",
        vacant={role: number for role, number in counts.items() if number},
        alone=alone,
        undecided=undecided,
        dead=dead,
        proxy=proxies.advice(proxy) if proxy else None,
        roles=role_labels(),
        most=unit_lists.MOST,
    )


def meant(typed: str, field: str) -> PersonRow:
    """Returns the person of a typed login or name. Raises `Invalid` for the field if there is not exactly one."""
    with deployment().context.store.reading("who is meant") as session:
        found = people_lists.found_as(session, typed)
    if not found:
        raise Invalid({field: Sentence("There is nobody of that login or name.")})
    if len(found) > 1:
        logins = ", ".join(one.login for one in found[:5])
        raise Invalid({field: Sentence("Several people are called so. Give the login: {logins}.", logins=logins)})
    return found[0]
