"""The statements of a `SurroundingsReader`, for any number of ids; made once, because making one takes time."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Select, bindparam, literal_column, select, union_all

from engine.core.cases.casework import CHECK_IN
from engine.store.bulk import among
from engine.store.tables import Base

_TABLES = Base.metadata.tables
_firings, _holds, _marks, _causes = (_TABLES[name] for name in ("firings", "holds", "marks", "case_causes"))
_cases, _events, _planned, _corrections = (_TABLES[name] for name in ("cases", "events", "planned", "corrections"))
_units, _posts, _delegations, _people, _closures = (
    _TABLES[name] for name in ("units", "appointments", "delegations", "people", "closures")
)
Question = Select[*tuple[Any, ...]]
_today: BindParameter[Any] = bindparam("today")

UNITS: Question = select(
    _units.c.id, _units.c.code, _units.c.kind, _units.c.name, _units.c.teaching_days, _units.c.parent_id
).where(among(_units.c.id))


def _in_force(table: Any) -> tuple[ColumnElement[bool], ...]:
    return table.c.valid_from <= _today, table.c.valid_to > _today


ASSOCIATIONS: Question = (
    select(_units.c.parent_id, _units.c.id)
    .where(among(_units.c.parent_id), _units.c.kind == "association", *_in_force(_units))
    .order_by(_units.c.id)
)
UNIT_CALLED: Question = select(_units.c.id).where(_units.c.code == bindparam("code"), *_in_force(_units))

_HELD: Question = (
    select(_posts.c.unit_id, _posts.c.person_id)
    .join(_people, _people.c.id == _posts.c.person_id)
    .where(_posts.c.role == bindparam("role"), *_in_force(_posts), _people.c.disabled_at.is_(None))
    .order_by(_posts.c.id)
)
POSTS = _HELD.where(among(_posts.c.unit_id))
ALL_POSTS = _HELD

AWAY: Question = (
    select(_delegations.c.person_id, _delegations.c.delegate_id, _people.c.disabled_at)
    .outerjoin(_people, _people.c.id == _delegations.c.delegate_id)
    .where(among(_delegations.c.person_id), _delegations.c.first_day <= _today, _delegations.c.last_day >= _today)
    .order_by(_delegations.c.id)
)

CLOSURES = union_all(
    *(
        select(
            literal_column(f"'{kind}'").label("kind"),
            column.label("whose"),
            _closures.c.first_day,
            _closures.c.last_day,
            _closures.c.reason,
            _closures.c.id,
        ).where(among(column, name=f"{kind}s"))
        for kind, column in (("unit", _closures.c.unit_id), ("pupil", _closures.c.pupil_id))
    )
).order_by("first_day", "id")

FIRED: Question = (
    select(_firings.c.case_id, _firings.c.rule, _firings.c.entry, _firings.c.at, _firings.c.seq)
    .where(among(_firings.c.case_id))
    .order_by(_firings.c.repetition)
)
# What people did in the present stay of a case, each with its next date.
ACTS: Question = (
    select(
        _events.c.case_id,
        _events.c.seq,
        _events.c.kind,
        _events.c.at,
        _planned.c.due_at,
        _corrections.c.entry_seq,
        _corrections.c.void,
    )
    .join(_cases, _cases.c.id == _events.c.case_id)
    .outerjoin(_corrections, (_corrections.c.case_id == _events.c.case_id) & (_corrections.c.seq == _events.c.seq))
    .outerjoin(
        _planned,
        (_planned.c.case_id == _events.c.case_id) & (_planned.c.seq == _events.c.seq) & (_planned.c.kind == CHECK_IN),
    )
    .where(among(_events.c.case_id), _events.c.at >= _cases.c.since, _events.c.person_id.is_not(None))
    .order_by(_events.c.case_id, _events.c.seq)
)
HELD: Question = (
    select(_holds.c.case_id, _holds.c.starts_at, _holds.c.ends_at, _holds.c.reason)
    .where(among(_holds.c.case_id))
    .order_by(_holds.c.seq)
)
CAUSES: Question = select(_causes.c.case_id, _causes.c.cause).where(among(_causes.c.case_id))
ABSENCES: Question = select(_marks.c.pupil_id, _marks.c.day, _marks.c.mark).where(
    among(_marks.c.pupil_id), _marks.c.day >= bindparam("first"), _marks.c.mark.in_(("e", "u"))
)
