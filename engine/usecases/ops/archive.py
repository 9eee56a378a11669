"""Packs a backup into one file: a compressed tar whose first member lists all others with size and SHA-256.

`unpack` checks everything it reads: names, sizes and sums must be those of the list, and all names must stay below its
folder. It writes into a new empty folder, so that a bad file changes nothing else.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import shutil
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from engine.core.refusals import Refused
from engine.core.words import Sentence
from engine.store.ops.database_copies import Copied

FORMAT = 1
LIST = "ralop-backup.json"
LONGEST_LIST = 16 * 2**20  # bytes
DATABASE = "database"
FILES = "instance"
PIECE = 2**20
LEVEL = 4  # of gzip; it reaches nine tenths of the best level in half the time


@dataclass(frozen=True, slots=True)
class ArchiveMember:
    """One file of a backup."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Contents:
    """The contents of a backup: when it was made, by which version, of what database, and its files by name."""

    made_at: str
    version: str
    database: Copied
    files: Mapping[str, ArchiveMember]


def measured(path: Path) -> ArchiveMember:
    """Returns size and sum of a file."""
    with path.open("rb") as file:
        return ArchiveMember(path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest())


def pack(folder: Path, contents: Contents, target: Path) -> None:
    """Writes the files of `folder` that `contents` names into the new file `target`, and waits for the disk."""
    data = json.dumps({"ralop": FORMAT, **asdict(contents)}, indent=1).encode()
    with os.fdopen(_made(target), "wb") as file:
        with (
            gzip.GzipFile(fileobj=file, mode="wb", compresslevel=LEVEL) as smaller,
            tarfile.open(fileobj=smaller, mode="w|", format=tarfile.PAX_FORMAT) as tar,
        ):
            tar.addfile(_entry(LIST, len(data)), io.BytesIO(data))
            for name, member in contents.files.items():
                with (folder / name).open("rb") as source:
                    tar.addfile(_entry(name, member.size), source)
        file.flush()
        os.fsync(file.fileno())


def _entry(name: str, size: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, 0o600
    return entry


def _made(path: Path) -> int:
    """Creates a new file that only its owner may read."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)


def unpack(source: Path, folder: Path) -> Contents:
    """Checks the backup `source` from end to end while it writes its files into the empty `folder`.

    Raises Refused: not a backup of this program, from a newer version, cut off, changed, or larger than the free space.
    """
    with _explained(source), source.open("rb") as file, gzip.GzipFile(fileobj=file) as larger:
        with tarfile.open(fileobj=larger, mode="r|") as tar:
            members = iter(tar)
            contents = _listed(tar, next(members, None))
            _check_room(contents, folder)
            missing = dict(contents.files)
            for entry in members:
                if not entry.isreg() or entry.name not in missing:
                    raise _damaged(entry.name)
                _extract(tar, entry, missing.pop(entry.name), folder)
            if missing:
                raise _damaged(next(iter(missing)))
        while larger.read(PIECE):  # up to the sum at the very end
            pass
    return contents


@contextmanager
def _explained(source: Path) -> Iterator[None]:
    """Turns errors of the libraries about a bad file into words for the operator."""
    foreign = Refused(Sentence("{file} is no backup that `ralop backup` made.", file=str(source)))
    with source.open("rb") as file:
        if file.read(2) != b"\x1f\x8b":
            raise foreign
    try:
        yield
    except (EOFError, tarfile.ReadError, zlib.error, gzip.BadGzipFile) as error:
        raise Refused(
            Sentence("{file} is cut off or damaged: take another backup. Nothing was changed.", file=str(source))
        ) from error
    except _Foreign as error:
        raise foreign from error


class _Foreign(Exception):
    """The file does not begin like a backup of this program."""


def _damaged(name: str) -> Refused:
    return Refused(
        Sentence("The backup is not as its own list says: {name}. Take another one. Nothing was changed.", name=name)
    )


def _listed(tar: tarfile.TarFile, entry: tarfile.TarInfo | None) -> Contents:
    """Returns the list at the beginning of a backup."""
    if entry is None or entry.name != LIST or not entry.isreg() or entry.size > LONGEST_LIST:
        raise _Foreign
    file = tar.extractfile(entry)
    try:
        given = json.loads(file.read() if file else b"")
        if given["ralop"] != FORMAT:
            raise Refused(Sentence("A newer version of the program made this backup: restore it with that one."))
        return _read(given)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _Foreign from error


def _read(given: Mapping[str, Any]) -> Contents:
    files = {str(name): ArchiveMember(int(it["size"]), str(it["sha256"])) for name, it in given["files"].items()}
    for name, member in files.items():
        above = map(str, PurePosixPath(name).parents)
        if not _is_inside(name) or member.size < 0 or any(folder in files for folder in above):
            raise _damaged(name)
    told = given["database"]
    database = Copied(str(told["kind"]), int(told["server"]), str(told["revision"]))
    if DATABASE not in files:
        raise _damaged(DATABASE)
    return Contents(str(given["made_at"]), str(given["version"]), database, files)


def _is_inside(name: str) -> bool:
    """Returns whether this is the database, or a file below the folder of files, with a name of this program."""
    path = PurePosixPath(name)
    plain = str(path) == name and "\0" not in name and "\\" not in name and ".." not in path.parts
    return name == DATABASE or (plain and len(path.parts) > 1 and path.parts[0] == FILES)


def _check_room(contents: Contents, folder: Path) -> None:
    need, free = sum(it.size for it in contents.files.values()), shutil.disk_usage(folder).free
    if need > free:
        raise Refused(
            Sentence(
                "There is no room for the backup in {folder}: it needs {need} MB, {free} MB are free.",
                folder=str(folder.parent),
                need=-(-need // PIECE),
                free=free // PIECE,
            )
        )


def _extract(tar: tarfile.TarFile, entry: tarfile.TarInfo, member: ArchiveMember, folder: Path) -> None:
    source = tar.extractfile(entry)
    if source is None or entry.size != member.size:
        raise _damaged(entry.name)
    target = folder / entry.name
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with os.fdopen(_made(target), "wb") as file:
        found = _copied(source, file)
        file.flush()
        os.fsync(file.fileno())
    if found != member.sha256:
        raise _damaged(entry.name)


def _copied(source: IO[bytes], target: IO[bytes]) -> str:
    """Copies all of it; returns its sum."""
    total = hashlib.sha256()
    while piece := source.read(PIECE):
        total.update(piece)
        target.write(piece)
    return total.hexdigest()
