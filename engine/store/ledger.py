"""Writes what the core decided: for any number of cases at once, one statement a table, in the caller's transaction."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import bindparam, insert, update
from sqlalchemy.orm import Session

from engine import ledger
from engine.casework import Casework, Entry
from engine.facts import Facts
from engine.refusals import Conflict
from engine.store import tables as t
from engine.words import Sentence

_TABLES = t.Base.metadata.tables
CASE_COLUMNS = tuple(column.key for column in _TABLES["cases"].c)
assert tuple(field.name for field in dataclasses.fields(Facts))[: len(CASE_COLUMNS)] == CASE_COLUMNS

# The columns that work on a case can change; what places it (pupil, class, village …) is written by `follow_pupils`.
CHANGING = (
    "state", "entry", "since", "level", "absent_since", "opened_at", "closed_at", "assignee_id", "offered_role",
    "offered_unit_id", "offered_at", "accepted_at", "due_at", "next_look_at", "flags", "unreached", "association_id",
    "workflow_version", "rules_version", "version", "last_hash",
)  # fmt: skip

_cases = _TABLES["cases"]
_UPDATE_CASE = (
    update(_cases)
    .where(_cases.c.id == bindparam("_id"), _cases.c.version == bindparam("_version"))
    .values({name: bindparam(name) for name in CHANGING})
)
_offers = _TABLES["offers"]
_ANSWER = (
    update(_offers)
    .where(_offers.c.case_id == bindparam("_id"), _offers.c.answer.is_(None))
    .values(
        answer=bindparam("answer"), answered_at=bindparam("answered_at"), answered_by_id=bindparam("answered_by_id")
    )
)


class Batch:
    """Rows for each table, gathered case by case and written together."""

    def __init__(self) -> None:
        self.cases: list[dict[str, Any]] = []
        self.answers: list[dict[str, Any]] = []
        self.rows: dict[str, list[dict[str, Any]]] = {
            name: []
            for name in (
                "events",
                "event_texts",
                "firings",
                "offers",
                "notices",
                "needs",
                "support",
                "holds",
                "planned",
            )
        }
        self.causes: dict[int, list[str]] = {}

    def add(self, work: Casework, key: str | None = None) -> None:
        """Take over one case's work: chain its entries, number them, and note the rows of every table.

        `key` is the idempotency key of the request; it goes with the first entry.
        """
        facts = work.facts
        version = facts.version
        for entry in work.entries:
            facts.version += 1
            self._event(facts, entry, key if facts.version == version + 1 else None)
            self._beside(facts, entry)
        row = {name: getattr(facts, name) for name in CHANGING}
        self.cases.append(row | {"_id": facts.id, "_version": version})

    def _event(self, facts: Facts, entry: Entry, key: str | None) -> None:
        hashed = None
        if entry.text is not None:
            salt = ledger.new_salt()
            hashed = ledger.text_hash(salt, entry.text)
            text = {"person_id": entry.person_id, "salt": salt, "values": entry.text}
            self.rows["event_texts"].append({"case_id": facts.id, "seq": facts.version, **text})
        event = {
            "case_id": facts.id,
            "seq": facts.version,
            "kind": entry.kind,
            "at": entry.at,
            "person_id": entry.person_id,
            "role": entry.role,
            "data": entry.data,
            "text_hash": hashed,
            "previous_hash": facts.last_hash,
            "key": key,
        }
        event["hash"] = facts.last_hash = ledger.event_hash(
            facts.last_hash,
            facts.id,
            facts.version,
            entry.kind,
            entry.at,
            entry.person_id,
            entry.role,
            entry.data,
            hashed,
        )
        self.rows["events"].append(event)

    def _beside(self, facts: Facts, entry: Entry) -> None:
        case = {"case_id": facts.id, "seq": facts.version}
        if entry.answer is not None:
            answer = {"answer": entry.answer, "answered_at": entry.at, "answered_by_id": entry.person_id}
            self.answers.append({"_id": facts.id, **answer})
        if (due := entry.firing) is not None:
            firing = {"rule": due.rule.id, "entry": entry.firing_entry, "repetition": due.repetition}
            self.rows["firings"].append({**case, **firing, "due_at": due.at, "at": entry.at})
        if (found := entry.offer) is not None:
            offer = {
                "role": found.role,
                "unit_id": found.unit_id,
                "passed_over": [list(item) for item in found.passed_over],
            }
            self.rows["offers"].append({**case, **offer, "made_at": entry.at})
        for told in entry.told:
            notice = {"person_id": told.person_id, "role": told.role, "kind": told.kind, "urgent": told.urgent}
            self.rows["notices"].append({**case, **notice, "at": entry.at})
        for number, (table, row) in enumerate(entry.rows):
            if table == "causes":
                self.causes[facts.id] = row["causes"]
            else:
                self.rows[table].append({**case, **row} | ({"number": number} if table == "planned" else {}))

    def write(self, session: Session) -> None:
        """Store everything. Raises `Conflict` if a case was changed by somebody else since it was read."""
        connection = session.connection()
        if not self.cases:
            return
        if connection.execute(_UPDATE_CASE, self.cases).rowcount != len(self.cases):
            raise Conflict(Sentence("Somebody else has changed the case meanwhile."))
        if self.answers:
            connection.execute(_ANSWER, self.answers)
        for name, rows in self.rows.items():
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
        session.execute(insert(causes), rows)


def _alike(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows with the same keys each, so that one statement takes them all."""
    keys = {key for row in rows for key in row}
    return [row if row.keys() == keys else {key: row.get(key) for key in keys} for row in rows]


def store(session: Session, works: Iterable[Casework], key: str | None = None) -> None:
    """Store the work on some cases in the session's transaction."""
    batch = Batch()
    for work in works:
        batch.add(work, key)
    batch.write(session)
