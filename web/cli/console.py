"""Shared by the commands: the language of the terminal and the installation's database."""

from __future__ import annotations

import datetime as dt
import os
import pwd
from collections.abc import Iterator
from contextlib import closing, contextmanager

import click

from engine.core.refusals import Refused
from engine.core.words import Faulty
from engine.store.database.refusals import not_current
from engine.store.ops.schema import revisions
from engine.store.ops.time_source import ShiftedClock
from engine.store.session import Store, open_store
from engine.usecases.context import Context
from web.cli.check import language_here
from web.site.composition import build_context
from web.site.settings import load_settings

__all__ = ["language_here", "opened", "operator", "with_context"]


def operator() -> str:
    """Returns the name of the machine's user: nobody signs in at the command line."""
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a number without a name, as in a container
        name = str(os.getuid())
    behind = os.environ.get("SUDO_USER", "")
    return f"{name} ({behind})" if behind and behind != name else name


def opened(database: str | None = None, *, make: bool = False) -> Store:
    """Returns the installation's store, or the one at another URL.

    `make`: whether the installation's SQLite file may be created; a named one must exist. Raises `DatabaseRefused`.
    """
    return open_store(database or load_settings().database_url, make=make and not database)


@contextmanager
def with_context(database: str | None, language: str) -> Iterator[tuple[Context, dt.datetime]]:
    """Gives a command the installation's context and the moment; faults end it in words.

    Raises `DatabaseRefused` for a missing database, or one of another version.
    """
    settings = load_settings()
    with closing(open_store(database or settings.database_url, make=False)) as store:
        found, newest = revisions(store)
        if found != newest:
            raise not_current(found, newest)
        now = ShiftedClock(store).now()
        try:
            yield build_context(settings, now, store), now
        except Refused as refused:
            raise click.ClickException(refused.sentence.in_(language)) from refused
        except Faulty as error:
            raise click.ClickException("\n".join(fault.in_(language) for fault in error.faults)) from error
