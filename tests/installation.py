"""The cast of the scenarios for tests that act on the use cases directly: who asks, when, on which case."""

import datetime as dt
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

import rules
import workflows
from engine.core.calendar import load_calendar
from engine.core.cases.definitions import Definitions
from engine.core.cases.past import PastEvent
from engine.core.people.access import Viewer
from engine.core.rules.reader import load_ruleset
from engine.core.support.catalogue import Catalogue, load_catalogue
from engine.core.workflow.reader import load_workflow
from engine.store import tables as t
from engine.store.cases.history import events_of
from engine.store.people.staff import viewer_of
from engine.store.session import Store
from engine.store.simulation import seed
from engine.usecases.cases import case_acts
from engine.usecases.context import Context
from tests.shipped_roles import ROLES

HERE = ZoneInfo("Asia/Ho_Chi_Minh")
MONDAY = "2026-03-02 08:00"
OPENED = {"absent_since": "2026-02-27", "causes": ["harvest"]}
CALLED = {"contact_way": "phone", "reached": False, "note": "Máy không liên lạc được"}


def at(text: str) -> dt.datetime:
    """A local moment, such as "2026-03-02 08:00"."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=HERE).astimezone(dt.UTC)


@cache
def definitions() -> Definitions:
    """The shipped workflow and rules, without the seasons, on the calendar of the school year 2025-26."""
    workflow = load_workflow(_text(workflows, "dropout.toml"), "dropout.toml", ROLES)
    plain = _text(rules, "dropout.toml").partition("[[season]]")[0]
    ruleset = load_ruleset(plain, "dropout.toml", workflow)
    calendar = load_calendar(_text(rules, "calendars/quang-ngai-2025-26.toml"), "2025-26")
    versions = {workflow.name: (workflow.version, ruleset.version)}
    return Definitions(
        {(workflow.name, workflow.version): workflow},
        {(workflow.name, ruleset.version): ruleset},
        {"": calendar},
        versions,
        ROLES,
    )


@cache
def kinds_of_support() -> Catalogue:
    """The shipped kinds of support."""
    return load_catalogue(_text(rules, "support.toml"), "support.toml")


def _text(package: object, name: str) -> str:
    return (Path(str(package.__file__)).parent / name).read_text(encoding="utf-8")  # type: ignore[attr-defined]


@dataclass
class CastInstallation:
    """A context with the cast in its database."""

    context: Context
    cast: seed.Seeded

    @property
    def store(self) -> Store:
        return self.context.store

    def viewer(self, member: str, now: dt.datetime | None = None) -> Viewer:
        """A member of the cast as access sees them."""
        with self.store.reading("test") as session:
            return viewer_of(session, self.cast.people[member], (now or at(MONDAY)).astimezone(HERE).date(), ROLES)

    def open(self, now: dt.datetime | None = None, pupil: str = "pupil") -> str:
        """The code of a case that the teacher has just opened."""
        return case_acts.open_case(
            self.context,
            self.viewer("teacher"),
            self.cast.pupils[pupil],
            {**OPENED, "confirm": True},
            now or at(MONDAY),
        )

    def case(self, code: str) -> t.Case:
        """The case as it is stored."""
        with self.store.reading("test") as session:
            case = session.scalars(select(t.Case).where(t.Case.code == code)).one()
            session.expunge(case)
            return case

    def kinds(self, code: str) -> list[str]:
        """What happened to the case so far, in order."""
        query = select(t.Event.kind).join(t.Case, t.Case.id == t.Event.case_id).where(t.Case.code == code)
        with self.store.reading("test") as session:
            return list(session.scalars(query.order_by(t.Event.seq)))

    def events(self, code: str) -> list[PastEvent]:
        """What happened to the case so far, with what people wrote."""
        case = self.case(code).id
        with self.store.reading("test") as session:
            return events_of(session, [case])[case]


@pytest.fixture
def installed(store: Store) -> CastInstallation:
    """The cast on an empty database of either kind."""
    with store.writing("add the cast") as session:
        cast = seed.add_cast(session, at("2026-03-01 08:00"))
    return CastInstallation(Context(store, definitions()), cast)
