"""A case is stored only as it follows on the version that was read: what it is, and where it stands."""

import pytest

from engine.core.cases.casework import SYSTEM, Actor, Casework
from engine.core.refusals import Conflict
from engine.store.cases import writer
from engine.store.cases.cases import find_case
from engine.store.cases.surroundings import casework_of
from engine.store.session import Session
from tests.installation import CastInstallation, at, installed

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
