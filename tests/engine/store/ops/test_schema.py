"""A database that is in use is brought to the newest schema with all that is in it."""

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import delete, select, text
from sqlalchemy.exc import IntegrityError

from engine.store import tables as t
from engine.store.cases.search import pupils_named
from engine.store.ops import schema
from tests.stage import Stage, stage

__all__ = ["stage"]  # a fixture

ONE_CODE_IN_ALL = "0016"  # the last schema in which a code was unique in the whole system


def go_back(stage: Stage, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    config.attributes["engine"] = stage.store.engine
    command.downgrade(config, revision)


def give_the_code(stage: Stage, name: str) -> None:
    with stage.store.writing("test") as session:
        session.get_one(t.Pupil, stage.cast.pupils[name]).code = "pupil"


def test_codes_that_were_unique_in_all_become_unique_in_a_school_and_nothing_is_lost(stage: Stage) -> None:
    code = stage.open()
    with stage.store.writing("test") as session:
        for one in session.scalars(select(t.Pupil)):
            one.search_key = "a tim" if one.code == "boarder" else one.search_key
    go_back(stage, ONE_CODE_IN_ALL)
    with pytest.raises(IntegrityError):
        give_the_code(stage, "outsider_pupil")
    schema.upgrade(stage.store)
    give_the_code(stage, "outsider_pupil")
    with pytest.raises(IntegrityError):
        give_the_code(stage, "classmate")
    with stage.store.reading("test") as session:
        assert len(session.scalars(select(t.Pupil.id)).all()) == len(stage.cast.pupils)
        assert session.execute(pupils_named(session, ["tim"])).scalars().all() == [stage.cast.pupils["boarder"]]
    assert stage.case(code).pupil_id == stage.cast.pupils["pupil"]
    with stage.store.writing("test") as session:  # names are found as they are now, and keys of others hold
        session.get_one(t.Pupil, stage.cast.pupils["boarder"]).search_key = "a khac han"
    with stage.store.reading("test") as session:
        assert session.execute(pupils_named(session, ["tim"])).scalars().all() == []
        if stage.store.is_sqlite:
            assert session.execute(text("PRAGMA foreign_key_check")).all() == []
    with pytest.raises(IntegrityError), stage.store.writing("test") as session:
        session.execute(delete(t.Pupil).where(t.Pupil.id == stage.cast.pupils["pupil"]))
