"""Notes in the database who is working: one worker holds the lease with SQLite, many give signs of life with
PostgreSQL.

Leases count real time, not the time of a demo's clock.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import Connection, bindparam, delete, select, text, update

from engine.store.session import Store, now_utc
from engine.store.tables import Base
from engine.store.tables.types import Instant

_leases = Base.metadata.tables["leases"]
THE_WORKER = "worker"
_TAKE = text(
    "INSERT INTO leases (name, holder, until, seen_at) VALUES (:name, :holder, :until, :seen_at) ON CONFLICT DO NOTHING"
).bindparams(bindparam("until", type_=Instant), bindparam("seen_at", type_=Instant))


def _name(store: Store, holder: str) -> str:
    return THE_WORKER if store.is_sqlite else f"{THE_WORKER}:{holder}"[:40]


def hold(store: Store, holder: str, length: dt.timedelta) -> bool:
    """Takes or keeps the lease; returns False if another worker has it. Renews it only when a third of it has run."""
    now, name = now_utc(), _name(store, holder)
    with store.reading("lease") as session:
        query = select(_leases.c.holder, _leases.c.until).where(_leases.c.name == name)
        row = session.connection().execute(query).one_or_none()
    if row and row.holder == holder and row.until - now > length * 2 / 3:
        return True
    with store.writing("lease") as session:
        beats = store.installation.beat(session.connection())
        held = _take(session.connection(), name, {"holder": holder, "until": now + length, "seen_at": now})
    store.installation.remember(beats)
    return held


def _take(connection: Connection, name: str, values: dict[str, Any]) -> bool:
    mine_or_over = (_leases.c.holder == values["holder"]) | (_leases.c.until < values["seen_at"])
    if connection.execute(update(_leases).where(_leases.c.name == name, mine_or_over).values(values)).rowcount:
        return True
    return connection.execute(_TAKE, {"name": name, **values}).rowcount == 1


def release(store: Store, holder: str) -> None:
    """Gives the lease back at once, so that another worker need not wait until it runs out."""
    with store.writing("lease") as session:
        session.connection().execute(delete(_leases).where(_leases.c.holder == holder))


def last_seen(store: Store) -> dt.datetime | None:
    """Returns when a worker was last seen; None if none was."""
    with store.reading("health") as session:
        query = (
            select(_leases.c.seen_at).where(_leases.c.name.startswith(THE_WORKER)).order_by(_leases.c.seen_at.desc())
        )
        return session.connection().execute(query.limit(1)).scalar()
