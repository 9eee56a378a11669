"""Stores the proposals of the risk watch: which of them wait for whom, and what was decided."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import and_, bindparam, case, or_, select, update
from sqlalchemy.orm import Session, aliased

from engine.store import tables as t

_TABLES = t.Base.metadata.tables
_proposals, _alarms, _cases = (_TABLES[name] for name in ("proposals", "alarms", "cases"))


@dataclass(frozen=True, slots=True)
class Proposed:
    """A proposal as a teacher sees it. `signals` are [id, threshold, value]."""

    id: int
    day: dt.date
    absent_since: dt.date
    signals: list[Any]
    pupil_id: int
    pupil: str
    klass: str
    village: str | None


_class, _village = aliased(t.Unit), aliased(t.Unit)
_WAITING = (
    select(
        t.Proposal.id,
        t.Proposal.day,
        t.Proposal.absent_since,
        t.Proposal.signals,
        t.Pupil.id,
        t.Pupil.name,
        _class.name,
        _village.name,
    )
    .join(t.Pupil, t.Pupil.id == t.Proposal.pupil_id)
    .join(_class, _class.id == t.Pupil.class_id)
    .outerjoin(_village, _village.id == t.Pupil.village_id)
    .outerjoin(t.Case, and_(t.Case.pupil_id == t.Pupil.id, t.OPEN))
    .where(
        t.Proposal.decided_at.is_(None),
        t.Case.id.is_(None),
        or_(
            t.Pupil.class_id.in_(bindparam("classes", expanding=True)),
            t.Pupil.school_id.in_(bindparam("schools", expanding=True)),
        ),
    )
    .order_by(t.Proposal.day, t.Proposal.id)
    .limit(bindparam("most"))
)
_ONE = _WAITING.where(t.Proposal.id == bindparam("id"))


def waiting(
    session: Session, classes: Collection[int], schools: Collection[int], most: int = 1, *, id: int | None = None
) -> list[Proposed]:
    """Undecided proposals for pupils of these classes and schools without an open case; with `id` only that one.

    Args:
        session: scoped to the reader.
        classes: ids of classes.
        schools: ids of schools.
        most: how many at most.
        id: of one proposal.
    """
    asked: dict[str, Any] = {"classes": sorted(classes), "schools": sorted(schools), "most": most}
    rows: Any = session.execute(_WAITING, asked) if id is None else session.execute(_ONE, asked | {"id": id})
    return [Proposed(*row) for row in rows]


class ProposalRow(NamedTuple):
    """A proposal as it is stored."""

    id: int
    pupil_id: int
    day: dt.date
    absent_since: dt.date
    signals: list[tuple[str, int, int]]
    decided_at: dt.datetime | None
    decided_by_id: int | None
    reason: str | None
    case_id: int | None


_ROW = select(*(_proposals.c[name] for name in ProposalRow._fields))


def proposal(session: Session, id: int) -> ProposalRow | None:
    """Returns a proposal, locked until the transaction ends; None if it does not exist."""
    row = session.connection().execute(_ROW.where(_proposals.c.id == id).with_for_update()).one_or_none()
    return ProposalRow(*row) if row else None


def code_of(session: Session, case_id: int) -> str:
    """The code of a case."""
    return str(session.connection().execute(select(_cases.c.code).where(_cases.c.id == case_id)).scalar_one())


def take_up(session: Session, row: ProposalRow, person_id: int, code: str, now: dt.datetime) -> None:
    """Notes that a case was opened, beside the proposal and beside the alarms that led to it."""
    connection = session.connection()
    case_id = connection.execute(select(_cases.c.id).where(_cases.c.code == code)).scalar_one()
    values = {"decided_at": now, "decided_by_id": person_id, "case_id": case_id}
    connection.execute(update(_proposals).where(_proposals.c.id == row.id).values(values))
    its = _alarms.c.pupil_id == row.pupil_id, _alarms.c.day >= row.day, _alarms.c.case_id.is_(None)
    first = (_alarms.c.day == row.day) & (_alarms.c.signal == row.signals[0][0])
    connection.execute(update(_alarms).where(*its).values(case_id=case_id, opened=case((first, True), else_=False)))


def dismiss(session: Session, id: int, person_id: int, reason: str, now: dt.datetime) -> None:
    """Notes that the proposal needs no case."""
    values = {"decided_at": now, "decided_by_id": person_id, "reason": reason}
    session.connection().execute(update(_proposals).where(_proposals.c.id == id).values(values))
