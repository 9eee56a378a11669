"""`ralop merge-units`: communes that merge take along their villages, schools, pupils, posts, cases and deadlines."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import click

from engine.mergers import Merged, Merger, merge_units, read_moves, read_table
from engine.words import Sentence
from web.cli_types import DAY, FILE
from web.console import housed, language_here
from web.files import read_text


@click.command("merge-units")
@click.argument("file", type=FILE, required=False)
@click.option("--old", help="The code of the unit that goes over.")
@click.option("--new", help="The code of the unit that it becomes part of.")
@click.option("--on", type=DAY, required=True, help="The first day of the new unit.")
@click.option(
    "--moves", type=FILE,
    help="Of communes that are divided: a file with UNIT,INTO on each line, the codes of a village, school or "
    "association and of the commune in which it lies from that day on.",
)  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Say what would happen; keep none of it.")
@click.option("--database", help="Another database than the installation's, as a URL.")
@click.option("--language", type=click.Choice(["vi", "en"]), default=language_here, help="The language of the answer.")
def merge(
    *, file: Path | None, old: str | None, new: str | None, on: dt.date, moves: Path | None, dry_run: bool,
    database: str | None, language: str,
) -> None:  # fmt: skip
    """Merge units: those of FILE (the statistics office's table of what became what), or one OLD into one NEW.

    With neither, what ended by that day and named its successor is followed. Open cases keep their deadlines.
    """
    if bool(old) != bool(new):
        raise click.UsageError("--old, --new")
    mergers, left = read_table(read_text(file)) if file else ([], [])
    if old and new:
        mergers.append(Merger(old, new))
    with housed(database, language) as (house, now):
        decided = read_moves(read_text(moves)) if moves else []
        merged = merge_units(house, mergers, on, now, moves=decided, dry_run=dry_run)
    for sentence in (*left, *told(merged)):
        click.echo(sentence.in_(language))
    if dry_run:
        click.echo(Sentence("A dry run: none of it was kept.").in_(language))


def told(merged: Merged) -> list[Sentence]:
    """What was done, or would be, and what somebody must see to."""
    lines = [Sentence("Ended: {names}.", names=merged.ended)] if merged.ended else []
    lines += [Sentence("Came over: {names}.", names=merged.came_over)] if merged.came_over else []
    lines.append(
        Sentence(
            "Moved along: {cases} open cases, {offers} offers, {posts} posts, {closures} closures; places of pupils "
            "changed: {pupils}; cases handed to another person: {handed}.",
            cases=merged.cases, offers=merged.offers, posts=merged.posts, closures=merged.closures,
            pupils=merged.pupils, handed=merged.handed_on,
        )
    )  # fmt: skip
    return [*lines, *merged.left]
