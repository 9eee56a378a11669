"""Shows units to the administrator: the tree, who holds which post, vacant posts, ended units that still have
something.
"""

from __future__ import annotations

from flask import Blueprint, render_template, request, url_for

from engine.core.refusals import NotFound
from engine.core.units.kinds import KINDS
from engine.core.words import Sentence
from engine.store.people import people_lists
from engine.store.units import unit_lists
from engine.store.units.unit_lists import PAGE, Cursor, UnitRow
from web.admin.index import require_admin
from web.site.request_context import deployment, role_book, role_labels, today
from web.site.typed import whole

LONGEST_QUERY = 80  # characters

pages = Blueprint("admin_units", __name__)


@pages.get("/admin/units")
def index() -> str:
    """Shows the tree from its roots, or the units with a name or code."""
    require_admin()
    query, after = request.args.get("q", "").strip()[:LONGEST_QUERY], _after()
    with deployment().context.store.reading("the administrator's tree of units") as session:
        found = unit_lists.units_named(session, query, today(), after) if query else unit_lists.roots(session, today())
    return render_template(
        "admin_units.html",
        rows=found[:PAGE],
        query=query,
        first=url_for("admin_units.index", q=query) if after else "",
        next=url_for("admin_units.index", q=query, after=_written(found[PAGE - 1])) if len(found) > PAGE else "",
    )


@pages.get("/admin/units/<int:unit_id>")
def show(unit_id: int) -> str:
    """Shows a unit: its parents, its children, the holders of its posts."""
    require_admin()
    after = _after()
    with deployment().context.store.reading("a unit, for the administrator") as session:
        unit = unit_lists.unit(session, unit_id)
        if unit is None:
            raise NotFound(Sentence("There is no unit of this number."))
        line = unit_lists.line_of(session, unit_id)
        found = unit_lists.inside(session, unit_id, today(), after)
        holders = unit_lists.holders(session, unit_id, today())
        successor = unit_lists.unit(session, unit.successor_id) if unit.successor_id else None
    posts = [role for role, kinds in role_book().held_in.items() if unit.kind in kinds]
    return render_template(
        "admin_unit.html",
        unit=unit,
        line=line,
        rows=found[:PAGE],
        kinds=KINDS,
        roles=role_labels(),
        posts=posts,
        holders={role: [it for it in holders if it.role == role] for role in posts},
        successor=successor,
        first=url_for("admin_units.show", unit_id=unit_id) if after else "",
        next=(
            url_for("admin_units.show", unit_id=unit_id, after=_written(found[PAGE - 1])) if len(found) > PAGE else ""
        ),
    )


@pages.get("/admin/vacancies")
def vacancies() -> str:
    """Shows posts that a case may need and nobody holds."""
    require_admin()
    role, after = request.args.get("role", ""), _after()
    with deployment().context.store.reading("vacant posts") as session:
        wanted = unit_lists.sought(role_book())
        counts = unit_lists.vacancies(session, wanted, today())
        role = role if role in wanted else next((name for name, number in counts.items() if number), "head")
        found = unit_lists.vacant(session, role, wanted[role], today(), after)
    return render_template(
        "admin_vacancies.html",
        counts=counts,
        role=role,
        rows=found[:PAGE],
        roles=role_labels(),
        most=unit_lists.MOST,
        first=url_for("admin_units.vacancies", role=role) if after else "",
        next=(
            url_for("admin_units.vacancies", role=role, after=_written(found[PAGE - 1])) if len(found) > PAGE else ""
        ),
    )


@pages.get("/admin/units/<int:unit_id>/appoint")
def candidates(unit_id: int) -> str:
    """Finds people by name to appoint to a post of this unit."""
    require_admin()
    role, query = request.args.get("role", ""), request.args.get("q", "").strip()[:LONGEST_QUERY]
    with deployment().context.store.reading("whom to appoint") as session:
        unit = unit_lists.unit(session, unit_id)
        found = people_lists.people(session, query, today()) if query else []
    if unit is None or role not in role_book().held_in:
        raise NotFound(Sentence("There is no such post."))
    return render_template(
        "admin_appoint.html",
        unit=unit,
        role=role,
        query=query,
        rows=found[:PAGE],
        roles=role_labels(),
        more=len(found) > PAGE,
    )


def _after() -> Cursor | None:
    id, _mark, key = request.args.get("after", "").partition("~")
    number = whole(id)
    return (key[:200], number) if number is not None else None


def _written(row: UnitRow) -> str:
    return f"{row.id}~{row.search_key}"
