"""Brings in a list of receipts and gifts: all of it, or nothing and every fault; a second time without harm.

The operator of the installation does it for an association: the list is the association's own paper.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from engine.channels.excel97 import read_excel97
from engine.core.cases.casework import Actor
from engine.core.files.sheets import read_sheets
from engine.core.people.access import Viewer
from engine.core.refusals import Invalid, NotFound, Refused
from engine.core.support import ledger as core
from engine.core.support.catalogue import steps_of
from engine.core.support.gift_rows import GiftRow, read_rows
from engine.core.support.ledger import LEADER, RECEIVED, Account, Transfer
from engine.core.words import Fault, Faulty, Sentence
from engine.store.cases import cases as stored_cases
from engine.store.cases import writer
from engine.store.cases.surroundings import casework_of
from engine.store.session import Session
from engine.store.support import ledger as stored
from engine.usecases.context import Context
from engine.usecases.support.acts import BookAct, donor_named, kind_of
from engine.usecases.support.gifts import give_within


@dataclass
class Brought:
    """The result of a list: how many receipts and gifts are new, and how many rows were there already."""

    receipts: int = 0
    gifts: int = 0
    known: int = 0
    faults: list[Fault] = field(default_factory=list)

    def summary(self) -> dict[str, int]:
        """Returns the numbers for a program that reads them."""
        return {"receipts": self.receipts, "gifts": self.gifts, "known": self.known, "wrong": len(self.faults)}


def bring_in(context: Context, data: bytes, file: str, now: dt.datetime, *, dry: bool) -> Brought:
    """Enters the rows of a csv or xlsx file; `dry` tries it out and keeps nothing.

    Raises `Faulty` with every fault of the file, and `Unreadable`; then nothing was entered.
    """
    brought = Brought()
    latest = context.definitions.calendar("").local(now).date()
    rows = list(read_rows(read_sheets(data, read_excel97), context.support, latest, file, brought.faults))
    if dry:
        with context.store.trying("try out a list of gifts") as session:
            _enter(context, session, rows, file, now, brought)
    else:
        with context.store.writing("bring in a list of gifts") as session:
            _enter(context, session, rows, file, now, brought)
    return brought


def _enter(
    context: Context, session: Session, rows: list[GiftRow], file: str, now: dt.datetime, brought: Brought
) -> None:
    known = stored.known_keys(session, (row.key for row in rows))
    for row in rows:
        if row.key in known:
            brought.known += 1
            continue
        try:
            _enter_row(context, session, row, now)
        except Refused as refused:
            found = refused.fields if isinstance(refused, Invalid) else {"": refused.sentence}
            brought.faults += [Fault(f"{file}:{row.row}", name, why) for name, why in found.items()]
        else:
            brought.gifts += bool(row.case)
            brought.receipts += bool(row.donor)
    if brought.faults:
        raise Faulty(brought.faults)


def _enter_row(context: Context, session: Session, row: GiftRow, now: dt.datetime) -> None:
    """Enters one row; refuses it before anything is written."""
    place, kind = _place(session, row), kind_of(context, session, row.kind)
    if not place.takes(kind):
        raise Invalid({"kind": Sentence("A fund holds money and a stock holds goods: “{name}”.", name=place.name)})
    quantity, today = steps_of(kind, row.amount), context.definitions.calendar("").local(now).date()
    if row.donor:
        act = BookAct(Viewer(0), place.association_id or 0, now)
        source = stored.named(session, core.DONOR, row.donor, place.association_id)
        donor = source or donor_named(session, act, row.donor)
        made = core.check(Transfer(RECEIVED, donor, place, kind, quantity, row.day), today)
        stored.write(session, [made], now, by=None, role=None, key=row.key)
        return
    facts = stored_cases.case_by_code(session, row.case.upper())
    if facts is None:
        raise NotFound(Sentence("There is no case {code}.", code=row.case))
    if facts.association_id != place.association_id:
        raise Invalid({"case": Sentence("Case {code} was not referred to this association.", code=row.case)})
    work = casework_of(session, context.definitions, facts, now)
    filled = {"support_kind": kind.id, "quantity": format(row.amount.normalize(), "f"), "given_on": row.day.isoformat()}
    filled |= {"note": row.note} if row.note else {}
    give_within(context, session, work, Actor(None, frozenset({LEADER})), place, filled, row.key)
    writer.store(session, [work])


def _place(session: Session, row: GiftRow) -> Account:
    found = stored.places_named(session, row.place, row.association)
    if len(found) > 1:
        raise Invalid({"association": Sentence("Several have a “{name}”: say whose it is.", name=row.place)})
    if not found:
        raise Invalid({"place": Sentence("There is no fund or stock “{name}”.", name=row.place)})
    return found[0]
