"""What the roles' rooms show: one class, one school, the villages or communes one answers for, in counted numbers.

Every number is counted no farther than MOST, unit by unit, each through an index that begins with the unit: so a room
costs the same with a hundred cases and with a million. The units are the viewer's own posts', so the sessions may be
unscoped; pupils are read in scoped ones.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.store import tables as t

MOST = 99  # what is more is shown as "99+"


@dataclass(frozen=True, slots=True)
class UnitName:
    """A unit by its id, code and name."""

    id: int
    code: str
    name: str


def province_of(session: Session, unit_ids: Collection[int]) -> UnitName | None:
    """The province in which the units lie; the first by its code if they lie in several."""
    query = (
        select(t.Unit.id, t.Unit.code, t.Unit.name)
        .join(t.UnitLink, t.UnitLink.ancestor_id == t.Unit.id)
        .where(t.UnitLink.descendant_id.in_(sorted(unit_ids)), t.Unit.kind == "province")
        .order_by(t.Unit.code)
        .limit(1)
    )
    row = session.execute(query).first()
    return UnitName(*row) if row else None
