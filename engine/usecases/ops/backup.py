"""Makes backups: the database and the files of one moment, in one file that is complete or does not exist."""

from __future__ import annotations

import datetime as dt
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePath

from engine.core.refusals import Refused
from engine.core.words import Sentence
from engine.store.ops import database_copies
from engine.usecases.ops import archive
from engine.usecases.ops.archive import ArchiveMember, Contents
from engine.usecases.ops.instance_files import is_fitting, to_keep

WORKSHOP = ".ralop-backup-"  # folders in which backups are made; never a final name
TRIES = 5  # to find a moment in which nobody changes the files
STAMP = "%Y%m%d-%H%M%S"


@dataclass(frozen=True, slots=True)
class Made:
    """A finished backup: its file, its size, and its contents."""

    path: Path
    size: int
    contents: Contents


def make_backup(url: str, instance: Path, folder: Path, now: dt.datetime, version: str) -> Made:
    """Copies the database at `url` and the files of `instance` into one new file in `folder`, named after `now`.

    Raises Refused if the database cannot be copied, or if own rules or settings change all the time.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    _clear(folder)
    with _workshop(folder) as workshop:
        contents = _copied(url, instance, workshop, folder, now, version)
        packed = workshop / "packed"
        archive.pack(workshop, contents, packed)
        target = _free_name(folder, now)
        packed.rename(target)
        sync(folder)
    return Made(target, target.stat().st_size, contents)


def _copied(url: str, instance: Path, workshop: Path, folder: Path, now: dt.datetime, version: str) -> Contents:
    """Copies database and files, at a moment in which nobody changed the files that must fit the database."""
    database = workshop / archive.DATABASE
    for _ in range(TRIES):
        before = _fitting(instance, folder)
        copied = database_copies.copy(url, database)
        files = _copied_files(url, instance, workshop, folder)
        if before == _fitting(workshop / archive.FILES, folder) == _fitting(instance, folder):
            files[archive.DATABASE] = archive.measured(database)
            return Contents(now.isoformat(timespec="seconds"), version, copied, dict(sorted(files.items())))
        database.unlink()
        shutil.rmtree(workshop / archive.FILES, ignore_errors=True)
    raise Refused(
        Sentence(
            "The files of {folder} change while they are copied: make the backup when nobody edits them.",
            folder=str(instance),
        )
    )


def _named(path: PurePath) -> str:
    return f"{archive.FILES}/{path.as_posix()}"


def _fitting(instance: Path, folder: Path) -> dict[PurePath, ArchiveMember]:
    return {path: archive.measured(instance / path) for path in to_keep(instance, folder) if is_fitting(path)}


def _files(url: str, instance: Path, folder: Path) -> Iterator[PurePath]:
    """Returns the files to copy, without those of the database, which is copied in another way."""
    database = database_copies.file_of(url)
    own = {f"{database}{side}" for side in ("", *database_copies.SIDE_FILES)} if database else set()
    return (path for path in to_keep(instance, folder) if str(instance / path) not in own)


def _copied_files(url: str, instance: Path, workshop: Path, folder: Path) -> dict[str, ArchiveMember]:
    copied = {}
    for path in _files(url, instance, folder):
        target = workshop / _named(path)
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with suppress(FileNotFoundError):  # deleted since it was listed
            shutil.copyfile(instance / path, target)
            copied[_named(path)] = archive.measured(target)
    return copied


def _free_name(folder: Path, now: dt.datetime) -> Path:
    """Returns a name that no backup has yet."""
    name, number = f"ralop-{now.strftime(STAMP)}", 1
    while (path := folder / f"{name}{f'-{number}' if number > 1 else ''}.tar.gz").exists():
        number += 1
    return path


@contextmanager
def _workshop(folder: Path) -> Iterator[Path]:
    """Makes a folder that only its owner may enter, locked while somebody works in it, deleted afterwards."""
    with tempfile.TemporaryDirectory(dir=folder, prefix=WORKSHOP) as made, _lock(Path(made)):
        yield Path(made)


@contextmanager
def _lock(folder: Path) -> Iterator[None]:
    file = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(file)


def _clear(folder: Path) -> None:
    """Deletes what killed backups left: nobody holds a lock on it any more."""
    for left in folder.glob(f"{WORKSHOP}*"):
        with suppress(OSError), _lock(left):
            shutil.rmtree(left)


def sync(folder: Path) -> None:
    """Waits until the new name is on the disk."""
    file = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
