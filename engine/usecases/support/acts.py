"""What members of an association do with its ledger, one function for each act, one transaction each.

A volunteer pledges, receives, gives and takes back; whoever leads the association also opens funds and stocks, moves
what is in them, writes off what was lost, and reverses. A form with an idempotency key that comes twice is done once.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.core.people.access import Viewer
from engine.core.refusals import Conflict, Invalid, NoAccess, NotAllowed, NotFound
from engine.core.support import ledger as core
from engine.core.support.catalogue import Kind, steps_of
from engine.core.support.ledger import (
    BOUGHT,
    DONOR,
    FUND,
    LAPSED,
    LEADER,
    LOSS,
    LOST,
    MARKET,
    OPEN,
    OPENING,
    PLEDGE,
    PLEDGED,
    RECEIVED,
    STOCK,
    TRANSFERRED,
    Account,
    Made,
    Transfer,
)
from engine.core.words import Sentence
from engine.store.session import Session
from engine.store.support import ledger as stored
from engine.usecases import idempotency
from engine.usecases.context import Context

MEMBERS = (LEADER, "volunteer")
LEADERS = (LEADER,)
PLACES = (FUND, STOCK)
MOST_NAME = 200


@dataclass(frozen=True, slots=True)
class BookAct:
    """Who does something with the ledger of which association, when, and the key of the form."""

    viewer: Viewer
    association_id: int
    now: dt.datetime
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Moved:
    """How much of which kind moves, and when: what every entry says. `amount` is in units of the kind."""

    kind: str
    amount: Any
    happened_on: dt.date
    reason: str | None = None
    more: Mapping[str, object] = field(default_factory=dict)


def member(viewer: Viewer, association_id: int | None, roles: tuple[str, ...] = MEMBERS) -> str:
    """Returns the role in which somebody acts for an association.

    Raises `NoAccess` for somebody of another association, `NotAllowed` for a member without the role.
    """
    mine = [role for role in MEMBERS if association_id in viewer.of(role)]
    if not mine:
        raise NoAccess(Sentence("These are the books of an association that you do not belong to."))
    role = next((role for role in mine if role in roles), None)
    if role is None:
        raise NotAllowed(Sentence("Only who leads the association does this."))
    return role


def open_place(context: Context, act: BookAct, kind: str, name: str, purpose: str = "") -> int:
    """Opens a fund or a stock of an association; returns its id. The same name twice is one place."""

    def do(session: Session) -> list[int]:
        member(act.viewer, act.association_id, LEADERS)
        if kind not in PLACES:
            raise Invalid({"kind": Sentence("Open a fund or a stock.")})
        said = _name(name)
        found = stored.named(session, kind, said, act.association_id)
        made = found or stored.open_account(
            session, kind, said, act.association_id, act.now, by=act.viewer.person_id, purpose=purpose.strip() or None
        )
        return [made.id]

    return once(context, act, "open place", {"kind": kind, "name": name, "purpose": purpose}, do)[0]


def pledge(context: Context, act: BookAct, donor: str, moved: Moved, until: dt.date | None) -> int:
    """Notes what a donor promises until a day; returns the entry. Nothing of it can be given before it is received."""

    def do(session: Session) -> list[int]:
        role = member(act.viewer, act.association_id)
        if until is not None and until < moved.happened_on:
            raise Invalid({"until": Sentence("This day is before the one of the pledge.")})
        kind = kind_of(context, session, moved.kind)
        whose = donor_named(session, act, donor)
        promised = stored.open_account(
            session, PLEDGE, "", act.association_id, act.now, by=act.viewer.person_id, donor_id=whose.id, until=until
        )
        return _enter(context, session, act, role, [_transfer(PLEDGED, whose, promised, kind, moved)])

    return once(context, act, "pledge", {"donor": donor, "until": until, **_said(moved)}, do)[0]


def receive(context: Context, act: BookAct, donor: str, place_id: int, moved: Moved, *, pledged: bool = False) -> int:
    """Puts what a donor gave into a fund or a stock; returns the entry. `pledged`: it was promised before.

    Raises `NotEnough` if more comes than is pledged, `NotFound` if nothing is.
    """

    def do(session: Session) -> list[int]:
        role = member(act.viewer, act.association_id)
        kind, place = kind_of(context, session, moved.kind), account_of(session, act, place_id, PLACES)
        source = donor_named(session, act, donor)
        if pledged:
            today = context.definitions.calendar("").local(act.now).date()
            open_ = stored.pledges_of(session, source.id, kind.id, min(today, moved.happened_on))
            if not open_:
                raise NotFound(Sentence("This donor has no open pledge of this kind."))
            source = open_[0]
        return _enter(context, session, act, role, [_transfer(RECEIVED, source, place, kind, moved)])

    return once(context, act, "receive", {"donor": donor, "to": place_id, "pledged": pledged, **_said(moved)}, do)[0]


def begin_with(context: Context, act: BookAct, place_id: int, moved: Moved) -> int:
    """Notes what a fund or a stock held when its books began."""

    def do(session: Session) -> list[int]:
        role = member(act.viewer, act.association_id, LEADERS)
        kind, place = kind_of(context, session, moved.kind), account_of(session, act, place_id, PLACES)
        source = stored.own(session, OPENING, act.association_id, act.now)
        return _enter(context, session, act, role, [_transfer(OPEN, source, place, kind, moved)])

    return once(context, act, "open", {"to": place_id, **_said(moved)}, do)[0]


def transfer(context: Context, act: BookAct, from_id: int, to_id: int, moved: Moved) -> int:
    """Moves money from one fund to another, or goods from one stock to another."""

    def do(session: Session) -> list[int]:
        role = member(act.viewer, act.association_id, LEADERS)
        kind = kind_of(context, session, moved.kind)
        source, target = (account_of(session, act, id, PLACES) for id in (from_id, to_id))
        return _enter(context, session, act, role, [_transfer(TRANSFERRED, source, target, kind, moved)])

    return once(context, act, "transfer", {"from": from_id, "to": to_id, **_said(moved)}, do)[0]


def lose(context: Context, act: BookAct, from_id: int, moved: Moved) -> int:
    """Writes off what was lost, spoiled or stolen, with the reason."""

    def do(session: Session) -> list[int]:
        role = member(act.viewer, act.association_id, LEADERS)
        kind, source = kind_of(context, session, moved.kind), account_of(session, act, from_id, PLACES)
        target = stored.own(session, LOST, act.association_id, act.now)
        return _enter(context, session, act, role, [_transfer(LOSS, source, target, kind, moved)])

    return once(context, act, "lose", {"from": from_id, **_said(moved)}, do)[0]


def buy(context: Context, act: BookAct, fund_id: int, price: int, stock_id: int, moved: Moved) -> int:
    """Pays for goods from a fund and puts them into a stock: two entries, both or none; returns the first.

    `price` is in đồng.
    """

    def do(session: Session) -> list[int]:
        role = member(act.viewer, act.association_id, LEADERS)
        money, goods = kind_of(context, session, "cash"), kind_of(context, session, moved.kind)
        fund, stock = account_of(session, act, fund_id, (FUND,)), account_of(session, act, stock_id, (STOCK,))
        market = stored.own(session, MARKET, act.association_id, act.now)
        paid = _transfer(BOUGHT, fund, market, money, Moved("cash", price, moved.happened_on, moved.reason))
        return _enter(context, session, act, role, [paid, _transfer(BOUGHT, market, stock, goods, moved)])

    said = {"fund": fund_id, "price": price, "stock": stock_id, **_said(moved)}
    return once(context, act, "buy", said, do)[0]


def lapse(context: Context, act: BookAct, pledge_id: int, kind_id: str, reason: str) -> int:
    """Ends a pledge: what of it was not received is promised no longer."""

    def do(session: Session) -> list[int]:
        role = member(act.viewer, act.association_id, LEADERS)
        kind, promised = kind_of(context, session, kind_id), account_of(session, act, pledge_id, (PLEDGE,))
        donor = stored.account(session, promised.donor_id or 0)
        rest = stored.balance(session, promised, kind.id)
        if not rest or donor is None:
            raise Conflict(Sentence("Nothing of this pledge is open any more."))
        today = context.definitions.calendar("").local(act.now).date()
        back = Transfer(LAPSED, promised, donor, kind, rest, today, reason.strip()[: core.MOST_REASON])
        return _enter(context, session, act, role, [back])

    return once(context, act, "lapse", {"pledge": pledge_id, "kind": kind_id, "reason": reason}, do)[0]


# --- what they share --------------------------------------------------------------------------------------------------


def kind_of(context: Context, session: Session, id: str) -> Kind:
    """Returns a kind as the ledger counts it: with the step of its first use. Raises `Invalid` for an unknown one."""
    if context.support.kinds and id not in context.support.kinds:
        raise Invalid({"kind": Sentence("There is no kind of support “{name}”.", name=id)})
    return counted(context, session, id)


def counted(context: Context, session: Session, id: str) -> Kind:
    """Returns a kind as the ledger counts it, also one that the catalogue does not have any more."""
    return stored.as_counted(session, context.support.kind(id))


def account_of(session: Session, act: BookAct, id: int, kinds: tuple[str, ...]) -> Account:
    """Returns an account of the association. Raises `NoAccess` for any other: nobody learns what others have."""
    found = stored.account(session, id)
    if found is None or found.association_id != act.association_id or found.kind not in kinds:
        raise NoAccess(Sentence("This association has no such fund or stock."))
    return found


def donor_named(session: Session, act: BookAct, name: str) -> Account:
    """Returns the donor of this name, one of the association; a new one if there was none."""
    said = _name(name)
    return stored.named(session, DONOR, said, act.association_id) or stored.open_account(
        session, DONOR, said, act.association_id, act.now, by=act.viewer.person_id or None
    )


def _name(name: str) -> str:
    said = " ".join(name.split())[:MOST_NAME]
    if not said:
        raise Invalid({"name": Sentence("Give it a name.")})
    return said


def _transfer(what: str, source: Account, target: Account, kind: Kind, moved: Moved) -> Transfer:
    reason = (moved.reason or "").strip()[: core.MOST_REASON] or None
    return Transfer(what, source, target, kind, steps_of(kind, moved.amount), moved.happened_on, reason)


def _enter(context: Context, session: Session, act: BookAct, role: str, transfers: list[Transfer]) -> list[int]:
    today = context.definitions.calendar("").local(act.now).date()
    for it in transfers:
        core.enough(core.check(it, today), stored.balance(session, it.source, it.kind.id) if it.source.bounded else 0)
    return stored.write(session, transfers, act.now, by=act.viewer.person_id, role=role, key=act.key)


def _said(moved: Moved) -> dict[str, object]:
    return {"kind": moved.kind, "amount": moved.amount, "on": moved.happened_on, "reason": moved.reason, **moved.more}


def once(
    context: Context, act: BookAct, name: str, content: Mapping[str, object], do: Callable[[Session], list[int]]
) -> list[int]:
    """Does it in one transaction, once for each key; a form that comes again gets the answer of the first time."""
    said = {**content, "association": act.association_id, "person": act.viewer.person_id}
    sent = idempotency.digest(act.key, name, said) if act.key else ""
    try:
        return _once(context, act, sent, do)
    except stored.Meanwhile:  # the same form, sent twice at the same moment: the other one is kept by now
        return _once(context, act, sent, do)


def _once(context: Context, act: BookAct, sent: str, do: Callable[[Session], list[int]]) -> list[int]:
    with context.store.writing("the ledger of an association") as session:
        if act.key:
            idempotency.check(session, act.key, sent)
            if before := stored.made_with(session, act.key):
                return [before.id]
        ids = do(session)
        if act.key:
            idempotency.note(session, act.key, sent, act.now)
    return ids


def entry_of(session: Session, viewer: Viewer, id: int) -> tuple[Made, int | None]:
    """Returns an entry and whose books it stands in. Raises `NoAccess` for an entry of others, or none."""
    made = stored.made(session, id)
    association = (made.source.association_id or made.target.association_id) if made else None
    if made is None or (association is None and made.entered_by_id != viewer.person_id):
        raise NoAccess(Sentence("These are the books of an association that you do not belong to."))
    return made, association
