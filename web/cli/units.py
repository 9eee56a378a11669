"""`ralop import units FILE`: imports units from a file of the province, or one's own."""

from __future__ import annotations

from pathlib import Path

import click

from engine.core.words import Faulty, Sentence
from engine.store.ops.schema import upgrade
from engine.store.session import open_store
from engine.usecases.units.import_units import import_units
from web.cli.console import language_here
from web.cli.parameter_types import FILE
from web.site.files import read_text
from web.site.settings import load_settings


@click.command("units")
@click.argument("file", type=FILE)
@click.option("--dry-run", is_flag=True, help="Tell what would be done, and keep none of it.")
@click.option("--database", help="Another database than the installation's, as a URL.")
def units(file: Path, dry_run: bool, database: str | None) -> None:
    """Bring in the units of FILE (csv or TOML): add the new ones, change those that differ, delete none.

    Exit 1, with nothing changed, if the file has a fault.
    """
    store = open_store(database or load_settings().database_url)
    try:
        text = read_text(file)
        upgrade(store)
        done = import_units(store, text, str(file), dry_run=dry_run)
    except Faulty as faulty:
        for fault in faulty.faults:
            click.echo(fault.in_(language_here()))
        raise SystemExit(1) from faulty
    finally:
        store.close()
    counts = {"added": done.added, "changed": done.changed, "unchanged": done.unchanged}
    click.echo(
        Sentence("Units added: {added}, changed: {changed}, unchanged: {unchanged}.", **counts).in_(language_here())
    )
    if dry_run:
        click.echo(Sentence("A dry run: none of it was kept.").in_(language_here()))
