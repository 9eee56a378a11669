"""`ralop status`: says whether this installation is well, and what is going on in it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from contextlib import closing
from zoneinfo import ZoneInfo

import click

from engine.core.words import Sentence
from engine.store.ops.status import MOST, Status, as_json, read_status
from web.cli.console import language_here, opened

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
UNWELL = 1  # exit code


@click.command("status")
@click.option("--json", "as_data", is_flag=True, help="One JSON object, for programs.")
@click.option("--database", help="Another database than the installation's, as a URL.")
@click.option("--language", type=click.Choice(["vi", "en"]), default=language_here, help="The language of the answer.")
def status(*, as_data: bool, database: str | None, language: str) -> None:
    """Say how the installation stands. Exit 1 if something is wrong with it."""
    with closing(opened(database)) as store:
        found = read_status(store)
    if as_data:
        click.echo(json.dumps(as_json(found), ensure_ascii=False))
    else:
        for line in _lines(found):
            click.echo(line.in_(language))
    raise SystemExit(0 if found.healthy else UNWELL)


def _lines(found: Status) -> Iterator[Sentence]:
    yield Sentence("Database: {database}, version {revision}", database=found.database, revision=found.revision or "-")
    for holder, seen in sorted(found.workers.items()):
        yield Sentence("Worker {holder}, last seen {at}", holder=holder, at=_local(seen))
    yield Sentence("Due now: {count}", count=_bounded(found.due_now))
    if found.next_look is not None:
        yield Sentence("Next look: {at}", at=_local(found.next_look))
    yield Sentence("Open cases: {count}", count=_bounded(sum(found.open_cases.values())))
    for state, count in sorted(found.open_cases.items()):
        yield Sentence("  {name}: {count}", name=state, count=count)
    for it in found.versions:
        yield Sentence(
            "Workflow {workflow}, version {flow}, rules {rules}: {count} open cases",
            workflow=it.workflow,
            flow=it.workflow_version,
            rules=it.rules_version,
            count=it.cases,
        )
    for name, count in sorted(found.queue.items()):
        yield Sentence("Jobs {name}: {count}", name=name, count=count)
    if found.deliveries:
        yield Sentence("Messages waiting: {count}", count=found.deliveries["pending"])
        yield Sentence("Messages that failed and are tried again: {count}", count=found.deliveries["failed"])
        yield Sentence(
            "Messages given up (dead letters): {count}; why, and “try again”: /admin/deliveries",
            count=found.deliveries["dead"],
        )
    if found.forgotten:
        yield Sentence(
            "Old messages were deleted last on {day}: {count}, made before {before}",
            **{name: dt.date.fromisoformat(found.forgotten[name]) for name in ("day", "before")},
            count=found.forgotten["count"],
        )
    yield from found.warnings
    yield from found.problems
    if found.healthy:
        yield Sentence("All is well.")


def _local(moment: dt.datetime) -> dt.datetime:
    return moment.astimezone(ZONE)


def _bounded(count: int) -> str:
    return f"{count}+" if count >= MOST else str(count)
