"""Reads the state of an installation for its operator, with a few cheap statements."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, inspect, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from engine.core.words import Sentence
from engine.store import tables as t
from engine.store.cases.reseating import TURNED
from engine.store.cases.surroundings import cases
from engine.store.notices.deliveries import FORGOTTEN, count_by_state
from engine.store.ops.health import SILENT
from engine.store.ops.proxies import advice, undeclared
from engine.store.ops.schema import revisions
from engine.store.ops.settings import get_setting
from engine.store.ops.time_source import ShiftedClock
from engine.store.session import Store, now_utc

_TABLES = t.Base.metadata.tables
_leases = _TABLES["leases"]
MOST = 100_000  # no count goes further, so that the cost of a status does not grow with the cases
LATE = dt.timedelta(minutes=5)  # something that is due for so long means that no worker sweeps
QUEUE = "procrastinate_jobs"


@dataclass(frozen=True, slots=True)
class Version:
    """Open cases on one version of a workflow and of its rules."""

    workflow: str
    workflow_version: int
    rules_version: int
    cases: int


@dataclass
class Status:
    """The state of an installation.

    Moments are aware UTC; counts end at `MOST`. `problems` is empty if all is well. `warnings` should be repaired
    although everything works.
    """

    database: str
    revision: str | None = None
    newest: str | None = None
    workers: dict[str, dt.datetime] = field(default_factory=dict)
    due_now: int = 0
    oldest_due: dt.datetime | None = None
    next_look: dt.datetime | None = None
    open_cases: dict[str, int] = field(default_factory=dict)
    versions: list[Version] = field(default_factory=list)
    queue: dict[str, int] = field(default_factory=dict)
    deliveries: dict[str, int] = field(default_factory=dict)
    forgotten: dict[str, Any] = field(default_factory=dict)
    unseated: int = 0  # open cases that asked somebody who was not there when the day turned
    problems: list[Sentence] = field(default_factory=list)
    warnings: list[Sentence] = field(default_factory=list)

    @property
    def healthy(self) -> bool:
        return not self.problems


def read_status(store: Store) -> Status:
    """Reads the state at the moment of the cases' clock; workers are judged by real time."""
    status = Status("SQLite" if store.is_sqlite else "PostgreSQL")
    try:
        status.revision, status.newest = revisions(store)
        if status.revision != status.newest:
            status.problems.append(_another_version(status))
            return status
        now = ShiftedClock(store).now()
        with store.reading("status") as session:
            _look(session, status, now)
            status.unseated = int(get_setting(session, TURNED).get("left", 0))
            if proxy := undeclared(session, now):
                status.warnings.append(advice(proxy))
    except SQLAlchemyError as error:
        status.problems.append(Sentence("The database does not answer: {error}.", error=type(error).__name__))
        return status
    _judge(status, now)
    return status


def _another_version(status: Status) -> Sentence:
    return Sentence(
        "The database is not of this program's version: {found} instead of {newest}. `ralop serve` and `ralop worker` "
        "bring it up to date.",
        found=status.revision or "-",
        newest=status.newest,
    )


def _look(session: Session, status: Status, now: dt.datetime) -> None:
    connection = session.connection()
    rows = connection.execute(select(_leases.c.holder, _leases.c.seen_at).where(_leases.c.name.startswith("worker")))
    status.workers = dict(rows.all())
    due = select(cases.c.id).where(t.OPEN, cases.c.next_look_at <= now).limit(MOST).subquery()
    status.due_now = connection.execute(select(func.count()).select_from(due)).scalar_one()
    first = connection.execute(select(func.min(cases.c.next_look_at)).where(t.OPEN)).scalar()
    status.oldest_due, status.next_look = (first, None) if first and first <= now else (None, first)
    _count_cases(session, status)
    status.deliveries = count_by_state(session)
    status.forgotten = dict(get_setting(session, FORGOTTEN))
    if not session.get_bind().dialect.name.startswith("sqlite") and inspect(connection).has_table(QUEUE):
        counts = text(f"SELECT status::text, count(*) FROM {QUEUE} GROUP BY status")  # noqa: S608 - a constant
        status.queue = dict(connection.execute(counts).all())


def _count_cases(session: Session, status: Status) -> None:
    names = ("state", "workflow", "workflow_version", "rules_version")
    some = select(*(cases.c[name] for name in names)).where(t.OPEN).limit(MOST).subquery()
    columns = some.c.state, some.c.workflow, some.c.workflow_version, some.c.rules_version
    query = select(*columns, func.count()).group_by(*columns)
    versions: dict[tuple[str, int, int], int] = {}
    for state, workflow, flow, rules, count in session.connection().execute(query):
        status.open_cases[state] = status.open_cases.get(state, 0) + count
        versions[workflow, flow, rules] = versions.get((workflow, flow, rules), 0) + count
    status.versions = [Version(name, flow, rules, n) for (name, flow, rules), n in sorted(versions.items())]


def _judge(status: Status, now: dt.datetime) -> None:
    seen = max(status.workers.values(), default=None)
    if seen is None:
        status.problems.append(Sentence("No worker is at work."))
    elif now_utc() - seen > SILENT:
        status.problems.append(
            Sentence("No worker was seen for {minutes} minutes.", minutes=int((now_utc() - seen).total_seconds() // 60))
        )
    if status.oldest_due is not None and now - status.oldest_due > LATE:
        status.problems.append(
            Sentence(
                "Cases have been due for {minutes} minutes and nobody has looked at them.",
                minutes=int((now - status.oldest_due).total_seconds() // 60),
            )
        )

    if status.unseated:
        status.warnings.append(
            Sentence(
                "When the day turned, {count} open cases asked somebody who was not there: "
                "the worker has passed them on.",
                count=status.unseated,
            )
        )


def as_json(status: Status) -> Mapping[str, Any]:
    """Returns the status for JSON: moments in ISO 8601, problems in English."""

    def moment(at: dt.datetime | None) -> str | None:
        return at.isoformat() if at else None

    return {
        "healthy": status.healthy,
        "problems": [str(problem) for problem in status.problems],
        "warnings": [str(warning) for warning in status.warnings],
        "database": status.database,
        "revision": status.revision,
        "newest_revision": status.newest,
        "workers": {holder: moment(seen) for holder, seen in sorted(status.workers.items())},
        "due_now": status.due_now,
        "unseated": status.unseated,
        "oldest_due": moment(status.oldest_due),
        "next_look": moment(status.next_look),
        "open_cases": status.open_cases,
        "queue": status.queue,
        "deliveries": status.deliveries,
        "forgotten_messages": status.forgotten,
        "versions": [
            {
                "workflow": it.workflow,
                "workflow_version": it.workflow_version,
                "rules_version": it.rules_version,
                "cases": it.cases,
            }
            for it in status.versions
        ],
    }
