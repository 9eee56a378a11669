"""`ralop import units FILE`: places and bodies, from a file of the province's or one's own."""

from __future__ import annotations

from pathlib import Path

import click

from engine.store.schema import upgrade
from engine.unit_import import import_units
from engine.words import Faulty, Sentence
from web.console import language_here, opened


@click.command("units")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Tell what would be done, and keep none of it.")
@click.option("--database", help="Another database than the installation's, as a URL.")
def units(file: Path, dry_run: bool, database: str | None) -> None:
    """Bring in the units of FILE (csv or TOML): add the new ones, change those that differ, delete none.

    Exit 1, with nothing changed, if the file has a fault.
    """
    store = opened(database)
    upgrade(store)
    try:
        done = import_units(store, file.read_bytes().decode("utf-8"), str(file), dry_run=dry_run)
    except UnicodeDecodeError as error:
        sentence = Sentence("This is not text in UTF-8, from byte {byte} on.", byte=error.start)
        raise SystemExit(f"{file}: {sentence.in_(language_here())}") from error
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
