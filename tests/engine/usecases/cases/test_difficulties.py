"""Difficulties climb to who can decide: by hand, by time, past empty posts, and each move once."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import select

from engine.core.refusals import Conflict, NoAccess, NotAllowed, NotFound
from engine.store import tables as t
from engine.store.cases import verify
from engine.store.cases.difficulties import earliest_due
from engine.store.simulation import seed as on
from engine.usecases.cases import case_acts
from engine.usecases.cases.difficulties import answer, climb_due, raise_difficulty
from tests.stage import Stage, at, stage

__all__ = ["stage"]

NOON = at("2026-03-02 12:00")
WORDS = {"difficulty_kind": "road", "difficulty_words": "Cầu treo hỏng"}


def raised(stage: Stage, by: str = "teacher", now: dt.datetime = NOON, code: str = "") -> tuple[str, int]:
    """A case with a difficulty: its code, and the number of the difficulty."""
    code = code or stage.open()
    raise_difficulty(stage.house, stage.viewer(by), code, WORDS, now)
    return code, stage.case(code).version


def answered(stage: Stage, it: tuple[str, int], by: str, what: str, now: dt.datetime = NOON, **more: Any) -> None:
    values = {"difficulty_answer": what, "difficulty_reply": "Đã xem"}
    answer(stage.house, stage.viewer(by), *it, values, now, **more)


def stands(stage: Stage) -> tuple[str, str, str]:
    """Whose the difficulty is, until when (local), and how it was answered."""
    with stage.store.reading("test") as session:
        it = session.scalars(select(t.Difficulty)).one()
        due = stage.house.handbook.calendar("").local(it.due_at).strftime("%d/%m %H:%M") if it.due_at else ""
        return stage.cast.post(it.role, it.unit_id), due, it.answer or ""


def told(stage: Stage) -> list[tuple[str, str]]:
    """Who was told of difficulties, in order."""
    with stage.store.reading("test") as session:
        query = select(t.Notice.person_id, t.Notice.kind).where(t.Notice.kind.startswith("difficulty"))
        return [(stage.cast.member(person), kind) for person, kind in session.execute(query.order_by(t.Notice.id))]


@pytest.mark.parametrize(
    ("by", "whose"),
    [("teacher", "head"), ("head", "commune_leader"), ("commune_leader", "education_office"),
     ("commune_officer", "commune_leader")],
)  # fmt: skip
def test_it_goes_to_the_next_post_up_which_has_three_working_days(stage: Stage, by: str, whose: str) -> None:
    raised(stage, by)  # on a Monday
    assert stands(stage) == (whose, "05/03 17:00", "")
    assert told(stage) == [(whose, "difficulty_asked")]


def test_the_highest_office_raises_none_for_nobody_stands_above_it(stage: Stage) -> None:
    with pytest.raises(NotAllowed, match="Nobody stands above you"):
        raised(stage, "education_office")


def test_a_post_that_is_vacant_is_passed_over_and_the_history_says_so(stage: Stage) -> None:
    with stage.store.writing("test") as session:
        on.vacate(session, stage.cast.seats("head"), dt.date(2026, 3, 1))
    code, seq = raised(stage)
    assert stands(stage)[0] == "commune_leader"
    with stage.store.reading("test") as session:
        data = session.scalars(select(t.Event.data).where(t.Event.seq == seq)).one()
    assert [(role, why) for role, _unit, why in data["passed_over"]] == [("head", "vacant")]
    assert "Cầu treo" not in str(data)  # what somebody wrote stands beside the chain
    assert stage.kinds(code)[-1] == "difficulty_raised"


def test_it_is_passed_on_upward_to_the_last_who_can_only_decide_or_return_it(stage: Stage) -> None:
    it = raised(stage)
    answered(stage, it, "head", "passed_on", at("2026-03-03 09:00"))
    assert stands(stage) == ("commune_leader", "06/03 17:00", "")
    with pytest.raises(NotAllowed, match="somebody else"):
        answered(stage, it, "head", "decided")
    answered(stage, it, "commune_leader", "passed_on", at("2026-03-04 09:00"))
    with pytest.raises(NotAllowed, match="Nobody stands above this post"):
        answered(stage, it, "education_office", "passed_on", at("2026-03-04 10:00"))
    answered(stage, it, "education_office", "decided", at("2026-03-04 11:00"))
    assert stands(stage)[2] == "decided"
    assert told(stage)[-1] == ("teacher", "difficulty_answered")
    assert list(verify.breaks(stage.store)) == []


def test_what_was_answered_is_not_answered_again_and_climbs_no_more(stage: Stage) -> None:
    it = raised(stage)
    answered(stage, it, "head", "returned")
    with pytest.raises(NotAllowed, match="answered already"):
        answered(stage, it, "head", "decided")
    assert climb_due(stage.house, at("2026-04-01 08:00")) == 0


def test_an_answer_that_is_sent_twice_is_given_once(stage: Stage) -> None:
    it = raised(stage)
    for _ in range(2):
        answered(stage, it, "head", "decided", key="once")
    assert stage.kinds(it[0]).count("difficulty_decided") == 1


def test_who_looks_at_an_older_case_is_told_who_was_faster(stage: Stage) -> None:
    it = raised(stage)
    with pytest.raises(Conflict):
        answered(stage, it, "head", "decided", version=it[1] - 1)


def test_outsiders_neither_raise_nor_answer_and_a_number_that_is_none_is_not_found(stage: Stage) -> None:
    it = raised(stage)
    with pytest.raises(NoAccess):
        raised(stage, "outsider_teacher", code=it[0])
    with pytest.raises(NoAccess):
        answered(stage, it, "outsider_head", "decided")
    with pytest.raises(NotFound):
        answered(stage, (it[0], 1), "head", "decided")


def test_a_case_that_has_ended_takes_no_more_but_what_waits_is_still_answered(stage: Stage) -> None:
    it = raised(stage)
    case_acts.step(stage.house, stage.viewer("teacher"), it[0], "mark_error", {"reason": "Nhầm em khác"}, NOON)
    with pytest.raises(NotAllowed, match="has ended"):
        raised(stage, code=it[0])
    answered(stage, it, "head", "returned")
    assert stands(stage)[2] == "returned"


# --- by time ----------------------------------------------------------------------------------------------------------


def test_it_climbs_by_itself_when_nobody_answers_and_stops_where_nobody_stands_higher(stage: Stage) -> None:
    code, _seq = raised(stage)
    assert climb_due(stage.house, at("2026-03-05 16:59")) == 0
    assert climb_due(stage.house, at("2026-03-05 17:00")) == 1
    assert stands(stage) == ("commune_leader", "10/03 17:00", "")  # Friday, Monday, Tuesday
    assert climb_due(stage.house, at("2026-03-10 17:00")) == 1
    assert stands(stage) == ("education_office", "13/03 17:00", "")
    assert climb_due(stage.house, at("2026-03-13 17:00")) == 1
    assert stands(stage) == ("education_office", "", "")
    assert climb_due(stage.house, at("2026-06-01 17:00")) == 0
    assert stage.kinds(code).count("difficulty_climbed") == 3
    assert told(stage) == [
        ("head", "difficulty_asked"), ("commune_leader", "difficulty_late"), ("education_office", "difficulty_late"),
        ("education_office", "difficulty_late"),
    ]  # fmt: skip
    assert list(verify.breaks(stage.store)) == []


def test_a_worker_that_was_down_lets_it_climb_one_step_not_all_at_once(stage: Stage) -> None:
    raised(stage)
    assert climb_due(stage.house, at("2026-03-30 08:00")) == 1
    assert stands(stage) == ("commune_leader", "02/04 17:00", "")  # Tuesday, Wednesday, Thursday


def test_workers_at_the_same_time_move_each_difficulty_once(stage: Stage) -> None:
    code = stage.open()
    for _ in range(5):
        raised(stage, code=code)
    moment = at("2026-03-05 17:00")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: climb_due(stage.house, moment), range(4)))
    climb_due(stage.house, moment)  # what was held by another while each looked
    assert stage.kinds(code).count("difficulty_climbed") == 5
    with stage.store.reading("test") as session:
        moves = session.execute(select(t.DifficultyMove.raised_seq, t.DifficultyMove.number)).all()
    assert len(moves) == len(set(moves)) == 5


def test_where_every_post_is_empty_an_administrator_is_told_and_it_goes_on_once_one_is_filled(stage: Stage) -> None:
    day = dt.date(2026, 3, 1)
    with stage.store.writing("test") as session:
        for post in ("head", "commune_leader", "education_office"):
            on.vacate(session, stage.cast.seats(post), day)
    raised(stage)
    assert told(stage) == [("admin", "difficulty_asked")]
    assert climb_due(stage.house, at("2026-03-05 17:00")) == 0
    with stage.store.reading("test") as session:
        assert earliest_due(session) == at("2026-03-10 17:00")
    with stage.store.writing("test") as session:
        on.appoint(session, stage.cast.people["head"], stage.cast.seats("head"), dt.date(2026, 3, 6))
    assert climb_due(stage.house, at("2026-03-10 17:00")) == 1
    assert stands(stage)[0] == "head"
