"""A database that is in use is brought to the newest schema with all that is in it."""

import datetime as dt

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from engine.core.cases.act import Act
from engine.core.cases.facts import ASKED
from engine.store import tables as t
from engine.store.attendance import taken
from engine.store.cases import verify
from engine.store.cases.search import pupils_named
from engine.store.ops import schema
from engine.store.simulation import seed
from engine.usecases.calendar.closures import announce_closure
from engine.usecases.cases import case_acts, corrections
from tests.installation import CALLED, MONDAY, OPENED, CastInstallation, at, installed
from tests.registers import register

__all__ = ["installed"]  # a fixture

ONE_CODE_IN_ALL = "0016"  # the last schema in which a code was unique in the whole system


def go_back(installed: CastInstallation, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    config.attributes["engine"] = installed.store.engine
    command.downgrade(config, revision)


def give_the_code(installed: CastInstallation, name: str) -> None:
    with installed.store.writing("test") as session:
        session.execute(update(t.Pupil).where(t.Pupil.id == installed.cast.pupils[name]).values(code="pupil"))


def test_codes_that_were_unique_in_all_become_unique_in_a_school_and_nothing_is_lost(
    installed: CastInstallation,
) -> None:
    code = installed.open()
    with installed.store.writing("test") as session:
        for one in session.scalars(select(t.Pupil)):
            one.search_key = "a tim" if one.code == "boarder" else one.search_key
    go_back(installed, ONE_CODE_IN_ALL)
    with pytest.raises(IntegrityError):
        give_the_code(installed, "outsider_pupil")
    schema.upgrade(installed.store)
    give_the_code(installed, "outsider_pupil")
    with pytest.raises(IntegrityError):
        give_the_code(installed, "classmate")
    with installed.store.reading("test") as session:
        assert len(session.scalars(select(t.Pupil.id)).all()) == len(installed.cast.pupils)
        assert session.execute(pupils_named(session, ["tim"])).scalars().all() == [installed.cast.pupils["boarder"]]
    assert installed.case(code).pupil_id == installed.cast.pupils["pupil"]
    with installed.store.writing("test") as session:  # names are found as they are now, and keys of others hold
        session.get_one(t.Pupil, installed.cast.pupils["boarder"]).search_key = "a khac han"
    with installed.store.reading("test") as session:
        assert session.execute(pupils_named(session, ["tim"])).scalars().all() == []
        if installed.store.is_sqlite:
            assert session.execute(text("PRAGMA foreign_key_check")).all() == []
    with pytest.raises(IntegrityError), installed.store.writing("test") as session:
        session.execute(delete(t.Pupil).where(t.Pupil.id == installed.cast.pupils["pupil"]))


BEFORE_CORRECTIONS = "0019"


def test_cases_of_before_corrections_know_the_number_of_their_stay_and_can_be_put_right(
    installed: CastInstallation,
) -> None:
    code, now = installed.open(), at("2026-03-02 09:00")
    case_acts.step(installed.context, Act(installed.viewer("teacher"), code, CALLED, now), "contact")
    go_back(installed, BEFORE_CORRECTIONS)
    schema.upgrade(installed.store)
    case = installed.case(code)
    assert (case.entry, case.last_entry) == (2, 2)
    right = {**CALLED, "reached": True, "correction_reason": "Ghi nhầm"}
    corrections.correct(installed.context, Act(installed.viewer("teacher"), code, right, now), 2)
    assert installed.case(code).unreached == 0
    assert list(verify.breaks(installed.store)) == []


NO_REQUESTS = "0019"  # the last schema in which a case did not say whose turn it is


def asked(installed: CastInstallation, codes: list[str]) -> list[tuple[object, ...]]:
    return [tuple(getattr(installed.case(code), name) for name in ("code", *ASKED)) for code in codes]


def cases_of_every_kind(installed: CastInstallation) -> list[str]:
    """The codes of cases that wait for a contact, an acceptance, a visit, support, a return that holds, and nothing."""
    acts: tuple[tuple[str, tuple[tuple[str, str, dict[str, object]], ...]], ...] = (
        ("pupil", ()),
        ("classmate", (("teacher", "ask_commune", {}),)),
        ("boarder", (("teacher", "return_to_class", {"returned_on": "2026-03-02"}),)),
        ("outsider_pupil", (("outsider_teacher", "mark_error", {"reason": "Lập nhầm"}),)),
    )
    codes = []
    for pupil, steps in acts:
        teacher = "outsider_teacher" if pupil == "outsider_pupil" else "teacher"
        opened = OPENED, at("2026-03-02 08:00")
        context, viewer = installed.context, installed.viewer(teacher)
        codes.append(case_acts.open_case(context, viewer, installed.cast.pupils[pupil], *opened))
        for by, step, values in steps:
            case_acts.step(context, Act(installed.viewer(by), codes[-1], dict(values), at("2026-03-02 09:00")), step)
    return codes


def test_an_open_case_of_an_older_schema_is_asked_of_whom_it_would_be_asked_today(installed: CastInstallation) -> None:
    codes = cases_of_every_kind(installed)
    accept = Act(installed.viewer("commune_officer"), codes[1], {}, at("2026-03-02 10:00"))
    for reached in ("waiting", "accepted"):
        if reached == "accepted":
            case_acts.accept(installed.context, accept)
        before = asked(installed, codes)
        go_back(installed, NO_REQUESTS)
        schema.upgrade(installed.store)
        stays = [installed.case(code).entry for code in codes]
        assert asked(installed, codes) == [(*case[:-1], stay) for case, stay in zip(before, stays, strict=True)]
    called = Act(installed.viewer("teacher"), codes[0], CALLED, at("2026-03-02 11:00"))
    case_acts.step(installed.context, called, "contact")
    assert installed.case(codes[0]).request == "contact"


def test_the_database_refuses_an_open_case_that_asks_nothing(installed: CastInstallation) -> None:
    code = installed.open()
    for wrong in ("request = NULL", "asked_unit_id = NULL", "closed_at = opened_at"):
        with pytest.raises(IntegrityError), installed.store.writing("test") as session:
            session.execute(text(f"UPDATE cases SET {wrong} WHERE code = :code"), {"code": code})


def test_offices_and_harvests_go_when_an_earlier_program_would_take_them_for_days_without_class(
    installed: CastInstallation,
) -> None:
    code, day, unit = installed.open(), at(MONDAY).date(), installed.cast.units["commune"]
    for what in ("class", "office", "harvest"):
        announce_closure(
            installed.context, None, unit_id=unit, first_day=day, last_day=day, reason="x", what=what, now=at(MONDAY)
        )
    go_back(installed, "0019")
    schema.upgrade(installed.store)
    with installed.store.reading("test") as session:
        assert session.scalars(select(t.Closure.what)).all() == ["class"]
        assert session.scalars(select(t.ClosureAct.kind)).all() == ["announced"]
    assert installed.case(code).state == "absent"


BEFORE_SESSIONS = "0019"  # the last schema in which each present pupil had a mark


def test_what_a_list_said_becomes_marks_on_the_way_back_and_sessions_again_on_the_way_up(
    installed: CastInstallation,
) -> None:
    day, units, pupils = dt.date(2026, 2, 27), installed.cast.units, installed.cast.pupils
    with installed.store.writing("test") as session:
        taken.put(session, [taken.Taken(units["class"], day, "m", at(MONDAY), taken.ROLL)], at(MONDAY), None)
        seed.mark(session, pupils["pupil"], day, "m", "u", at(MONDAY))
    with installed.store.reading("test") as session:
        before = register(session)
    go_back(installed, BEFORE_SESSIONS)
    with installed.store.reading("test") as session:
        assert session.scalar(select(func.count()).select_from(t.Mark)) == 3
    schema.upgrade(installed.store)
    with installed.store.reading("test") as session:
        assert register(session) == before
        assert before[pupils["classmate"], day, "m"] == "p"
        found = session.execute(select(t.SessionTaken.class_id, t.SessionTaken.as_of, t.SessionTaken.source)).all()
        assert [tuple(row) for row in found] == [(units["class"], None, "marks")]
        members = session.scalars(select(t.ClassMembership)).all()
        assert {one.pupil_id: one.class_id for one in members} == {
            one.id: one.class_id for one in session.scalars(select(t.Pupil))
        }
        assert {(one.assumed, one.valid_to) for one in members} == {(True, None)}


def test_the_database_keeps_memberships_apart_and_at_most_one_open(installed: CastInstallation) -> None:
    pupil, other = installed.cast.pupils["pupil"], installed.cast.units["saturday_class"]
    row = {"pupil_id": pupil, "class_id": other, "assumed": False, "recorded_at": at(MONDAY)}
    for first, end in ((dt.date(2026, 1, 5), None), (dt.date(2025, 9, 5), dt.date(2025, 9, 6))):
        with pytest.raises(DBAPIError), installed.store.writing("test") as session:
            session.execute(insert(t.ClassMembership).values(**row, valid_from=first, valid_to=end))
