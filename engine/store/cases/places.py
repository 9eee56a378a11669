"""Reads and changes the units that pupils and their open cases both carry."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.core.cases.facts import PLACE, Facts
from engine.store import tables as t
from engine.store.cases.surroundings import cases, read_facts

_pupils, _units = t.Base.metadata.tables["pupils"], t.Base.metadata.tables["units"]


def places(session: Session, pupil_ids: Collection[int]) -> dict[int, tuple[int | None, ...]]:
    """Each pupil's place, as `engine.core.cases.facts.PLACE`, and the grade of the class."""
    query = select(_pupils.c.id, *(_pupils.c[name] for name in PLACE), _units.c.grade).join(
        _units, _units.c.id == _pupils.c.class_id
    )
    return {row[0]: tuple(row[1:]) for row in session.connection().execute(query.where(_pupils.c.id.in_(pupil_ids)))}


def open_cases(session: Session, pupil_ids: Collection[int]) -> list[Facts]:
    """The open cases of these pupils, locked until the transaction ends."""
    return read_facts(session, t.OPEN, cases.c.pupil_id.in_(pupil_ids), lock=True)
