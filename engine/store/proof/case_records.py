"""Reads whole cases, with everything that is stored of them, in batches by id."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, and_, exists, select

from engine.core.cases.changes import STORED
from engine.core.notices.planning import CAME, CAME_MANY
from engine.core.proof.beside import COLUMNS
from engine.core.proof.history import BEYOND, CaseRecord, EventRecord, UnitRecord, Witness
from engine.store.tables import Base

_TABLES = Base.metadata.tables


def of_events(notices: FromClause) -> tuple[ColumnElement[bool], ...]:
    """Returns which notices an event of a case stored: not those of closures, of acts on accounts, or of people who
    come and go, which tell somebody of many cases at once.
    """
    come_and_go = notices.c.kind.in_((CAME, CAME_MANY))
    return notices.c.closure_id.is_(None), notices.c.act_id.is_(None), ~come_and_go


_cases, _events, _texts, _units, _causes, _witnesses = (
    _TABLES[name] for name in ("cases", "events", "event_texts", "units", "case_causes", "checkpoint_cases")
)
BATCH = 500  # cases
_ROW = ("id", "code", "pupil_id", "workflow", "version", "last_hash", *STORED)
_EVENTS = (
    select(
        _events.c.case_id,
        *(_events.c[name] for name in EventRecord._fields if name in _events.c),
        _texts.c.salt,
        _texts.c["values"],
    )
    .outerjoin(_texts, and_(_texts.c.case_id == _events.c.case_id, _texts.c.seq == _events.c.seq))
    .order_by(_events.c.case_id, _events.c.seq)
)
_BESIDE = {
    name: select(*(_TABLES[name].c[column] for column in ("case_id", "seq", *columns, *BEYOND.get(name, ()))))
    for name, columns in COLUMNS.items()
}
_BESIDE["notices"] = _BESIDE["notices"].where(*of_events(_TABLES["notices"]))


def case_records(connection: Connection) -> Iterator[CaseRecord]:
    """Yields every case, by id, with all that is stored of it."""
    units, last = _all_units(connection), 0
    query = select(*(_cases.c[name] for name in _ROW)).order_by(_cases.c.id).limit(BATCH)
    while found := connection.execute(query.where(_cases.c.id > last)).mappings().all():
        first, last = found[0]["id"], found[-1]["id"]
        yield from _records(connection, found, first, last, units)


def without_case(connection: Connection) -> Iterator[tuple[str, int]]:
    """Yields table and case of rows whose case is not there: somebody deleted it past the keys between tables."""
    for name in ("events", "event_texts", "checkpoint_cases", *COLUMNS):
        column = _TABLES[name].c.case_id
        gone = select(column).where(column.is_not(None), ~exists().where(_cases.c.id == column)).distinct()
        for case in connection.execute(gone).scalars():
            yield name, case


def _records(
    connection: Connection, found: Any, first: int, last: int, units: Mapping[int, UnitRecord]
) -> Iterator[CaseRecord]:
    events: dict[int, list[EventRecord]] = defaultdict(list)
    for case, *values in connection.execute(_EVENTS.where(_events.c.case_id.between(first, last))):
        events[case].append(EventRecord(*values))
    rows: dict[int, dict[str, list[tuple[Any, ...]]]] = defaultdict(lambda: defaultdict(list))
    for name, query in _BESIDE.items():
        for case, *row in connection.execute(query.where(_TABLES[name].c.case_id.between(first, last))):
            rows[case][name].append(tuple(row))
    causes: dict[int, list[str]] = defaultdict(list)
    of_causes = select(_causes.c.case_id, _causes.c.cause).where(_causes.c.case_id.between(first, last))
    for case, cause in connection.execute(of_causes):
        causes[case].append(cause)
    witnesses: dict[int, list[Witness]] = defaultdict(list)
    columns = (_witnesses.c[name] for name in ("case_id", *Witness._fields))
    of_checkpoints = select(*columns).where(_witnesses.c.case_id.between(first, last)).order_by(_witnesses.c.n)
    for case, *witness in connection.execute(of_checkpoints):
        witnesses[case].append(Witness(*witness))
    for row in found:
        id, code = row["id"], row["code"]
        yield CaseRecord(id, code, dict(row), events[id], rows[id], causes[id], witnesses[id], units)


def _all_units(connection: Connection) -> dict[int, UnitRecord]:
    columns = (_units.c[name] for name in ("id", "kind", "parent_id", "successor_id", "valid_from", "valid_to"))
    rows: Any = connection.execute(select(*columns))
    return {
        id: UnitRecord(kind, parent, successor, held=end is None or end > first)
        for id, kind, parent, successor, first, end in rows
    }
