"""Whose right it is by which somebody acts who stands in for others."""

import datetime as dt

from engine.core.cases.act import Act
from engine.store.cases import verify
from engine.store.session import Store
from engine.store.simulation import seed
from engine.usecases.calendar import closures
from engine.usecases.cases import case_acts, difficulties
from tests.playing import CONTACT, Playing, at, playing


def lent(here: Playing, absent: str, delegate: str, day: str = "2026-03-02") -> None:
    """A member of the cast is away for the month; another one acts meanwhile."""
    people, first = here.installed.people, dt.date.fromisoformat(day)
    with here.context.store.writing("test") as session:
        seed.send_away(session, people[absent], first, dt.date(2026, 3, 31), people[delegate])


def said_for(here: Playing, code: str) -> list[tuple[str, str | None, int | None]]:
    return [(it.kind, it.role, it.data.get("for")) for it in here.events(code) if it.person_id]


def test_an_act_by_the_right_of_somebody_away_keeps_whose_right_it_was(store: Store) -> None:
    here = playing(store)
    lent(here, "commune_officer", "teacher")
    away = here.installed.people["commune_officer"]
    code = here.open("2026-03-03 08:00")
    here.step(code, "2026-03-03 09:00", "teacher", "ask_commune", note="Nhà xa")
    here.accept(code, "2026-03-03 10:00", "teacher")
    here.step(code, "2026-03-03 11:00", "teacher", "refer_support", need="Áo ấm", hand_over_at="Trường")
    case_acts.note(
        here.context, Act(here.viewer("teacher", at("2026-03-03 12:00")), code, {"note": "Ghi"}, at("2026-03-03 12:00"))
    )
    assert said_for(here, code) == [
        ("opened", "teacher", None),
        ("ask_commune", "teacher", None),
        ("accepted", "commune_officer", away),
        ("refer_support", "commune_officer", away),
        ("noted", "teacher", None),  # who may do it by a post of their own does it by that
    ]
    assert list(verify.breaks(store)) == []


def test_who_has_the_post_too_acts_by_their_own_right(store: Store) -> None:
    here = playing(store)
    lent(here, "teacher", "head")
    code = here.open("2026-03-03 08:00", "head")
    here.step(code, "2026-03-03 09:00", "head", "contact", **CONTACT)
    assert said_for(here, code) == [("opened", "head", None), ("contact", "head", None)]
    with store.writing("test") as session:
        seat = ("commune_officer", here.installed.units["village"])
        seed.appoint(session, here.installed.people["head"], [seat], dt.date(2026, 1, 1))
    lent(here, "commune_officer", "head")
    here.step(code, "2026-03-03 10:00", "head", "ask_commune", note="Nhà xa")
    here.accept(code, "2026-03-03 11:00", "head")
    assert said_for(here, code)[-1] == ("accepted", "commune_officer", None)


def test_of_two_who_are_away_it_is_the_one_who_has_the_case(store: Store) -> None:
    here = playing(store)
    people, seat = here.installed.people, ("commune_officer", here.installed.units["village"])
    with store.writing("test") as session:
        seed.appoint(session, people["outsider_head"], [seat], dt.date(2026, 1, 1))
    code = here.open("2026-03-03 08:00")
    here.step(code, "2026-03-03 09:00", "teacher", "ask_commune", note="Nhà xa")
    here.accept(code, "2026-03-03 10:00", "outsider_head")
    lent(here, "commune_officer", "volunteer", "2026-03-04")
    lent(here, "outsider_head", "volunteer", "2026-03-04")
    here.step(code, "2026-03-04 09:00", "volunteer", "refer_support", need="Áo ấm", hand_over_at="Trường")
    assert said_for(here, code)[-1] == ("refer_support", "commune_officer", people["outsider_head"])


def test_a_stand_in_reaches_what_both_reach_and_nothing_more(store: Store) -> None:
    here = playing(store)
    own, other = (here.viewer(who, at("2026-03-03 08:00")) for who in ("education_office", "outsider_teacher"))
    lent(here, "outsider_teacher", "education_office")
    both = here.viewer("education_office", at("2026-03-03 08:00"))
    assert both.parts == (own, other)
    assert both.units == {**own.units, **other.units}
    assert both.areas == own.areas
    assert own.parts == ()


def test_a_closure_entered_by_a_stand_in_says_in_the_cases_it_moves_for_whom(store: Store) -> None:
    here = playing(store)
    code, moment = here.open("2026-03-03 08:00"), at("2026-03-03 09:00")
    lent(here, "head", "volunteer")
    closures.announce_closure(
        here.context,
        here.viewer("volunteer", moment),
        unit_id=here.installed.units["school"],
        now=moment,
        first_day=dt.date(2026, 3, 4),
        last_day=dt.date(2026, 3, 6),
        reason="Lũ quét",
    )
    assert said_for(here, code)[-1] == ("recounted", "head", here.installed.people["head"])


def test_the_answer_to_a_difficulty_keeps_it_too(store: Store) -> None:
    here = playing(store)
    code = here.open("2026-03-03 08:00")
    lent(here, "head", "volunteer")
    moment = at("2026-03-03 09:00")
    words = {"difficulty_kind": "other", "difficulty_words": "Nhà ngập"}
    difficulties.raise_difficulty(here.context, Act(here.viewer("teacher", moment), code, words, moment))
    answer = {"difficulty_answer": "decided", "difficulty_reply": "Trường lo"}
    difficulties.answer(here.context, Act(here.viewer("volunteer", moment), code, answer, moment), 2)
    assert said_for(here, code)[1:] == [
        ("difficulty_raised", "teacher", None),
        ("difficulty_decided", "head", here.installed.people["head"]),
    ]
