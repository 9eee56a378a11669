"""`ralop books`: writes the ledger of a year as plain text that other tools can check."""

from __future__ import annotations

from pathlib import Path

import click

from engine.store.support import books
from web.cli.console import language_here, with_context
from web.cli.parameter_types import NEW_FILE


@click.command("books")
@click.option("--year", type=click.IntRange(2000, 2199), required=True, help="The year of the entries.")
@click.option("--as", "form", type=click.Choice(["beancount"]), default="beancount", show_default=True, help="How.")
@click.option("--output", type=NEW_FILE, help="Write to this file; else to the terminal.")
@click.option("--database", help="Another database than the installation's, as a URL.")
def write_books(year: int, form: str, output: Path | None, database: str | None) -> None:
    """Write the ledger of support of a year, with what each fund and stock holds at the end of each month."""
    language = language_here()
    with with_context(database, language) as (context, _now), context.store.reading(f"the books as {form}") as session:
        lines = books.lines(session, context.support, year, "Ra Lớp", context.definitions.calendar("").zone)
        if output is None:
            for line in lines:
                click.echo(line)
        else:
            with output.open("w", encoding="utf-8") as file:
                file.writelines(f"{line}\n" for line in lines)
