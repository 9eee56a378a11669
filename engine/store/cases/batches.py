"""Reads open cases in batches that change together: new versions, mergers, filled posts, people who left."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from sqlalchemy import ColumnElement, TextClause, or_, select
from sqlalchemy.orm import Session

from engine.core.cases.facts import Facts
from engine.core.people.responsibility import DECLINED
from engine.core.people.roles import COLUMNS
from engine.store import tables as t
from engine.store.cases.surroundings import cases, chunks, read_facts

_offers, _links = t.Base.metadata.tables["offers"], t.Base.metadata.tables["unit_links"]
BATCH = 500


def behind(
    session: Session, workflow: str, versions: tuple[int, int], after: int, limit: int, *, lock: bool
) -> list[Facts]:
    """Returns open cases of a workflow that run on other versions (of workflow, of rules), with an id above `after`."""
    other = or_(cases.c.workflow_version != versions[0], cases.c.rules_version != versions[1])
    return read_facts(
        session,
        t.OPEN,
        cases.c.workflow == workflow,
        other,
        cases.c.id > after,
        lock=lock,
        order=cases.c.id,
        limit=limit,
    )


def open_after(session: Session, after: int, limit: int) -> list[Facts]:
    """Returns open cases with an id above `after`, in order, locked until the transaction ends."""
    return read_facts(session, t.OPEN, cases.c.id > after, lock=True, order=cases.c.id, limit=limit)


def open_cases(session: Session, *where: ColumnElement[bool] | TextClause, lock: bool = True) -> Iterator[list[Facts]]:
    """Yields open cases that meet the conditions, in batches by id, locked until the transaction ends."""
    seen = 0
    while found := read_facts(session, t.OPEN, *where, cases.c.id > seen, lock=lock, order=cases.c.id, limit=BATCH):
        seen = found[-1].id
        yield found


Over = list[tuple[str, int | None, str]]  # posts that were passed over: role, unit, why


def waiting_beyond(session: Session, units: Collection[int] | None) -> Iterator[list[tuple[Facts, Over]]]:
    """Yields open cases, in batches, on offer to a post that stands in for one in `units` (None: in any), vacant or
    away.
    """
    for found in open_cases(session, t.WAITING, *([] if units is None else [_around(units)])):
        passed = _passed_over(session, [facts.id for facts in found])
        pairs = [(facts, passed.get(facts.id, [])) for facts in found]
        yield [(facts, over) for facts, over in pairs if _stood_in(over, units)]


def _stood_in(over: Over, units: Collection[int] | None) -> bool:
    return any(why != DECLINED and (units is None or unit in units) for _, unit, why in over)


def _around(units: Collection[int]) -> ColumnElement[bool]:
    """Selects cases for which one of these units could be responsible."""
    ids = sorted(units)
    below = select(_links.c.descendant_id).where(_links.c.ancestor_id.in_(ids))
    return or_(*(cases.c[name].in_(ids) for name in COLUMNS.values()), cases.c.commune_id.in_(below))


def _passed_over(session: Session, ids: Collection[int]) -> dict[int, Over]:
    found: dict[int, Over] = {}
    for chunk in chunks(ids):
        query = select(_offers.c.case_id, _offers.c.passed_over).where(
            _offers.c.case_id.in_(chunk), _offers.c.answer.is_(None)
        )
        for case, over in session.connection().execute(query):
            found[case] = [(role, unit, why) for role, unit, why in over]
    return found
