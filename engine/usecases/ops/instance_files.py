"""The files of an installation's folder: which belong into a backup, and which nobody else on the machine may read."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path, PurePath

from engine.core.words import Fault, Sentence

LOCK = "lock"
UNFINISHED = "restore-unfinished"
STAGING, REPLACED = ".restore-", "replaced-"
DATABASE = "ralop.db"
# What a backup leaves out beside the database, which is copied in its own way: locks, other backups, leftovers.
BACKUPS = (".ralop-backup-*", "ralop-*.tar.gz")  # in any folder
LEFT_OUT = (LOCK, UNFINISHED, f"{STAGING}*", f"{REPLACED}*", f"{DATABASE}*", *BACKUPS)
# What must fit the database: while the copy is made these must not change.
FITTING = ("settings.toml", "secret_key", "vapid.pem", "workflows", "rules")
# What its owner alone may read. Own workflows and rules are no secret.
PRIVATE = (
    "settings.toml",
    "secret_key",
    "*.pem",
    "*.key",
    "*.db",
    "*.db-wal",
    "*.db-shm",
    "*.db-journal",
    "ralop-*.tar.gz",
)
PRIVATE_MODE = 0o600
OTHERS = 0o077


def to_keep(instance: Path, left_out: Path | None = None) -> Iterator[PurePath]:
    """The files below the folder that belong into a backup, by their path in it; those behind links, too.

    `left_out`: a folder that is passed over as well, such as the one that backups are written into.
    """
    seen = {_identity(left_out)} if left_out is not None and left_out.is_dir() else set()
    for folder, folders, names in os.walk(instance, followlinks=True):
        here = Path(folder)
        at_top = here == instance
        if not at_top and _identity(here) in seen:  # a backup's folder, or a ring of links
            folders.clear()
            continue
        seen.add(_identity(here))
        patterns = LEFT_OUT if at_top else BACKUPS
        folders[:] = sorted(name for name in folders if not _fits(name, patterns))
        for name in sorted(names):
            if (here / name).is_file() and not _fits(name, patterns):
                yield (here / name).relative_to(instance)


def _identity(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_dev, found.st_ino


def _fits(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch(name, pattern) for pattern in patterns)


def is_fitting(path: PurePath) -> bool:
    """Whether the program reads this file: it must be as it was at the moment of the database's copy."""
    return path.parts[0] in FITTING


def occupants(instance: Path) -> list[str]:
    """What lies in a folder that somebody would miss; nothing if it is not there or holds the shipped README alone."""
    if not instance.is_dir():
        return []
    free = {LOCK, UNFINISHED, "README.md"}
    return sorted(
        path.name for path in instance.iterdir() if path.name not in free and not path.name.startswith(STAGING)
    )


def exposed(instance: Path, database: Path | None) -> list[Fault]:
    """A fault for each secret file, here or the database elsewhere, that others than its owner may read or change."""
    files = {path for pattern in PRIVATE for path in instance.glob(pattern)} if instance.is_dir() else set()
    if database is not None:
        files |= {database.with_name(f"{database.name}{side}") for side in ("", "-wal", "-shm", "-journal")}
    return [fault for path in sorted(files) for fault in _exposed(path)]


def _exposed(path: Path) -> Iterator[Fault]:
    try:
        found = path.stat()
    except FileNotFoundError:
        return
    mode = stat.S_IMODE(found.st_mode)
    if stat.S_ISREG(found.st_mode) and mode & OTHERS:
        sentence = Sentence(
            "Others on this machine may get at this file: its mode is {found}, right is {right}. Mend it with: "
            "chmod 600 {file}",
            found=f"{mode:04o}",
            right=f"{PRIVATE_MODE:04o}",
            file=str(path),
        )
        yield Fault(str(path), "", sentence)
