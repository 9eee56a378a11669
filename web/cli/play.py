"""`ralop play FILE...`: plays scenarios and says which expectations hold.

For trying a change of rules before using it.
"""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from engine.core.scenario.reader import Scenario, load_scenario
from engine.core.words import Fault, Faulty, Sentence
from engine.simulation.player import Check, play
from engine.store.ops.schema import upgrade
from engine.store.session import Store, open_store
from engine.store.simulation.seed import is_empty
from web.cli.check import language_here
from web.site.definition_files import KINDS, ROOT, Kind, Source, Sources
from web.site.files import read_text
from web.site.settings import instance_folder

FOLDERS = {
    "workflow": Path("workflows"),
    "rules": Path("rules"),
    "calendar": Path("rules") / "calendars",
    "risk": Path("rules"),
    "roles": Path("rules") / "roles",
    "support": Path("rules"),
}
ALONE = frozenset({"risk", "support"})  # what else lies in the folder of rules
FAILED, FAULTY = 1, 2  # exit codes


@dataclass(frozen=True)
class Folders:
    """Finds what a scenario names: a path, or a name in the first of `roots` that has it.

    A path (it ends in .toml) is searched beside the scenario, then in the current folder.
    """

    beside: Path
    roots: tuple[Path, ...] = field(default_factory=lambda: (instance_folder(), ROOT))

    def find(self, kind: str, name: str) -> tuple[str, str] | None:
        """Returns the text and the file name, or None."""
        named = [root / FOLDERS[kind] / f"{name}.toml" for root in self.roots]
        paths = [self.beside / name, Path(name)] if name.endswith(".toml") else named
        path = next((path for path in paths if path.is_file()), None)
        return (read_text(path), str(path)) if path else None

    def names(self, kind: str) -> tuple[str, ...]:
        """Returns the names in the folders."""
        found = {path.stem for root in self.roots for path in (root / FOLDERS[kind]).glob("*.toml")}
        return tuple(sorted(name for name in found if (name == kind if kind in ALONE else name not in ALONE)))


def read_scenario(path: Path, roots: tuple[Path, ...] | None = None) -> Scenario:
    """Reads the scenario in a file; raises Faulty."""
    return load_scenario(read_text(path), str(path), Folders(path.parent, roots) if roots else Folders(path.parent))


def _check_scenario(source: Source, _desk: Sources) -> Iterable[Fault]:
    load_scenario(source.text, source.file, Folders(Path(source.file).parent))
    return ()


KINDS["scenario"] = Kind(frozenset({"start", "step", "rules", "calendar"}), _check_scenario)


def said(check: Check, language: str) -> str:
    """Returns one line for one expectation."""
    place = {"step": check.step, "at": check.at, "key": check.key}
    if check.ok:
        line = Sentence("step {step}, {at}: {key} = {found}", **place, found=_shown(check.found))
        return f"ok   {line.in_(language)}"
    line = Sentence(
        "step {step}, {at}: {key}: expected {expected}, found {found}",
        **place,
        expected=_shown(check.expected),
        found=_shown(check.found),
    )
    why = f" ({check.sentence.in_(language)})" if check.sentence else ""
    return f"FAIL {line.in_(language)}{why}"


def _shown(value: Any) -> str:
    """Returns a value as in the scenario."""
    if isinstance(value, dt.datetime):
        return value.replace(tzinfo=None).isoformat()
    return json.dumps("" if value is None else value, ensure_ascii=False)


@contextmanager
def _databases(url: str | None) -> Iterator[Iterator[Store]]:
    """Yields empty stores: copies of one new SQLite file, or once the database at a URL."""
    with (
        TemporaryDirectory(prefix="ralop-play-") as folder,
        closing(_opened(url) if url else _copied(Path(folder))) as stores,
    ):
        yield stores


def _opened(url: str) -> Generator[Store]:
    with closing(open_store(url)) as store:
        upgrade(store)
        with store.reading("is it empty") as session:
            if not is_empty(session):
                raise click.ClickException(_NOT_EMPTY.in_(language_here()))
        yield store


def _copied(folder: Path) -> Generator[Store]:
    with closing(open_store(f"sqlite:///{folder / 'empty.db'}")) as store:
        upgrade(store)
    for number in count(1):
        shutil.copyfile(folder / "empty.db", folder / f"{number}.db")
        with closing(open_store(f"sqlite:///{folder / f'{number}.db'}")) as store:
            yield store


_NOT_EMPTY = Sentence("This database is not empty: a scenario is played on one of its own.")
_ONE_ONLY = Sentence("A database of your own takes one scenario only.")


def _read(files: Iterable[Path]) -> tuple[list[Scenario], list[Fault]]:
    scenarios: list[Scenario] = []
    faults: list[Fault] = []
    for path in files:
        try:
            scenarios.append(read_scenario(path))
        except Faulty as error:
            faults += [fault for fault in error.faults if fault not in faults]  # two may name one faulty workflow
    return scenarios, faults


@click.command("play")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--database", help="An empty database to play on and to look at afterwards, as a URL; for one FILE.")
@click.option(
    "--language", type=click.Choice(["vi", "en"]), default=language_here, help="The language of what is said."
)
def play_scenarios(files: tuple[Path, ...], database: str | None, language: str) -> None:
    """Play the scenarios in FILES, each on a database of its own, and say of each expectation whether it holds.

    Ends with 1 if one does not, with 2 if a file has faults or there is none: nothing is played then.
    """
    files = tuple(file for path in files for file in (sorted(path.glob("*.toml")) if path.is_dir() else [path]))
    if not files:
        click.echo(
            Sentence("There is no scenario here: a folder is looked through for files that end in .toml.").in_(language)
        )
        raise SystemExit(FAULTY)
    if database and len(files) > 1:
        raise click.UsageError(_ONE_ONLY.in_(language))
    scenarios, faults = _read(files)
    for fault in faults:
        click.echo(fault.in_(language))
    if faults:
        raise SystemExit(FAULTY)
    with _databases(database) as stores:
        played = zip(scenarios, stores, strict=False)
        checks = [check for scenario, store in played for check in _played(scenario, store, language)]
    failed = sum(not check.ok for check in checks)
    total = {"scenarios": len(scenarios), "checks": len(checks), "failed": failed}
    click.echo(Sentence("Scenarios: {scenarios}. Expectations: {checks}. Failed: {failed}.", **total).in_(language))
    raise SystemExit(FAILED if failed else 0)


def _played(scenario: Scenario, store: Store, language: str) -> Iterator[Check]:
    click.echo(f"{scenario.file}: {scenario.name}")
    for check in play(scenario, store):
        click.echo(said(check, language))
        yield check
