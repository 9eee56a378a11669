"""Makes checkpoints and checks them. One costs by what was added since the one before, not by what there is."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Connection, delete, func, insert, select

from engine.core.proof.merkle import Head, Part, case_leaf, merkle, root
from engine.core.words import Sentence
from engine.store.bulk import among
from engine.store.proof.streams import BY_NAME, CASES, CASES_FORM, PIECE, STREAMS, Stream, last_id, leaves
from engine.store.session import Store
from engine.store.tables import Base

_TABLES = Base.metadata.tables
_points, _parts, _taken, _touched, _cases = (
    _TABLES[name] for name in ("checkpoints", "checkpoint_parts", "checkpoint_cases", "cases_touched", "cases")
)
_NEWEST = select(_points.c.n, _points.c.at, _points.c.root).order_by(_points.c.n.desc()).limit(1)
CHUNK = 2_000  # cases
MOST = 50_000  # cases in one checkpoint: others write again after about a second
T = TypeVar("T")


def make(store: Store, now: dt.datetime, most: int = MOST) -> Head | None:
    """Makes a checkpoint of all that was added, or several if more than `most` cases changed.

    Returns the newest head, None if nothing was ever stored. Without anything new it makes none.
    """
    head, more = _make_one(store, now, most)
    while more:
        head, more = _make_one(store, now, most)
    return head


def _make_one(store: Store, now: dt.datetime, most: int) -> tuple[Head | None, bool]:
    """Returns the newest head, and whether there may be more cases to take."""
    ends = {stream.name: _end(store, stream) for stream in STREAMS}
    with store.reading("what was added since the last checkpoint") as session:
        connection = session.connection()
        seen = _seen(connection)
        parts = [part for it in STREAMS for part in _pieces(connection, it, seen.get(it.name, 0), ends[it.name])]
    with store.writing("make a checkpoint") as session:
        connection = session.connection()
        if connection.dialect.name != "sqlite":
            connection.exec_driver_sql("LOCK TABLE checkpoints IN SHARE ROW EXCLUSIVE MODE")
        before = connection.execute(_NEWEST).one_or_none()
        if _seen(connection) != seen:  # somebody else has made one meanwhile
            return _head(before), True
        given = _take(connection, most)
        n, cases, more = (before.n if before else 0) + 1, list(_changed(connection, given)), len(given) == most
        if cases:
            root_of_cases = merkle(case_leaf(*case) for case in cases)
            parts.append(Part(CASES, CASES_FORM, cases[0][0], cases[-1][0], len(cases), root_of_cases))
        if not parts:
            return _head(before), more
        its_root = root(before.root if before else "", n, now, parts)
        connection.execute(insert(_points), {"n": n, "at": now, "root": its_root})
        connection.execute(insert(_parts), [{"n": n, **part._asdict()} for part in parts])
        for chunk in _in_pieces(cases, CHUNK):
            rows = [{"n": n, "case_id": id, "version": version, "hash": hash_} for id, version, hash_ in chunk]
            connection.execute(insert(_taken), rows)
        return Head(n, its_root), more


def _head(row: Any) -> Head | None:
    return Head(row.n, row.root) if row else None


def newest(connection: Connection) -> tuple[Head, dt.datetime] | None:
    """Returns the newest head and when it was made; None if there is none."""
    found = connection.execute(_NEWEST).one_or_none()
    return (Head(found.n, found.root), found.at) if found else None


def _end(store: Store, stream: Stream) -> int:
    with store.writing("wait for whoever writes") as session:  # a lock on PostgreSQL needs it
        return last_id(session.connection(), stream)


def _seen(connection: Connection) -> dict[str, int]:
    """Returns the number of the last row of each stream that a checkpoint has."""
    query = select(_parts.c.stream, func.max(_parts.c.last)).where(_parts.c.stream.in_(list(BY_NAME)))
    return dict(connection.execute(query.group_by(_parts.c.stream)).all())


def _pieces(connection: Connection, stream: Stream, after: int, last: int) -> Iterator[Part]:
    """Yields the parts of one stream. Each begins right after the one before, so that nothing fits in between."""
    for piece in _in_pieces(leaves(connection, stream, stream.form, after, last), PIECE):
        end = piece[-1][0]
        yield Part(stream.name, stream.form, after + 1, end, len(piece), merkle(leaf for _, leaf in piece))
        after = end


def _in_pieces(items: Iterable[T], size: int) -> Iterator[list[T]]:
    rest = iter(items)
    while piece := list(islice(rest, size)):
        yield piece


def _take(connection: Connection, most: int) -> list[int]:
    """Returns the ids of cases that were touched, and forgets that they were."""
    first = select(_touched.c.id).order_by(_touched.c.id).limit(most)
    these = delete(_touched).where(_touched.c.id.in_(first)).returning(_touched.c.case_id)
    return list(connection.execute(these).scalars())


def _changed(connection: Connection, given: Iterable[int]) -> Iterator[tuple[int, int, str]]:
    """Yields id, version and hash of each of these cases that changed since its last checkpoint, by id."""
    for chunk in _in_pieces(sorted(set(given)), CHUNK):
        known = select(_taken.c.case_id, func.max(_taken.c.version)).where(among(_taken.c.case_id, chunk))
        taken = dict(connection.execute(known.group_by(_taken.c.case_id)).all())
        now = select(_cases.c.id, _cases.c.version, _cases.c.last_hash).where(among(_cases.c.id, chunk))
        for id, version, hash_ in connection.execute(now.order_by(_cases.c.id)).all():
            if taken.get(id) != version:
                yield id, version, hash_


# --- checking ---------------------------------------------------------------------------------------------------------


def wrong(connection: Connection) -> Iterator[Sentence]:
    """Yields a sentence for each checkpoint that does not hold, and for each piece that is not as it was then.

    What a checkpoint says of a single case is checked with the case (`engine.core.proof.history`).
    """
    columns = (_parts.c[name] for name in ("n", *Part._fields))
    parts: dict[int, list[Part]] = defaultdict(list)
    for n, *part in connection.execute(select(*columns)):
        parts[n].append(Part(*part))
    before, expected = "", 1
    for n, at, kept in connection.execute(
        select(_points.c.n, _points.c.at, _points.c.root).order_by(_points.c.n)
    ).all():
        if n != expected:
            yield Sentence("Checkpoint {n} is missing.", n=expected)
        if root(before, n, at, parts.get(n, ())) != kept:
            yield Sentence("Checkpoint {n}: its root is not the one of what it holds.", n=n)
        yield from _wrong_cases(connection, n, [part for part in parts.get(n, ()) if part.stream == CASES])
        before, expected = kept, n + 1
    streams = {stream.name: stream for stream in STREAMS}
    for name, stream in streams.items():
        its = sorted((part.first, n, part) for n, found in parts.items() for part in found if part.stream == name)
        yield from _wrong_pieces(connection, stream, ((n, part) for _first, n, part in its))


def _wrong_cases(connection: Connection, n: int, parts: list[Part]) -> Iterator[Sentence]:
    query = select(_taken.c.case_id, _taken.c.version, _taken.c.hash).where(_taken.c.n == n).order_by(_taken.c.case_id)
    rows = connection.execute(query).all()
    said = parts[0].rows if parts else 0
    if len(rows) != said or (parts and merkle(case_leaf(*row) for row in rows) != parts[0].root):
        yield Sentence("Checkpoint {n}: its list of cases was changed.", n=n)


def _wrong_pieces(connection: Connection, stream: Stream, parts: Iterable[tuple[int, Part]]) -> Iterator[Sentence]:
    for n, part in parts:
        found = [leaf for _, leaf in leaves(connection, stream, part.form, part.first - 1, part.last)]
        if len(found) != part.rows:
            yield Sentence(
                "{table}: numbers {first} to {last} were {said} rows at checkpoint {n}, and {found} are there.",
                table=stream.name,
                first=part.first,
                last=part.last,
                said=part.rows,
                n=n,
                found=len(found),
            )
        elif merkle(found) != part.root:
            yield Sentence(
                "{table}: a row among numbers {first} to {last} is no longer as it was at checkpoint {n}.",
                table=stream.name,
                first=part.first,
                last=part.last,
                n=n,
            )


def against(connection: Connection, head: Head) -> Sentence | None:
    """Returns why a head that somebody kept is not one of these checkpoints; None if it is."""
    found = connection.execute(select(_points.c.at, _points.c.root).where(_points.c.n == head.n)).one_or_none()
    if found is None:
        return Sentence("There is no checkpoint {n} here: this is another database, or an older copy.", n=head.n)
    if not found.root.startswith(head.root):
        return Sentence(
            "Checkpoint {n} is not the one of this head: something stored before it was changed, and all was counted "
            "anew.",
            n=head.n,
        )
    return None
