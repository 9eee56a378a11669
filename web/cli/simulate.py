"""`ralop simulate RULES --over FROM..TO`: plays a past period again under other rules, and compares."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import click

from engine.core.calendar import Calendar
from engine.core.refusals import Invalid, NotFound
from engine.core.rules.model import RuleSet
from engine.core.rules.reader import load_ruleset
from engine.core.words import Sentence
from engine.simulation.what_if import Outcome, simulate
from engine.usecases.context import Context
from web.cli.console import language_here, with_context
from web.cli.play import Folders
from web.rules.simulate import moments, workflow_for

SHOWN = 50  # changed cases that are printed one by one


@click.command("simulate")
@click.argument("rules")
@click.option("--over", required=True, metavar="FROM..TO", help="The period: two days, both included.")
@click.option("--database", help="Another database than the installation's, as a URL.")
@click.option("--language", type=click.Choice(["vi", "en"]), default=language_here, help="The language of the answer.")
def simulate_rules(rules: str, over: str, database: str | None, language: str) -> None:
    """Play a past period again under RULES, a file or the name of one, and say what would have been different.

    Nothing is stored. What people did is done again at its time; where it would not have been possible, the case is
    named and not followed further.
    """

    def progress(outcome: Outcome) -> None:
        click.echo(Sentence("{count} cases played", count=outcome.cases).in_(language), err=True)

    with with_context(database, language) as (context, now):
        calendar = context.definitions.calendar("")
        first, end = period(over, calendar, now)
        outcome = simulate(context, _rules(context, rules), first, end, progress=progress)
    for line in report_lines(outcome, calendar, language):
        click.echo(line)


def period(over: str, calendar: Calendar, now: dt.datetime) -> tuple[dt.datetime, dt.datetime]:
    """Returns when a period such as 2026-03-01..2026-03-31 begins and ends, at the latest `now`.

    Raises `Invalid`.
    """
    first, dots, last = over.partition("..")
    try:
        days = dt.date.fromisoformat(first.strip()), dt.date.fromisoformat(last.strip() if dots else "")
    except ValueError:
        sentence = Sentence("{text} is no period; write for example 2026-03-01..2026-03-31.", text=over)
        raise Invalid({"over": sentence}) from None
    return moments(*days, calendar, now)


def _rules(context: Context, name: str) -> RuleSet:
    found = Folders(Path()).find("rules", name)
    if found is None:
        raise NotFound(Sentence("There is no rules file {name}.", name=name))
    return load_ruleset(*found, workflow_for(context, *found))


def report_lines(outcome: Outcome, calendar: Calendar, language: str) -> Iterator[str]:
    """Returns the results line by line: rules, then people, then cases."""
    yield Sentence("{count} cases were open in this period.", count=outcome.cases).in_(language)
    if outcome.rules():
        yield Sentence("How often each rule fired, and would have fired:").in_(language)
        yield from (_row(*row) for row in outcome.rules())
    if outcome.people():
        yield Sentence("How many notices each person got, and would have got:").in_(language)
        yield from (_row(*row) for row in outcome.people())
    if outcome.changed:
        yield Sentence("Cases on which it would have been different ({count}):", count=len(outcome.changed)).in_(
            language
        )
        for changed in outcome.changed[:SHOWN]:
            yield f"  {changed.code}"
            for mark, fired in (("-", changed.did), ("+", changed.would)):
                yield from (f"    {mark} {calendar.local(at):%H:%M %d/%m/%Y}  {rule}" for rule, at in fired)
    if outcome.lost:
        yield Sentence("Not replayable from here on ({count}):", count=len(outcome.lost)).in_(language)
        for lost in outcome.lost:
            yield f"  {lost.code}  {calendar.local(lost.at):%H:%M %d/%m/%Y}  {lost.kind}: {lost.why.in_(language)}"


def _row(name: str, did: int, would: int) -> str:
    return f"  {name}: {did} -> {would} ({would - did:+d})"
