"""Stores difficulties, and reads the lists of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Executable, Select, and_, bindparam, or_, select, update
from sqlalchemy.orm import Session, aliased

from engine.core.people.access import Viewer
from engine.core.refusals import Conflict
from engine.core.words import Sentence
from engine.store import tables as t
from engine.store.cases.rows import known_arms, referred_arms
from engine.store.cases.work_list import seats_of
from engine.store.tables.types import at_most

PAGE = 30
OPEN, ANSWERED, ALL = "open", "answered", "all"

_table = t.Base.metadata.tables["difficulties"]
_events, _moves = t.Base.metadata.tables["events"], t.Base.metadata.tables["difficulty_moves"]
_it = t.Difficulty


@dataclass(frozen=True, slots=True)
class DifficultyRow:
    """A difficulty of a case, raised by the event `seq`; `role` in the unit has to decide about it now."""

    id: int
    case_id: int
    seq: int
    kind: str
    raised_by_id: int | None
    raised_at: dt.datetime
    role: str
    unit_id: int
    moves: int
    due_at: dt.datetime | None
    answer: str | None
    answered_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Shown(DifficultyRow):
    """A difficulty on a page. `words` is "" and `pupil` None for viewers who may not read them."""

    unit: str
    raised_by: str | None
    words: str
    code: str
    pupil: str | None = None
    klass: str | None = None
    village: str | None = None


_COLUMNS: tuple[Any, ...] = (
    _it.id,
    _it.case_id,
    _it.seq,
    _it.kind,
    _it.raised_by_id,
    _it.raised_at,
    _it.role,
    _it.unit_id,
    _it.moves,
    _it.due_at,
    _it.answer,
    _it.answered_at,
)
_ONE = select(*_COLUMNS).where(_it.case_id == bindparam("case"), _it.seq == bindparam("seq"))


def find(session: Session, case_id: int, seq: int) -> DifficultyRow | None:
    """Returns the difficulty of a case that this event raised."""
    row: Any = session.execute(_ONE, {"case": case_id, "seq": seq}).one_or_none()
    return DifficultyRow(*row) if row else None


def raised_as(session: Session, it: DifficultyRow) -> str | None:
    """Returns the role in which a difficulty was raised. The session must be unscoped."""
    query = select(_events.c.role).where(_events.c.case_id == it.case_id, _events.c.seq == it.seq)
    return session.connection().execute(query).scalar()


def move(session: Session, it: DifficultyRow, **values: object) -> None:
    """Changes a difficulty. Raises `Conflict` if somebody moved or answered it since it was read."""
    here = _table.c.id == it.id, _table.c.moves == it.moves
    done = session.connection().execute(update(_table).where(*here).values(moves=it.moves + 1, **values))
    if done.rowcount != 1:
        raise Conflict(Sentence("Somebody else has answered this difficulty meanwhile."))


def put_off(session: Session, it: DifficultyRow, due_at: dt.datetime) -> None:
    """Sets a later time to look at a difficulty; it stays at its post."""
    session.connection().execute(update(_table).where(_table.c.id == it.id).values(due_at=due_at))


def waiting_in(session: Session, case_ids: Collection[int]) -> dict[int, list[tuple[DifficultyRow, dt.datetime]]]:
    """Returns the difficulties that wait for an answer, by case, each with when its post was asked."""
    query = select(*_COLUMNS).where(_it.case_id.in_(case_ids), t.UNANSWERED).order_by(_it.id)
    found: dict[int, list[tuple[DifficultyRow, dt.datetime]]] = {}
    for row in session.execute(query):
        it = DifficultyRow(*row)
        found.setdefault(it.case_id, []).append((it, _asked_at(session, it)))
    return found


def _asked_at(session: Session, it: DifficultyRow) -> dt.datetime:
    query = (
        select(_events.c.at)
        .join(_moves, (_moves.c.case_id == _events.c.case_id) & (_moves.c.seq == _events.c.seq))
        .where(_moves.c.case_id == it.case_id, _moves.c.raised_seq == it.seq)
        .order_by(_moves.c.number.desc())
        .limit(1)
    )
    found: dt.datetime | None = session.connection().execute(query).scalar()
    return found or it.raised_at


def due(session: Session, now: dt.datetime, after: int, limit: int) -> list[tuple[int, int, int]]:
    """Returns difficulties (id, case, number) whose time for an answer is over by `now`, with an id above `after`."""
    columns = _table.c.id, _table.c.case_id, _table.c.seq
    query = select(*columns).where(t.UNANSWERED, _table.c.due_at <= now, _table.c.id > after).order_by(_table.c.id)
    return [(id, case, seq) for id, case, seq in session.connection().execute(query.limit(limit))]


def earliest_due(session: Session) -> dt.datetime | None:
    """Returns the next moment at which the time for an answer is over; None if no difficulty waits."""
    query = select(_table.c.due_at).where(t.UNANSWERED).order_by(_table.c.due_at).limit(1)
    found: dt.datetime | None = session.connection().execute(query).scalar()
    return found


# --- what pages show, in scoped sessions ------------------------------------------------------------------------------

_asked, _class, _village = (aliased(t.Unit) for _ in range(3))
_text = and_(t.EventText.case_id == _it.case_id, t.EventText.seq == _it.seq)
_referral: Any = t.Referral  # mapped from the columns of cases, which type checkers do not see


def _shown(code: Any, *more: Any) -> Any:
    return (
        select(*_COLUMNS, _asked.name, t.Person.name, t.EventText.values, code, *more)
        .join(_asked, _asked.id == _it.unit_id)
        .outerjoin(t.Person, t.Person.id == _it.raised_by_id)
        .outerjoin(t.EventText, _text)
    )


_KNOWN = (
    _shown(t.Case.code, t.Pupil.name, _class.name, _village.name)
    .join(t.Case, t.Case.id == _it.case_id)
    .join(t.Pupil, t.Pupil.id == t.Case.pupil_id)
    .join(_class, _class.id == t.Case.class_id)
    .outerjoin(_village, _village.id == t.Case.village_id)
)
_REFERRED = _shown(_referral.code).join(_referral, _referral.id == _it.case_id)


def _read(session: Session, query: Executable) -> list[Shown]:
    rows: Any = session.execute(query)
    return [Shown(*(*row[:14], (row[14] or {}).get("difficulty_words", ""), *row[15:])) for row in rows]


# Asked first and alone: few cases have one, and the statement over eight tables takes its time.
_WAITING = select(_it.id).where(_it.case_id == bindparam("case"), t.UNANSWERED)


def of_case(session: Session, case_id: int, *, known: bool) -> list[Shown]:
    """Returns the difficulties of one case that wait for an answer, the oldest first."""
    ids = session.execute(_WAITING, {"case": case_id}).scalars().all()
    base = _KNOWN if known else _REFERRED
    return _read(session, base.where(_it.id.in_(ids)).order_by(_it.id)) if ids else []


def shown(session: Session, case_id: int, seq: int, *, known: bool) -> Shown | None:
    """Returns the difficulty of a case that this event raised, if the viewer may see it."""
    base = _KNOWN if known else _REFERRED
    return next(iter(_read(session, base.where(_it.case_id == case_id, _it.seq == seq))), None)


def waiting_for(session: Session, viewer: Viewer, limit: int = PAGE) -> list[Shown]:
    """Returns difficulties that one of the viewer's posts has to decide about, the most urgent first."""
    seats = seats_of(viewer)
    if not seats:  # an empty or_() is deprecated
        return []
    ids = session.execute(_of_posts(tuple(seats)), {"most": limit}).scalars().all()
    return _read(session, _KNOWN.where(_it.id.in_(ids)).order_by(_it.due_at, _it.id)) if ids else []


@lru_cache(maxsize=512)
def _of_posts(seats: tuple[tuple[str, int], ...]) -> Select[Any]:
    """Returns the statement for the ids of what waits for these posts, kept for the next page."""
    posts = [and_(_it.unit_id == unit, _it.role == role) for role, unit in seats]
    first = select(_it.id).where(t.UNANSWERED, or_(*posts))
    return first.order_by(_it.due_at, _it.id).limit(bindparam("most"))


def listed(session: Session, viewer: Viewer, which: str, before: int | None = None, limit: int = PAGE) -> list[Shown]:
    """Returns difficulties that the viewer may see, the newest first; one more than `limit` if there are more.

    `which` is OPEN, ANSWERED or ALL; `before` is the last id of the previous page.
    """
    where: list[Any] = [_it.id < before] if before else []
    if which != ALL:
        where.append(t.UNANSWERED if which == OPEN else _it.answer.is_not(None))
    bases: Sequence[Any] = [
        *([_KNOWN] if known_arms(viewer) else []),
        *([_REFERRED] if referred_arms(viewer) else []),
    ]
    once: dict[int, Shown] = {}
    for base in bases:
        for row in _read(session, base.where(*where).order_by(_it.id.desc()).limit(at_most(limit + 1))):
            once.setdefault(row.id, row)
    return sorted(once.values(), key=lambda row: -row.id)[: limit + 1]
