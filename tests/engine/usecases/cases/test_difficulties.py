"""Difficulties climb to who can decide: by hand, by time, past empty posts, and each move once."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import select

from engine.core.cases.act import Act
from engine.core.refusals import Conflict, NoAccess, NotAllowed, NotFound
from engine.store import tables as t
from engine.store.cases import verify
from engine.store.cases.difficulties import earliest_due
from engine.store.simulation import seed
from engine.usecases.cases import case_acts
from engine.usecases.cases.difficulties import answer, climb_due, raise_difficulty
from tests.installation import CastInstallation, at, installed

__all__ = ["installed"]

NOON = at("2026-03-02 12:00")
WORDS = {"difficulty_kind": "road", "difficulty_words": "Cầu treo hỏng"}


def raised(
    installed: CastInstallation, by: str = "teacher", now: dt.datetime = NOON, code: str = ""
) -> tuple[str, int]:
    """A case with a difficulty: its code, and the number of the difficulty."""
    code = code or installed.open()
    raise_difficulty(installed.context, Act(installed.viewer(by), code, WORDS, now))
    return code, installed.case(code).version


def answered(
    installed: CastInstallation, it: tuple[str, int], by: str, what: str, now: dt.datetime = NOON, **more: Any
) -> None:
    values = {"difficulty_answer": what, "difficulty_reply": "Đã xem"}
    answer(installed.context, Act(installed.viewer(by), it[0], values, now, **more), it[1])


def stands(installed: CastInstallation) -> tuple[str, str, str]:
    """Whose the difficulty is, until when (local), and how it was answered."""
    with installed.store.reading("test") as session:
        it = session.scalars(select(t.Difficulty)).one()
        due = installed.context.definitions.calendar("").local(it.due_at).strftime("%d/%m %H:%M") if it.due_at else ""
        return installed.cast.post(it.role, it.unit_id), due, it.answer or ""


def told(installed: CastInstallation) -> list[tuple[str, str]]:
    """Who was told of difficulties, in order."""
    with installed.store.reading("test") as session:
        query = select(t.Notice.person_id, t.Notice.kind).where(t.Notice.kind.startswith("difficulty"))
        return [(installed.cast.member(person), kind) for person, kind in session.execute(query.order_by(t.Notice.id))]


@pytest.mark.parametrize(
    ("by", "whose"),
    [
        ("teacher", "head"),
        ("head", "commune_leader"),
        ("commune_leader", "education_office"),
        ("commune_officer", "commune_leader"),
    ],
)
def test_it_goes_to_the_next_post_up_which_has_three_working_days(
    installed: CastInstallation, by: str, whose: str
) -> None:
    raised(installed, by)  # on a Monday
    assert stands(installed) == (whose, "05/03 17:00", "")
    assert told(installed) == [(whose, "difficulty_asked")]


def test_the_highest_office_raises_none_for_nobody_stands_above_it(installed: CastInstallation) -> None:
    with pytest.raises(NotAllowed, match="Nobody stands above you"):
        raised(installed, "education_office")


def test_a_post_that_is_vacant_is_passed_over_and_the_history_says_so(installed: CastInstallation) -> None:
    with installed.store.writing("test") as session:
        seed.vacate(session, installed.cast.seats("head"), dt.date(2026, 3, 1))
    code, seq = raised(installed)
    assert stands(installed)[0] == "commune_leader"
    with installed.store.reading("test") as session:
        data = session.scalars(select(t.Event.data).where(t.Event.seq == seq)).one()
    assert [(role, why) for role, _unit, why in data["passed_over"]] == [("head", "vacant")]
    assert "Cầu treo" not in str(data)  # what somebody wrote stands beside the chain
    assert installed.kinds(code)[-1] == "difficulty_raised"


def test_it_is_passed_on_upward_to_the_last_who_can_only_decide_or_return_it(installed: CastInstallation) -> None:
    it = raised(installed)
    answered(installed, it, "head", "passed_on", at("2026-03-03 09:00"))
    assert stands(installed) == ("commune_leader", "06/03 17:00", "")
    with pytest.raises(NotAllowed, match="somebody else"):
        answered(installed, it, "head", "decided")
    answered(installed, it, "commune_leader", "passed_on", at("2026-03-04 09:00"))
    with pytest.raises(NotAllowed, match="Nobody stands above this post"):
        answered(installed, it, "education_office", "passed_on", at("2026-03-04 10:00"))
    answered(installed, it, "education_office", "decided", at("2026-03-04 11:00"))
    assert stands(installed)[2] == "decided"
    assert told(installed)[-1] == ("teacher", "difficulty_answered")
    assert list(verify.breaks(installed.store)) == []


def test_what_was_answered_is_not_answered_again_and_climbs_no_more(installed: CastInstallation) -> None:
    it = raised(installed)
    answered(installed, it, "head", "returned")
    with pytest.raises(NotAllowed, match="answered already"):
        answered(installed, it, "head", "decided")
    assert climb_due(installed.context, at("2026-04-01 08:00")) == 0


def test_an_answer_that_is_sent_twice_is_given_once(installed: CastInstallation) -> None:
    it = raised(installed)
    for _ in range(2):
        answered(installed, it, "head", "decided", key="once")
    assert installed.kinds(it[0]).count("difficulty_decided") == 1


def test_who_looks_at_an_older_case_is_told_who_was_faster(installed: CastInstallation) -> None:
    it = raised(installed)
    with pytest.raises(Conflict):
        answered(installed, it, "head", "decided", version=it[1] - 1)


def test_outsiders_neither_raise_nor_answer_and_a_number_that_is_none_is_not_found(installed: CastInstallation) -> None:
    it = raised(installed)
    with pytest.raises(NoAccess):
        raised(installed, "outsider_teacher", code=it[0])
    with pytest.raises(NoAccess):
        answered(installed, it, "outsider_head", "decided")
    with pytest.raises(NotFound):
        answered(installed, (it[0], 1), "head", "decided")


def test_a_case_that_has_ended_takes_no_more_but_what_waits_is_still_answered(installed: CastInstallation) -> None:
    it = raised(installed)
    case_acts.step(
        installed.context, Act(installed.viewer("teacher"), it[0], {"reason": "Nhầm em khác"}, NOON), "mark_error"
    )
    with pytest.raises(NotAllowed, match="has ended"):
        raised(installed, code=it[0])
    answered(installed, it, "head", "returned")
    assert stands(installed)[2] == "returned"


# --- by time ----------------------------------------------------------------------------------------------------------


def test_it_climbs_by_itself_when_nobody_answers_and_stops_where_nobody_stands_higher(
    installed: CastInstallation,
) -> None:
    code, _seq = raised(installed)
    assert climb_due(installed.context, at("2026-03-05 16:59")) == 0
    assert climb_due(installed.context, at("2026-03-05 17:00")) == 1
    assert stands(installed) == ("commune_leader", "10/03 17:00", "")  # Friday, Monday, Tuesday
    assert climb_due(installed.context, at("2026-03-10 17:00")) == 1
    assert stands(installed) == ("education_office", "13/03 17:00", "")
    assert climb_due(installed.context, at("2026-03-13 17:00")) == 1
    assert stands(installed) == ("education_office", "", "")
    assert climb_due(installed.context, at("2026-06-01 17:00")) == 0
    assert installed.kinds(code).count("difficulty_climbed") == 3
    assert told(installed) == [
        ("head", "difficulty_asked"),
        ("commune_leader", "difficulty_late"),
        ("education_office", "difficulty_late"),
        ("education_office", "difficulty_late"),
    ]
    assert list(verify.breaks(installed.store)) == []


def test_a_worker_that_was_down_lets_it_climb_one_step_not_all_at_once(installed: CastInstallation) -> None:
    raised(installed)
    assert climb_due(installed.context, at("2026-03-30 08:00")) == 1
    assert stands(installed) == ("commune_leader", "02/04 17:00", "")  # Tuesday, Wednesday, Thursday


def test_workers_at_the_same_time_move_each_difficulty_once(installed: CastInstallation) -> None:
    code = installed.open()
    for _ in range(5):
        raised(installed, code=code)
    moment = at("2026-03-05 17:00")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: climb_due(installed.context, moment), range(4)))
    climb_due(installed.context, moment)  # what was held by another while each looked
    assert installed.kinds(code).count("difficulty_climbed") == 5
    with installed.store.reading("test") as session:
        moves = session.execute(select(t.DifficultyMove.raised_seq, t.DifficultyMove.number)).all()
    assert len(moves) == len(set(moves)) == 5


def test_where_every_post_is_empty_an_administrator_is_told_and_it_goes_on_once_one_is_filled(
    installed: CastInstallation,
) -> None:
    day = dt.date(2026, 3, 1)
    with installed.store.writing("test") as session:
        for post in ("head", "commune_leader", "education_office"):
            seed.vacate(session, installed.cast.seats(post), day)
    raised(installed)
    assert told(installed) == [("admin", "difficulty_asked")]
    assert climb_due(installed.context, at("2026-03-05 17:00")) == 0
    with installed.store.reading("test") as session:
        assert earliest_due(session) == at("2026-03-10 17:00")
    with installed.store.writing("test") as session:
        seed.appoint(session, installed.cast.people["head"], installed.cast.seats("head"), dt.date(2026, 3, 6))
    assert climb_due(installed.context, at("2026-03-10 17:00")) == 1
    assert stands(installed)[0] == "head"
