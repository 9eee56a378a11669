"""Restores backups: checks everything before it changes anything; sets old files aside and does not delete them."""

from __future__ import annotations

import datetime as dt
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from engine.core.refusals import Refused
from engine.core.words import Sentence
from engine.store.cases import verify
from engine.store.ops import database_copies
from engine.store.ops.database_copies import POSTGRESQL, SQLITE
from engine.store.ops.schema import upgrade
from engine.store.session import open_store
from engine.usecases.ops import archive, running
from engine.usecases.ops.archive import Contents
from engine.usecases.ops.backup import STAMP, sync
from engine.usecases.ops.instance_files import DATABASE, LOCK, REPLACED, STAGING, UNFINISHED, occupants

SHOWN = 5  # names that a message lists of a folder


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored: the database's URL, where the old files are now, and the result of `verify`."""

    contents: Contents
    url: str
    set_aside: Path | None
    events: int
    breaks: tuple[Sentence, ...]


def restore(source: Path, instance: Path, url: str | None, now: dt.datetime, *, replace: bool = False) -> Restored:
    """Restores the backup `source` into the folder `instance`; a PostgreSQL database into the empty one at `url`.

    `replace`: a folder that is not empty is first emptied into a subfolder of itself. Raises Refused, without changes:
    bad file, running program, a folder or database that is not empty.
    """
    made_here = not instance.exists()
    try:
        with running.alone(instance):
            _check_folder(instance, replace=replace)
            with _staging(instance) as staging:
                contents = archive.unpack(source, staging)
                _check(contents, instance, url)
                if contents.database.kind == POSTGRESQL and url:
                    database_copies.put_back(staging / archive.DATABASE, url)
                set_aside = _put(staging, instance, now, sqlite=contents.database.kind == SQLITE)
            place = url or f"sqlite:///{instance / DATABASE}"
            events, breaks = _verified(place)
    except (Refused, OSError):
        if made_here:
            _take_away(instance)
        raise
    return Restored(contents, place, set_aside, events, breaks)


def _take_away(instance: Path) -> None:
    """Deletes the folder that was made for a restore that was then refused."""
    (instance / LOCK).unlink(missing_ok=True)
    with suppress(OSError):
        instance.rmdir()


def _check_folder(instance: Path, *, replace: bool) -> None:
    there = occupants(instance)
    if there and not replace:
        raise Refused(
            Sentence(
                "{folder} is not empty: {names}. Name another folder, or say --replace: what is there is set "
                "aside in a subfolder then.",
                folder=str(instance),
                names=[*there[:SHOWN], *(["…"] if len(there) > SHOWN else [])],
            )
        )
    if database_copies.is_open_elsewhere(instance / DATABASE):
        raise Refused(Sentence("A program holds {file} open: end it first.", file=str(instance / DATABASE)))


def _check(contents: Contents, instance: Path, url: str | None) -> None:
    """Checks that this program, this folder and this database can take the backup. Raises Refused."""
    if not database_copies.is_known(contents.database.revision):
        raise Refused(Sentence("A newer version of the program made this backup: restore it with that one."))
    if contents.database.kind == SQLITE and url:
        raise Refused(
            Sentence(
                "The backup holds a SQLite database, which goes to {file}: leave out --database.",
                file=str(instance / DATABASE),
            )
        )
    if contents.database.kind == POSTGRESQL:
        if not url or database_copies.kind_of(url) != POSTGRESQL:
            raise Refused(
                Sentence(
                    "The backup holds a PostgreSQL database: name an empty one, --database postgresql://user@host/name."
                )
            )
        database_copies.check_target(url, contents.database)


@contextmanager
def _staging(instance: Path) -> Iterator[Path]:
    """Makes a folder for checked files; deletes what killed restores left."""
    for left in instance.glob(f"{STAGING}*"):
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=instance, prefix=STAGING) as made:
        yield Path(made)


def _put(staging: Path, instance: Path, now: dt.datetime, *, sqlite: bool) -> Path | None:
    """Sets old files aside, and moves the checked ones to their place.

    If it is killed in between, no server starts here.
    """
    (instance / UNFINISHED).touch(mode=0o600)
    sync(instance)
    set_aside = _set_aside(instance, now)
    files = staging / archive.FILES
    for path in sorted(files.iterdir()) if files.is_dir() else ():
        path.rename(instance / path.name)
    if sqlite:
        (staging / archive.DATABASE).rename(instance / DATABASE)
    sync(instance)
    (instance / UNFINISHED).unlink()
    sync(instance)
    return set_aside


def _set_aside(instance: Path, now: dt.datetime) -> Path | None:
    there = [name for name in occupants(instance) if not name.startswith(REPLACED)]
    if not there:
        return None
    folder = instance / f"{REPLACED}{now.strftime(STAMP)}"
    folder.mkdir(mode=0o700, exist_ok=True)
    for name in there:
        (instance / name).rename(folder / name)
    return folder


def _verified(url: str) -> tuple[int, tuple[Sentence, ...]]:
    with closing(open_store(url)) as store:
        upgrade(store)  # a backup of an earlier version says how its cases stand from here on
        return verify.count(store), tuple(verify.breaks(store))
