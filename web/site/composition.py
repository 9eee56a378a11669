"""The composition root: reads and checks the files that people write, and makes the definitions of the context.

Shipped files are in the packages `workflows` and `rules`, an installation's own in `instance/workflows` and
`instance/rules`. An own workflow, rule set or calendar replaces the shipped one with the same name, an own role file
the shipped one with the same file name. The database stores each text by version: a case keeps the version with which
it began, and a version never changes.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TypeVar

from engine.channels.outbox import make_outbox
from engine.core.calendar import Calendar, load_calendar, merge
from engine.core.cases.definitions import Definitions
from engine.core.people.role_reader import load_roles
from engine.core.people.roles import NO_ROLES, RoleBook, book_of
from engine.core.rules.model import RuleSet
from engine.core.rules.reader import load_ruleset
from engine.core.words import Fault, Faulty, Sentence
from engine.core.workflow.model import Workflow
from engine.core.workflow.reader import load_workflow
from engine.store.ops import definition_texts
from engine.store.ops.definition_texts import DefinitionText
from engine.store.session import Store, open_store
from engine.usecases.context import Context
from engine.usecases.ops.keep_definitions import keep_definitions
from web.site.definition_files import FOLDERS, KINDS, Source, files_below, kind_of
from web.site.files import read_text
from web.site.read_lists import read_aliases, read_risk, read_support
from web.site.read_roles import read_roles
from web.site.settings import Settings

T = TypeVar("T")
EVERYWHERE = ""  # the "province" of the calendar for all provinces that have none


@dataclass
class Read:
    """The contents of the files, by name, and all that is wrong with them."""

    roles: RoleBook = NO_ROLES
    workflows: dict[str, tuple[Source, Workflow]] = field(default_factory=dict)
    rulesets: dict[str, tuple[Source, RuleSet]] = field(default_factory=dict)
    calendars: dict[str, tuple[Source, Calendar]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def attempt(self, make: Callable[[], T]) -> T | None:
        """Returns the result of `make`, or None with its faults noted."""
        try:
            return make()
        except Faulty as error:
            self.faults.extend(error.faults)
            return None


def build_context(settings: Settings, now: dt.datetime, store: Store | None = None) -> Context:
    """Makes everything that the use cases need, on a migrated database.

    Raises Faulty with the faults of all files at once, among them a version whose text has changed.
    """
    read = read_files(settings.instance)
    store = store or open_store(settings.database_url)
    kept = _keep(store, read, now)
    definitions = None if read.faults else _definitions(read, kept, store)
    if read.faults or definitions is None:
        raise Faulty(read.faults)
    return Context(
        store,
        definitions,
        aliases=read_aliases(settings.instance),
        risk=read_risk(settings.instance),
        support=read_support(settings.instance),
        outbox=make_outbox(settings.outbox, settings.instance),
        limits=settings.limits,
    )


def read_files(instance: Path) -> Read:
    """Reads the workflows, rules and calendars, shipped and from the instance folder, and their faults."""
    read = Read()
    book = read.attempt(lambda: read_roles(instance))
    if book is None:  # every workflow and rule set would name roles that nobody knows
        return read
    read.roles = book
    shelves = [[(_kind(source, read), source) for source in shelf] for shelf in (_shipped(), _own(instance, read))]
    for kind, take in (("workflow", _take_workflow), ("rules", _take_rules), ("calendar", _take_calendar)):
        for shelf in shelves:
            found: dict[str, str] = {}
            for its_kind, source in shelf:
                if its_kind == kind and (name := take(read, source)):
                    _once(read, source, name, found)
    if not read.calendars:
        read.faults.append(Fault("rules/calendars", "", Sentence("There must be at least one calendar.")))
    return read


def _shipped() -> Iterator[Source]:
    for folder in FOLDERS:
        yield from _below(files(folder), folder)


def _below(folder: Traversable, name: str) -> Iterator[Source]:
    for path in sorted(folder.iterdir(), key=lambda path: path.name):
        if path.is_dir():
            yield from _below(path, f"{name}/{path.name}")
        elif path.name.endswith(".toml"):
            yield Source(f"{name}/{path.name}", path.read_text(encoding="utf-8"))


def _own(instance: Path, read: Read) -> Iterator[Source]:
    for path in files_below(instance / folder for folder in FOLDERS):
        file = str(path.relative_to(instance.parent))
        text = read.attempt(lambda: read_text(path, file))  # noqa: B023 - called at once
        if text is not None:
            yield Source(file, text)


def _kind(source: Source, read: Read) -> str:
    """Returns which of KINDS the file is; "" if none: other subjects read their own files."""
    if read.attempt(lambda: source.reader) is None:
        return ""
    with suppress(Faulty):
        kind = kind_of(source)
        return next(name for name, known in KINDS.items() if known is kind)
    return ""


def _take_workflow(read: Read, source: Source) -> str:
    workflow = read.attempt(lambda: load_workflow(source.text, source.file, read.roles))
    if workflow is None:
        return ""
    read.workflows[workflow.name] = (source, workflow)
    return workflow.name


def _take_rules(read: Read, source: Source) -> str:
    name = source.reader.data.get("workflow")
    if name not in read.workflows:
        sentence = Sentence("There is no sound workflow “{name}” that these rules could be for.", name=name)
        read.faults.append(Fault(source.file, "workflow", sentence))
        return ""
    ruleset = read.attempt(lambda: load_ruleset(source.text, source.file, read.workflows[name][1]))
    if ruleset is None:
        return ""
    read.rulesets[name] = (source, ruleset)
    return ruleset.workflow


def _take_calendar(read: Read, source: Source) -> str:
    calendar = read.attempt(lambda: load_calendar(source.text, source.file))
    if calendar is None:
        return ""
    read.calendars[calendar.name] = (source, calendar)
    return calendar.name


def _once(read: Read, source: Source, name: str, found: dict[str, str]) -> None:
    """Checks that a name comes only once in a folder; `found` names the files that were taken."""
    if name in found:
        sentence = Sentence("“{name}” stands in {file} already.", name=name, file=found[name])
        read.faults.append(Fault(source.file, "", sentence))
    found[name] = source.file


def _keep(store: Store, read: Read, now: dt.datetime) -> list[DefinitionText]:
    """Stores what is new and returns all stored texts; a version with another text than before is a fault."""
    new = [
        *(DefinitionText("workflow", name, it.version, it.text) for name, (_, it) in read.workflows.items()),
        *(DefinitionText("rules", name, it.version, it.text) for name, (_, it) in read.rulesets.items()),
        *(DefinitionText("roles", it.name, it.version, it.text) for it in read.roles.trees),
    ]
    calendars = [DefinitionText("calendar", name, 0, source.text) for name, (source, _) in read.calendars.items()]
    if read.faults:
        return []
    for definition in keep_definitions(store, new, calendars, now):
        shelf: Mapping[str, tuple[Source, object]] = read.workflows if definition.kind == "workflow" else read.rulesets
        file = f"rules/roles/{definition.name}" if definition.kind == "roles" else shelf[definition.name][0].file
        sentence = Sentence(
            "Version {version} of “{name}” was in use with another text: give the file a new version number.",
            version=definition.version,
            name=definition.name,
        )
        read.faults.append(Fault(file, "version", sentence))
    with store.reading("the definitions that were ever kept") as session:
        return definition_texts.kept(session, ("workflow", "rules", "roles"))


def _definitions(read: Read, kept: list[DefinitionText], store: Store) -> Definitions:
    workflows = {(name, it.version): it for name, (_, it) in read.workflows.items()}
    rulesets = {(name, it.version): it for name, (_, it) in read.rulesets.items()}
    roles = _ever_used(read.roles, kept)
    for old in kept:
        key = (old.name, old.version)
        if old.kind == "workflow" and key not in workflows:
            _recall(read, store, old, lambda: load_workflow(old.text, _title(old), roles), workflows)  # noqa: B023 - called at once
    for old in kept:
        if old.kind == "rules" and (old.name, old.version) not in rulesets:
            _recall(read, store, old, lambda: _old_rules(old, workflows), rulesets)  # noqa: B023 - called at once
    return Definitions(workflows, rulesets, _calendars(read), _current(read), roles)


def _ever_used(roles: RoleBook, kept: list[DefinitionText]) -> RoleBook:
    """The roles of now, and the names of those that only an earlier version of a file had: history tells them."""
    earlier = []
    for old in kept:
        if old.kind == "roles":
            with suppress(Faulty):  # a file of an earlier program
                earlier.append(load_roles(old.text, _title(old)))
    return book_of(roles.trees, reversed(earlier))


def _recall(
    read: Read, store: Store, old: DefinitionText, load: Callable[[], T], into: dict[tuple[str, int], T]
) -> None:
    """Loads an earlier version; that it cannot be read any more matters only while open cases run on it."""
    try:
        into[old.name, old.version] = load()
    except Faulty as error:
        if definition_texts.in_use(store, old):
            read.faults.extend(error.faults)


def _title(old: DefinitionText) -> str:
    return f"{old.kind} {old.name}, version {old.version}"


def _old_rules(old: DefinitionText, workflows: Mapping[tuple[str, int], Workflow]) -> RuleSet:
    """Loads rules from the database, checked against the newest version of their workflow that they fit."""
    versions = sorted((key for key in workflows if key[0] == old.name), reverse=True)
    for key in versions[:-1]:
        with suppress(Faulty):
            return load_ruleset(old.text, _title(old), workflows[key])
    return load_ruleset(old.text, _title(old), workflows[versions[-1]])


def _current(read: Read) -> dict[str, tuple[int, int]]:
    """Returns the versions with which new cases begin."""
    current = {}
    for name, (source, workflow) in read.workflows.items():
        if name in read.rulesets:
            current[name] = (workflow.version, read.rulesets[name][1].version)
        else:
            sentence = Sentence("There are no rules for the workflow “{name}”.", name=name)
            read.faults.append(Fault(source.file, "name", sentence))
    return current


def _calendars(read: Read) -> dict[str, Calendar]:
    """Returns one calendar for each province, its school years joined; other provinces use the calendar without a
    province.
    """
    by_province = defaultdict(list)
    for _, calendar in read.calendars.values():
        by_province[calendar.province or EVERYWHERE].append(calendar)
    found = {province: read.attempt(lambda: merge(those)) for province, those in by_province.items()}  # noqa: B023 - called at once
    calendars = {province: calendar for province, calendar in found.items() if calendar}
    return {EVERYWHERE: next(iter(calendars.values())), **calendars} if calendars else {}
