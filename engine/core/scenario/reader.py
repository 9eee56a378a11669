"""Reads scenarios: invented days, step by step, and what must be true. `engine.simulation.player` plays them.

A scenario names a workflow, rules and a calendar; the caller hands in a `Shelf` that finds them. The reader checks
everything against those three. So a misspelt state or field is a fault of the file, not an expectation that fails.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar
from zoneinfo import ZoneInfo

from engine.core.attendance.signal_reader import load_risk
from engine.core.attendance.signals import NOTHING, RiskRules
from engine.core.calendar import Calendar, load_calendar
from engine.core.invariants import Broken
from engine.core.people.role_reader import load_roles
from engine.core.people.roles import NO_ROLES, RoleBook, Roles, book_of
from engine.core.rules.model import RuleSet
from engine.core.rules.reader import load_ruleset
from engine.core.scenario.cast import MORE, MORE_PUPILS, PUPILS
from engine.core.scenario.ledger_verbs import LEDGER_VERBS
from engine.core.scenario.verbs import (
    ABOUT_ENTRIES,
    BY_ITSELF,
    EXPECTED,
    MEMBER,
    OWN_VERBS,
    KnownNames,
    entry_of,
    moment_of,
    values_of,
)
from engine.core.support.catalogue import NO_CATALOGUE, Catalogue, load_catalogue
from engine.core.toml_reader import TABLES, Reader, read_toml, unknown
from engine.core.words import Faulty, Sentence
from engine.core.workflow.model import FORM_NAMES, Workflow
from engine.core.workflow.reader import load_workflow

T = TypeVar("T")

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
KINDS: Mapping[str, Sentence] = {
    "workflow": Sentence("workflow"),
    "rules": Sentence("rules file"),
    "calendar": Sentence("calendar"),
    "risk": Sentence("file of the risk watch"),
    "roles": Sentence("role file"),
    "support": Sentence("list of kinds of support"),
}
VERB = Sentence("verb")
PUPIL = Sentence("pupil")
VERSION = Sentence("version")
STALE = "stale"


class Shelf(Protocol):
    """Finds a "workflow", "rules", a "calendar" or "roles".

    `find` returns the text and the file name for a name or path, or None; `names` returns all names.
    """

    def find(self, kind: str, name: str) -> tuple[str, str] | None: ...

    def names(self, kind: str) -> tuple[str, ...]: ...


@dataclass(frozen=True, slots=True)
class ScenarioStep:
    """One moment of a scenario (`at`, UTC): an act, if any, and what must be true afterwards.

    `values` are what is filled in (for acts on cases) or what happens (for the verbs of the system). `stale` says that
    the person saw the page before the last event happened. `expect` holds only the keys of the file.
    """

    number: int
    at: dt.datetime
    by: str | None = None
    do: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    pupil: str = "pupil"
    stale: bool = False
    expect: Mapping[str, Any] = field(default_factory=dict)
    entry: int | str = 0  # what is corrected or withdrawn
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A whole, checked scenario."""

    name: str
    file: str
    start: dt.datetime
    workflow: Workflow
    rules: RuleSet
    calendar: Calendar
    steps: tuple[ScenarioStep, ...]
    risk: RiskRules = NOTHING
    roles: RoleBook = NO_ROLES
    district: bool = False
    support: Catalogue = NO_CATALOGUE

    @property
    def more(self) -> bool:
        """Whether the scenario tells of people or pupils beyond the fixed cast."""
        told = {step.by for step in self.steps} | {step.pupil for step in self.steps}
        told |= {value for step in self.steps for value in step.values.values() if isinstance(value, str)}
        return self.district or bool(told & {*MORE, *MORE_PUPILS})


def load_scenario(text: str, file: str, shelf: Shelf) -> Scenario:
    """Returns the scenario of a TOML text.

    Args:
        text: the file's content.
        file: its name, for the faults.
        shelf: finds the workflow, rules and calendar that the file names.

    Raises:
        Faulty: lists every fault of the file and of the files it names.
    """
    reader = read_toml(text, file)
    name = reader.text("name")
    book, district = _roles(reader, shelf)
    workflow = _found(reader, shelf, "workflow", lambda text, file: load_workflow(text, file, book))
    rules = _found(reader, shelf, "rules", lambda text, file: _ruleset(text, file, workflow))
    calendar = _found(reader, shelf, "calendar", load_calendar)
    risk = _found(reader, shelf, "risk", load_risk) if "risk" in reader else NOTHING
    support = _found(reader, shelf, "support", load_catalogue) if "support" in reader else NO_CATALOGUE
    start = moment_of(reader, "start", calendar.zone if calendar else ZONE, required=True)
    known = KnownNames(workflow, rules, calendar.zone if calendar else ZONE)
    steps = _steps(reader, known, start)
    reader.close()
    if reader.faults:
        raise Faulty(reader.faults)
    if workflow is None or rules is None or calendar is None or risk is None or support is None:
        raise Broken("what is missing was told as a fault")
    return Scenario(name, file, start, workflow, rules, calendar, steps, risk, book, district, support)


def _roles(reader: Reader, shelf: Shelf) -> tuple[RoleBook, bool]:
    """Returns the roles, and whether those that the scenario names hold where communes lie in a district."""
    trees: dict[str, Roles] = {}
    for name in shelf.names("roles"):
        try:
            trees[name] = load_roles(*(shelf.find("roles", name) or ("", name)))
        except Faulty as error:
            reader.faults.extend(error.faults)
    chosen = reader.one_of("roles", trees, KINDS["roles"]) if "roles" in reader else ""
    return book_of(trees.values()), chosen in trees and trees[chosen].district


def _found(reader: Reader, shelf: Shelf, kind: str, load: Callable[[str, str], T | None]) -> T | None:
    """The definition that the key `kind` names, or None with its faults noted."""
    name = reader.text(kind)
    found = shelf.find(kind, name) if name else None
    if found is None:
        if name:
            reader.fault(kind, unknown(name, shelf.names(kind), KINDS[kind]))
        return None
    try:
        return load(*found)
    except Faulty as error:
        reader.faults.extend(error.faults)
        return None


def _ruleset(text: str, file: str, workflow: Workflow | None) -> RuleSet | None:
    return load_ruleset(text, file, workflow) if workflow else None  # a faulty workflow would only cause more faults


def _steps(reader: Reader, known: KnownNames, start: dt.datetime) -> tuple[ScenarioStep, ...]:
    tables = reader.tables("step")
    if "step" not in reader:
        reader.fault("step", Sentence("This is missing; it must be {kind}.", kind=TABLES))
    steps: list[ScenarioStep] = []
    for number, table in enumerate(tables, 1):
        step = _step(number, table, known)
        if step.at < (steps[-1].at if steps else start):
            table.fault("at", Sentence("This is earlier than what stands before it: time only goes on."))
        steps.append(step)
    return tuple(steps)


def _step(number: int, reader: Reader, known: KnownNames) -> ScenarioStep:
    at = moment_of(reader, "at", known.zone, required=True)
    do, filled = _verb(reader, known), reader.table("with")
    about = do in ABOUT_ENTRIES
    entry = entry_of((reader, filled), known) if about else 0
    reason = reader.text("reason", "") if about and "reason" in reader else ""
    return ScenarioStep(
        number,
        at,
        _by(reader, do),
        do,
        values_of(filled, do, known, at),
        reader.one_of("pupil", (*PUPILS, *MORE_PUPILS), PUPIL, default="pupil"),
        _stale(reader, do),
        _expect(reader.table("expect"), do, known),
        entry,
        reason,
    )


def _verb(reader: Reader, known: KnownNames) -> str | None:
    """Returns what is done; None if nothing is, "" if the verb is unknown."""
    if "do" not in reader:
        reader.raw("do")
        for key in ("by", "with"):
            if key in reader:
                reader.fault(key, Sentence("Nothing is done in this step; say what with `do`."))
        return None
    if known.workflow is None:
        return reader.text("do")
    verbs = (*known.workflow.transitions, *FORM_NAMES, *OWN_VERBS, *BY_ITSELF, *LEDGER_VERBS)
    return reader.one_of("do", verbs, VERB)


def _by(reader: Reader, do: str | None) -> str | None:
    if "by" in reader:
        return reader.one_of("by", MEMBER.names, MEMBER.kind)
    reader.raw("by")
    if do and do not in BY_ITSELF:
        reader.fault("by", Sentence("“{do}” is done by a person; say who with `by`.", do=do))
    return None


def _stale(reader: Reader, do: str | None) -> bool:
    if "version" not in reader:
        reader.raw("version")
        return False
    if do in {None, "open", *BY_ITSELF, *LEDGER_VERBS}:
        reader.fault("version", Sentence("Only an act on a case can be too late."))
    return bool(reader.one_of("version", (STALE,), VERSION))


def _expect(reader: Reader, do: str | None, known: KnownNames) -> dict[str, Any]:
    for key in EXPECTED:
        reader.raw(key)  # marks the key as known, so that only misspelt keys remain
    expected = {key: EXPECTED[key](reader, key, known) for key in reader.data if key in EXPECTED}
    if "refused" in expected and do is None:
        reader.fault("refused", Sentence("Nothing is done in this step, so nothing can be refused."))
    return expected
