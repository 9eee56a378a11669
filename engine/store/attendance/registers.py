"""Reads the registers of pupils: what their classes took, with the marks that differ from present.

A class's sessions are read once and shared by its pupils. A pupil's own marks are laid over them. So no statement joins
pupils, sessions and marks.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from engine.core.attendance.signals import Rhythm, Taken
from engine.store import tables as t
from engine.store.bulk import among, read_columns
from engine.store.cases.surroundings import marks
from engine.store.tables.types import FAR_DAY

_TABLES = t.Base.metadata.tables
members, sessions, pupils = _TABLES["class_memberships"], _TABLES["sessions_taken"], _TABLES["pupils"]
NOBODY: Sequence[Taken] = ()


class Member(NamedTuple):
    """A pupil on the list of a class from a day on, up to (without) another one, and since when that was known."""

    pupil: int
    class_id: int
    first: dt.date
    end: dt.date | None
    recorded_at: dt.datetime

    def on(self, day: dt.date) -> bool:
        """Whether the pupil was on the list that day."""
        return self.first <= day and (self.end is None or day < self.end)


def members_of(session: Session, *where: ColumnElement[bool]) -> list[Member]:
    """Returns the memberships that hold (not voided) and meet these conditions, by pupil and first day."""
    m = members.c
    query: Any = (
        select(m.pupil_id, m.class_id, m.valid_from, m.valid_to, m.recorded_at)
        .where(m.voided_at.is_(None), *where)
        .order_by(m.pupil_id, m.valid_from)
    )
    return list(map(Member._make, zip(*read_columns(session.connection(), query), strict=True)))


def members_in(session: Session, class_ids: Collection[int], first: dt.date, last: dt.date) -> list[Member]:
    """Returns who was on the lists of some classes on any day from one to another."""
    m = members.c
    still = select(pupils.c.id).where(pupils.c.id == m.pupil_id, pupils.c.status == "enrolled").exists()
    there = or_(m.valid_to < FAR_DAY, still)
    return members_of(session, among(m.class_id, class_ids), m.valid_from <= last, m.valid_to > first, there)


def dated_members(session: Session, pupil_ids: Collection[int]) -> list[Member]:
    """Returns the memberships of those pupils who came or went on a day that is known."""
    m = members.c
    return members_of(session, among(m.pupil_id, pupil_ids), or_(m.assumed.is_(False), m.valid_to < FAR_DAY))


class _ClassView:
    """The sessions that a class took, in order, each as an entry of a present pupil; and when its lists were made."""

    def __init__(self) -> None:
        self.entries: list[Taken] = []
        self.as_of: list[dt.datetime] = []

    def close(self) -> None:
        self.oldest = min(self.as_of)
        self.at = _places(self.entries)

    def of(self, one: Member) -> list[Taken] | None:
        """Returns the sessions that imply presence of a member; None for all of them."""
        if one.recorded_at <= self.oldest and one.on(self.entries[0][0]) and one.on(self.entries[-1][0]):
            return None
        pairs = zip(self.entries, self.as_of, strict=True)
        return [entry for entry, as_of in pairs if one.recorded_at <= as_of and one.on(entry[0])]


def _places(entries: Iterable[Taken]) -> dict[tuple[dt.date, str], int]:
    return {(day, half): at for at, (day, half, _mark) in enumerate(entries)}


def _views(session: Session, class_ids: Collection[int], first: dt.date, last: dt.date) -> dict[int, _ClassView]:
    s = sessions.c
    query: Any = (
        select(s.class_id, s.day, s.session, s.as_of)
        .where(among(s.class_id, class_ids), s.day >= first, s.day <= last, s.as_of.is_not(None))
        .order_by(s.class_id, s.day, s.session.desc())  # m before a
    )
    found: dict[int, _ClassView] = defaultdict(_ClassView)
    for class_id, day, half, as_of in zip(*read_columns(session.connection(), query), strict=True):
        view = found[class_id]
        view.entries.append((day, half, "p"))
        view.as_of.append(as_of)
    for view in found.values():
        view.close()
    return dict(found)


def registers(
    session: Session, pupil_ids: Collection[int], first: dt.date, last: dt.date
) -> dict[int, Sequence[Taken]]:
    """Returns the registers of some pupils from one day to another, in the order of the sessions.

    A pupil of whom nothing is known is left out.
    """
    own = own_marks(session, pupil_ids, first, last)
    m = members.c
    held = members_of(session, among(m.pupil_id, pupil_ids), m.valid_from <= last, m.valid_to > first)
    views = _views(session, {one.class_id for one in held}, first, last)
    of_pupil: dict[int, list[Member]] = defaultdict(list)
    for one in held:
        if one.class_id in views:
            of_pupil[one.pupil].append(one)
    found: dict[int, Sequence[Taken]] = {pupil: taken for pupil, taken in own.items() if pupil not in of_pupil}
    for pupil, several in of_pupil.items():
        if register := _register(several, views, own.get(pupil, NOBODY)):
            found[pupil] = register
    return found


def _register(several: Sequence[Member], views: Mapping[int, _ClassView], own: Sequence[Taken]) -> Sequence[Taken]:
    parts = [(views[one.class_id], views[one.class_id].of(one)) for one in several]
    if len(parts) == 1 and parts[0][1] is None:
        entries, at = parts[0][0].entries, parts[0][0].at
    else:
        entries = [entry for view, part in parts for entry in (view.entries if part is None else part)]
        at = _places(entries)
    return _laid_over(entries, at, own) if own else entries


def _laid_over(
    entries: Sequence[Taken], at: Mapping[tuple[dt.date, str], int], own: Sequence[Taken]
) -> Sequence[Taken]:
    found, more = list(entries), False
    for mark in own:
        place = at.get(mark[:2])
        if place is None:
            found.append(mark)
            more = True
        else:
            found[place] = mark
    if more:
        found.sort(key=_in_order)
    return found


def _in_order(taken: Taken) -> tuple[dt.date, bool]:
    return taken[0], taken[1] != "m"


def own_marks(session: Session, pupil_ids: Collection[int], first: dt.date, last: dt.date) -> dict[int, list[Taken]]:
    """The stored marks of some pupils, in the order of the sessions."""
    query: Any = (
        select(marks.c.pupil_id, marks.c.day, marks.c.session, marks.c.mark)
        .where(among(marks.c.pupil_id, pupil_ids), marks.c.day >= first, marks.c.day <= last)
        .order_by(marks.c.pupil_id, marks.c.day, marks.c.session.desc())  # m before a
    )
    columns = read_columns(session.connection(), query)  # reading row by row would take three times as long
    if not columns:
        return {}
    ids, taken = list(columns[0]), list(zip(*columns[1:], strict=True))
    found: dict[int, list[Taken]] = {}
    begin = 0
    while begin < len(ids):
        end = bisect_right(ids, ids[begin], begin)
        found[ids[begin]] = taken[begin:end]
        begin = end
    return found


def rhythms(session: Session, class_ids: Collection[int], first: dt.date, last: dt.date) -> dict[int, Rhythm]:
    """Returns the rhythm of the classes that took a session between two days."""
    s = sessions.c
    query = (
        select(s.class_id, s.session, func.count())
        .where(among(s.class_id, class_ids), s.day >= first, s.day <= last)
        .group_by(s.class_id, s.session)
    )
    counts: dict[int, dict[str, int]] = defaultdict(dict)
    for class_id, half, number in session.connection().execute(query):
        counts[class_id][half] = number
    return {class_id: Rhythm.of(found.get("m", 0), found.get("a", 0)) for class_id, found in counts.items()}
