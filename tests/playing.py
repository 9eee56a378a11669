"""A context on the shipped workflow, rules and calendar, with the cast of `engine.core.scenario.cast` in it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from engine.core.calendar import load_calendar
from engine.core.cases.act import Act
from engine.core.cases.definitions import Definitions
from engine.core.cases.facts import Facts
from engine.core.cases.past import PastEvent
from engine.core.people.access import Viewer
from engine.core.rules.reader import load_ruleset
from engine.core.workflow.reader import load_workflow
from engine.jobs.sweep import run_due
from engine.store.cases.cases import earliest_look, find_case
from engine.store.cases.history import events_of
from engine.store.people.staff import viewer_of
from engine.store.session import Store
from engine.store.simulation import seed
from engine.usecases.cases import case_acts, corrections
from engine.usecases.context import Context
from tests.shipped_roles import ROLES

ROOT = Path(__file__).parent.parent
WORKFLOW = (ROOT / "workflows" / "dropout.toml").read_text(encoding="utf-8")
# Without the seasons: tests play in March 2026, in the weeks after Tết, and count plain days.
RULES = (ROOT / "rules" / "dropout.toml").read_text(encoding="utf-8").partition("[[season]]")[0]
_CALENDAR = ROOT / "rules" / "calendars" / "quang-ngai-2025-26.toml"
CALENDAR = load_calendar(_CALENDAR.read_text(encoding="utf-8"), "calendar")
OPENING = {"absent_since": "2026-03-02", "causes": ["harvest"]}
CONTACT = {"contact_way": "phone", "reached": False, "note": "Máy bận"}


def at(text: str) -> dt.datetime:
    """A local moment, such as "2026-03-02 08:00"."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=CALENDAR.zone).astimezone(dt.UTC)


def definitions(workflow: str = WORKFLOW, rules: str = RULES) -> Definitions:
    """The definitions of one workflow text and one rules text."""
    flow = load_workflow(workflow, "dropout.toml", ROLES)
    ruleset = load_ruleset(rules, "rules.toml", flow)
    return Definitions(
        {(flow.name, flow.version): flow},
        {(flow.name, ruleset.version): ruleset},
        {"": CALENDAR},
        {flow.name: (flow.version, ruleset.version)},
        ROLES,
    )


@dataclass
class Playing:
    """The context, the cast in its database, and what people of the cast do."""

    context: Context
    installed: seed.Seeded

    def viewer(self, member: str, now: dt.datetime) -> Viewer:
        with self.context.store.reading("test") as session:
            return viewer_of(session, self.installed.people[member], CALENDAR.local(now).date(), ROLES)

    def open(self, now: str, member: str = "teacher", pupil: str = "pupil", **values: Any) -> str:
        moment = at(now)
        return case_acts.open_case(
            self.context,
            self.viewer(member, moment),
            self.installed.pupils[pupil],
            {**OPENING, "confirm": True, **values},
            moment,
        )

    def step(self, code: str, now: str, member: str, name: str, **values: Any) -> None:
        case_acts.step(self.context, Act(self.viewer(member, at(now)), code, values, at(now)), name)

    def accept(self, code: str, now: str, member: str) -> None:
        case_acts.accept(self.context, Act(self.viewer(member, at(now)), code, {}, at(now)))

    def put_right(
        self, code: str, now: str, member: str, how: Callable[[Context, Act, int], None], entry: int, **values: Any
    ) -> None:
        """Corrects or withdraws an entry."""
        filled = {**values, "correction_reason": "Ghi nhầm"}
        how(self.context, Act(self.viewer(member, at(now)), code, filled, at(now)), entry)

    def undo(self, code: str, now: str, member: str) -> None:
        """Takes back the last act."""
        corrections.undo(self.context, Act(self.viewer(member, at(now)), code, {}, at(now)))

    def vacate(self, member: str, day: str) -> None:
        """Ends the posts of a member of the cast on a day."""
        with self.context.store.writing("test") as session:
            seed.vacate(session, self.installed.seats(member), dt.date.fromisoformat(day))

    def pass_to(self, now: str) -> None:
        """Lets time pass; the worker sweeps whenever something is due."""
        while (due := self._next()) is not None and due <= at(now):
            run_due(self.context, due)

    def _next(self) -> dt.datetime | None:
        with self.context.store.reading("test") as session:
            return earliest_look(session)

    def facts(self, code: str) -> Facts:
        with self.context.store.reading("test") as session:
            found = find_case(session, code)
        assert found is not None
        return found

    def events(self, code: str) -> list[PastEvent]:
        case = self.facts(code).id
        with self.context.store.reading("test") as session:
            return events_of(session, [case])[case]

    def with_rules(self, text: str, workflow: str = WORKFLOW) -> Context:
        """The same context after a change of its files: new cases begin with these texts, old ones keep theirs."""
        new, old = definitions(workflow, text), self.context.definitions
        both = replace(new, workflows={**old.workflows, **new.workflows}, rulesets={**old.rulesets, **new.rulesets})
        return replace(self.context, definitions=both)


def playing(store: Store, now: str = "2026-03-02 07:00") -> Playing:
    """The cast on an empty store."""
    with store.writing("test") as session:
        installed = seed.add_cast(session, at(now))
    return Playing(Context(store, definitions()), installed)
