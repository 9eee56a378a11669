"""The statements of corrections: which entries were put right, what hangs on an entry, which firings are in doubt."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table, and_, bindparam, exists, or_, select, update
from sqlalchemy.orm import Session

from engine.core.cases.casework import CHECK_IN, LESSON
from engine.core.cases.past import PastEvent, as_it_counts
from engine.core.people.access import NOBODY, Viewer
from engine.core.people.roles import AREAS, HOLD
from engine.store import tables as t
from engine.store.cases.rows import Arm
from engine.store.tables.types import at_most

_TABLES = t.Base.metadata.tables
_notices, _items, _deliveries, _planned, _offers, _companions, _doubts, _cases = (
    _TABLES[name]
    for name in ("notices", "delivery_items", "deliveries", "planned", "offers", "companions", "doubts", "cases")
)
REPLACED = ("support", "needs")
MOST_DOUBTS = 30  # on one page


# --- what hangs on an entry -------------------------------------------------------------------------------------------


def _of(table: Table, case_id: int, seqs: Collection[int]) -> tuple[Any, ...]:
    return table.c.case_id == case_id, table.c.seq.in_(sorted(seqs))


def row_of(session: Session, name: str, case_id: int, seqs: Collection[int]) -> Mapping[str, Any]:
    """Returns the row of `support` or `needs` that counts for an entry, by the numbers of its versions."""
    table = _TABLES[name]
    query = select(table).where(*_of(table, case_id, seqs), table.c.replaced_seq.is_(None))
    row = session.connection().execute(query).mappings().first()
    return dict(row) if row else {}


def versions(session: Session, case_id: int, seq: int) -> tuple[int, list[int]]:
    """Returns the number of the entry that an event is or corrects, and the numbers of all versions of that entry."""
    mine = t.Correction.case_id == case_id, t.Correction.void.is_(False)
    entry = session.execute(select(t.Correction.entry_seq).where(*mine, t.Correction.seq == seq)).scalar() or seq
    later = session.execute(select(t.Correction.seq).where(*mine, t.Correction.entry_seq == entry)).scalars()
    return entry, [entry, *sorted(later)]


def on_list(session: Session, case_id: int, seqs: Collection[int]) -> bool:
    """Returns whether the companion whom an entry added is still on the list."""
    query = select(_companions.c.seq).where(*_of(_companions, case_id, seqs), _companions.c.removed_seq.is_(None))
    return session.connection().execute(query).first() is not None


def replace(session: Session, case_id: int, seqs: Collection[int], by: int) -> None:
    """Marks what an entry gave, needed or named as replaced by the event numbered `by`; nothing is changed in it."""
    for name in REPLACED:
        table = _TABLES[name]
        these = update(table).where(*_of(table, case_id, seqs), table.c.replaced_seq.is_(None))
        session.connection().execute(these.values(replaced_seq=by))
    these = update(_companions).where(*_of(_companions, case_id, seqs), _companions.c.removed_seq.is_(None))
    session.connection().execute(these.values(removed_seq=by))


@dataclass(frozen=True, slots=True)
class Dates:
    """What was done of the dates that an entry planned: how many lessons, and the event that kept its next date."""

    lessons: int = 0
    asked: int | None = None


def replace_dates(session: Session, case_id: int, seqs: Collection[int], by: int) -> Dates:
    """Marks the dates that an entry planned as replaced, without the lessons that were held; returns what was done."""
    query = select(_planned.c.kind, _planned.c.done_seq).where(
        *_of(_planned, case_id, seqs), _planned.c.replaced_seq.is_(None)
    )
    rows = session.connection().execute(query).all()
    these = update(_planned).where(
        *_of(_planned, case_id, seqs),
        _planned.c.replaced_seq.is_(None),
        or_(_planned.c.kind == CHECK_IN, _planned.c.done_seq.is_(None)),
    )
    session.connection().execute(these.values(replaced_seq=by))
    held = sum(1 for kind, done in rows if kind == LESSON and done is not None)
    return Dates(held, next((done for kind, done in rows if kind == CHECK_IN and done is not None), None))


def open_dates_again(session: Session, case_id: int, seq: int) -> None:
    """Makes the dates open again that an entry marked as kept."""
    done = update(_planned).where(_planned.c.case_id == case_id, _planned.c.done_seq == seq)
    session.connection().execute(done.values(done_seq=None))


def take_back_offers(
    session: Session, case_id: int, seq: int, at: dt.datetime, accepted_at: dt.datetime | None
) -> None:
    """Puts the offers of a case back to before the event numbered `seq`, at the moment `at`, which was taken back.

    What it offered counts no more; what it answered is unanswered again or, if it was handed back, accepted as it was
    at `accepted_at`.
    """
    made = update(_offers).where(_offers.c.case_id == case_id, _offers.c.seq == seq)
    session.connection().execute(made.values(answer="undone", answered_at=at))
    answered = _offers.c.case_id == case_id, _offers.c.seq < seq, _offers.c.answered_at == at
    opened = update(_offers).where(*answered, _offers.c.answer != "handed_back")
    session.connection().execute(opened.values(answer=None, answered_at=None, answered_by_id=None))
    kept = update(_offers).where(*answered, _offers.c.answer == "handed_back")
    session.connection().execute(kept.values(answer="accepted", answered_at=accepted_at))


# --- who was told -----------------------------------------------------------------------------------------------------


def withdraw_notices(session: Session, case_id: int, seq: int, now: dt.datetime) -> list[tuple[int, str]]:
    """Withdraws the notices of an event that reached nobody yet; returns whom the others reached, and in which role."""
    sent = (
        select(_items.c.notice_id)
        .join(_deliveries, _deliveries.c.id == _items.c.delivery_id)
        .where(_items.c.notice_id == _notices.c.id, or_(_deliveries.c.state == "sent", _deliveries.c.attempts > 0))
    )
    this = _notices.c.case_id == case_id, _notices.c.seq == seq, _notices.c.withdrawn_at.is_(None)
    reached = or_(_notices.c.read_at.is_not(None), exists(sent))
    rows = session.connection().execute(select(_notices.c.person_id, _notices.c.role).where(*this, reached)).all()
    gone = update(_notices).where(*this, ~reached)
    session.connection().execute(gone.values(withdrawn_at=now, planned_at=now))
    return [(person, role) for person, role in rows]


# --- for a page -------------------------------------------------------------------------------------------------------

_VERSIONS = (
    select(
        t.Event.seq,
        t.Event.kind,
        t.Event.at,
        t.Event.person_id,
        t.Event.role,
        t.Event.data,
        t.EventText.values,
    )
    .outerjoin(t.EventText, and_(t.EventText.case_id == t.Event.case_id, t.EventText.seq == t.Event.seq))
    .outerjoin(t.Correction, and_(t.Correction.case_id == t.Event.case_id, t.Correction.seq == t.Event.seq))
    .where(
        t.Event.case_id == bindparam("case"),
        or_(t.Event.seq == bindparam("entry"), t.Correction.entry_seq == bindparam("entry")),
    )
    .order_by(t.Event.seq)
)
_GIFT = (
    select(
        t.Support.kind,
        t.Support.quantity,
        t.Support.value,
        t.Support.giver,
        t.Support.programme,
        t.Support.given_on,
        t.Support.received_by,
    )
    .where(t.Support.case_id == bindparam("case"), t.Support.seq.in_(bindparam("seqs", expanding=True)))
    .where(t.Support.replaced_seq.is_(None))
)


def entry_shown(session: Session, case_id: int, seq: int) -> PastEvent | None:
    """Returns an entry as it counts, with the words that the viewer may read; None if it counts no more.

    Where the viewer may not read what was written with a gift, the gift itself stands in. The session must be scoped.
    """
    rows: Any = session.execute(_VERSIONS, {"case": case_id, "entry": seq}).all()
    events = [
        PastEvent(case_id, number, kind, at, person, role, data, values or {})
        for number, kind, at, person, role, data, values in rows
    ]
    found = next((event for event in as_it_counts(events) if event.seq == seq), None)
    if found is None or found.values or found.kind != "support_given":
        return found
    gift: Any = session.execute(_GIFT, {"case": case_id, "seqs": [event.seq for event in events]}).first()
    if gift is None:
        return found
    values = {"support_kind": gift[0], **dict(zip(_GIVEN, gift[1:], strict=True))}
    values["given_on"] = values["given_on"].isoformat()
    return dataclasses.replace(found, values={name: value for name, value in values.items() if value is not None})


_GIVEN = ("quantity", "value", "giver", "programme", "given_on", "received_by")


# --- doubts -----------------------------------------------------------------------------------------------------------


def doubted(session: Session, case_id: int) -> dict[int, int | None]:
    """Returns the firings of a case that are or were in doubt, by number: the event that decided, if any did."""
    query = select(_doubts.c.fired_seq, _doubts.c.decided_seq).where(_doubts.c.case_id == case_id)
    return dict(session.connection().execute(query).all())


def decide(session: Session, case_id: int, fired_seq: int, by: int) -> None:
    """Notes by which event it was decided about a firing."""
    this = update(_doubts).where(_doubts.c.case_id == case_id, _doubts.c.fired_seq == fired_seq)
    session.connection().execute(this.values(decided_seq=by))


@dataclass(frozen=True, slots=True)
class InDoubt:
    """A firing that waits for a decision: its case with the pupil, the rule's event, and the version of the case."""

    code: str
    pupil: str
    klass: str
    village: str | None
    workflow: str
    version: int
    fired_seq: int
    kind: str
    at: dt.datetime
    rules: int


_IN_DOUBT = (
    select(
        t.Case.code,
        t.Pupil.name,
        t.Unit.name,
        t.Case.village_id,
        t.Case.workflow,
        t.Case.version,
        t.Doubt.fired_seq,
        t.Event.kind,
        t.Event.at,
        t.Event.data["rules"].as_integer(),
    )
    .join(t.Case, t.Case.id == t.Doubt.case_id)
    .join(t.Pupil, t.Pupil.id == t.Case.pupil_id)
    .join(t.Unit, t.Unit.id == t.Case.class_id)
    .join(t.Event, and_(t.Event.case_id == t.Doubt.case_id, t.Event.seq == t.Doubt.fired_seq))
    .where(t.IN_DOUBT)
    .order_by(t.Doubt.case_id, t.Doubt.fired_seq)
    .limit(at_most(MOST_DOUBTS))
)


def deciding_arms(viewer: Viewer) -> list[Arm]:
    """Returns the units in whose cases the viewer decides about firings in doubt."""
    able = viewer.roles.able(HOLD)
    found = [(role.column, viewer.of(code)) for code in able if (role := viewer.roles[code]).column]
    found += [(column, viewer.areas.get(code, {}).get(name, NOBODY)) for code in able for name, column in AREAS.items()]
    return sorted({(column, unit) for column, units in found if column for unit in units})


def to_decide(session: Session, viewer: Viewer) -> list[InDoubt]:
    """Returns the firings about which the viewer has to decide, the oldest case first. The session must be scoped."""
    arms = deciding_arms(viewer)
    if not arms:
        return []
    columns = dict.fromkeys(column for column, _ in arms)
    here = [getattr(t.Case, name).in_([unit for column, unit in arms if column == name]) for name in columns]
    return [InDoubt(*row) for row in session.execute(_IN_DOUBT.where(or_(*here)))]
