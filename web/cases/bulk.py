"""Acts on several cases at once: accepts them, assigns them, urges on their holders. Each case is decided alone.

A case that changed meanwhile is refused with the reason; the others are done. The page stays on the list. Sending it
twice does each once: the key of the form and the code of the case make the key of the act.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from urllib.parse import urlencode

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from engine.core.cases.act import Act
from engine.core.refusals import Invalid, Refused
from engine.core.words import Sentence
from engine.store.cases import assigning
from engine.store.cases.rows import CaseRow
from engine.usecases.cases import case_acts
from engine.usecases.cases.nudges import nudge, reminded
from engine.usecases.idempotency import SentBefore
from web.cases.cards import make_cards
from web.cases.case_list import list_page
from web.cases.work import work_page
from web.site.forms import new_key
from web.site.languages import said
from web.site.request_context import deployment, local_path, now, role_book, role_labels, today
from web.site.typed import whole

MOST = 50  # cases at once
REFUSED = "refused"  # the category of messages that say why something was not done
NONE_CHOSEN = Sentence("Choose at least one case.")
TOO_MANY = Sentence("Choose at most {most} cases at once.", most=MOST)
PERSON_MISSING = Sentence("Choose who is to have these cases.")

pages = Blueprint("bulk", __name__)

Chosen = list[tuple[str, int | None]]  # codes, and the versions that the page showed
Page = Callable[[Sentence], str]


# --- accept -----------------------------------------------------------------------------------------------------------


@pages.post("/work/accept")
def accept_from_work() -> Response | tuple[str, int]:
    """Accepts the one case whose button was pressed, or all chosen ones."""
    return _accept(work_page, url_for("work.index"))


@pages.post("/cases/accept")
def accept_from_list() -> Response | tuple[str, int]:
    """Accepts those chosen on the list."""
    return _accept(list_page, _list_address())


def _accept(page: Page, back: str) -> Response | tuple[str, int]:
    chosen, wrong = _chosen(request.form.getlist("one") or request.form.getlist("case"))
    if wrong:
        return page(wrong), 422
    try:
        done = _each(chosen, lambda act: case_acts.accept(deployment().context, act))
    except SentBefore as before:
        return page(before.sentence), 409  # with a new key
    if len(done) == 1 and "one" in request.form:
        return redirect(url_for("case.show", code=done[0], done=1), 303)  # the page of the case says what was done
    if done:
        flash(_("You have accepted %(number)s cases.", number=len(done)) + f" {', '.join(done)}")
    return redirect(back, 303)


# --- assign -----------------------------------------------------------------------------------------------------------


@pages.post("/work/assign")
def assign_from_work() -> Response | tuple[str, int]:
    """Asks to whom to give the chosen cases."""
    return _whom(work_page, url_for("work.index"))


@pages.post("/cases/assign")
def assign_from_list() -> Response | tuple[str, int]:
    """Asks the same for those chosen on the list."""
    return _whom(list_page, _list_address())


def _whom(page: Page, back: str) -> Response | tuple[str, int]:
    chosen, wrong = _chosen(request.form.getlist("case"))
    if wrong:
        return page(wrong), 422
    return _person_page(chosen, back, page)


@pages.post("/assign")
def assign() -> Response | tuple[str, int]:
    """Gives each of the cases to the person."""
    back = local_path(request.form.get("back")) or url_for("work.index")
    chosen, wrong = _chosen(request.form.getlist("case"))
    person = whole(request.form.get("person"))
    if wrong or person is None:
        return _person_page(chosen[:MOST], back, work_page, wrong or PERSON_MISSING)
    try:
        done = _each(
            chosen,
            lambda act: case_acts.assign(deployment().context, act, person),
        )
    except SentBefore as before:
        return _person_page(chosen, back, work_page, before.sentence, anew=True)
    if done:
        flash(_("Assigned: %(codes)s.", codes=", ".join(done)))
    return redirect(back, 303)


def _person_page(
    chosen: Chosen, back: str, page: Page, wrong: Sentence | None = None, *, anew: bool = False
) -> tuple[str, int] | Response:
    """Returns the page that asks for the person. It names and leaves out the cases that the user may not assign.

    `anew`: the form was sent before with another person; sent again, it is a new entry on the cases as they are now.
    """
    viewer, context = g.viewer, deployment().context
    with context.store.scoped(viewer) as session:
        rows = assigning.chosen(session, viewer, [code for code, _version in chosen])
        cards = make_cards(context.definitions, viewer, rows)
        may = [card.row for card in cards if card.can_assign]
        takers = assigning.takers(session, viewer, may, {row.code: _ladder(row) for row in may}, today())
    if not may:
        return page(Sentence("None of the chosen cases can be assigned by you.")), 422
    versions = {row.code: row.version for row in may} if anew else dict(chosen)
    return render_template(
        "assign.html",
        cards=[card for card in cards if card.can_assign],
        others=[card for card in cards if not card.can_assign],
        takers=takers,
        roles=role_labels(),
        versions=versions,
        back=back,
        wrong=wrong,
        key=new_key()[:32] if anew else _key(),
        person=whole(request.form.get("person")),
    ), 409 if anew else 422 if wrong else 200


def _ladder(row: CaseRow) -> Sequence[str]:
    workflow = deployment().context.definitions.workflow(row.workflow, row.workflow_version)
    return role_book().tree(district=row.district).ladder(workflow.states[row.state].owner or "")


# --- urge -------------------------------------------------------------------------------------------------------------


@pages.post("/work/urge")
def urge() -> Response | tuple[str, int]:
    """Urges on whoever has the case whose button was pressed."""
    chosen, wrong = _chosen(request.form.getlist("urge")[:1])
    if wrong:
        return work_page(wrong), 422
    urged: list[bool] = []
    try:
        if _each(chosen, lambda act: urged.append(nudge(deployment().context, act))):
            flash(said(reminded(as_superior=all(urged))))
    except SentBefore as before:
        return work_page(before.sentence), 409  # with a new key
    return redirect(url_for("work.index"), 303)


# --- what they share --------------------------------------------------------------------------------------------------


def _chosen(values: Iterable[str]) -> tuple[Chosen, Sentence | None]:
    """Returns what was chosen, each once, and what is wrong with it."""
    found: dict[str, int | None] = {}
    for value in values:
        code, _mark, version = value.partition(":")
        found[code[:24]] = whole(version)
    wrong = NONE_CHOSEN if not found else TOO_MANY if len(found) > MOST else None
    return list(found.items()), wrong


def _each(chosen: Chosen, do: Callable[[Act], None]) -> list[str]:
    """Do it to each; the codes of those it was done to. Why it was not done to another is told in a message.

    Raises `SentBefore` if the form was sent before with other content for the first of them.
    """
    key = _key()
    done: list[str] = []
    for code, version in chosen:
        try:
            do(Act(g.viewer, code, {}, now(), version, f"{key}:{code}"[:64]))
        except SentBefore:
            if not done:  # none of these was done now
                raise
            flash(f"{code}: {said(SentBefore().sentence)}", REFUSED)
        except Invalid as refused:
            whys = " ".join(said(why) for why in refused.fields.values())
            flash(f"{code}: {whys}", REFUSED)
        except Refused as refused:
            flash(f"{code}: {said(refused.sentence)}", REFUSED)
        else:
            done.append(code)
    return done


def _key() -> str:
    return (request.form.get("key") or new_key())[:32]


def _list_address() -> str:
    """Returns the list from which it was sent: the address of the form has its filters."""
    kept = urlencode(request.args.to_dict())  # not as arguments of `url_for`, because people choose their names
    return url_for("cases.index") + (f"?{kept}" if kept else "")
