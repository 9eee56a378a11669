"""Knows the kinds of files that people write, and finds every fault and warning in them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from engine.core.attendance.signal_reader import KEYS as RISK_KEYS
from engine.core.attendance.signal_reader import load_risk
from engine.core.calendar import load_calendar
from engine.core.files.aliases import TABLES, load_aliases
from engine.core.people.role_reader import KEYS as ROLE_KEYS
from engine.core.people.role_reader import check_together, load_roles
from engine.core.people.roles import NO_ROLES, RoleBook, Roles, book_of
from engine.core.rules.reader import load_ruleset
from engine.core.support.catalogue import KEYS as SUPPORT_KEYS
from engine.core.support.catalogue import load_catalogue
from engine.core.toml_reader import Reader, read_toml, unknown
from engine.core.units.tree import load_units
from engine.core.words import Fault, Faulty, Sentence
from engine.core.workflow.model import Workflow
from engine.core.workflow.reader import load_workflow
from web.site.files import read_text
from web.site.read_roles import role_texts

ROOT = Path(__file__).parents[2]
NOTHING = 2  # exit code if there is nothing to check
FOLDERS = ("workflows", "rules")  # folders of such files, here and in an installation's own folder
WORKFLOW = Sentence("workflow")


@dataclass(frozen=True)
class Source:
    """A file to check: its name for messages, and its text."""

    file: str
    text: str

    @cached_property
    def reader(self) -> Reader:
        """Returns the file as TOML; raises Faulty if it is not TOML."""
        return read_toml(self.text, self.file)

    @property
    def name(self) -> str:
        """Returns the name in the file; "" if it has none."""
        name = self.reader.data.get("name")
        return name if isinstance(name, str) else ""


@dataclass
class Sources:
    """What one check needs: all workflows to which a file can refer, by name, and the roles."""

    sources: dict[str, Source] = field(default_factory=dict)
    roles: RoleBook = NO_ROLES

    def workflow(self, name: str) -> Workflow:
        """Returns the workflow with this name; raises Faulty if it has faults, KeyError if it is unknown."""
        source = self.sources[name]
        return load_workflow(source.text, source.file, self.roles)


@dataclass
class Report:
    """The results of a check, and the number of files."""

    files: int = 0
    faults: list[Fault] = field(default_factory=list)
    warnings: list[Fault] = field(default_factory=list)

    def __add__(self, other: Report) -> Report:
        return Report(self.files + other.files, self.faults + other.faults, self.warnings + other.warnings)


@dataclass(frozen=True)
class Kind:
    """A kind of file, recognised by the keys at its top; `check` returns the warnings or raises Faulty."""

    keys: frozenset[str]
    check: Callable[[Source, Sources], Iterable[Fault]]


def _check_workflow(source: Source, desk: Sources) -> Iterable[Fault]:
    load_workflow(source.text, source.file, desk.roles)
    return ()


def _check_roles(source: Source, _desk: Sources) -> Iterable[Fault]:
    load_roles(source.text, source.file)
    return ()


def _check_rules(source: Source, desk: Sources) -> Iterable[Fault]:
    name = source.reader.text("workflow")
    if not name:
        raise Faulty(source.reader.faults)
    if name not in desk.sources:
        raise Faulty([Fault(source.file, "workflow", unknown(name, list(desk.sources), WORKFLOW))])
    try:
        workflow = desk.workflow(name)
    except Faulty as error:
        sentence = Sentence("The workflow “{name}” has faults; mend those first.", name=name)
        raise Faulty([Fault(source.file, "workflow", sentence)]) from error
    return load_ruleset(source.text, source.file, workflow).warnings


def _check_calendar(source: Source, _desk: Sources) -> Iterable[Fault]:
    load_calendar(source.text, source.file)
    return ()


def _check_aliases(source: Source, _desk: Sources) -> Iterable[Fault]:
    load_aliases(source.text, source.file)
    return ()


def _check_units(source: Source, _desk: Sources) -> Iterable[Fault]:
    load_units(source.text, source.file)
    return ()


def _check_risk(source: Source, _desk: Sources) -> Iterable[Fault]:
    load_risk(source.text, source.file)
    return ()


def _check_support(source: Source, _desk: Sources) -> Iterable[Fault]:
    load_catalogue(source.text, source.file)
    return ()


KINDS: dict[str, Kind] = {
    "workflow": Kind(frozenset({"initial", "states", "transitions", "fields", "forms", "flags"}), _check_workflow),
    "rules": Kind(frozenset({"workflow", "rule", "season"}), _check_rules),
    "calendar": Kind(
        frozenset({"time_zone", "holidays", "closing", "opening", "school_days", "school_year", "break", "worked"}),
        _check_calendar,
    ),
    "units": Kind(frozenset({"unit"}), _check_units),
    "roles": Kind(ROLE_KEYS, _check_roles),
    "risk": Kind(RISK_KEYS, _check_risk),
    "support": Kind(SUPPORT_KEYS, _check_support),
    "aliases": Kind(frozenset(TABLES), _check_aliases),
}
"""Every kind of file that can be checked; the subjects that bring a kind of their own put it here."""


def kind_of(source: Source) -> Kind:
    """Returns the kind of file that has most of the keys at the top of this one; raises Faulty if none has any."""
    top = source.reader.data.keys()
    best = max(KINDS.values(), key=lambda kind: len(kind.keys & top))
    if best.keys & top:
        return best
    sentence = Sentence("This is no file of a kind known here: {kinds}.", kinds=list(KINDS))
    raise Faulty([Fault(source.file, "", sentence)])


def check_files(
    paths: Iterable[Path], beside: Iterable[Iterable[Path]] = (), instance: Path = ROOT / "instance"
) -> Report:
    """Checks these files; rules find their workflow among them, else in the first of `beside`.

    The roles that they may name are those of an installation's folder, with the role files among `paths` in place of
    those with the same name.
    """
    report = Report()
    sources = list(_read(paths, report.faults))
    shelves = [sources, *(list(_read(shelf, [])) for shelf in beside)]
    workflows = {source.name: source for shelf in reversed(shelves) for source in _workflows(shelf)}
    desk = Sources(workflows, _roles(sources, instance, report.faults))
    for source in sources:
        try:
            report.warnings.extend(kind_of(source).check(source, desk))
        except Faulty as error:
            report.faults.extend(error.faults)
    report.files = len(sources)
    return report


def _roles(sources: Iterable[Source], instance: Path, faults: list[Fault]) -> RoleBook:
    """The roles that files may name: those of the installation, if the files on trial do not say otherwise."""
    try:
        texts = {Path(file).name: (file, text) for file, text in role_texts(instance).items()}
    except Faulty:  # reported when the file itself is checked
        texts = {}
    for source in sources:
        with suppress(Faulty):
            if kind_of(source) is KINDS["roles"]:
                texts[Path(source.file).name] = source.file, source.text
    trees: dict[str, Roles] = {}
    for file, text in texts.values():
        with suppress(Faulty):
            trees[file] = load_roles(text, file)
    if len(trees) == len(texts):
        faults += check_together(trees)
    return book_of(trees.values())


def _read(paths: Iterable[Path], faults: list[Fault]) -> Iterator[Source]:
    for path in paths:
        try:
            yield Source(str(path), read_text(path))
        except Faulty as error:
            faults += error.faults


def _workflows(sources: Iterable[Source]) -> Iterator[Source]:
    for source in sources:
        try:
            if kind_of(source) is KINDS["workflow"]:
                yield source
        except Faulty:
            continue  # reported when the file itself is checked


def files_below(folders: Iterable[Path]) -> list[Path]:
    """Returns the TOML files in these folders and below, in order."""
    return [path for folder in folders for path in sorted(folder.rglob("*.toml"))]


def expanded(paths: Iterable[Path]) -> list[Path]:
    """Returns the files themselves, and for a folder those below it."""
    return [file for path in paths for file in (files_below([path]) if path.is_dir() else [path])]
