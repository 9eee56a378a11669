"""`ralop verify`: checks that all histories are whole."""

from __future__ import annotations

import click

from engine.store.cases import verify
from engine.store.support import verify as ledger
from web.cli.console import language_here, opened


@click.command("verify")
@click.option("--database", help="Another database than the installation's, as a URL.")
def verify_chains(database: str | None) -> None:
    """Check the chain of events of every case and say where one breaks. Exit 1 if one does."""
    store = opened(database)
    click.get_current_context().call_on_close(store.close)
    broken = 0
    for sentence in (*verify.breaks(store), *ledger.breaks(store)):
        broken += 1
        click.echo(sentence.in_(language_here()))
    total = verify.count(store)
    click.echo(f"{total} events, {broken} breaks" if language_here() == "en" else f"{total} sự kiện, {broken} chỗ sai")
    raise SystemExit(1 if broken else 0)
