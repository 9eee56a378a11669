"""Writes what the core decided, for any number of cases, with one statement for each table, in the caller's
transaction.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, insert, update
from sqlalchemy.orm import Session

from engine.core.cases import chain
from engine.core.cases.casework import Casework, Entry
from engine.core.cases.changes import CHANGED, changes
from engine.core.cases.facts import CHANGING, Facts, changing
from engine.core.invariants import hold
from engine.core.proof import beside
from engine.core.refusals import Conflict
from engine.core.words import Sentence
from engine.store import bulk
from engine.store import tables as t

_TABLES = t.Base.metadata.tables
CASE_COLUMNS = tuple(column.key for column in _TABLES["cases"].c)
hold(
    tuple(field.name for field in dataclasses.fields(Facts))[: len(CASE_COLUMNS)] == CASE_COLUMNS,
    "the first fields of Facts are the columns of a case, in their order",
)

_cases = _TABLES["cases"]
_offers = _TABLES["offers"]
_HAND_BACK = (
    update(_offers)
    .where(_offers.c.case_id == bindparam("_id"), _offers.c.answer == "accepted", _offers.c.made_at >= bindparam("_at"))
    .values(
        answer=bindparam("answer"), answered_at=bindparam("answered_at"), answered_by_id=bindparam("answered_by_id")
    )
)
_ANSWER = (
    update(_offers)
    .where(_offers.c.case_id == bindparam("_id"), _offers.c.answer.is_(None))
    .values(
        answer=bindparam("answer"), answered_at=bindparam("answered_at"), answered_by_id=bindparam("answered_by_id")
    )
)


# The tables that get many rows, with the columns that are given; other tables take rows as they are.
WRITTEN: Mapping[str, tuple[str, ...]] = {
    "events": (
        "case_id",
        "seq",
        "kind",
        "at",
        "person_id",
        "role",
        "data",
        "text_hash",
        "previous_hash",
        "hash",
        "key",
    ),
    "firings": ("case_id", "rule", "entry", "repetition", "seq", "due_at", "at"),
    "offers": ("case_id", "seq", "role", "unit_id", "made_at", "passed_over"),
    "notices": ("case_id", "seq", "person_id", "role", "kind", "urgent", "at"),
    "cases_touched": ("case_id",),
}
BESIDE = (
    "event_texts",
    "needs",
    "support",
    "holds",
    "planned",
    "companions",
    "corrections",
    "doubts",
    "difficulties",
    "difficulty_moves",
)


class Batch:
    """Rows for each table, collected from the cases and written together."""

    def __init__(self) -> None:
        self.cases: dict[tuple[str, ...], list[tuple[Any, ...]]] = {}  # by the columns that changed
        self.answers: list[dict[str, Any]] = []
        self.handed_back: list[dict[str, Any]] = []
        self.written: dict[str, list[tuple[Any, ...]]] = {name: [] for name in WRITTEN}
        self.beside: dict[str, list[dict[str, Any]]] = {name: [] for name in BESIDE}
        self.causes: dict[int, list[str]] = {}

    def add(self, work: Casework, key: str | None = None) -> None:
        """Adds the work on one case: chains and numbers its entries, and collects the rows of every table.

        `key` is the idempotency key of the request; it goes with the first entry.
        """
        facts = work.facts
        version = facts.version
        _note_changes(work)
        for entry in work.entries:
            facts.version += 1
            _note_rows(facts, entry)
            self._event(facts, entry, key if facts.version == version + 1 else None)
            self._beside(facts, entry)
        if facts.version != version:
            self.written["cases_touched"].append((facts.id,))
        now = changing(facts)
        if now == work.before:
            return
        pairs = zip(work.before, now, strict=True)
        at = [number for number, (old, new) in enumerate(pairs) if old is not new and old != new]
        names = tuple(CHANGING[number] for number in at)
        self.cases.setdefault(names, []).append((*(now[number] for number in at), facts.id, version))

    def _event(self, facts: Facts, entry: Entry, key: str | None) -> None:
        hashed = None
        if entry.text is not None:
            salt = chain.new_salt()
            hashed = chain.text_hash(salt, entry.text)
            text = {"person_id": entry.person_id, "salt": salt, "values": entry.text}
            self.beside["event_texts"].append({"case_id": facts.id, "seq": facts.version, **text})
        data = chain.canonical(entry.data)
        said = (facts.id, facts.version, entry.kind, entry.at, entry.person_id, entry.role, data, hashed)
        previous, facts.last_hash = facts.last_hash, chain.hash_written(facts.last_hash, *said)
        self.written["events"].append((*said, previous, facts.last_hash, key))

    def _beside(self, facts: Facts, entry: Entry) -> None:
        case, seq, at = facts.id, facts.version, entry.at
        if entry.answer is not None:
            answer = {"answer": entry.answer, "answered_at": at, "answered_by_id": entry.person_id}
            if entry.answer == "handed_back":
                self.handed_back.append({"_id": case, "_at": entry.offered_at, **answer})
            else:
                self.answers.append({"_id": case, **answer})
        if (due := entry.firing) is not None:
            firing = (case, due.rule.id, entry.firing_entry, due.repetition, seq, due.at, at)
            self.written["firings"].append(firing)
        if (found := entry.offer) is not None:
            self.written["offers"].append((case, seq, found.role, found.unit_id, at, found.passed_over))
        for told in entry.told:
            self.written["notices"].append((case, seq, told.person_id, told.role, told.kind, told.urgent, at))
        for number, (table, row) in enumerate(entry.rows):
            if table == "causes":
                self.causes[case] = row["causes"]
            else:
                numbered = {"number": number} if table == "planned" else {}
                self.beside[table].append({"case_id": case, "seq": seq, **row, **numbered})

    def write(self, session: Session) -> None:
        """Stores everything. Raises `Conflict` if somebody else changed a case since it was read."""
        connection = session.connection()
        for names, changed in self.cases.items():
            if bulk.update_rows(connection, _cases, names, ("id", "version"), changed) != len(changed):
                raise Conflict(Sentence("Somebody else has changed the case meanwhile."))
        if self.answers:
            connection.execute(_ANSWER, self.answers)
        if self.handed_back:
            connection.execute(_HAND_BACK, self.handed_back)
        for name, written in self.written.items():
            bulk.insert_rows(connection, _TABLES[name], WRITTEN[name], written)
        for name, rows in self.beside.items():
            if rows:
                connection.execute(insert(_TABLES[name]), _alike(rows))
        if self.causes:
            self._write_causes(session)

    def _write_causes(self, session: Session) -> None:
        causes = _TABLES["case_causes"]
        session.execute(causes.delete().where(causes.c.case_id.in_(list(self.causes))))
        rows = [
            {"case_id": case, "cause": cause} for case, found in self.causes.items() for cause in dict.fromkeys(found)
        ]
        if rows:
            session.execute(insert(causes), rows)


def _note_changes(work: Casework) -> None:
    """Puts into each entry what it changed on the case's row.

    What was changed before the first entry was made belongs to the first; later, to the entry before.
    """
    between = [entry.before or work.before for entry in work.entries[1:]]
    moments = zip([work.before, *between], [*between, changing(work.facts)], strict=True)
    for number, (entry, (before, after)) in enumerate(zip(work.entries, moments, strict=False)):
        if changed := changes(before, after, first=not (number or work.facts.version)):
            entry.data[CHANGED] = changed


def _note_rows(facts: Facts, entry: Entry) -> None:
    """Puts into an entry what `engine.core.proof` needs to know of the rows that are stored with it."""
    seq, at, data = facts.version, entry.at, entry.data
    if seq == 1:
        data[beside.CASE] = {"code": facts.code, "pupil": facts.pupil_id, "workflow": facts.workflow}
    if entry.answer is not None:
        data[beside.ANSWERS] = entry.answer
    rows: dict[str, list[tuple[Any, ...]]] = {}
    if (found := entry.offer) is not None:
        rows["offers"] = [(seq, found.role, at, found.passed_over)]
    if entry.told:
        rows["notices"] = [(seq, it.person_id, it.role, it.kind, it.urgent, at) for it in entry.told]
    for number, (table, row) in enumerate(entry.rows):
        if (columns := beside.COLUMNS.get(table)) is not None:
            numbered = {"number": number, **row} if table == "planned" else row
            rows.setdefault(table, []).append((seq, *(numbered.get(name) for name in columns)))
    if rows:
        data[beside.BESIDE] = beside.digests(rows)


def _alike(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Groups the rows with the same keys, so that one statement takes each group."""
    keys = {key for row in rows for key in row}
    return [row if row.keys() == keys else {key: row.get(key) for key in keys} for row in rows]


def store(session: Session, works: Iterable[Casework], key: str | None = None) -> None:
    """Stores the work on some cases in the session's transaction."""
    batch = Batch()
    for work in works:
        batch.add(work, key)
    batch.write(session)
