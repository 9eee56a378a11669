"""`ralop restore FILE --to DIR`: restores a backup into the folder of an installation; checks before, verifies
after.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator
from pathlib import Path

import click

from engine.core.words import Sentence
from engine.store.ops.database_copies import same_place, without_password
from engine.usecases.ops.restore import Restored, restore
from web.cli.backup import in_words
from web.cli.console import language_here
from web.site.settings import read_settings

BROKEN = 1  # exit code if everything is restored and a history is broken


@click.command("restore")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--to",
    "folder",
    required=True,
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="The installation's folder; it is made if it is not there.",
)
@click.option("--database", metavar="URL", help="For a PostgreSQL database: the empty one that it goes into.")
@click.option("--replace", is_flag=True, help="Set aside what is in DIR already, in a subfolder of it.")
@click.option("--language", type=click.Choice(["vi", "en"]), default=language_here, help="The language of the answer.")
def restore_backup(file: Path, folder: Path, database: str | None, *, replace: bool, language: str) -> None:
    """Put the backup FILE, made by `ralop backup`, into DIR, and verify all histories.

    Ends with 2, and has changed nothing, if FILE is bad, the program runs in DIR, or DIR or the database is not empty;
    with 1 if all is there and a history does not hold.
    """
    with in_words(language):
        done = restore(file, folder.absolute(), database, dt.datetime.now().astimezone(), replace=replace)
    for sentence in _told(done, folder.absolute()):
        click.echo(sentence.in_(language))
    raise SystemExit(BROKEN if done.breaks else 0)


def _told(done: Restored, folder: Path) -> Iterator[Sentence]:
    contents = done.contents
    yield Sentence(
        "Restored: the backup of {at} (version {version}), {count} files.",
        at=dt.datetime.fromisoformat(contents.made_at),
        version=contents.version,
        count=len(contents.files) - 1,
    )
    yield Sentence("Database: {database}", database=without_password(done.url))
    if done.set_aside:
        yield Sentence(
            "What was there before lies in {folder}. Delete it when it is needed no more.", folder=str(done.set_aside)
        )
    yield from done.breaks
    yield Sentence("Verified: {events} events, {breaks} breaks.", events=done.events, breaks=len(done.breaks))
    named = read_settings({**os.environ, "RALOP_INSTANCE": str(folder)})[0].database_url
    if not same_place(named, done.url):
        yield Sentence(
            "The settings name another database, {named}. Before you serve, write into {file}: "
            'database_url = "{right}"',
            named=without_password(named),
            file=str(folder / "settings.toml"),
            right=without_password(done.url),
        )
