"""Lets each case say how it stands: its row, and how many rows of which digest lie in the other tables.

Events of before 0023 do not say what they changed. So that revision adopts every case, and a later one that adds a
column to `cases`, or a table or column to `engine.core.proof.beside.COLUMNS`, adopts them anew.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from typing import Any

from sqlalchemy import Connection, Select, inspect, select

from engine.core.cases import chain
from engine.core.cases.changes import STORED
from engine.core.proof import beside
from engine.store import bulk
from engine.store.proof.case_records import of_events
from engine.store.tables import Base

BATCH = 2_000  # cases
_TABLES = Base.metadata.tables
_FIXED = ("id", "version", "last_hash", "code", "pupil_id", "workflow")
_WRITTEN = ("case_id", "seq", "kind", "at", "person_id", "role", "data", "text_hash", "previous_hash", "hash")


def adopt(connection: Connection, now: dt.datetime) -> int:
    """Adds an event `adopted` to every case, in batches by id; returns how many there are.

    It reads what the database has at this schema: tables and columns that come later are left out.
    """
    there = _there(connection)
    names = tuple(name for name in STORED if name in there["cases"])
    cases, last, count = _TABLES["cases"], 0, 0
    query = select(*(cases.c[name] for name in (*_FIXED, *names))).order_by(cases.c.id).limit(BATCH)
    while found := _all(connection, query.where(cases.c.id > last)):
        first, last = found[0][0], found[-1][0]
        rows = _rows_beside(connection, there, first, last)
        events, moved = [], []
        for id, version, last_hash, code, pupil, workflow, *values in found:
            data = {
                beside.CASE: {"code": code, "pupil": pupil, "workflow": workflow},
                beside.ROW: {name: chain.plain(value) for name, value in zip(names, values, strict=True)},
                beside.BESIDE: beside.digests(rows[id]),
            }
            said = (id, version + 1, beside.ADOPTED, now, None, None, chain.canonical(data), None)
            hashed = chain.hash_written(last_hash, *said)
            events.append((*said, last_hash, hashed))
            moved.append((version + 1, hashed, id, version))
        bulk.insert_rows(connection, _TABLES["events"], _WRITTEN, events)
        bulk.update_rows(connection, cases, ("version", "last_hash"), ("id", "version"), moved)
        bulk.insert_rows(connection, _TABLES["cases_touched"], ("case_id",), [(row[0],) for row in found])
        count += len(found)
    return count


def _all(connection: Connection, query: Select[Any]) -> list[Any]:
    return list(connection.execute(query).all())


def _there(connection: Connection) -> dict[str, set[str]]:
    known = inspect(connection)
    wanted = {"cases", *beside.COLUMNS} & set(known.get_table_names())
    return {name: {column["name"] for column in known.get_columns(name)} for name in wanted}


def _rows_beside(
    connection: Connection, there: dict[str, set[str]], first: int, last: int
) -> dict[int, dict[str, list[Any]]]:
    found: dict[int, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
    for name, columns in beside.COLUMNS.items():
        if name not in there or not there[name].issuperset(columns):
            continue
        table = _TABLES[name]
        query = select(table.c.case_id, table.c.seq, *(table.c[column] for column in columns))
        query = query.where(table.c.case_id.between(first, last))
        if name == "notices":
            query = query.where(*of_events(table))
        for case, *row in connection.execute(query):
            found[case][name].append(row)
    return found
