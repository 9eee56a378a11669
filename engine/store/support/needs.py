"""Keeps how much of each need is met."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from engine.core.cases.casework import Entry
from engine.core.support import needs as core
from engine.core.support.catalogue import Catalogue, steps_of
from engine.core.workflow.builtin_forms import NEED_BY, NEED_KIND, NEED_QUANTITY
from engine.store import tables as t
from engine.store.support import ledger

_TABLES = t.Base.metadata.tables
_needs, _support = _TABLES["needs"], _TABLES["support"]
_MET = (
    update(_needs)
    .where(_needs.c.case_id == bindparam("case"), _needs.c.seq == bindparam("number"))
    .values(met=bindparam("now"))
)


def count(session: Session, catalogue: Catalogue, entries: Iterable[Entry], filled: Mapping[str, Any]) -> None:
    """Says of a need that is about to be stored what kind it is, how much is needed and by when.

    A form that says none of it, as old ones do, leaves a need that is in words only.
    """
    rows = [row for entry in entries for table, row in entry.rows if table == "needs"]
    for row in rows:
        row["raised_at"] = next(entry.at for entry in entries)
        if by := filled.get(NEED_BY):
            row["needed_by"] = dt.date.fromisoformat(by)
        if id := filled.get(NEED_KIND):
            kind = ledger.as_counted(session, catalogue.kind(id))
            ledger.begin_counting(session, kind)
            amount = filled.get(NEED_QUANTITY)
            row |= {"kind": id, "quantity": steps_of(kind, amount, NEED_QUANTITY) if amount else None}


def settle(session: Session, case_id: int) -> None:
    """Counts anew how much of each need of a case is met by what its ledger says it was given."""
    line = session.connection()
    query = (
        select(_needs.c.seq, _needs.c.kind, _needs.c.quantity, _needs.c.met)
        .where(_needs.c.case_id == case_id, _needs.c.quantity.is_not(None))
        .order_by(_needs.c.seq)
    )
    rows = line.execute(query).all()
    if not rows:
        return
    now = core.met([(row.seq, row.kind, row.quantity) for row in rows], ledger.gifts_to(session, case_id))
    changed = [
        {"case": case_id, "number": row.seq, "now": met} for row, met in zip(rows, now, strict=True) if row.met != met
    ]
    if changed:
        line.execute(_MET, changed)


def strike(session: Session, case_id: int, seq: int, by: int) -> None:
    """Takes a line of support off the page of its case; `by` is the number of the event that says so."""
    line = update(_support).where(_support.c.case_id == case_id, _support.c.seq == seq)
    session.connection().execute(line.values(reversed_seq=by))
