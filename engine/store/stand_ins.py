"""Who acts for whom on a day, each as one recursive statement; `engine.core.people.stand_ins` says what it means.

`UNION` keeps each pair of people once, so a ring of absences ends by itself.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import CTE, ColumnElement, Date, Select, and_, bindparam, exists, select

from engine.store import tables as t
from engine.store.bulk import among
from engine.store.tables.types import Id

TODAY = bindparam("today", type_=Date())
PERSON = bindparam("person_id", type_=Id)
_people, _away = t.Base.metadata.tables["people"], t.Base.metadata.tables["delegations"]


def in_force(away: Any) -> tuple[ColumnElement[bool], ...]:
    """The conditions on an absence that holds today."""
    return away.c.first_day <= TODAY, away.c.last_day >= TODAY


def is_away(person: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether a person is away today."""
    absence = _away.alias("absence")
    return exists().where(absence.c.person_id == person, *in_force(absence)).correlate_except(absence)


def _acting() -> CTE:
    """Each of the people asked about, with everybody on the way to those who act for them."""
    asked = select(_people.c.id.label("absent"), _people.c.id.label("person")).where(among(_people.c.id))
    acts = asked.cte("acts", recursive=True)
    named = _people.alias("named")
    return acts.union(
        select(acts.c.absent, named.c.id)
        .select_from(acts)
        .join(_away, and_(_away.c.person_id == acts.c.person, *in_force(_away)))
        .join(named, and_(named.c.id == _away.c.delegate_id, named.c.disabled_at.is_(None)))
    )


_acts = _acting()
_self = _people.alias("self")
# Of the people asked about those who are away or have a closed account, and who acts for them (None: nobody). The
# others act for themselves.
ACTING: Select[Any, Any] = (
    select(_self.c.id, _acts.c.person)
    .select_from(_self)
    .outerjoin(
        _acts,
        and_(_acts.c.absent == _self.c.id, _acts.c.person != _self.c.id, ~is_away(_acts.c.person)),
    )
    .where(among(_self.c.id), is_away(_self.c.id) | _self.c.disabled_at.is_not(None))
    .order_by(_self.c.id, _acts.c.person)
)


def lenders() -> CTE:
    """The person (`PERSON`), and everybody for whom they act today."""
    lends = select(PERSON.label("id")).cte("lends", recursive=True)
    through = _people.alias("through")
    return lends.union(
        select(_away.c.person_id)
        .select_from(_away)
        .join(lends, _away.c.delegate_id == lends.c.id)
        .join(through, and_(through.c.id == lends.c.id, through.c.disabled_at.is_(None)))
        .where(*in_force(_away), ~is_away(PERSON))
    )


def _absent_without() -> Select[Any]:
    """The people who are away today with nobody to act for them, as a subquery: all of them, from one walk."""
    gone = _away.alias("gone")
    ways = select(gone.c.person_id.label("absent"), gone.c.person_id.label("person")).where(*in_force(gone))
    walk = ways.cte("away_today", recursive=True)
    named, absence = _people.alias("next_one"), _away.alias("next_absence")
    walk = walk.union(
        select(walk.c.absent, named.c.id)
        .select_from(walk)
        .join(absence, and_(absence.c.person_id == walk.c.person, *in_force(absence)))
        .join(named, and_(named.c.id == absence.c.delegate_id, named.c.disabled_at.is_(None)))
    )
    covered = select(walk.c.absent).where(~is_away(walk.c.person))
    return select(walk.c.absent).where(walk.c.absent.not_in(covered))


ABSENT_WITHOUT = _absent_without()
