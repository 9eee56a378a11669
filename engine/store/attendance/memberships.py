"""Stores on the list of which class a pupil is, from when to when; rows are closed and voided, never overwritten."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from engine.store import tables as t
from engine.store.attendance.registers import members, pupils
from engine.store.bulk import among

CODES = 5_000  # in one statement
SAME_DAY = "another class on the same day"  # why a row is void


@dataclass(frozen=True, slots=True)
class Who:
    """Who wrote something down, when, and with which import."""

    at: dt.datetime
    by_id: int | None
    job_id: int | None


def begin(
    session: Session, keys: Collection[tuple[int, str]], arrived: Collection[tuple[int, str]], day: dt.date, who: Who
) -> None:
    """Says since when new pupils, by school and code, are on a list.

    The trigger of the table has added a row for each, since always. Who has `arrived` is on the list from `day` on.
    """
    codes: dict[int, list[str]] = {}
    for school, code in keys:
        codes.setdefault(school, []).append(code)
    ids: dict[tuple[int, str], int] = {}
    for school, several in codes.items():
        for at in range(0, len(several), CODES):
            here = pupils.c.school_id == school, pupils.c.code.in_(several[at : at + CODES])
            query = select(pupils.c.code, pupils.c.id).where(*here)
            ids |= {(school, code): id for code, id in session.connection().execute(query)}
    _note(session, list(ids.values()), {"recorded_at": who.at, "by_id": who.by_id, "job_id": who.job_id})
    _note(session, [ids[key] for key in arrived], {"valid_from": day, "assumed": False})


def _note(session: Session, pupil_ids: Sequence[int], values: Mapping[str, Any]) -> None:
    if pupil_ids:
        open_ones = (among(members.c.pupil_id, pupil_ids), t.NOW_MEMBER)
        session.connection().execute(update(members).where(*open_ones).values(**values))


def move(session: Session, moves: Mapping[int, int | None], day: dt.date, who: Who) -> None:
    """Takes pupils off their list, and puts each on the list of another class from `day` on, or on none.

    Call it before the pupil's own row changes, which only repeats where the pupil is today.
    """
    if not moves:
        return
    connection, m = session.connection(), members.c
    query = select(m.id, m.pupil_id, m.class_id, m.valid_from).where(among(m.pupil_id, moves), t.NOW_MEMBER)
    there = {row.pupil_id: row for row in connection.execute(query)}
    moved = {pupil: to for pupil, to in moves.items() if pupil not in there or there[pupil].class_id != to}
    late = [there[pupil].id for pupil in moved if pupil in there and there[pupil].valid_from >= day]
    ended = [there[pupil].id for pupil in moved if pupil in there and there[pupil].valid_from < day]
    if late:
        void = {"voided_at": who.at, "voided_why": SAME_DAY}
        connection.execute(update(members).where(among(m.id, late)).values(**void))
    if ended:
        connection.execute(update(members).where(among(m.id, ended)).values(valid_to=day))
    rows = [
        {
            "pupil_id": pupil,
            "class_id": to,
            "valid_from": day,
            "valid_to": None,
            "assumed": False,
            "recorded_at": who.at,
            "by_id": who.by_id,
            "job_id": who.job_id,
        }
        for pupil, to in sorted(moved.items())
        if to is not None
    ]
    if rows:
        connection.execute(insert(members), rows)
