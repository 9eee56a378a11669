"""The files in the folder of an installation: which belong into a backup, and which nobody else may read."""

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
# Left out of a backup, beside the database, which is copied in another way: locks, other backups, leftovers.
BACKUPS = (".ralop-backup-*", "ralop-*.tar.gz")  # in any folder
LEFT_OUT = (LOCK, UNFINISHED, f"{STAGING}*", f"{REPLACED}*", f"{DATABASE}*", *BACKUPS)
# These files must fit the database, so they must not change during the copy.
FITTING = ("settings.toml", "secret_key", "vapid.pem", "workflows", "rules")
# Only the owner may read these. Own workflows and rules are not secret.
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
    """Returns the files in the folder that belong into a backup, by their path in it; also those behind links.

    `left_out`: another folder to skip, such as the one for backups.
    """
    seen = {_identity(left_out)} if left_out is not None and left_out.is_dir() else set()
    for folder, folders, names in os.walk(instance, followlinks=True):
        here = Path(folder)
        at_top = here == instance
        if not at_top and _identity(here) in seen:  # a folder of a backup, or a cycle of links
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
    """Returns whether the program reads this file, so that it must be from the moment of the database's copy."""
    return path.parts[0] in FITTING


def occupants(instance: Path) -> list[str]:
    """Returns what somebody would miss in a folder; nothing if it is missing or has only the shipped README."""
    if not instance.is_dir():
        return []
    free = {LOCK, UNFINISHED, "README.md"}
    return sorted(
        path.name for path in instance.iterdir() if path.name not in free and not path.name.startswith(STAGING)
    )


def exposed(instance: Path, database: Path | None) -> list[Fault]:
    """Returns a fault for each secret file, here or the database elsewhere, that others may read or change."""
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
