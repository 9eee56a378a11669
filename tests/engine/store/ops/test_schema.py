"""A database that is in use is brought to the newest schema with all that is in it."""

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import delete, select, text
from sqlalchemy.exc import IntegrityError

from engine.store import tables as t
from engine.store.cases.search import pupils_named
from engine.store.ops import schema
from engine.usecases.calendar.closures import announce_closure
from tests.installation import MONDAY, CastInstallation, at, installed

__all__ = ["installed"]  # a fixture

ONE_CODE_IN_ALL = "0016"  # the last schema in which a code was unique in the whole system


def go_back(installed: CastInstallation, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    config.attributes["engine"] = installed.store.engine
    command.downgrade(config, revision)


def give_the_code(installed: CastInstallation, name: str) -> None:
    with installed.store.writing("test") as session:
        session.get_one(t.Pupil, installed.cast.pupils[name]).code = "pupil"


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


def test_offices_and_harvests_go_when_an_earlier_program_would_take_them_for_days_without_class(
    installed: CastInstallation,
) -> None:
    code, plan = installed.open(), {"first_day": at(MONDAY).date(), "last_day": at(MONDAY).date(), "reason": "x"}
    for what in ("class", "office", "harvest"):
        unit = installed.cast.units["commune"]
        announce_closure(installed.context, None, unit_id=unit, what=what, now=at(MONDAY), **plan)
    go_back(installed, "0019")
    schema.upgrade(installed.store)
    with installed.store.reading("test") as session:
        assert session.scalars(select(t.Closure.what)).all() == ["class"]
        assert session.scalars(select(t.ClosureAct.kind)).all() == ["announced"]
    assert installed.case(code).state == "absent"
