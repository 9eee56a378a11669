"""A database that is in use is brought to the newest schema with all that is in it."""

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import IntegrityError

from engine.core.cases.act import Act
from engine.store import tables as t
from engine.store.cases import verify
from engine.store.cases.search import pupils_named
from engine.store.ops import schema
from engine.usecases.cases import case_acts, companions, corrections
from tests.installation import CALLED, MONDAY, CastInstallation, at, installed

__all__ = ["installed"]  # a fixture

ONE_CODE_IN_ALL = "0016"  # the last schema in which a code was unique in the whole system


def config_of(installed: CastInstallation) -> Config:
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    config.attributes["engine"] = installed.store.engine
    return config


def go_back(installed: CastInstallation, revision: str) -> None:
    command.downgrade(config_of(installed), revision)


def before(installed: CastInstallation, revision: str) -> str:
    """The schema that a revision changed."""
    return str(ScriptDirectory.from_config(config_of(installed)).get_revision(revision).down_revision)


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


def test_a_list_of_companions_goes_back_and_forth_with_an_invitation_on_it(installed: CastInstallation) -> None:
    code = installed.open()
    act = Act(installed.viewer("teacher"), code, {"companion_role": "friend", "companion_name": "A Bạn"}, at(MONDAY))
    companions.add(installed.context, act)
    with installed.store.writing("test") as session:
        session.execute(update(t.Companion).values(person_id=installed.cast.people["outsider_teacher"]))
    go_back(installed, before(installed, "0025"))
    schema.upgrade(installed.store)
    with installed.store.reading("test") as session:
        assert session.execute(select(t.Companion.role, t.Companion.person_id)).all() == [("friend", None)]
    companions.take_off(
        installed.context, Act(installed.viewer("teacher"), code, {"companion_reason": "Xong"}, at(MONDAY)), 2
    )
    assert installed.kinds(code)[-1] == "companion_off"


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
