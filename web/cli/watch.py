"""`ralop watch --on DATE`: runs the risk watch for the attendance of a day."""

from __future__ import annotations

import datetime as dt
import json

import click

from engine.core.words import Sentence
from engine.jobs.risk_watch import watch
from web.cli.console import language_here, with_context
from web.cli.parameter_types import DAY


@click.command("watch")
@click.option("--on", type=DAY, required=True, help="The day that is looked at.")
@click.option("--dry-run", is_flag=True, help="Say what would happen; keep none of it.")
@click.option("--database", help="Another database than the installation's, as a URL.")
@click.option("--language", type=click.Choice(["vi", "en"]), default=language_here, help="The language of the answer.")
def watch_day(*, on: dt.date, dry_run: bool, database: str | None, language: str) -> None:
    """Look at a day's attendance: open or propose cases, add to open ones, judge returns.

    The last line is JSON: looked, opened, proposed, added, relapsed, confirmed, signals. The same day again changes
    nothing.
    """
    with with_context(database, language) as (context, now):
        watched = watch(context, on, now, dry_run=dry_run)
    if dry_run:
        click.echo(Sentence("A dry run: none of it was kept.").in_(language))
    click.echo(json.dumps(watched.summary()))
