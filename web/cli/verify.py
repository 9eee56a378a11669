"""`ralop verify`: checks that what is stored is what happened, and gives the head that shows it later."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

import click

from engine.core.proof.merkle import Head, read_head
from engine.core.words import Sentence
from engine.store.cases import verify
from engine.store.proof import checkpoints
from engine.store.support import verify as ledger
from engine.usecases.context import Context
from engine.usecases.ops.proof import checkpoint, wrong_clocks
from web.cli.console import language_here, with_context
from web.cli.parameter_types import Typed


class HeadParam(Typed):
    """A head, as `ralop verify --head` prints it."""

    name = "HEAD"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Head:
        """Reads it; refuses what is none."""
        found = value if isinstance(value, Head) else read_head(str(value))
        if found is None:
            no_head = Sentence("{text} is no head: copy the whole line that --head printed.", text=value)
            self.refuse(no_head, param, ctx)
        return found


@click.command("verify")
@click.option("--head", "head_only", is_flag=True, help="Make a checkpoint and print its head, to keep elsewhere.")
@click.option("--against", type=HeadParam(), metavar="HEAD", help="Compare with a head that was kept, too.")
@click.option("--database", help="Another database than the installation's, as a URL.")
@click.option("--language", type=click.Choice(["vi", "en"]), default=language_here, help="The language of the answer.")
def verify_chains(database: str | None, against: Head | None, language: str, *, head_only: bool) -> None:
    """Check all that is stored against what happened and against the checkpoints, and say what does not hold.

    Exit 1 if something does not. Only --head writes.
    """
    with with_context(database, language) as (context, now):
        if head_only:
            head = checkpoint(context, now)
            click.echo(str(head) if head else Sentence("Nothing is stored yet.").in_(language))
            return
        total = verify.count(context.store)
        broken = _said(_compared(context, against), language)
        with click.progressbar(length=total, file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:
            broken += _said(verify.breaks(context.store, bar.update), language)
        broken += _said(ledger.breaks(context.store), language)
        broken += _said(wrong_clocks(context, now), language)
    click.echo(f"{total} events, {broken} breaks" if language == "en" else f"{total} sự kiện, {broken} chỗ sai")
    raise SystemExit(1 if broken else 0)


def _compared(context: Context, kept: Head | None) -> list[Sentence]:
    if kept is None:
        return []
    with context.store.reading("verify against a head") as session:
        wrong = checkpoints.against(session.connection(), kept)
    return [wrong] if wrong else []


def _said(found: Iterable[Sentence], language: str) -> int:
    number = 0
    for sentence in found:
        number += 1
        click.echo(sentence.in_(language))
    return number
