"""Reads and writes what the risk watch needs: a few statements for any number of pupils."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Select, func, or_, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from engine.core.cases.facts import Facts
from engine.core.files.values import phone_of
from engine.core.text import fold
from engine.store import tables as t
from engine.store.bulk import among, read_columns
from engine.store.cases.cases import PupilPlace
from engine.store.cases.surroundings import cases, marks, read_facts
from engine.store.cases.writer import CASE_COLUMNS

_TABLES = t.Base.metadata.tables
_pupils, _units, _alarms, _proposals, _events, _taken = (
    _TABLES[name] for name in ("pupils", "units", "alarms", "proposals", "events", "sessions_taken")
)
ENDED = text("closed_at < '9999-12-31'")
Raised = dict[tuple[str, int], dt.date]  # signal and threshold → the last day it was raised


def absent_on(session: Session, day: dt.date, pupil_ids: Collection[int] | None = None) -> list[int]:
    """The pupils with an absence on a day, of all or of some."""
    query = select(marks.c.pupil_id).distinct().where(marks.c.day == day, t.ABSENT)
    if pupil_ids is not None:
        query = query.where(among(marks.c.pupil_id, pupil_ids))
    return _ids(session, query)


def places(session: Session, pupil_ids: Collection[int]) -> list[PupilPlace]:
    """Returns the places of those pupils who are on the list of their school."""
    p = _pupils.c
    query: Any = (
        select(p.id, p.class_id, p.school_id, p.village_id, p.commune_id, p.province_id, _units.c.grade, p.disability)
        .join(_units, _units.c.id == p.class_id)
        .where(among(p.id, pupil_ids), p.status == "enrolled")
        .order_by(p.id)
    )
    return list(map(PupilPlace, *read_columns(session.connection(), query) or ((),) * len(query.selected_columns)))


def absent_often(session: Session, pupil_ids: Collection[int], first: dt.date, last: dt.date, least: int) -> list[int]:
    """Returns those of the pupils who missed at least so many sessions between two days, in their order."""
    where = (among(marks.c.pupil_id, pupil_ids), marks.c.day >= first, marks.c.day <= last, t.ABSENT)
    query = select(marks.c.pupil_id).where(*where).group_by(marks.c.pupil_id).having(func.count() >= least)
    return _ids(session, query)


def _ids(session: Session, query: Select[Any]) -> list[int]:
    columns = read_columns(session.connection(), query)
    return sorted(columns[0]) if columns else []


def raised(session: Session, pupil_ids: Collection[int], first: dt.date) -> dict[int, Raised]:
    """Returns the alarms of some pupils since a day."""
    a = _alarms.c
    query = (
        select(a.pupil_id, a.signal, a.threshold, func.max(a.day))
        .where(among(a.pupil_id, pupil_ids), a.day >= first)
        .group_by(a.pupil_id, a.signal, a.threshold)
    )
    found: dict[int, Raised] = defaultdict(dict)
    for pupil, signal, threshold, day in session.connection().execute(query):
        found[pupil][signal, threshold] = day
    return found


def open_cases(session: Session, workflow: str, pupil_ids: Collection[int], *, lock: bool) -> dict[int, Facts]:
    """The open cases of some pupils, by pupil."""
    where = among(cases.c.pupil_id, pupil_ids)
    found = read_facts(session, t.OPEN, cases.c.workflow == workflow, where, lock=lock, order=cases.c.id)
    return {facts.pupil_id: facts for facts in found}


def returned_cases(
    session: Session,
    workflow: str,
    state: str,
    day: dt.date,
    after: int,
    limit: int,
    pupil_ids: Collection[int] | None,
    *,
    lock: bool,
) -> list[Facts]:
    """Returns open cases in a state whose pupils' registers say something of a day, with a case id above `after`."""
    own = select(marks.c.pupil_id).where(marks.c.pupil_id == cases.c.pupil_id, marks.c.day == day).exists()
    taken = select(_taken.c.day).where(_taken.c.class_id == cases.c.class_id, _taken.c.day == day).exists()
    marked = or_(own, taken)
    of = () if pupil_ids is None else (among(cases.c.pupil_id, pupil_ids),)
    where = (t.OPEN, cases.c.workflow == workflow, cases.c.state == state, cases.c.id > after, marked, *of)
    return read_facts(session, *where, lock=lock, order=cases.c.id, limit=limit)


def confirmed(session: Session, found: Sequence[Facts]) -> set[int]:
    """Returns the cases whose return was confirmed since they entered their state."""
    by_id = {facts.id: facts for facts in found}
    query = select(_events.c.case_id, _events.c.at).where(
        among(_events.c.case_id, by_id), _events.c.kind == "return_confirmed"
    )
    return {case for case, at in session.connection().execute(query) if at >= by_id[case].since}


def with_earlier_case(session: Session, workflow: str, pupil_ids: Collection[int]) -> set[int]:
    """Returns those of the pupils who had a case that has ended, without cases opened in error."""
    query = (
        select(cases.c.pupil_id)
        .distinct()
        .where(
            among(cases.c.pupil_id, pupil_ids),
            ENDED,
            cases.c.workflow == workflow,
            cases.c.state != "opened_in_error",
        )
    )
    return set(session.connection().execute(query).scalars())


def with_sibling_case(session: Session, workflow: str, pupil_ids: Collection[int]) -> set[int]:
    """Returns those of the pupils with an open case of a sibling.

    A sibling is another pupil of the commune whose guardian has the same phone, in whatever form it is written; or one
    of the school, of the same village, with the same guardian.
    """
    connection, other = session.connection(), _pupils.alias("sibling")
    families: dict[tuple[object, ...], set[int]] = defaultdict(set)
    communes: set[int] = set()
    for pupil, *of in connection.execute(_family(_pupils).where(among(_pupils.c.id, pupil_ids))):
        communes.add(of[0] or 0)
        for family in _families(*of):
            families[family].add(pupil)
    if not families:
        return set()
    query = (
        _family(other)
        .join(cases, cases.c.pupil_id == other.c.id)
        .where(t.OPEN, cases.c.workflow == workflow, among(cases.c.commune_id, communes))
    )
    rows = connection.execute(query)
    return {one for pupil, *of in rows for key in _families(*of) for one in families.get(key, ()) if one != pupil}


def _family(table: Any) -> Any:
    c = table.c
    return select(c.id, c.commune_id, c.guardian_phone, c.school_id, c.village_id, c.guardian)


def _families(
    commune: int | None, phone: str | None, school: int, village: int | None, guardian: str | None
) -> Iterator[tuple[object, ...]]:
    """Yields what the siblings of a family share."""
    if commune and phone and (number := phone_of(phone)):
        yield "phone", commune, number
    if village and guardian:
        yield "guardian", school, village, fold(guardian)


# --- writing ----------------------------------------------------------------------------------------------------------


def _insert(session: Session, table: Any) -> Any:
    """Makes an INSERT that skips rows that already exist."""
    dialect = sqlite if session.connection().dialect.name == "sqlite" else postgresql
    return dialect.insert(table).on_conflict_do_nothing()


def insert_cases(session: Session, drafts: Sequence[Facts]) -> list[Facts]:
    """Stores new cases and gives each its id; skips those whose pupil has an open case by now."""
    names = [name for name in CASE_COLUMNS if name != "id"]
    rows = [{name: getattr(facts, name) for name in names} for facts in drafts]
    ids: dict[int, int] = {}
    for at in range(0, len(rows), 500):
        statement: Any = _insert(session, cases).returning(cases.c.pupil_id, cases.c.id)
        inserted: Any = session.connection().execute(statement, rows[at : at + 500])
        ids |= {row[0]: row[1] for row in inserted}
    made = [facts for facts in drafts if facts.pupil_id in ids]
    for facts in made:
        facts.id = ids[facts.pupil_id]
    return made


def keep_alarms(session: Session, rows: Sequence[Mapping[str, object]]) -> None:
    """Stores alarms, each once."""
    if rows:
        session.connection().execute(_insert(session, _alarms), list(rows))


def propose(session: Session, rows: Sequence[Mapping[str, object]]) -> None:
    """Stores proposals. A pupil has at most one undecided proposal; it names the signals found last."""
    if rows:
        dialect = sqlite if session.connection().dialect.name == "sqlite" else postgresql
        statement: Any = dialect.insert(_proposals)
        newest = {"signals": statement.excluded.signals}
        statement = statement.on_conflict_do_update(index_elements=["pupil_id"], index_where=t.UNDECIDED, set_=newest)
        session.connection().execute(statement, list(rows))


def pieces(ids: Collection[int], size: int) -> Iterator[list[int]]:
    """Splits the ids into pieces of a size."""
    ordered = list(ids)
    return (ordered[at : at + size] for at in range(0, len(ordered), size))
