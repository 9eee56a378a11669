"""Keeps accounts and entries of the ledger. The database moves the balances of bounded accounts, and refuses what would
take more than there is (`engine/store/migrations/versions/0028_the_ledger_of_support.py`).
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import and_, bindparam, func, insert, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from engine.core.invariants import given, hold
from engine.core.refusals import Conflict, NotEnough
from engine.core.support.catalogue import Catalogue, Kind
from engine.core.support.ledger import BOUNDED, Account, Made, Transfer, called, enough, taking_back
from engine.core.words import Sentence
from engine.store import tables as t

_TABLES = t.Base.metadata.tables
_accounts, _balances, _entries = (_TABLES[name] for name in ("ledger_accounts", "ledger_balances", "ledger_entries"))
_commodities, _units, _corrections = (_TABLES[name] for name in ("ledger_commodities", "units", "corrections"))
TOGETHER = 500  # keys in one question
_ACCOUNT = (
    _accounts.c.id,
    _accounts.c.kind,
    _accounts.c.name,
    _accounts.c.association_id,
    _accounts.c.donor_id,
    _accounts.c.until,
)
_STEPS = select(_commodities.c.steps).where(_commodities.c.code == bindparam("kind"))
_ENTER = insert(_entries).returning(_entries.c.id)
GUARD = "ck_ledger_balances_enough"
# In the words of PostgreSQL; SQLite has one writer, who has looked before.
ONCE = ("uq_ledger_entries_key", "uq_ledger_entries_of_id")


class Meanwhile(Conflict):
    """Somebody else entered the same while this was being entered."""

    def __init__(self) -> None:
        super().__init__(Sentence("Somebody else has just entered this."))


# --- accounts ---------------------------------------------------------------------------------------------------------


def open_account(
    session: Session,
    kind: str,
    name: str,
    association_id: int | None,
    now: dt.datetime,
    *,
    by: int | None = None,
    donor_id: int | None = None,
    purpose: str | None = None,
    until: dt.date | None = None,
) -> Account:
    """Stores a new account, and returns it."""
    values = {
        "kind": kind,
        "bounded": kind in BOUNDED,
        "name": name,
        "association_id": association_id,
        "donor_id": donor_id,
        "purpose": purpose,
        "until": until,
        "opened_at": now,
        "opened_by_id": by,
    }
    id = session.connection().execute(insert(_accounts).values(values).returning(_accounts.c.id)).scalar_one()
    return Account(id, kind, name, association_id, donor_id, until)


def account(session: Session, id: int) -> Account | None:
    """Returns an account by its id."""
    row = session.connection().execute(select(*_ACCOUNT).where(_accounts.c.id == id)).one_or_none()
    return Account(*row) if row else None


def named(session: Session, kind: str, name: str, association_id: int | None) -> Account | None:
    """Returns the oldest account of an association with this kind and name."""
    query = (
        select(*_ACCOUNT)
        .where(_accounts.c.association_id.is_not_distinct_from(association_id))
        .where(_accounts.c.kind == kind, _accounts.c.name == name)
        .order_by(_accounts.c.id)
        .limit(1)
    )
    row = session.connection().execute(query).one_or_none()
    return Account(*row) if row else None


def places_named(session: Session, name: str, association: str) -> list[Account]:
    """Returns the funds and stocks of a name; those of one association if its code is given."""
    query = select(*_ACCOUNT).where(_accounts.c.name == name, _accounts.c.kind.in_(("fund", "stock")))
    if association:
        coded = select(_units.c.id).where(func.lower(_units.c.code) == association.lower())
        query = query.where(_accounts.c.association_id.in_(coded))
    return [Account(*row) for row in session.connection().execute(query.order_by(_accounts.c.id).limit(2))]


def known_keys(session: Session, keys: Iterable[str]) -> set[str]:
    """Returns which of these idempotency keys have made an entry."""
    wanted = list(keys)
    found: set[str] = set()
    for at in range(0, len(wanted), TOGETHER):
        query = select(_entries.c.key).where(_entries.c.key.in_(wanted[at : at + TOGETHER]))
        found.update(session.connection().execute(query).scalars())
    return found


def own(session: Session, kind: str, association_id: int | None, now: dt.datetime) -> Account:
    """Returns the one account of a kind that each association has; opens it if it is the first time.

    Two at once may open two: both are read as one, because neither is bounded or has a name. The one that holds what
    waits for a second person is bounded, and is found again by the entry that put it there.
    """
    return named(session, kind, "", association_id) or open_account(session, kind, "", association_id, now)


def accounts_of(session: Session, associations: Collection[int], kinds: Collection[str]) -> list[Account]:
    """Returns the accounts of some associations, by kind and name."""
    query = (
        select(*_ACCOUNT)
        .where(_accounts.c.association_id.in_(sorted(associations)), _accounts.c.kind.in_(sorted(kinds)))
        .order_by(_accounts.c.kind, _accounts.c.name, _accounts.c.id)
    )
    return [Account(*row) for row in session.connection().execute(query)]


def pledges_of(session: Session, donor_id: int, commodity: str, today: dt.date) -> list[Account]:
    """Returns a donor's pledges of a kind that are open today and not yet received in full, the first to end first."""
    query = (
        select(*_ACCOUNT)
        .join(_balances, _balances.c.account_id == _accounts.c.id)
        .where(_accounts.c.donor_id == donor_id, _accounts.c.until >= today)
        .where(_balances.c.commodity == commodity, _balances.c.balance > 0)
        .order_by(_accounts.c.until, _accounts.c.id)
    )
    return [Account(*row) for row in session.connection().execute(query)]


# --- what they hold ---------------------------------------------------------------------------------------------------


def balance(session: Session, account: Account, commodity: str) -> int:
    """Returns what an account holds, in steps: kept for a bounded one, summed for any other."""
    if account.bounded:
        kept = select(_balances.c.balance).where(
            _balances.c.account_id == account.id, _balances.c.commodity == commodity
        )
        return session.connection().execute(kept).scalar() or 0
    plus, minus = (
        select(func.coalesce(func.sum(_entries.c.quantity), 0))
        .where(side == account.id, _entries.c.commodity == commodity)
        .scalar_subquery()
        for side in (_entries.c.to_id, _entries.c.from_id)
    )
    return int(session.connection().execute(select(plus - minus)).scalar_one())


def as_counted(session: Session, kind: Kind) -> Kind:
    """Returns a kind with the step that the ledger counts it in, which never changes after its first use."""
    steps = session.connection().execute(_STEPS, {"kind": kind.id}).scalar()
    return kind if steps is None else replace(kind, steps=int(steps))


def kinds(session: Session, catalogue: Catalogue) -> Mapping[str, Kind]:
    """Returns all kinds as the ledger counts them: those of the catalogue, and those that it had once."""
    query = select(t.LedgerCommodity.code, t.LedgerCommodity.steps)
    used = {code: replace(catalogue.kind(code), steps=steps) for code, steps in session.execute(query)}
    return {**catalogue.kinds, **used}


def begin_counting(session: Session, kind: Kind) -> None:
    """Makes sure that the ledger counts a kind, in its steps."""
    line, asked = session.connection(), {"kind": kind.id}
    if (found := line.execute(_STEPS, asked).scalar()) is None:
        row = {"code": kind.id, "steps": kind.steps}
        if line.dialect.name == "sqlite":  # one writer: nobody else can have been faster
            line.execute(insert(_commodities).values(row))
        else:
            line.execute(postgresql.insert(_commodities).values(row).on_conflict_do_nothing())
        found = line.execute(_STEPS, asked).scalar()
    hold(found == kind.steps, "a kind keeps the step in which it was first counted")


# --- entries ----------------------------------------------------------------------------------------------------------


def write(
    session: Session,
    transfers: Sequence[Transfer],
    now: dt.datetime,
    *,
    by: int | None,
    role: str | None,
    key: str | None = None,
    values: Sequence[int | None] = (),
    in_order: bool = False,
) -> list[int]:
    """Stores entries, all of them or none; returns their ids in the order given.

    The first has the idempotency key, the others the same with their number. Entries are written in the order of their
    accounts, so that two transactions never wait for each other in a circle; `in_order` keeps the order given, where
    one takes what another one brings. Raises `NotEnough` if a bounded account
    would hold less than nothing.
    """
    key = key or uuid.uuid4().hex
    line, ids = session.connection(), dict[int, int]()
    for kind in {it.kind.id: it.kind for it in transfers}.values():
        begin_counting(session, kind)
    numbers = range(len(transfers))
    order = list(numbers) if in_order else sorted(numbers, key=lambda number: _order(transfers[number]))
    if len(order) > 1:
        _queue(session, transfers)
    for number in order:
        it = transfers[number]
        row = _row(it, now, by, role, f"{key}/{number}" if number else key)
        row["value"] = values[number] if values else it.kind.worth(it.quantity)
        try:
            ids[number] = line.execute(_ENTER, row).scalar_one()
        except IntegrityError as error:
            if GUARD in str(error.orig):
                raise _too_little(it) from error
            if any(name in str(error.orig) for name in ONCE):
                raise Meanwhile from error
            raise
    return [ids[number] for number in range(len(transfers))]


def _order(transfer: Transfer) -> tuple[int, int]:
    pair = transfer.source.id, transfer.target.id
    return min(pair), max(pair)


def _queue(session: Session, transfers: Iterable[Transfer]) -> None:
    """Takes the balances that several entries move, in account order, before any of them moves."""
    line = session.connection()
    if line.dialect.name == "sqlite":
        return
    places = sorted({(place.id, it.kind.id) for it in transfers for place in (it.source, it.target) if place.bounded})
    for account_id, commodity in places:
        row = {"account_id": account_id, "commodity": commodity, "balance": 0}
        line.execute(postgresql.insert(_balances).values(row).on_conflict_do_nothing())
        mine = and_(_balances.c.account_id == account_id, _balances.c.commodity == commodity)
        line.execute(select(_balances.c.balance).where(mine).with_for_update())


def _row(it: Transfer, now: dt.datetime, by: int | None, role: str | None, key: str) -> dict[str, Any]:
    case, seq = it.case or (None, None)
    return {
        "key": key,
        "kind": it.what,
        "from_id": it.source.id,
        "to_id": it.target.id,
        "commodity": it.kind.id,
        "quantity": it.quantity,
        "happened_on": it.happened_on,
        "entered_at": now,
        "entered_by_id": by,
        "role": role,
        "case_id": case,
        "case_seq": seq,
        "of_id": it.of,
        "reason": it.reason,
    }


def _too_little(it: Transfer) -> NotEnough:
    return NotEnough(
        Sentence(
            "“{name}” holds less than {asked} {unit} of “{kind}”.",
            name=called(it.source),
            asked=it.kind.amount(it.quantity),
            unit=it.kind.unit,
            kind=it.kind.label,
        )
    )


_answer = _entries.alias("answer")


def made(session: Session, id: int) -> Made | None:
    """Returns an entry by its id."""
    return _made(session, _entries.c.id == id)


def gift_of(session: Session, case_id: int, seqs: Collection[int]) -> Made | None:
    """Returns the gift to a case that counts, by the numbers of the versions of its entry; None if it was reversed."""
    taken_back = select(_answer.c.id).where(_answer.c.of_id == _entries.c.id).exists()
    here = _entries.c.case_id == case_id, _entries.c.case_seq.in_(sorted(seqs)), _entries.c.kind == "give"
    return _made(session, and_(*here, ~taken_back))


def take_back(
    session: Session, made: Made, kind: Kind, reason: str, now: dt.datetime, today: dt.date, by: int, role: str | None
) -> int:
    """Takes an entry back with a reason; returns the reversal. What it moves must be there: `NotEnough`."""
    asked = _made(session, _entries.c.id == made.of) if made.of else None
    back = taking_back(made, asked, kind, reason, today)
    enough(back[0], balance(session, back[0].source, kind.id) if back[0].source.bounded else 0)
    return write(session, back, now, by=by, role=role, in_order=True)[0]


def made_with(session: Session, key: str) -> Made | None:
    """Returns the entry that a form made, by its idempotency key."""
    return _made(session, _entries.c.key == key)


def _made(session: Session, which: Any) -> Made | None:
    answered = select(_answer.c.id).where(_answer.c.of_id == _entries.c.id).exists()
    query = select(_entries, answered.label("answered")).where(which)
    row = session.connection().execute(query).mappings().one_or_none()
    if row is None:
        return None
    source, target = (given(account(session, row[side]), "an entry's accounts stay") for side in ("from_id", "to_id"))
    case = None if row["case_id"] is None else (row["case_id"], row["case_seq"])
    return Made(
        row["id"],
        row["kind"],
        source,
        target,
        row["commodity"],
        row["quantity"],
        row["happened_on"],
        row["entered_by_id"],
        row["role"],
        case,
        row["answered"],
        row["value"],
        row["of_id"],
    )


def waiting(session: Session, associations: Collection[int]) -> list[int]:
    """Returns the gifts of some associations that wait for a second person, the oldest first."""
    answered = select(_answer.c.id).where(_answer.c.of_id == _entries.c.id).exists()
    query = (
        select(_entries.c.id)
        .join(_accounts, _accounts.c.id == _entries.c.to_id)
        .where(_accounts.c.association_id.in_(sorted(associations)), _accounts.c.kind == "held", ~answered)
        .where(_entries.c.kind == "ask")
        .order_by(_entries.c.id)
    )
    return list(session.connection().execute(query).scalars())


def gifts_to(session: Session, case_id: int) -> list[tuple[int | None, str, int]]:
    """Returns what a case was given and what came back, in order, without what was reversed.

    For each: the number of the entry on the case, corrected or not (None for what came back), the kind, the steps
    (below zero for what came back).
    """
    reversed_ = select(_answer.c.id).where(_answer.c.of_id == _entries.c.id, _answer.c.kind == "reverse").exists()
    query = (
        select(
            _entries.c.kind,
            func.coalesce(_corrections.c.entry_seq, _entries.c.case_seq),
            _entries.c.commodity,
            _entries.c.quantity,
        )
        .outerjoin(_corrections, (_corrections.c.case_id == case_id) & (_corrections.c.seq == _entries.c.case_seq))
        .where(_entries.c.case_id == case_id, _entries.c.kind.in_(("give", "return")), ~reversed_)
        .order_by(_entries.c.id)
    )
    rows = session.connection().execute(query)
    return [(seq, code, steps if kind == "give" else -steps) for kind, seq, code, steps in rows]
