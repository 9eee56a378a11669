"""Merges units: ends the old ones, begins the new ones, and moves what belongs to them, with one statement for each
table.

A unit never becomes another one. A unit that merges ends and names its successor. What lies in it ends with it and
begins again, under its own code, in the successor. So old addresses and old cases keep their meaning.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import starmap
from typing import Any, NamedTuple

from sqlalchemy import bindparam, func, insert, select, text, update
from sqlalchemy.orm import Session

from engine.core.calendar.announced import HARVEST, NO_CLASS
from engine.core.text import fold
from engine.store import tables as t
from engine.store.cases.surroundings import chunks
from engine.store.tables.types import FAR_DAY
from engine.store.units.units import relink

_TABLES = t.Base.metadata.tables
_units, _links, _cases, _pupils = (_TABLES[name] for name in ("units", "unit_links", "cases", "pupils"))
_posts, _closures, _people = (_TABLES[name] for name in ("appointments", "closures", "people"))
_difficulties, _accounts = _TABLES["difficulties"], _TABLES["ledger_accounts"]
DAY = dt.timedelta(days=1)
GOES_ON = frozenset({"village", "school", "site", "class", "association"})  # other units of a commune end with it
_TAKEN_OVER = text(
    "INSERT INTO sessions_taken (class_id, day, session, as_of, source, at, by_id, job_id) "
    "SELECT :new, day, session, as_of, source, at, by_id, job_id FROM sessions_taken WHERE class_id = :old "
    "ON CONFLICT DO NOTHING"
)
PLACES = ("class_id", "school_id", "village_id", "commune_id", "province_id", "association_id")


@dataclass(frozen=True, slots=True)
class Ended:
    """A unit that has ended, and its successor."""

    id: int
    code: str
    kind: str
    successor: int


@dataclass(frozen=True, slots=True)
class MovedPost:
    """A holder of a role in a unit."""

    id: int
    person_id: int
    role: str
    unit_id: int
    valid_from: dt.date
    valid_to: dt.date | None


class MergedUnit(NamedTuple):
    """A unit as it is stored."""

    id: int
    kind: str
    code: str
    name: str
    parent_id: int | None
    valid_to: dt.date | None
    successor_id: int | None
    grade: int | None
    teaching_days: str | None
    contact: str | None


_ROW = select(*(_units.c[name] for name in MergedUnit._fields))


def open_unit(session: Session, code: str, on: dt.date) -> MergedUnit | None:
    """Returns the unit of this code from before `on` that has no successor yet; None if there is none."""
    query = _ROW.where(
        _units.c.code == code, _units.c.valid_from < on, _units.c.valid_to >= on, _units.c.successor_id.is_(None)
    )
    row = session.connection().execute(query).one_or_none()
    return MergedUnit(*row) if row else None


def beginning(session: Session, code: str, on: dt.date, *, old: int | None = None) -> int | None:
    """Returns the unit that has this code from `on` on, other than `old`."""
    query = select(_units.c.id).where(
        _units.c.code == code, _units.c.valid_from <= on, _units.c.valid_to > on, _units.c.id != (old or 0)
    )
    return session.connection().execute(query.order_by(_units.c.valid_from.desc()).limit(1)).scalar()


def unit(session: Session, id: int) -> MergedUnit:
    """Returns a unit as it is stored."""
    return MergedUnit(*session.connection().execute(_ROW.where(_units.c.id == id)).one())


def is_below(session: Session, id: int, above: int) -> bool:
    """Returns whether a unit is another one, or lies in it."""
    query = select(_links.c.depth).where(_links.c.descendant_id == id, _links.c.ancestor_id == above)
    return session.connection().execute(query).first() is not None


def went_over(session: Session, old: str, new: str, on: dt.date) -> bool:
    """Returns whether a unit of the code `old` has ended by `on` with a unit of the code `new` as its successor."""
    after = _units.alias()
    query = select(_units.c.id).join(after, after.c.id == _units.c.successor_id)
    query = query.where(_units.c.code == old, after.c.code == new, _units.c.valid_to <= on)
    return session.connection().execute(query.limit(1)).first() is not None


def begin(
    session: Session, like: MergedUnit, on: dt.date, *, parent: int | None, code: str = "", name: str = ""
) -> int:
    """Adds a unit like another one, under another parent from `on` on."""
    row: dict[str, Any] = {key: getattr(like, key) for key in ("kind", "grade", "teaching_days", "contact")}
    row |= {"code": code or like.code, "name": name or like.name, "parent_id": parent, "valid_from": on}
    row["search_key"] = fold(row["name"])[:200]
    row["valid_to"] = like.valid_to
    return int(session.connection().execute(insert(_units).values(row).returning(_units.c.id)).scalar_one())


def end(session: Session, unit: int, on: dt.date, successor: int | None) -> None:
    """Ends a unit on `on`."""
    statement = update(_units).where(_units.c.id == unit).values(valid_to=on, successor_id=successor)
    session.connection().execute(statement)


def carry_below(session: Session, old: int, new: int, on: dt.date) -> int:
    """Ends what lies in a unit, and begins again below the successor what goes on. Returns how many ended."""
    ended = 0
    query = _ROW.where(_units.c.parent_id == old, _units.c.valid_from < on, _units.c.valid_to > on)
    for unit in starmap(MergedUnit, session.connection().execute(query).all()):
        successor = None
        if unit.kind in GOES_ON:
            end(session, unit.id, on, None)  # before the new one begins, so that a code belongs to one unit at a time
            successor = beginning(session, unit.code, on) or begin(session, unit, on, parent=new)
            ended += carry_below(session, unit.id, successor, on)
        end(session, unit.id, on, successor)
        ended += 1
    return ended


def end_empty(session: Session, above: Iterable[int], on: dt.date) -> list[str]:
    """Ends those of these districts that have no commune left; returns their names."""
    names = []
    for unit in sorted(set(above)):
        row = (
            session.connection()
            .execute(select(_units).where(_units.c.id == unit, _units.c.kind == "district"))
            .one_or_none()
        )
        left = select(_units.c.id).where(_units.c.parent_id == unit, _units.c.kind == "commune", _units.c.valid_to > on)
        if row is not None and row.valid_to is None and session.connection().execute(left.limit(1)).first() is None:
            inside = _units.c.parent_id == unit, _units.c.valid_to > on
            session.connection().execute(update(_units).where(*inside).values(valid_to=on))
            end(session, unit, on, None)
            names.append(row.name)
    return names


def ended_by(session: Session, on: dt.date) -> list[Ended]:
    """Returns every unit that has a successor by `on`, with the last successor that has begun by then."""
    query = select(_units.c.id, _units.c.code, _units.c.kind, _units.c.successor_id).where(
        _units.c.successor_id.is_not(None), _units.c.valid_to <= on
    )
    rows = session.connection().execute(query).all()
    following = {row.id: row.successor_id for row in rows}
    return [Ended(row.id, row.code, row.kind, _last(row.id, following)) for row in rows]


def _last(unit: int, following: Mapping[int, int]) -> int:
    seen = {unit}
    while unit in following and following[unit] not in seen:
        unit = following[unit]
        seen.add(unit)
    return unit


def links_again(session: Session) -> None:
    """Brings the links in line with the parents."""
    relink(session)


# --- what follows -----------------------------------------------------------------------------------------------------


def places_of(session: Session, units: Collection[int]) -> dict[int, dict[str, int | None]]:
    """Returns open cases in one of these units, with their places, locked until the transaction ends."""
    found: dict[int, dict[str, int | None]] = {}
    for name in (*PLACES, "offered_unit_id", "asked_unit_id"):
        for chunk in chunks(units):
            query = select(_cases.c.id, *(_cases.c[place] for place in PLACES)).where(t.OPEN, _cases.c[name].in_(chunk))
            for id, *places in session.connection().execute(query.with_for_update()):
                found[id] = dict(zip(PLACES, places, strict=True))
    return found


def shared_codes(session: Session, successors: Mapping[int, int]) -> list[str]:
    """Returns the codes that two pupils would share in one school after the merger."""
    sources: dict[int, set[int]] = defaultdict(set)
    for chunk in chunks({*successors, *successors.values()}):
        query = select(_pupils.c.school_id).where(_pupils.c.school_id.in_(chunk)).distinct()
        for school in session.connection().execute(query).scalars():
            sources[successors.get(school, school)].add(school)
    shared: set[str] = set()
    for schools in sources.values():
        if len(schools) > 1:  # several schools with pupils become one
            codes = select(_pupils.c.code).where(_pupils.c.school_id.in_(schools)).group_by(_pupils.c.code)
            shared |= set(session.connection().execute(codes.having(func.count() > 1)).scalars())
    return sorted(shared)


def move(session: Session, successors: Mapping[int, int]) -> tuple[int, int]:
    """Moves pupils and all cases, ended ones too, to the successors of their units; returns the number of changes of
    each.
    """
    pairs = [{"old": old, "new": new} for old, new in successors.items()]
    counts = []
    for table in (_pupils, _cases):
        done = 0
        for name in (place for place in PLACES if place in table.c):
            column = table.c[name]
            statement = update(table).where(column == bindparam("old")).values({name: bindparam("new")})
            done += session.connection().execute(statement, pairs).rowcount if pairs else 0
        counts.append(done)
    if pairs:  # what a class took stays taken for those who are now on the list of its successor
        session.connection().execute(_TAKEN_OVER, pairs)
    if pairs:  # a difficulty that waits for an old post now waits for its successor
        waits = update(_difficulties).where(_difficulties.c.unit_id == bindparam("old"))
        session.connection().execute(waits.values(unit_id=bindparam("new")), pairs)
        books = update(_accounts).where(_accounts.c.association_id == bindparam("old"))
        session.connection().execute(books.values(association_id=bindparam("new")), pairs)
    return counts[0], counts[1]


def lies_in(session: Session, code: str, above: int, on: dt.date) -> bool:
    """Returns whether the unit of this code lies in another one from `on` on."""
    query = select(_units.c.id).where(_units.c.code == code, _units.c.parent_id == above, _units.c.valid_to > on)
    return session.connection().execute(query.limit(1)).first() is not None


def set_communes(session: Session, villages: Collection[int]) -> None:
    """Puts pupils and cases of these villages into the commune of the village."""
    _follow(session, villages, "village_id", "commune_id", "commune")


def set_provinces(session: Session, communes: Collection[int]) -> None:
    """Puts pupils and cases of these communes into the province of the commune."""
    _follow(session, communes, "commune_id", "province_id", "province")


def _follow(session: Session, units: Collection[int], by: str, column: str, kind: str) -> None:
    """Sets column `column` of all rows in `units` (by column `by`) to the unit of that kind above."""
    connection = session.connection()
    for chunk in chunks(units):
        query = (
            select(_links.c.descendant_id, _units.c.id)
            .join(_units, _units.c.id == _links.c.ancestor_id)
            .where(_links.c.descendant_id.in_(chunk), _units.c.kind == kind)
        )
        rows = [{"unit": unit, "above": above} for unit, above in connection.execute(query)]
        for table in (_pupils, _cases) if rows else ():
            elsewhere = table.c[by] == bindparam("unit"), table.c[column] != bindparam("above")
            connection.execute(update(table).where(*elsewhere).values({column: bindparam("above")}), rows)


def posts_in(session: Session, units: Collection[int], on: dt.date) -> list[MovedPost]:
    """Returns the posts in these units that are held on `on` or later."""
    found = []
    for chunk in chunks(units):
        query = (
            select(
                _posts.c.id, _posts.c.person_id, _posts.c.role, _posts.c.unit_id, _posts.c.valid_from, _posts.c.valid_to
            )
            .where(_posts.c.unit_id.in_(chunk), _posts.c.valid_to > on)
            .order_by(_posts.c.id)
        )
        found += [MovedPost(*row) for row in session.connection().execute(query)]
    return found


def move_posts(
    session: Session,
    posts: Iterable[MovedPost],
    successors: Mapping[int, int],
    given: Collection[tuple[str, int]],
    on: dt.date,
) -> tuple[list[MovedPost], list[MovedPost]]:
    """Ends posts with their units; each goes on in the successor, unless that post is already `given` to somebody.

    Returns those that went on and those that ended for good.
    """
    connection, kept, over, held = session.connection(), [], [], set()
    for post in posts:
        unit = successors[post.unit_id]
        connection.execute(update(_posts).where(_posts.c.id == post.id).values(valid_to=on))
        if (post.role, unit) in given:
            over.append(post)
            continue
        kept.append(post)
        if (post.person_id, post.role, unit) not in held:
            held.add((post.person_id, post.role, unit))
            row = {"person_id": post.person_id, "role": post.role, "unit_id": unit}
            connection.execute(insert(_posts).values(row | {"valid_from": on, "valid_to": post.valid_to}))
    return kept, over


def move_closures(session: Session, ended: Iterable[Ended], successors: Mapping[int, int]) -> int:
    """Moves closures of a unit to its schools where they are now, not to the whole commune that grew."""
    connection, added = session.connection(), 0
    for unit in ended:
        rows = connection.execute(select(_closures).where(_closures.c.unit_id == unit.id)).mappings().all()
        if not rows:
            continue
        places = {NO_CLASS: _taught(session, unit, successors), HARVEST: _villages(session, unit, successors)}
        for row in rows:  # the office of a unit that ended is shut for good
            for target in places.get(row["what"], ()):
                new = {key: value for key, value in row.items() if key != "id"} | {"unit_id": target}
                same = [_closures.c[key] == new[key] for key in ("unit_id", "first_day", "last_day", "reason", "what")]
                if connection.execute(select(_closures.c.id).where(*same)).first() is None:
                    connection.execute(insert(_closures).values(new))
                    added += 1
    return added


def _villages(session: Session, unit: Ended, successors: Mapping[int, int]) -> list[int]:
    """Returns the villages that a harvest of an ended unit concerns now."""
    if unit.kind == "village":
        return [unit.successor]
    query = select(_units.c.id).join(_links, _links.c.descendant_id == _units.c.id)
    found = session.connection().execute(query.where(_links.c.ancestor_id == unit.id, _units.c.kind == "village"))
    return list(dict.fromkeys(successors.get(one, one) for one in found.scalars()))


def _taught(session: Session, unit: Ended, successors: Mapping[int, int]) -> list[int]:
    """Returns the units that a closure of an ended unit concerns now."""
    if unit.kind in {"village", "school", "site", "class"}:
        return [unit.successor]
    query = (
        select(_links.c.descendant_id)
        .join(_units, _units.c.id == _links.c.descendant_id)
        .where(_links.c.ancestor_id == unit.id, _units.c.kind == "school")
    )
    return [successors[school] for school in session.connection().execute(query).scalars() if school in successors]


def homeless(session: Session, on: dt.date) -> list[tuple[str, str, str]]:
    """Returns posts still held in units that ended without a successor: login, role, name of the unit."""
    query = (
        select(_people.c.login, _posts.c.role, _units.c.name)
        .join(_people, _people.c.id == _posts.c.person_id)
        .join(_units, _units.c.id == _posts.c.unit_id)
        .where(
            _posts.c.valid_to > on,
            _units.c.valid_to <= on,
            _units.c.successor_id.is_(None),
            _units.c.valid_to < FAR_DAY,
            _people.c.disabled_at.is_(None),
        )
        .order_by(_people.c.login, _posts.c.id)
    )
    return [(login, role, name) for login, role, name in session.connection().execute(query)]
