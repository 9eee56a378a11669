"""Statements of an association: what came and what went, by donor, fund or stock, and period; as a file, too."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from flask import Blueprint, g, render_template, request
from werkzeug.wrappers import Response

from engine.core.files.export import TYPES
from engine.core.refusals import NotFound
from engine.core.support.catalogue import Kind
from engine.core.support.ledger import ACCOUNT_KINDS, DONOR, ENTRY_KINDS, FUND, STOCK
from engine.core.words import Label, Sentence
from engine.store.support import ledger, statements
from engine.store.support.statements import PlaceHeld, StatementLine
from web.account.exports import download
from web.site.languages import said
from web.site.request_context import deployment, local, today, whole_arg
from web.site.typed import read_day
from web.support.needs import associations_of, require_association

MOST = 100
MOST_IN_FILE = 20_000

pages = Blueprint("statements", __name__)


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement: of what, from when to when, its lines, and what came in, went out and was there before by kind."""

    account: PlaceHeld | None
    first: dt.date
    last: dt.date
    lines: list[StatementLine]
    totals: list[tuple[str, int, int]]
    before: Mapping[str, int]
    accounts: list[PlaceHeld]
    kinds: Mapping[str, Kind]


@pages.get("/statements")
def index() -> str:
    """Shows a statement of this month, or of another period."""
    found = _read(MOST)
    return render_template(
        "statements.html",
        it=found,
        more=len(found.lines) > MOST,
        lines=found.lines[:MOST],
        what=ENTRY_KINDS,
        called=called,
        leads=g.viewer.holds("association"),
    )


def file(form: str) -> Response:
    """Returns a statement as a file."""
    found = _read(MOST_IN_FILE)
    columns = (
        Sentence("On"),
        Sentence("Entered at"),
        Sentence("What"),
        Sentence("From"),
        Sentence("To"),
        Sentence("Support"),
        Sentence("Quantity"),
        Sentence("Unit"),
        Sentence("Value (đồng)"),
        Sentence("Case code"),
        Sentence("Reason"),
    )
    rows = (
        (
            it.day,
            local(it.entered_at),
            ENTRY_KINDS[it.what],
            called(it.source_kind, it.source),
            called(it.target_kind, it.target),
            found.kinds[it.commodity].label,
            found.kinds[it.commodity].amount(it.sign * it.quantity),
            found.kinds[it.commodity].unit,
            it.value,
            it.code,
            it.reason,
        )
        for it in found.lines[:MOST_IN_FILE]
    )
    return download(form, "statement", [said(column) for column in columns], rows, "statement")


for _form in TYPES:
    pages.add_url_rule(f"/statements.{_form}", view_func=file, defaults={"form": _form})


def called(kind: str, name: str) -> Label:
    """Returns what an account is called for this reader: a volunteer reads no donor's name."""
    hidden = kind == DONOR and not g.viewer.holds("association")
    return ACCOUNT_KINDS.get(kind, Label("–", "–")) if hidden or not name else Label(name, name)


def _read(limit: int) -> Statement:
    require_association()
    first = read_day(request.args.get("from"), "from", today().replace(day=1))
    last = read_day(request.args.get("to"), "to", today())
    account, mine = whole_arg("account"), associations_of()
    seen = (FUND, STOCK, DONOR) if g.viewer.holds("association") else (FUND, STOCK)
    with deployment().context.store.scoped(g.viewer) as scoped:
        accounts = statements.places(scoped, mine, seen)
        chosen = next((it for it in accounts if it.account.id == account), None)
        if account is not None and chosen is None:
            raise NotFound(Sentence("There is no such statement."))
        return Statement(
            chosen,
            first,
            last,
            statements.lines(scoped, mine, first, last, limit, account=account),
            statements.totals(scoped, mine, first, last, account=account),
            statements.before(scoped, account, first) if account is not None else {},
            accounts,
            ledger.kinds(scoped, deployment().context.support),
        )
