"""`ralop backup DIR`: copies database and files of the installation into one dated file, while people work."""

from __future__ import annotations

import datetime as dt
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from types import FrameType

import click

from engine.core.refusals import Refused
from engine.core.words import Faulty, Sentence
from engine.store.ops.database_copies import without_password
from engine.usecases.ops.backup import Made, make_backup
from web.cli.console import language_here
from web.site.settings import instance_folder, load_settings

MB = 2**20
SECRETS = ("RALOP_SECRET_KEY", "RALOP_MAIL_PASSWORD", "RALOP_METRICS_TOKEN", "RALOP_DATABASE_URL")


@click.command("backup")
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@click.option("--language", type=click.Choice(["vi", "en"]), default=language_here, help="The language of the answer.")
def backup(folder: Path, language: str) -> None:
    """Write database, keys, settings, own workflows and rules into one new file in DIR, readable by its owner only.

    Works while people work. Ends with 2, and leaves no file, if no backup could be made.
    """
    begun = time.monotonic()
    with in_words(language):
        if not instance_folder().is_dir():  # otherwise the settings would create it
            raise Refused(Sentence("There is no folder {folder}.", folder=str(instance_folder().absolute())))
        settings = load_settings()
        made = make_backup(
            settings.database_url, settings.instance, folder, dt.datetime.now().astimezone(), version("ralop")
        )
    for sentence in _told(made, settings.database_url, time.monotonic() - begun):
        click.echo(sentence.in_(language))


def _told(made: Made, url: str, seconds: float) -> Iterator[Sentence]:
    files = made.contents.files
    yield Sentence(
        "Backup: {file} ({size} MB, {seconds} s)",
        file=str(made.path),
        size=f"{made.size / MB:.1f}",
        seconds=f"{seconds:.1f}",
    )
    yield Sentence(
        "Database: {database} ({size} MB)", database=without_password(url), size=f"{files['database'].size / MB:.1f}"
    )
    names = [name.partition("/")[2] for name in files if "/" in name]
    yield Sentence("Files: {count} ({names})", count=len(names), names=names[:8] + ["…"] * (len(names) > 8))
    if given := [name for name in SECRETS if os.environ.get(name)]:
        yield Sentence("Not in it, because the environment gives it: {names}. Keep that apart.", names=given)


class NotDone(click.ClickException):
    """Nothing was made or changed."""

    exit_code = 2


@contextmanager
def in_words(language: str) -> Iterator[None]:
    """Turns failures into words and exit code 2; obeys a signal to end after cleaning up."""
    before = signal.signal(signal.SIGTERM, _end)
    try:
        yield
    except Refused as refused:
        raise NotDone(refused.sentence.in_(language)) from refused
    except Faulty as error:
        raise NotDone("\n".join(fault.in_(language) for fault in error.faults)) from error
    except OSError as error:
        place = " → ".join(str(name) for name in (error.filename, error.filename2) if name)
        sentence = Sentence("{file}: {why}", file=place or "-", why=error.strerror or str(error))
        raise NotDone(sentence.in_(language)) from error
    finally:
        signal.signal(signal.SIGTERM, before)


def _end(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(NotDone.exit_code)
