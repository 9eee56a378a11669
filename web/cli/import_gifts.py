"""`ralop import gifts FILE`: receipts and gifts of an association, from a bank statement or a ceremony's list."""

from __future__ import annotations

import json
from pathlib import Path

import click

from engine.core.files.sheets import LIMITS
from engine.usecases.support.import_gifts import bring_in
from web.cli.console import language_here, with_context
from web.cli.imports import DATABASE, DRY, FILE
from web.site.files import read_bytes


@click.command("gifts")
@FILE
@DRY
@DATABASE
def gifts(file: Path, dry_run: bool, database: str | None) -> None:
    """Bring in receipts and gifts (csv, xlsx): all rows or, if one is wrong, none and all that is wrong.

    Columns: donor or case, fund or stock, kind, quantity, day; also reference, association, note. A row that is there
    already is left as it is, so the same file can be brought in again.
    """
    language, data = language_here(), read_bytes(file, LIMITS.size)
    with with_context(database, language) as (context, now):
        brought = bring_in(context, data, file.name, now, dry=dry_run)
    click.echo(json.dumps(brought.summary()))
