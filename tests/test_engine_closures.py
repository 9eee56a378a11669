"""Days without class: who may announce them, and the deadlines that are counted anew with an entry for each."""

import datetime as dt

import pytest
from sqlalchemy import select

from engine import cases
from engine.access import Viewer
from engine.closures import announce_closure, lift_closure
from engine.refusals import Invalid, NoAccess, NotAllowed, NotFound, Refused
from engine.store import tables as t
from engine.store import verify
from tests.stage import Stage, at, stage

__all__ = ["stage"]

NOW = at("2026-03-09 08:00")
FIRST, LAST = dt.date(2026, 3, 10), dt.date(2026, 3, 11)


def announce(stage: Stage, member: str | None, scope: str = "school", reason: str = "Bão", **days: dt.date) -> int:
    held = {"pupil_id": stage.cast.pupils["pupil"]} if scope == "pupil" else {"unit_id": stage.cast.units[scope]}
    viewer = stage.viewer(member) if member else None
    when = {"first_day": FIRST, "last_day": LAST, **days}
    return announce_closure(stage.house, viewer, reason=reason, now=NOW, **held, **when)  # type: ignore[arg-type]


def refusal(stage: Stage, member: str, scope: str) -> str:
    try:
        announce(stage, member, scope)
    except Refused as refused:
        return refused.code
    return ""


@pytest.mark.parametrize(
    ("member", "pupil", "class_", "school", "commune"),
    [
        ("teacher", "", "not_allowed", "not_allowed", "not_allowed"),
        ("head", "", "", "", "not_allowed"),
        ("commune_officer", "no_access", "no_access", "no_access", "not_allowed"),
        ("commune_leader", "", "", "", ""),
        ("volunteer", "no_access", "no_access", "no_access", "not_allowed"),
        ("education_office", "", "", "", ""),
        ("outsider_head", "no_access", "no_access", "no_access", "no_access"),
        ("outsider_education_office", "no_access", "no_access", "no_access", "no_access"),
    ],
)
def test_who_may_announce_what(stage: Stage, member: str, pupil: str, class_: str, school: str, commune: str) -> None:
    asked = {"pupil": pupil, "class": class_, "school": school, "commune": commune}
    assert {scope: refusal(stage, member, scope) for scope in asked} == asked


def test_a_recount_is_an_entry_that_says_what_moved_and_why_without_the_reason(stage: Stage) -> None:
    code = stage.open(NOW)
    closure = announce(stage, "head", "class", reason="Cả lớp bị sởi")
    with stage.store.reading("test") as session:
        event = session.scalars(select(t.Event).where(t.Event.kind == "recounted")).one()
    assert event.role == "head"
    assert event.data == {
        "because": "closure", "closure": closure, "scope": "class", "first": "2026-03-10", "last": "2026-03-11",
        "due_before": "2026-03-10T10:00:00+00:00", "due": "2026-03-12T10:00:00+00:00",
    }  # fmt: skip
    assert stage.kinds(code) == ["opened", "recounted"]
    assert list(verify.breaks(stage.store)) == []


def test_where_no_deadline_moves_there_is_no_entry(stage: Stage) -> None:
    code = stage.open(NOW)
    announce(stage, "head", first_day=dt.date(2026, 4, 1), last_day=dt.date(2026, 4, 1))
    assert stage.kinds(code) == ["opened"]


def test_closed_cases_and_those_of_others_are_left_alone(stage: Stage) -> None:
    ended, other = stage.open(NOW), stage.open(NOW, pupil="saturday_pupil")
    cases.step(stage.house, stage.viewer("head"), ended, "mark_error", {"reason": "Nhầm"}, NOW)
    announce(stage, "head", "class")
    assert (stage.kinds(ended), stage.kinds(other)) == (["opened", "mark_error"], ["opened"])


def test_more_cases_than_one_batch_are_all_counted_anew(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.store.closures.BATCH", 1)
    codes = [stage.open(NOW, pupil=pupil) for pupil in ("pupil", "classmate", "saturday_pupil")]
    announce(stage, None, "province")
    assert [stage.kinds(code) for code in codes] == [["opened", "recounted"]] * 3


def test_the_next_look_moves_with_the_deadline(stage: Stage) -> None:
    code = stage.open(NOW)
    before = stage.case(code).next_look_at
    closure = announce(stage, "teacher", "pupil")
    moved = stage.case(code).next_look_at
    lift_closure(stage.house, stage.viewer("teacher"), closure, dt.date(2026, 3, 9), NOW)
    assert (before, moved, stage.case(code).next_look_at) == (
        at("2026-03-10 17:00"), at("2026-03-12 17:00"), at("2026-03-10 17:00"),
    )  # fmt: skip


def test_a_closure_is_lifted_by_those_who_may_announce_it_and_never_made_longer(stage: Stage) -> None:
    closure = announce(stage, "head")
    with pytest.raises(NotAllowed):
        lift_closure(stage.house, stage.viewer("teacher"), closure, FIRST, NOW)
    with pytest.raises(NoAccess):
        lift_closure(stage.house, stage.viewer("outsider_head"), closure, FIRST, NOW)
    with pytest.raises(Invalid, match="The closure ends on 11/03/2026 already"):
        lift_closure(stage.house, stage.viewer("head"), closure, dt.date(2026, 3, 12), NOW)
    lift_closure(stage.house, stage.viewer("commune_leader"), closure, FIRST, NOW)
    with stage.store.reading("test") as session:
        row = session.get_one(t.Closure, closure)
        assert (row.last_day, row.lifted_at) == (FIRST, NOW)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"last_day": dt.date(2026, 3, 9)}, {"last_day": "The last day is before the first one."}),
        ({"reason": "  "}, {"reason": "Give a reason: families and offices read it."}),
        ({"reason": "x" * 201}, {"reason": "The reason is 201 characters long; 200 is the most."}),
    ],
)
def test_what_is_filled_in_wrongly_is_told_and_nothing_is_stored(
    stage: Stage, wrong: dict[str, object], said: dict[str, str]
) -> None:
    with pytest.raises(Invalid) as refused:
        announce(stage, "head", **wrong)  # type: ignore[arg-type]
    assert {name: str(sentence) for name, sentence in refused.value.fields.items()} == said
    with stage.store.reading("test") as session:
        assert session.scalars(select(t.Closure)).all() == []


def test_there_is_nothing_to_announce_for_or_to_lift(stage: Stage) -> None:
    days = {"first_day": FIRST, "last_day": LAST, "reason": "Bão", "now": NOW}
    for held in ({"unit_id": 999_999}, {"pupil_id": 999_999}):
        with pytest.raises(NotFound):
            announce_closure(stage.house, Viewer(1), **held, **days)  # type: ignore[arg-type]
    with pytest.raises(NotFound):
        lift_closure(stage.house, None, 999_999, FIRST, NOW)
