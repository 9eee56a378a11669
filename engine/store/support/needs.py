"""Keeps how much of each need is met."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.orm import Session

from engine.core.cases.casework import Entry
from engine.core.cases.chain import plain
from engine.core.proof.beside import COUNTED, NEEDED
from engine.core.support import needs as core
from engine.core.support.catalogue import Catalogue, steps_of
from engine.core.workflow.builtin_forms import NEED_BY, NEED_KIND, NEED_QUANTITY
from engine.store import tables as t
from engine.store.support import ledger

_TABLES = t.Base.metadata.tables
_needs, _corrections = _TABLES["needs"], _TABLES["corrections"]
_MET = (
    update(_needs)
    .where(_needs.c.case_id == bindparam("case"), _needs.c.seq == bindparam("number"))
    .values(met=bindparam("now"))
)


def count(session: Session, catalogue: Catalogue, entries: Iterable[Entry], filled: Mapping[str, Any]) -> None:
    """Says of a need that is about to be stored what kind it is, how much is needed and by when.

    A form that says none of it, as old ones do, leaves a need that is in words only.
    """
    for entry in entries:
        for row in (row for table, row in entry.rows if table == "needs"):
            row.setdefault("raised_at", entry.at)
            if by := filled.get(NEED_BY):
                row["needed_by"] = dt.date.fromisoformat(by)
            if id := filled.get(NEED_KIND):
                kind = ledger.as_counted(session, catalogue.kind(id))
                ledger.begin_counting(session, kind)
                amount = filled.get(NEED_QUANTITY)
                row |= {"kind": id, "quantity": steps_of(kind, amount, NEED_QUANTITY) if amount else None}
            entry.data[NEEDED] = {name: plain(row[name]) for name in COUNTED if row.get(name) is not None}


def settle(session: Session, case_id: int) -> None:
    """Counts anew how much of each need of a case is met by what its ledger says it was given."""
    changed = [
        {"case": case_id, "number": seq, "now": met} for seq, found, met in derived(session, case_id) if found != met
    ]
    if changed:
        session.connection().execute(_MET, changed)


def derived(session: Session, case_id: int) -> list[tuple[int, int, int]]:
    """Returns for each counted need of a case, by its number: how much of it is kept as met, and how much is met by
    what the ledger says. A need that was corrected is as old as its entry; one that counts no more is left out.
    """
    raised = func.coalesce(_corrections.c.entry_seq, _needs.c.seq).label("raised")
    query = (
        select(_needs.c.seq, raised, _needs.c.kind, _needs.c.quantity, _needs.c.met)
        .outerjoin(_corrections, (_corrections.c.case_id == case_id) & (_corrections.c.seq == _needs.c.seq))
        .where(_needs.c.case_id == case_id, _needs.c.quantity.is_not(None), _needs.c.replaced_seq.is_(None))
        .order_by("raised")
    )
    rows = session.connection().execute(query).all()
    if not rows:
        return []
    now = core.met([(row.raised, row.kind, row.quantity) for row in rows], ledger.gifts_to(session, case_id))
    return [(row.seq, row.met, met) for row, met in zip(rows, now, strict=True)]
