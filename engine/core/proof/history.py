"""Checks one case: its chain of events, its row against the events, and the rows of other tables against them."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from engine.core.cases import chain
from engine.core.cases.casework import ENDED
from engine.core.cases.changes import CHANGED, STORED, stored_value
from engine.core.cases.facts import PLACE
from engine.core.cases.past import CORRECTED, ENTRY, FIRING_KEPT, FIRING_UNDONE, UNDONE, VOIDS
from engine.core.proof import beside
from engine.core.proof.beside import ADOPTED, ANSWERS, BESIDE, CASE, COLUMNS, COUNTED, NEEDED, ROW
from engine.core.words import Sentence

# What changes in a row after it was stored, and what people wrote: columns after those of the digest.
BEYOND: Mapping[str, tuple[str, ...]] = {
    "offers": ("unit_id", "answer", "answered_at", "answered_by_id"),
    "support": ("association_id", "giver", "received_by", "programme", "replaced_seq"),
    # `met` follows from the ledger: `engine.store.support.verify` derives it.
    "needs": ("association_id", "need", "handover", *COUNTED, "raised_at", "replaced_seq"),
    "planned": ("done_seq", "replaced_seq"),
    "holds": ("reason",),
    "companions": ("person_id", "removed_seq"),
    "doubts": ("decided_seq",),
    "difficulties": ("role", "unit_id", "moves", "answer", "answered_at"),
}
# Columns that must say what the text of the event says, while that text exists: column, key of the text.
WRITTEN: Mapping[str, tuple[tuple[str, str], ...]] = {
    "support": (("giver", "giver"), ("received_by", "received_by"), ("programme", "programme")),
    "needs": (("need", "need"), ("handover", "hand_over_at")),
    "holds": (("reason", "reason"),),
}
_UNITS = frozenset(name for name in STORED if name in {*PLACE, "association_id"} or name.endswith("unit_id"))
_FIXED = {"code": "code", "pupil_id": "pupil", "workflow": "workflow"}  # by column, the key in an event's `case`
# How an event answers an offer, by its kind: events of before an adoption do not say it themselves.
_ANSWER_BY: Mapping[str, tuple[str, ...]] = {
    "accepted": ("accepted",),
    "declined": ("declined", "handed_back"),
    "assigned": ("accepted", "superseded"),
}
_PUT_RIGHT = VOIDS | {CORRECTED}
_OVERTAKEN = ("superseded", "undone")
_ANSWERED = {"difficulty_decided": "decided", "difficulty_returned": "returned"}


class EventRecord(NamedTuple):
    """An event as it is stored, with its text and salt if they still exist."""

    seq: int
    kind: str
    at: dt.datetime
    person_id: int | None
    role: str | None
    data: Mapping[str, Any]
    text_hash: str | None
    previous_hash: str
    hash: str
    salt: str | None
    values: Mapping[str, Any] | None


class Witness(NamedTuple):
    """What a checkpoint says of a case: the number and the hash of its last event then."""

    n: int
    version: int
    hash: str


@dataclass(frozen=True, slots=True)
class UnitRecord:
    """A unit: its kind, the one above, the one that follows it, and whether it ever held."""

    kind: str
    parent_id: int | None
    successor_id: int | None
    held: bool


@dataclass(slots=True)
class CaseRecord:
    """All that is stored of one case. `rows`: by table, the columns `seq`, `COLUMNS` and `BEYOND`, in this order."""

    id: int
    code: str
    row: Mapping[str, Any]
    events: Sequence[EventRecord]
    rows: Mapping[str, Sequence[tuple[Any, ...]]]
    causes: Collection[str] = ()
    witnesses: Sequence[Witness] = ()
    units: Mapping[int, UnitRecord] = field(default_factory=dict)


def faults(case: CaseRecord) -> Iterator[Sentence]:
    """Yields a sentence for each place where what is stored is not what happened.

    Where the chain itself is broken, the events cannot prove the rest: nothing more is said of the case.
    """
    broken = list(_chain(case))
    yield from broken
    if not broken:
        yield from _texts(case)
        yield from _witnessed(case)
        folding = _Folding(case)
        yield from folding.faults()
        yield from _row(case, folding)
        yield from _beside(case, folding)
        yield from _follow_up(case, folding)


# --- the chain --------------------------------------------------------------------------------------------------------


def _chain(case: CaseRecord) -> Iterator[Sentence]:
    expected, previous, code = 1, chain.START, case.code
    if not case.events:
        yield Sentence("Case {code} has no event at all.", code=code)
        return
    for it in case.events:
        if it.seq != expected:
            yield Sentence("Case {code}: event {seq} is missing.", code=code, seq=expected)
        if it.previous_hash != previous:
            yield Sentence("Case {code}: event {seq} does not follow the one before.", code=code, seq=it.seq)
        said = (case.id, it.seq, it.kind, it.at, it.person_id, it.role, it.data, it.text_hash)
        if it.hash != chain.event_hash(it.previous_hash, *said):
            yield Sentence("Case {code}: event {seq} was changed.", code=code, seq=it.seq)
        expected, previous = it.seq + 1, it.hash
    if case.row["version"] != expected - 1 or case.row["last_hash"] != previous:
        yield Sentence("Case {code}: the last event is not the one the case remembers.", code=code)


def _texts(case: CaseRecord) -> Iterator[Sentence]:
    for it in case.events:
        if it.salt is not None and chain.text_hash(it.salt, it.values or {}) != it.text_hash:
            yield Sentence("Case {code}: what was written with event {seq} was changed.", code=case.code, seq=it.seq)


def _witnessed(case: CaseRecord) -> Iterator[Sentence]:
    for it in case.witnesses:
        if it.version > len(case.events) or case.events[it.version - 1].hash != it.hash:
            yield Sentence(
                "Case {code}: its history up to event {seq} is not the one of checkpoint {n}.",
                code=case.code,
                seq=it.version,
                n=it.n,
            )
            return


# --- the row of the case ----------------------------------------------------------------------------------------------


class _Folding:
    """The row of a case as its events tell it, after each of them."""

    def __init__(self, case: CaseRecord) -> None:
        self.case, self.now, self.fixed = case, dict[str, Any](), dict[str, Any]()
        self.known = False
        self.adopted = 0  # the number of the event that says how the case stood; 0: every event says what it changed
        self.after: dict[int, dict[str, Any]] = {}  # by event, the units that the row named before and after it
        self.entry: dict[int, int] = {}  # by event, the number of the stay before it
        self.offered: dict[int, dt.datetime] = {}  # by event, since when the case was on offer before it
        self.accepted: dict[int, dt.datetime | None] = {}  # by event, since when it was accepted after it

    def faults(self) -> Iterator[Sentence]:
        """Folds, and yields where an event contradicts those before it."""
        for it in self.case.events:
            before = {name: self.now.get(name) for name in _UNITS}
            self.entry[it.seq] = self.now.get("entry") or 0
            self.offered[it.seq] = stored_value("offered_at", self.now.get("offered_at")) or it.at
            if it.kind == ADOPTED:
                self.now, self.known, self.adopted = dict(it.data[ROW]), True, it.seq
            elif it.seq == 1 and CASE in it.data:
                self.known = True
            self.fixed = dict(it.data.get(CASE, self.fixed))
            for name, (old, new) in it.data.get("moved", {}).items():
                if self.known and name in PLACE and old == self.now.get(name):
                    self.now[name] = new
            for name, (old, new) in it.data.get(CHANGED, {}).items():
                if self.known and self.now.get(name) != old and name not in _UNITS:
                    yield Sentence(
                        "Case {code}: before event {seq} the column {column} held {found}; earlier events say {said}.",
                        code=self.case.code,
                        seq=it.seq,
                        column=name,
                        found=_shown(old),
                        said=_shown(self.now.get(name)),
                    )
                self.now[name] = new
            self.accepted[it.seq] = stored_value("accepted_at", self.now.get("accepted_at"))
            self.after[it.seq] = {name: (before[name], self.now.get(name)) for name in _UNITS}


def _row(case: CaseRecord, folding: _Folding) -> Iterator[Sentence]:
    if not folding.known:
        yield Sentence("Case {code}: its events do not say how it stood.", code=case.code)
        return
    said = {**folding.now, **{name: folding.fixed.get(key) for name, key in _FIXED.items()}}
    for name in (*_FIXED, *STORED):
        found = chain.plain(case.row[name])
        if found == said.get(name) or (name in _UNITS and _same_place(case, name, said.get(name), found)):
            continue
        yield Sentence(
            "Case {code}: the column {column} holds {found}; its events say {said}.",
            code=case.code,
            column=name,
            found=_shown(found),
            said=_shown(said.get(name)),
        )


def _same_place(case: CaseRecord, name: str, said: int | None, found: int | None) -> bool:
    """Returns whether a unit is the one that the events say, after mergers and their undoing.

    A merger moves cases that have ended to the successors of their units without an event.
    """
    if _became(case.units, said, found):
        return True
    lowest, kind = {"commune_id": ("village_id", "commune"), "province_id": ("commune_id", "province")}.get(
        name, (None, None)
    )
    return lowest is not None and found is not None and found == _above(case.units, case.row[lowest], kind)


def _became(units: Mapping[int, UnitRecord], said: int | None, found: int | None) -> bool:
    if said == found:
        return True
    if said is None or found is None:
        return False
    seen: set[int] = set()
    at: int | None = said
    while at is not None and at not in seen:
        unit = units.get(at)
        if unit is None or not unit.held:
            return True  # a merger had made it, and was undone
        seen.add(at)
        at = unit.successor_id
        if at == found:
            return True
    return False


def _above(units: Mapping[int, UnitRecord], unit: int | None, kind: str | None) -> int | None:
    while unit is not None and unit in units and units[unit].kind != kind:
        unit = units[unit].parent_id
    return unit


# --- the rows of other tables -----------------------------------------------------------------------------------------


def _beside(case: CaseRecord, folding: _Folding) -> Iterator[Sentence]:
    adopted, said = folding.adopted, dict[tuple[str, int], str]()
    for it in case.events[max(adopted - 1, 0) :]:
        said |= {(table, it.seq): text for table, text in it.data.get(BESIDE, {}).items()}
        if "rule" in it.data:  # what the event of a firing says is what its row says
            due = dt.datetime.fromisoformat(it.data["due"])
            number = it.data.get("entry", folding.entry[it.seq])
            row = (it.seq, it.data["rule"], number, it.data["repetition"], due, it.at)
            said["firings", it.seq] = beside.digest([row])
    ended = {seq: it.at for it in case.events[adopted:] for seq in it.data.get(ENDED, ())}
    found: dict[tuple[str, int], list[tuple[Any, ...]]] = defaultdict(list)
    for table, rows in case.rows.items():
        width = len(COLUMNS[table]) + 1
        for row in rows:
            stored = _as_begun(row, ended) if table == "holds" else row
            found[table, max(row[0], adopted)].append(stored[:width])
    for place in sorted(said.keys() | found.keys()):
        table, seq = place
        there, text = found.get(place, []), said.get(place, "0-")
        if len(there) != beside.number_of(text) or (there and beside.digest(there) != text):
            yield _other_rows(case, table, seq, text, len(there), adopted=seq == adopted)


def _as_begun(hold: tuple[Any, ...], ended: Mapping[int, dt.datetime]) -> tuple[Any, ...]:
    """Returns a hold as it was stored: without its end if a later event ended it just then."""
    seq, starts_at, ends_at, *rest = hold
    return (seq, starts_at, None if ends_at is not None and ended.get(seq) == ends_at else ends_at, *rest)


def _other_rows(case: CaseRecord, table: str, seq: int, text: str, found: int, *, adopted: bool) -> Sentence:
    """The rows of an event in a table are not the ones that it stored, or, if it adopted them, that were there."""
    said, where = beside.number_of(text), {"code": case.code, "table": table, "seq": seq}
    if said != found and adopted:
        return Sentence(
            "Case {code}: up to event {seq} there were {said} rows in {table}, and {found} are there.",
            said=said,
            found=found,
            **where,
        )
    if said != found:
        return Sentence(
            "Case {code}: event {seq} stored {said} rows in {table}, and {found} are there.",
            said=said,
            found=found,
            **where,
        )
    if adopted:
        return Sentence("Case {code}: a row in {table} is not the one that was there at event {seq}.", **where)
    return Sentence("Case {code}: a row in {table} is not the one that event {seq} stored.", **where)


def _follow_up(case: CaseRecord, folding: _Folding) -> Iterator[Sentence]:
    """What people did with these rows later, and what they wrote."""
    by_seq = {it.seq: it for it in case.events}
    yield from _answers(case, folding, by_seq)
    yield from _words(case, by_seq)
    yield from _ticked(case)
    yield from _difficulties(case)
    for row in case.rows.get("support", ()):
        yield from _association(case, folding, "support", row[0], row[len(COLUMNS["support"]) + 1])
    for row in case.rows.get("needs", ()):
        yield from _association(case, folding, "needs", row[0], row[1])
    yield from _needs(case, by_seq)


def _answers(case: CaseRecord, folding: _Folding, by_seq: Mapping[int, EventRecord]) -> Iterator[Sentence]:
    expected = _expected_answers(case, folding, by_seq)
    for seq, _role, _made, _over, unit, answer, at, by in case.rows.get("offers", ()):
        event = by_seq.get(seq)
        if event is None:
            continue  # said already: no event stored it
        named = event.data["unit"] if "offered_to" in event.data else folding.after[seq]["offered_unit_id"][1]
        if seq > folding.adopted and not _became(case.units, named, unit) and unit != case.row["commune_id"]:
            yield _elsewhere(case, "offers", seq)
        found = (answer, at, by) if answer is not None else None
        if seq <= folding.adopted and found and found != expected[seq]:  # events did not say it then
            right = any(it.at == at and answer in _ANSWER_BY.get(it.kind, _OVERTAKEN) for it in case.events)
        else:
            right = found == expected[seq]
        if not right:
            yield Sentence(
                "Case {code}: the answer to the offer of event {seq} is not the one that the events say.",
                code=case.code,
                seq=seq,
            )


_Answer = tuple[str, dt.datetime, int | None] | None


def _expected_answers(case: CaseRecord, folding: _Folding, by_seq: Mapping[int, EventRecord]) -> dict[int, _Answer]:
    """Returns how each offer was answered, by the number of the event that made it, as the events say."""
    made = {row[0]: row[2] for row in case.rows.get("offers", ())}
    found: dict[int, _Answer] = dict.fromkeys(made)
    for it in case.events:
        answer: str = it.data.get(ANSWERS, "")
        for seq in made if answer else ():
            before = found[seq]
            if seq < it.seq and answer == "handed_back":
                if before and before[0] == "accepted" and made[seq] >= folding.offered[it.seq]:
                    found[seq] = (answer, it.at, it.person_id)
            elif seq < it.seq and before is None:
                found[seq] = (answer, it.at, it.person_id)
        if it.kind in {UNDONE, FIRING_UNDONE}:
            _take_back(found, by_seq[it.data[ENTRY]], folding.accepted[it.seq])
    return found


def _take_back(found: dict[int, _Answer], undone: EventRecord, accepted_at: dt.datetime | None) -> None:
    """Puts the answers back to before an event: what it offered counts no more, what it answered is open again."""
    by = found.get(undone.seq)
    if undone.seq in found:
        found[undone.seq] = ("undone", undone.at, by[2] if by else None)
    elif ANSWERS not in undone.data:
        return
    for seq, answer in found.items():
        if seq < undone.seq and answer and answer[1] == undone.at:
            kept = answer[0] == "handed_back" and accepted_at
            found[seq] = ("accepted", kept, answer[2]) if kept else None


def _words(case: CaseRecord, by_seq: Mapping[int, EventRecord]) -> Iterator[Sentence]:
    for table, pairs in WRITTEN.items():
        names = ("seq", *COLUMNS[table], *BEYOND[table])
        for row in case.rows.get(table, ()):
            event = by_seq.get(row[0])
            if event is None or event.values is None:
                continue
            written = event.values
            if any((row[names.index(column)] or None) != (written.get(key) or None) for column, key in pairs):
                yield Sentence(
                    "Case {code}: a row in {table} says something else than what was written with event {seq}.",
                    code=case.code,
                    table=table,
                    seq=row[0],
                )
    if any(it.kind in _PUT_RIGHT for it in case.events):
        return  # causes that count no more stand in texts, too
    last = max((it.seq for it in case.events if it.values and it.values.get("causes")), default=0)
    known = all(it.text_hash is None or it.values is not None for it in case.events[last:])
    if last and known and set(case.causes) != set((by_seq[last].values or {})["causes"]):
        yield Sentence("Case {code}: the causes are not those written with event {seq}.", code=case.code, seq=last)


def _needs(case: CaseRecord, by_seq: Mapping[int, EventRecord]) -> Iterator[Sentence]:
    """What is needed, how much and by when, and since when: of before schema 0028 there are only the words."""
    for seq, _association, _need, _handover, *counted, raised_at, _replaced in case.rows.get("needs", ()):
        event = by_seq.get(seq)
        if event is None:
            continue  # said already: no event stored it
        said: Mapping[str, Any] = event.data.get(NEEDED, {})
        since = by_seq[event.data.get(ENTRY, seq)].at if NEEDED in event.data else None
        if [chain.plain(value) for value in counted] != [said.get(name) for name in COUNTED] or raised_at != since:
            yield _not_as_told(case, "needs", seq)


def _ticked(case: CaseRecord) -> Iterator[Sentence]:
    """What was done of a plan, who is on the list no more, what was corrected, what was decided about."""
    last = case.events[-1].seq
    right = {it.seq for it in case.events if it.kind in _PUT_RIGHT}
    for row in case.rows.get("planned", ()):
        done, replaced = row[-2:]
        if (done is not None and not row[0] <= done <= last) or (replaced is not None and replaced not in right):
            yield _not_as_told(case, "planned", row[0])
    over = _no_more(case)
    for table in ("support", "needs", "companions"):
        for row in case.rows.get(table, ()):
            if row[-1] != over.get((table, row[0])):
                yield _not_as_told(case, table, row[0])
    decided = {it.data[ENTRY]: it.seq for it in case.events if it.kind in {FIRING_KEPT, FIRING_UNDONE}}
    invited = {it.seq: it.data.get("invited") for it in case.events}
    for row in case.rows.get("companions", ()):
        if row[-2] != invited.get(row[0]):  # an account on the list reads the case
            yield _not_as_told(case, "companions", row[0])
    for row in case.rows.get("doubts", ()):
        if row[-1] != decided.get(row[1]):
            yield _not_as_told(case, "doubts", row[0])


def _no_more(case: CaseRecord) -> dict[tuple[str, int], int]:
    """Returns for each row that counts no more, by table and event, the event since which it does not."""
    over: dict[tuple[str, int], int] = {}
    there = {(table, row[0]) for table in ("support", "needs", "companions") for row in case.rows.get(table, ())}
    versions: dict[int, set[int]] = defaultdict(set)  # by entry, its own number and those of its corrections
    for it in case.events:
        if it.kind == "companion_off":
            over.setdefault(("companions", it.data["companion"]), it.seq)
        if it.kind not in _PUT_RIGHT:
            continue
        entry: int = it.data[ENTRY]
        for place in there:
            if place[1] in {entry, *versions[entry]}:
                over.setdefault(place, it.seq)
        if it.kind == CORRECTED:
            versions[entry].add(it.seq)
    return over


def _not_as_told(case: CaseRecord, table: str, seq: int) -> Sentence:
    return Sentence(
        "Case {code}: what became of the row in {table} of event {seq} is not what the events say.",
        code=case.code,
        table=table,
        seq=seq,
    )


def _difficulties(case: CaseRecord) -> Iterator[Sentence]:
    moves: dict[int, int] = defaultdict(int)
    for row in case.rows.get("difficulty_moves", ()):
        moves[row[1]] += 1
    for seq, _kind, _by, _raised, role, unit, moved, answer, answered_at in case.rows.get("difficulties", ()):
        about = [it for it in case.events if it.data.get("difficulty") == seq]
        asked = next((it.data for it in reversed(about) if "asked" in it.data), None)
        ended = next(((_ANSWERED[it.kind], it.at) for it in about if it.kind in _ANSWERED), (None, None))
        if (
            asked is None
            or asked["asked"] != role
            or not _became(case.units, asked["unit"], unit)
            or moved != moves[seq]
            or ended != (answer, answered_at)
        ):
            yield Sentence(
                "Case {code}: the difficulty of event {seq} does not stand where its events left it.",
                code=case.code,
                seq=seq,
            )


def _association(case: CaseRecord, folding: _Folding, table: str, seq: int, unit: int | None) -> Iterator[Sentence]:
    if seq <= folding.adopted or seq not in folding.after:
        return
    if not any(_became(case.units, said, unit) for said in folding.after[seq]["association_id"]):
        yield _elsewhere(case, table, seq)


def _elsewhere(case: CaseRecord, table: str, seq: int) -> Sentence:
    return Sentence(
        "Case {code}: a row in {table} names another unit than event {seq}.", code=case.code, table=table, seq=seq
    )


def _shown(value: Any) -> Any:
    return "–" if value is None else value
