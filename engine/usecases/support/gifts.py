"""Gifts to a case: each stands in the history of the case and in the ledger, in one transaction.

What a fund or a stock gives is an entry from it. What somebody else gives, whom no books name, is an entry from
outside. A gift worth more than one person may give waits for a second one. A reversal takes back both: the entry, and
the line of the case.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

from engine.core.cases.act import Act
from engine.core.cases.casework import Actor, Casework
from engine.core.cases.past import ENTRY, OF, SUPPORT_REVERSED
from engine.core.invariants import given
from engine.core.people.access import Viewer
from engine.core.people.roles import GIVE
from engine.core.refusals import NoAccess, NotAllowed, NotFound
from engine.core.support import ledger as core
from engine.core.support.catalogue import steps_of
from engine.core.support.ledger import (
    ASKED,
    FUND,
    GAVE,
    GIVEN,
    HELD,
    OUTSIDE,
    RETURNED,
    STOCK,
    Account,
    Made,
    Transfer,
)
from engine.core.words import Sentence
from engine.core.workflow.model import ActFields
from engine.store.cases import cases as stored_cases
from engine.store.cases import corrections, writer
from engine.store.cases.surroundings import casework_of
from engine.store.session import Session
from engine.store.support import ledger as stored
from engine.store.support import needs
from engine.usecases.cases import case_acts
from engine.usecases.context import Context
from engine.usecases.support.acts import MEMBERS, BookAct, Moved, account_of, counted, entry_of, kind_of, member, once

AGREE = ActFields("agree", (), ("note",))


def give(context: Context, act: Act, source_id: int | None = None) -> None:
    """Gives something to a case, from a fund or a stock of the viewer's association; without one, from outside.

    Raises `NotEnough` if the source holds less, and what acts on a case raise.
    """

    def do(work: Casework, actor: Actor, filled: dict[str, Any], session: Session) -> None:
        givers = work.roles.able(GIVE)
        if not actor.roles & givers:
            raise NotAllowed(Sentence("Your role does not log support."))
        source = _source(session, act, source_id, work.facts.association_id)
        give_within(context, session, work, actor.only(givers), source, filled)

    case_acts.on_case(context, act, "support", do, about=source_id)


def give_within(
    context: Context,
    session: Session,
    work: Casework,
    actor: Actor,
    source: Account,
    filled: dict[str, Any],
    key: str | None = None,
) -> None:
    """Adds a gift from `source` to the work on a case, and to the ledger; part of a larger transaction.

    `key` is the idempotency key of the entry, where none of the case's events has one.
    """
    kind = (counted if source.kind == OUTSIDE else kind_of)(context, session, filled["support_kind"])
    quantity, day = steps_of(kind, filled["quantity"]), dt.date.fromisoformat(filled["given_on"])
    waits = source.kind != OUTSIDE and context.support.needs_second(kind, quantity)
    target = stored.own(session, HELD if waits else GIVEN, source.association_id, work.now)
    if source.kind != OUTSIDE:
        filled.setdefault("programme", source.name)
    what, case = ASKED if waits else GAVE, (work.facts.id, work.next_seq)
    made = Transfer(what, source, target, kind, quantity, day, case=case)
    _may(context, session, made, work.now)
    if waits:
        work.write("support_asked", actor, filled)
    else:
        _log(work, actor, filled)
    _enter(session, made, actor, work.now, filled.get("value"), key)


def agree(context: Context, act: Act, entry_id: int) -> None:
    """Lets a gift happen that waits for a second person."""

    def do(work: Casework, actor: Actor, filled: dict[str, Any], session: Session) -> None:
        asked, association = entry_of(session, act.viewer, entry_id)
        role = member(act.viewer, association)
        if asked.case is None or asked.case[0] != work.facts.id:
            raise NotFound(Sentence("This gift is not for this case."))
        kind, target = counted(context, session, asked.kind_id), stored.own(session, GIVEN, association, act.now)
        settled = core.settlement(asked, kind, target, act.viewer.person_id, actor.roles)
        said = {
            "support_kind": kind.id,
            "quantity": format(kind.amount(asked.quantity), "f"),
            "given_on": asked.happened_on.isoformat(),
            "programme": asked.source.name or None,
            **filled,
        }
        settled = replace(settled, case=(work.facts.id, work.next_seq))
        actor = actor.only(frozenset({role}))
        _log(work, actor, {name: value for name, value in said.items() if value})
        _may(context, session, settled, act.now)
        _enter(session, settled, actor, act.now, None)

    case_acts.on_case(context, act, "agree", do, asks=lambda _workflow: AGREE, about=entry_id)


def bring_back(context: Context, act: BookAct, entry_id: int, place_id: int, moved: Moved) -> int:
    """Takes back something that was given to a case, or a part of it, into a fund or a stock, with the reason."""

    def do(session: Session) -> list[int]:
        made, association = entry_of(session, act.viewer, entry_id)
        role = member(act.viewer, association)
        place = account_of(session, act, place_id, (FUND, STOCK))
        kind = counted(context, session, made.kind_id)
        if made.what != GAVE or made.answered or made.case is None:
            raise NotAllowed(Sentence("Only what was given and not reversed can come back."))
        quantity = steps_of(kind, moved.amount)
        back = Transfer(
            RETURNED, made.target, place, kind, quantity, moved.happened_on, moved.reason, case=(made.case[0], None)
        )
        core.check(back, _today(context, act.now))
        rest = sum(steps for _, code, steps in stored.gifts_to(session, made.case[0]) if code == kind.id)
        if quantity > min(rest, made.quantity):
            raise NotAllowed(Sentence("More would come back than was given."))
        ids = stored.write(session, [back], act.now, by=act.viewer.person_id, role=role, key=act.key)
        needs.settle(session, made.case[0])
        return ids

    said = {"entry": entry_id, "to": place_id, "amount": moved.amount, "on": moved.happened_on, "why": moved.reason}
    return once(context, act, "bring back", said, do)[0]


def reverse(context: Context, viewer: Viewer, entry_id: int, reason: str, now: dt.datetime) -> int:
    """Takes an entry back with a reason: who leads the association may, and for a gift from outside, who entered it.

    Returns the new entry. A gift leaves the history of its case as it is: an event says that it was taken back.
    """
    with context.store.writing("reverse an entry") as session:
        made, association = entry_of(session, viewer, entry_id)
        role = member(viewer, association, (core.LEADER,)) if association is not None else None
        kind = counted(context, session, made.kind_id)
        id = stored.take_back(session, made, kind, reason, now, _today(context, now), viewer.person_id, role)
        if made.case is not None and made.case[1] is not None:
            _take_off_the_case(
                context, session, made, (made.case[0], made.case[1]), viewer.person_id, role, reason, now
            )
        return id


def _take_off_the_case(
    context: Context,
    session: Session,
    made: Made,
    case: tuple[int, int],
    person_id: int,
    role: str | None,
    reason: str,
    now: dt.datetime,
) -> None:
    facts = stored_cases.case_by_id(session, case[0])
    work = casework_of(session, context.definitions, facts, now)
    by = Actor(person_id, frozenset({role}) if role else frozenset())
    entry, versions = corrections.versions(session, *case)
    of = "support_asked" if made.what == ASKED else "support_given"
    rows = [("corrections", {"entry_seq": entry, "void": True})]
    work.write(SUPPORT_REVERSED, by, {"reason": reason}, rows, data={ENTRY: entry, OF: of})
    corrections.replace(session, case[0], versions, work.next_seq - 1)
    writer.store(session, [work])
    needs.settle(session, case[0])


def _source(session: Session, act: Act, source_id: int | None, association_id: int | None) -> Account:
    """Returns where a gift comes from: a fund or a stock of the viewer's association, or outside the books."""
    if source_id is None:
        return stored.own(session, OUTSIDE, association_id, act.now)
    found = stored.account(session, source_id)
    if found is None or found.kind not in {FUND, STOCK}:
        raise NoAccess(Sentence("This association has no such fund or stock."))
    member(act.viewer, found.association_id)
    return found


def _log(work: Casework, actor: Actor, filled: dict[str, Any]) -> None:
    """Writes the gift into the history of the case, and its line for the case's page."""
    row = case_acts.support_row(work.situation.workflow, filled)
    row |= {"logged_by_id": actor.person_id, "association_id": work.facts.association_id}
    work.write("support_given", actor, filled, [("support", row)])


def _may(context: Context, session: Session, made: Transfer, now: dt.datetime) -> None:
    held = stored.balance(session, made.source, made.kind.id) if made.source.bounded else 0
    core.enough(core.check(made, _today(context, now)), held)


def _enter(
    session: Session, made: Transfer, actor: Actor, now: dt.datetime, value: int | None, key: str | None = None
) -> None:
    worth = made.kind.worth(made.quantity) if value is None else value
    stored.write(session, [made], now, by=actor.person_id, role=actor.role(MEMBERS), key=key, values=[worth])
    needs.settle(session, given(made.case, "a gift is to a case")[0])


def _today(context: Context, now: dt.datetime) -> dt.date:
    return context.definitions.calendar("").local(now).date()
