"""A case is stored only as it follows on the version that was read: what it is, and where it stands."""

import pytest

from engine.core.cases.act import Act
from engine.core.cases.casework import SYSTEM, Actor, Casework
from engine.core.cases.changes import STORED, told_of
from engine.core.refusals import Conflict
from engine.jobs.sweep import run_due
from engine.store.cases import writer
from engine.store.cases.cases import find_case
from engine.store.cases.surroundings import casework_of
from engine.store.session import Session
from engine.usecases.cases import case_acts
from tests.installation import CALLED, OPENED, CastInstallation, at, installed

__all__ = ["installed"]

NOON = at("2026-03-02 12:00")
SOMEBODY = Actor(None, SYSTEM)


def work_on(installed: CastInstallation, session: Session, code: str) -> Casework:
    facts = find_case(session, code)
    assert facts is not None
    return casework_of(session, installed.context.definitions, facts, NOON)


def test_where_a_case_stands_is_stored_with_its_version(installed: CastInstallation) -> None:
    code = installed.open()
    with installed.store.writing("test") as session:
        work = work_on(installed, session, code)
        work.move(SOMEBODY, {"village_id": None, "grade": 3}, work.situation)
        writer.store(session, [work])
    case = installed.case(code)
    assert (case.village_id, case.grade, case.version) == (None, 3, 2)
    assert installed.kinds(code) == ["opened", "placed"]


def test_a_case_that_somebody_changed_meanwhile_is_not_placed(installed: CastInstallation) -> None:
    code, village = installed.open(), installed.cast.units["village"]
    with installed.store.reading("test") as session:
        late = work_on(installed, session, code)
        late.move(SOMEBODY, {"village_id": None}, late.situation)
    with installed.store.writing("test") as session:
        faster = work_on(installed, session, code)
        faster.write("noted", SOMEBODY, {"note": "x"})
        writer.store(session, [faster])
    with pytest.raises(Conflict), installed.store.writing("test") as session:
        writer.store(session, [late])
    assert (installed.case(code).village_id, installed.kinds(code)) == (village, ["opened", "noted"])


def test_each_event_says_what_it_changed_so_that_the_row_is_the_sum_of_its_events(installed: CastInstallation) -> None:
    code = installed.open()
    case_acts.step(installed.context, Act(installed.viewer("teacher"), code, CALLED, NOON), "contact")
    run_due(installed.context, at("2026-03-05 17:00"))
    officer = installed.viewer("commune_officer")
    case_acts.accept(installed.context, Act(officer, code, {}, at("2026-03-06 09:00")))
    row: dict[str, object] = {}
    for event in installed.events(code):
        for name, (before, after) in told_of(event.data).items():
            assert row.get(name) == before, (event.kind, name)
            row[name] = after
    case = installed.case(code)
    assert row == {name: value for name in STORED if (value := getattr(case, name)) is not None}


def test_an_event_tells_of_no_flag(installed: CastInstallation) -> None:
    teacher, pupil = installed.viewer("teacher"), installed.cast.pupils["pupil"]
    code = case_acts.open_case(installed.context, teacher, pupil, {**OPENED, "causes": ["violence"]}, NOON)
    assert installed.case(code).flags == ["safety"]
    assert "safety" not in str([event.data for event in installed.events(code)])
