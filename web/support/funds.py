"""Funds and stocks of an association: what they hold, what waits for a second person, and the forms that move it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, flash, g, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from engine.core.cases.act import Act
from engine.core.refusals import Conflict, Invalid, NoAccess, NotAllowed, NotFound, Refused
from engine.core.support.catalogue import Kind
from engine.core.support.ledger import FUND, HELD, PLEDGE, STOCK
from engine.core.words import Label, Sentence
from engine.core.workflow import form_values
from engine.core.workflow.model import Choice, Field
from engine.store.support import ledger, statements
from engine.store.support.statements import PlaceHeld, StatementLine
from engine.usecases.context import Context
from engine.usecases.idempotency import SentBefore
from engine.usecases.support import acts, gifts
from engine.usecases.support.acts import BookAct, Moved
from web.site.forms import ActForm, act_form
from web.site.request_context import deployment, now, today
from web.support.needs import associations_of, require_association

MOST_ASKED = 50
Values = Mapping[str, Any]

pages = Blueprint("funds", __name__)


@dataclass(frozen=True, slots=True)
class Form:
    """A form of the ledger: its words, its fields (those in `may` need no answer), and what it does."""

    label: Label
    needs: tuple[str, ...]
    may: tuple[str, ...]
    do: Callable[[Context, BookAct, Values], object]
    leaders: bool = True


def _moved(values: Values, kind: str | None = None) -> Moved:
    day = dt.date.fromisoformat(values["happened_on"])
    return Moved(kind or values["kind"], values["amount"], day, values.get("reason"))


FORMS: Mapping[str, Form] = {
    "receive": Form(
        Label("Ghi tiếp nhận", "Log what was received"),
        ("donor", "to", "kind", "amount", "happened_on"),
        ("pledged",),
        lambda context, act, it: acts.receive(
            context, act, it["donor"], int(it["to"]), _moved(it), pledged=bool(it.get("pledged"))
        ),
        leaders=False,
    ),
    "pledge": Form(
        Label("Ghi cam kết tài trợ", "Log a pledge"),
        ("donor", "kind", "amount", "happened_on"),
        ("until",),
        lambda context, act, it: acts.pledge(
            context, act, it["donor"], _moved(it), dt.date.fromisoformat(it["until"]) if it.get("until") else None
        ),
        leaders=False,
    ),
    "open": Form(
        Label("Mở quỹ hoặc kho", "Open a fund or a stock"),
        ("place_kind", "place_name"),
        ("purpose",),
        lambda context, act, it: acts.open_place(
            context, act, it["place_kind"], it["place_name"], it.get("purpose") or ""
        ),
    ),
    "begin": Form(
        Label("Ghi số dư đầu kỳ", "Enter an opening balance"),
        ("to", "kind", "amount", "happened_on"),
        (),
        lambda context, act, it: acts.begin_with(context, act, int(it["to"]), _moved(it)),
    ),
    "buy": Form(
        Label("Mua bằng tiền quỹ", "Buy with a fund's money"),
        ("from", "price", "to", "kind", "amount", "happened_on"),
        (),
        lambda context, act, it: acts.buy(context, act, int(it["from"]), it["price"], int(it["to"]), _moved(it)),
    ),
    "move": Form(
        Label("Điều chuyển", "Move to another fund or stock"),
        ("from", "to", "kind", "amount", "happened_on"),
        (),
        lambda context, act, it: acts.transfer(context, act, int(it["from"]), int(it["to"]), _moved(it)),
    ),
    "lose": Form(
        Label("Ghi hao hụt, mất", "Write off a loss"),
        ("from", "kind", "amount", "happened_on", "reason"),
        (),
        lambda context, act, it: acts.lose(context, act, int(it["from"]), _moved(it)),
    ),
}


@pages.get("/funds")
def index() -> str:
    """Shows what each fund and stock holds, the pledges, and the gifts that wait for a second person."""
    require_association()
    leads = g.viewer.holds("association")
    with deployment().context.store.scoped(g.viewer) as scoped:
        places = statements.places(scoped, associations_of(), (FUND, STOCK, HELD, *((PLEDGE,) if leads else ())))
        kinds = ledger.kinds(scoped, deployment().context.support)
        asked = [it for account in _held(places) for it in _waiting(scoped, account)]
    return render_template(
        "funds.html",
        funds=[it for it in places if it.account.kind == FUND],
        stocks=[it for it in places if it.account.kind == STOCK],
        pledges=[it for it in places if it.account.kind == PLEDGE and it.held],
        asked=asked,
        kinds=kinds,
        forms={name: form.label for name, form in FORMS.items() if leads or not form.leaders},
        leads=leads,
    )


def _held(places: list[PlaceHeld]) -> list[int]:
    return [it.account.id for it in places if it.account.kind == HELD]


def _waiting(scoped: Any, account: int) -> list[StatementLine]:
    """Returns the gifts that lie in an account because they wait for a second person."""
    found = statements.lines(scoped, (), dt.date.min, dt.date.max, MOST_ASKED, account=account)
    return [it for it in found if it.what == "ask" and not it.answered]


# --- forms ------------------------------------------------------------------------------------------------------------


@pages.get("/funds/<what>")
def form(what: str) -> str:
    """Shows a form of the ledger."""
    return _form_page(what, _form(what, {"happened_on": today().strftime("%d/%m/%Y")}))


@pages.post("/funds/<what>")
def enter(what: str) -> Response | tuple[str, int]:
    """Enters what a form of the ledger says."""
    asked = _form(what, {})
    fields = {it.name: it for it in asked.asked}
    try:
        needs = FORMS[what].needs
        values = form_values.read_form(
            [it for name, it in fields.items() if name in needs],
            [it for name, it in fields.items() if name not in needs],
            asked.values,
            today(),
        )
        FORMS[what].do(deployment().context, BookAct(g.viewer, _association(), now(), asked.once), values)
    except (NoAccess, NotAllowed):
        raise
    except Refused as refused:
        asked.refuse(refused if isinstance(refused, Invalid) else Invalid({"": refused.sentence}))
        if isinstance(refused, SentBefore):
            asked.anew()
        return _form_page(what, asked), 409 if isinstance(refused, Conflict) else 422
    flash(_("It stands in the books."))
    return redirect(url_for("funds.index"), 303)


def _association() -> int:
    """Returns the association whose books the forms are about: the first that the reader leads or belongs to."""
    return associations_of()[0]


def _form(what: str, prefill: Mapping[str, Any]) -> ActForm:
    require_association()
    if what not in FORMS:
        raise NotFound(Sentence("There is no such page."))
    if FORMS[what].leaders and not g.viewer.holds("association"):
        raise NotAllowed(Sentence("Only who leads the association does this."))
    with deployment().context.store.scoped(g.viewer) as scoped:
        places = [it.account for it in statements.places(scoped, [_association()], (FUND, STOCK))]
    asked = FORMS[what]
    fields = _fields(tuple(Choice(str(it.id), Label(it.name, it.name)) for it in places))
    return act_form([fields[name] for name in (*asked.needs, *asked.may)], asked.needs, prefill=prefill)


def _fields(places: tuple[Choice, ...]) -> dict[str, Field]:
    kinds = tuple(Choice(it.id, _with_unit(it)) for it in deployment().context.support.kinds.values())
    where = (
        Choice(FUND, Label("Quỹ (tiền)", "A fund (money)")),
        Choice(STOCK, Label("Kho (hiện vật)", "A stock (goods)")),
    )
    fields = (
        Field("donor", "line", Label("Nhà hảo tâm, đơn vị tài trợ", "Donor"), max_length=200),
        Field("from", "choice", Label("Từ quỹ, kho", "From"), choices=places),
        Field("to", "choice", Label("Vào quỹ, kho", "To"), choices=places),
        Field("kind", "choice", Label("Loại", "Kind"), choices=kinds),
        Field("amount", "decimal", Label("Số lượng (theo đơn vị của loại)", "Quantity (in the unit of the kind)")),
        Field("price", "money", Label("Số tiền (đồng)", "Price (VND)")),
        Field("happened_on", "date", Label("Ngày", "Day"), when="past"),
        Field("until", "date", Label("Cam kết đến ngày", "Pledged until"), when="future"),
        Field("pledged", "yes_no", Label("Đã cam kết trước", "It was pledged before")),
        Field("place_kind", "choice", Label("Mở gì", "What to open"), choices=where),
        Field("place_name", "line", Label("Tên", "Name"), max_length=200),
        Field("purpose", "line", Label("Dùng cho việc gì, để ở đâu", "What it is for, where it lies"), max_length=300),
        Field("reason", "line", Label("Lý do", "Reason"), max_length=300),
    )
    return {it.name: it for it in fields}


def _with_unit(kind: Kind) -> Label:
    return Label(f"{kind.label.vi} ({kind.unit.vi})", f"{kind.label.en} ({kind.unit.en})")


def _form_page(what: str, asked: ActForm) -> str:
    return render_template(
        "ledger_form.html", form=asked, words=FORMS[what].label, address=url_for("funds.enter", what=what)
    )


# --- a second person, a reversal --------------------------------------------------------------------------------------


@pages.post("/funds/agree/<int:entry_id>")
def agree(entry_id: int) -> Response:
    """Lets a gift happen that waits for a second person."""
    require_association()
    line = _line(entry_id)
    if line.code is None:
        raise NotFound(Sentence("The case of this gift has gone on to others: take the gift back."))
    gifts.agree(deployment().context, Act(g.viewer, line.code, {}, now()), entry_id)
    flash(_("The gift for case %(code)s is agreed.", code=line.code))
    return redirect(url_for("funds.index"), 303)


@pages.get("/funds/reverse/<int:entry_id>")
def ask_reason(entry_id: int) -> str:
    """Asks why an entry is to be reversed."""
    return _reverse_page(entry_id, _reverse_form())


@pages.post("/funds/reverse/<int:entry_id>")
def reverse(entry_id: int) -> Response | tuple[str, int]:
    """Reverses an entry with a reason."""
    asked = _reverse_form()
    _line(entry_id)
    try:
        gifts.reverse(deployment().context, g.viewer, entry_id, asked.values["reason"] or "", now())
    except (NoAccess, NotAllowed):
        raise
    except Refused as refused:
        asked.refuse(refused if isinstance(refused, Invalid) else Invalid({"": refused.sentence}))
        return _reverse_page(entry_id, asked), 409 if isinstance(refused, Conflict) else 422
    flash(_("The entry was reversed."))
    return redirect(url_for("statements.index"), 303)


def _reverse_form() -> ActForm:
    require_association()
    if not g.viewer.holds("association"):
        raise NotAllowed(Sentence("Only who leads the association does this."))
    return act_form([_fields(())["reason"]], ("reason",))


def _reverse_page(entry_id: int, asked: ActForm) -> str:
    words, address = Label("Đảo bút toán", "Reverse an entry"), url_for("funds.reverse", entry_id=entry_id)
    with deployment().context.store.scoped(g.viewer) as scoped:
        kinds = ledger.kinds(scoped, deployment().context.support)
    line = _line(entry_id)
    return render_template("ledger_form.html", form=asked, words=words, address=address, line=line, kinds=kinds)


def _line(entry_id: int) -> StatementLine:
    """Returns an entry of the reader's associations. Raises `NotFound` for any other."""
    with deployment().context.store.scoped(g.viewer) as scoped:
        found = statements.line(scoped, entry_id)
    if found is None:
        raise NotFound(Sentence("There is no such entry."))
    return found
