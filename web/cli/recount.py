"""`ralop recount deadlines`: counts all open deadlines again, as the calendar files have it now."""

from __future__ import annotations

import click

from engine.core.words import Sentence
from engine.usecases.calendar.recount import Recounted, recount_deadlines
from web.cli.console import language_here, with_context


@click.command("deadlines")
@click.option("--database", help="Another database than the installation's, as a URL.")
@click.option("--language", type=click.Choice(["vi", "en"]), default=language_here, help="The language of the answer.")
def deadlines(*, database: str | None, language: str) -> None:
    """Count the deadlines of all open cases again, as the calendar files have it now.

    The worker does this by itself when a file has changed. Can be stopped at any time and run again: it goes on from
    there. What rules have fired stays fired.
    """

    def progress(counted: Recounted) -> None:
        click.echo(Sentence("{count} cases looked at", count=counted.looked).in_(language), err=True)

    with with_context(database, language) as (context, now):
        counted = recount_deadlines(context, now, progress=progress)
    said = Sentence("{looked} open cases: {moved} deadlines moved.", looked=counted.looked, moved=counted.moved)
    click.echo(said.in_(language))
