"""Stores the texts of workflows, rules and calendars by version, as long as a case may need them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.core.toml_reader import digest_of
from engine.store import tables as t
from engine.store.session import Store


@dataclass(frozen=True, slots=True)
class DefinitionText:
    """The text of one version of a workflow, a rule set ("rules", named after its workflow) or a calendar."""

    kind: str
    name: str
    version: int
    text: str

    @property
    def digest(self) -> str:
        return digest_of(self.text)


def changed(session: Session, definitions: Iterable[DefinitionText]) -> list[DefinitionText]:
    """Returns those that are already stored under the same version with another text."""
    found = ((it, session.get(t.Definition, (it.kind, it.name, it.version))) for it in definitions)
    return [it for it, kept in found if kept is not None and kept.digest != it.digest]


def keep(session: Session, definitions: Iterable[DefinitionText], now: dt.datetime) -> None:
    """Stores those that are not stored yet."""
    for it in definitions:
        if session.get(t.Definition, (it.kind, it.name, it.version)) is None:
            session.add(_row(it, it.version, now))


def keep_calendars(session: Session, calendars: Iterable[DefinitionText], now: dt.datetime) -> None:
    """Stores each calendar whose text differs from the last stored one, under the next number."""
    for it in calendars:
        latest = session.scalar(
            select(t.Definition)
            .where(t.Definition.kind == it.kind, t.Definition.name == it.name)
            .order_by(t.Definition.version.desc())
            .limit(1)
        )
        if latest is None or latest.digest != it.digest:
            session.add(_row(it, latest.version + 1 if latest else 1, now))


def _row(it: DefinitionText, version: int, now: dt.datetime) -> t.Definition:
    return t.Definition(kind=it.kind, name=it.name, version=version, digest=it.digest, text=it.text, loaded_at=now)


def newest(session: Session, kind: str) -> dict[str, str]:
    """Returns the digest of the newest stored text of each definition of a kind, by name."""
    rows = session.execute(
        select(t.Definition.name, t.Definition.digest)
        .where(t.Definition.kind == kind)
        .order_by(t.Definition.name, t.Definition.version)
    )
    return {row.name: row.digest for row in rows}


def kept(session: Session, kinds: Iterable[str]) -> list[DefinitionText]:
    """Returns all stored texts of these kinds, the oldest version first."""
    rows = session.scalars(
        select(t.Definition)
        .where(t.Definition.kind.in_(tuple(kinds)))
        .order_by(t.Definition.name, t.Definition.version)
    )
    return [DefinitionText(row.kind, row.name, row.version, row.text) for row in rows]


def in_use(store: Store, it: DefinitionText) -> bool:
    """Returns whether an open case runs on this version of a workflow or rule set."""
    version = t.Case.workflow_version if it.kind == "workflow" else t.Case.rules_version
    query = select(func.count()).where(t.Case.workflow == it.name, version == it.version, t.OPEN)
    with store.reading("cases on a version") as session:
        return bool(session.scalar(query))
