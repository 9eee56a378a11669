"""A database that is in use is brought to the newest schema with all that is in it."""

import datetime as dt

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from engine.store import tables as t
from engine.store.attendance import taken
from engine.store.cases.search import pupils_named
from engine.store.ops import schema
from engine.store.simulation import seed
from tests.installation import MONDAY, CastInstallation, at, installed
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
