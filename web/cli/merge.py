"""`ralop merge-units`: merges communes with their villages, schools, pupils, posts, cases and deadlines."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import click

from engine.core.words import Sentence
from engine.usecases.units.merger_undo import is_undo, undo
from engine.usecases.units.mergers import Merger, merge_units, read_moves, read_table
from web.admin.mergers import keep, report_lines, undo_path
from web.cli.console import language_here, operator, with_context
from web.cli.parameter_types import DAY, FILE, NEW_FILE
from web.site.files import read_text
from web.site.settings import load_settings


@click.command("merge-units")
@click.argument("file", type=FILE, required=False)
@click.option("--old", help="The code of the unit that goes over.")
@click.option("--new", help="The code of the unit that it becomes part of.")
@click.option("--on", type=DAY, help="The first day of the new unit.")
@click.option(
    "--moves",
    type=FILE,
    help="Of communes that are divided: a file with UNIT,INTO on each line, the codes of a village, school or "
    "association and of the commune in which it lies from that day on.",
)
@click.option("--undo-file", type=NEW_FILE, help="Where to write the file that undoes it; else in the instance folder.")
@click.option("--dry-run", is_flag=True, help="Say what would happen; keep none of it.")
@click.option("--database", help="Another database than the installation's, as a URL.")
@click.option("--language", type=click.Choice(["vi", "en"]), default=language_here, help="The language of the answer.")
def merge(
    *,
    file: Path | None,
    old: str | None,
    new: str | None,
    on: dt.date | None,
    moves: Path | None,
    undo_file: Path | None,
    dry_run: bool,
    database: str | None,
    language: str,
) -> None:
    """Merge units: those of FILE (the statistics office's table of what became what), or one OLD into one NEW.

    With neither, what ended by that day and named its successor is followed. Open cases keep their deadlines. A file
    is written that undoes it: given as FILE to this command, it puts units, pupils, cases and posts back.
    """
    if bool(old) != bool(new):
        raise click.UsageError("--old, --new")
    text = read_text(file) if file else ""
    if is_undo(text):
        _undo(text, dry_run, database, language)
        return
    if on is None:
        raise click.MissingParameter(param_hint="--on", param_type="option")
    mergers, left = read_table(text)
    if old and new:
        mergers.append(Merger(old, new))
    with with_context(database, language) as (context, now):
        decided = read_moves(read_text(moves)) if moves else []
        path = undo_file or undo_path(load_settings().instance, on, now)
        merged = merge_units(
            context,
            mergers,
            on,
            now,
            moves=decided,
            by=operator(),
            dry_run=dry_run,
            keep_undo=lambda undoing: keep(path, undoing),
        )
    for sentence in (*left, *report_lines(merged)):
        click.echo(sentence.in_(language))
    if dry_run:
        click.echo(Sentence("A dry run: none of it was kept.").in_(language))
    elif path.exists():
        click.echo(Sentence("To undo it: ralop merge-units {path}", path=path).in_(language))


def _undo(text: str, dry_run: bool, database: str | None, language: str) -> None:
    with with_context(database, language) as (context, now):
        undone = undo(context, text, now, by=operator(), dry_run=dry_run)
    counts = {"units": undone.units, "pupils": undone.pupils, "cases": undone.cases, "posts": undone.posts}
    lines = [Sentence("Put back: {units} units, {pupils} pupils, {cases} cases, {posts} posts.", **counts)]
    for sentence in (*lines, *undone.left):
        click.echo(sentence.in_(language))
    if dry_run:
        click.echo(Sentence("A dry run: none of it was kept.").in_(language))
