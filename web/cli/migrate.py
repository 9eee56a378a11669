"""`ralop migrate-cases`: moves open cases to the workflow and rules with which new cases begin; `--dry-run` first."""

from __future__ import annotations

import datetime as dt

import click

from engine.core.words import Label, Sentence
from engine.usecases.cases.migrate import CaseMove, Moved, migrate_cases
from web.cli.console import language_here, with_context

NONE = Label("không có hạn", "no deadline")
BEHIND = 1  # exit code if a case stays behind


def _mapping(_context: click.Context, _parameter: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    pairs = [text.partition("=") for text in given]
    if any(not (old and equals and new) for old, equals, new in pairs):
        raise click.BadParameter("OLD=NEW")
    return {old: new for old, _, new in pairs}


@click.command("migrate-cases")
@click.option("--dry-run", is_flag=True, help="Say what would happen; store nothing.")
@click.option("--workflow", help="Only cases of this workflow.")
@click.option(
    "--map",
    "mapping",
    multiple=True,
    callback=_mapping,
    metavar="OLD=NEW",
    help="The state that takes the place of one that is gone. May be given again.",
)
@click.option("--database", help="Another database than the installation's, as a URL.")
@click.option("--language", type=click.Choice(["vi", "en"]), default=language_here, help="The language of the answer.")
def migrate(
    *, dry_run: bool, workflow: str | None, mapping: dict[str, str], database: str | None, language: str
) -> None:
    """Move open cases to the current version of their workflow and rules.

    Says of each case what became of it; exit 1 if one stays behind. Can be stopped at any time and run again.
    """

    def progress(moved: Moved) -> None:
        click.echo(Sentence("{count} cases looked at", count=len(moved.moves)).in_(language), err=True)

    with with_context(database, language) as (context, now):
        moved = migrate_cases(context, now, workflow=workflow, mapping=mapping, dry_run=dry_run, progress=progress)
    zone = context.definitions.calendar("").zone
    for move in moved.moves:
        click.echo(_line(move, zone).in_(language))
    click.echo(_sum(moved, dry_run=dry_run).in_(language))
    raise SystemExit(BEHIND if moved.left_behind else 0)


def _line(move: CaseMove, zone: dt.tzinfo) -> Sentence:
    if move.obstacle is not None:
        return Sentence("{code}: stays behind. {why}", code=move.code, why=move.obstacle)
    before, after = (due.astimezone(zone) if due else NONE for due in (move.due_before, move.due))
    place = {"code": move.code, "before": before, "after": after}
    if move.state != move.to:
        return Sentence(
            "{code}: {state} becomes {to}; deadline {before}, then {after}", **place, state=move.state, to=move.to
        )
    return Sentence("{code}: {state}; deadline {before}, then {after}", **place, state=move.state)


def _sum(moved: Moved, *, dry_run: bool) -> Sentence:
    counts = {"done": len(moved.done), "behind": len(moved.left_behind)}
    if dry_run:
        return Sentence("{done} cases would be moved, {behind} would stay behind. Nothing was stored.", **counts)
    return Sentence("{done} cases moved, {behind} stay behind.", **counts)
