"""Companions on the pages of a case: offers them where somebody speaks with the family, takes them off the list."""

from __future__ import annotations

from flask import Blueprint, g, url_for
from werkzeug.wrappers import Response

from engine.core.cases.timeline import around_label
from engine.core.refusals import NotAllowed, NotFound
from engine.core.words import Label, Sentence
from engine.core.workflow import builtin_forms
from engine.core.workflow.model import Choice, Field
from engine.store.cases.companions import companions, invitable
from engine.usecases.cases import companions as case_companions
from web.cases.act_page import ActRequest, act_from, act_page, attempt
from web.cases.page import Seen, see_case
from web.site.forms import ActForm, act_form
from web.site.request_context import deployment, role_book, today

pages = Blueprint("companions", __name__)

OFF = "companion_off"
PERSON = "person"  # the field of an account beside those of the form


def company(seen: Seen) -> Field | None:
    """Asks which companions of a case took part; None if there are none on its list."""
    if not seen.known:
        return None
    with deployment().context.store.scoped(g.viewer.opening) as session:
        found = [it for it in companions(session, seen.facts.id) if not it.off]
    choices = tuple(Choice(str(it.seq), around_label(it.role, it.name)) for it in found)
    label = Label("Người cùng tham gia", "Who of these took part")
    return Field(builtin_forms.COMPANY, "choices", label, choices=choices) if choices else None


def guests(seen: Seen) -> Field | None:
    """Asks who is invited by their account; None if nobody near the pupil can be."""
    with deployment().context.store.scoped(g.viewer.opening) as session:
        found = invitable(session, seen.facts, today(), role_book())
    labels = {it.id: (it.name, seen.labels[it.role]) for it in found}
    choices = tuple(
        Choice(str(id), Label(f"{name} – {label.vi}", f"{name} – {label.en}")) for id, (name, label) in labels.items()
    )
    help_ = Label("Người được mời đọc hồ sơ này và ghi chú.", "Who is invited reads this case and writes notes.")
    return (
        Field(PERSON, "choice", Label("Mời bằng tài khoản", "Invite by account"), help_, choices) if choices else None
    )


@pages.get("/cases/<code>/companions/<int:companion>/off")
def off(code: str, companion: int) -> str:
    """Shows the form to take a companion off the list."""
    seen = see_case(code)
    act_request, form = _asked(seen, companion)
    if not seen.facts.is_open:
        raise NotAllowed(Sentence("This case has ended."))
    return act_page(seen, act_request, form)


@pages.post("/cases/<code>/companions/<int:companion>/off")
def take_off(code: str, companion: int) -> Response | tuple[str, int]:
    """Takes the companion off the list."""
    act_request, form = _asked(see_case(code), companion)

    def use_case() -> None:
        case_companions.take_off(deployment().context, act_from(form, code), companion)

    return attempt(act_request, code, form, use_case)


def _asked(seen: Seen, seq: int) -> tuple[ActRequest, ActForm]:
    if not seen.known:
        raise NotAllowed(Sentence("Your role does not see the people around a pupil."))
    with deployment().context.store.scoped(g.viewer.opening) as session:
        it = next((it for it in companions(session, seen.facts.id) if it.seq == seq), None)
    if it is None:
        raise NotFound(Sentence("This person is not on the list of the case."))
    who, form = around_label(it.role, it.name), builtin_forms.BUILTIN_FORMS[OFF]
    label = Label(f"Bỏ khỏi danh sách: {who.vi}", f"Take off the list: {who.en}")
    address = url_for("companions.take_off", code=seen.facts.code, companion=seq)
    fields = builtin_forms.asked(seen.workflow, form)
    return ActRequest(label, address), act_form(fields, form.needs, version=seen.facts.version)
