"""Saves filters of the list of cases under a name, renames and deletes them."""

from __future__ import annotations

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from engine.core.refusals import Conflict, Invalid, Refused
from engine.store.cases import saved
from engine.usecases.cases import saved_filters
from web.cases.case_list import list_page
from web.cases.filters import asked
from web.site.request_context import deployment, now

pages = Blueprint("saved", __name__)

LONGEST_TYPED = 200  # characters; a longer name comes back cut


@pages.post("/cases/filters")
def keep() -> Response | tuple[str, int]:
    """Saves the filters of the address under the typed name."""
    context, name = deployment().context, request.form.get("name", "")[:LONGEST_TYPED]
    found = asked(context.definitions.workflow(context.workflow))
    try:
        saved_filters.keep(context.store, g.viewer.person_id, name, found.in_force, now())
    except (Invalid, Conflict) as refused:
        return list_page(refused.sentence, name), 409 if isinstance(refused, Conflict) else 422
    flash(_("Kept: %(name)s.", name=" ".join(name.split())))
    return redirect(found.address(), 303)


@pages.get("/cases/filters")
def index() -> str:
    """Lists my filters, to rename or delete them."""
    return _page()


@pages.post("/cases/filters/<int:id>")
def change(id: int) -> Response | tuple[str, int]:
    """Renames filters, or deletes them."""
    store, name = deployment().context.store, request.form.get("name", "")[:LONGEST_TYPED]
    try:
        if "delete" in request.form:
            saved_filters.forget(store, g.viewer.person_id, id)
        else:
            saved_filters.rename(store, g.viewer.person_id, id, name)
    except (Invalid, Conflict) as refused:
        return _page(refused, id, name), 409 if isinstance(refused, Conflict) else 422
    flash(_("Your filters are kept.") if "delete" not in request.form else _("The filters were deleted."))
    return redirect(url_for("saved.index"), 303)


def _page(wrong: Refused | None = None, id: int = 0, name: str = "") -> str:
    with deployment().context.store.scoped(g.viewer) as session:
        kept = saved.saved_of(session, g.viewer.person_id)
    return render_template("filters.html", saved=kept, wrong=wrong.sentence if wrong else None, at=id, name=name)
