"""A changed calendar file moves the open deadlines that it touches, once, and can be stopped in the middle."""

import datetime as dt
from dataclasses import replace

import pytest

from engine.core.calendar import load_calendar
from engine.core.cases.act import Act
from engine.core.cases.explain import why_of_deadline, why_of_event
from engine.store.cases.surroundings import SurroundingsReader
from engine.store.cases.verify import breaks
from engine.store.ops import definition_texts
from engine.store.ops.definition_texts import DefinitionText
from engine.store.session import Store
from engine.usecases.calendar.recount import Recounted, recount_changed, recount_deadlines
from engine.usecases.cases.difficulties import raise_difficulty
from engine.usecases.context import Context
from tests.playing import CONTACT, ROOT, Playing, at, playing

TEXT = (ROOT / "rules" / "calendars" / "quang-ngai-2025-26.toml").read_text(encoding="utf-8")
OFF = """
[[closed]]
name = { vi = "Lễ của tỉnh", en = "A day of the province" }
day  = 2026-03-11
confirmed = false
source = "Báo, 1/3/2026"
"""
NOW = "2026-03-10 09:00"


def changed(here: Playing, text: str = TEXT + OFF) -> Context:
    """The context of a process that has read another calendar file."""
    calendar = load_calendar(text, "calendar")
    return replace(here.context, definitions=replace(here.context.definitions, calendars={"": calendar}))


def in_contact(here: Playing, pupil: str = "pupil") -> str:
    code = here.open("2026-03-09 07:00", pupil=pupil)
    here.step(code, "2026-03-09 08:00", "teacher", "contact", **CONTACT)
    return code


def test_a_changed_file_moves_the_open_deadlines_it_touches_and_is_counted_once(store: Store) -> None:
    here = playing(store)
    code = in_contact(here)
    recount_changed(here.context, at(NOW))
    assert here.facts(code).due_at == at("2026-03-12 17:00")
    new = changed(here)
    assert recount_changed(new, at(NOW)) == Recounted(1, 1, True)
    facts = here.facts(code)
    assert (facts.due_at, facts.next_look_at) == (at("2026-03-13 17:00"), at("2026-03-13 17:00"))
    assert recount_changed(new, at(NOW)) is None
    assert recount_deadlines(new, at(NOW)) == Recounted(1, 0, True)  # asked for by hand: nothing is left to move
    assert [event.kind for event in here.events(code)] == ["opened", "contact", "recounted"]
    assert list(breaks(store)) == []


def test_page_and_explain_say_what_the_sweep_will_do_and_which_days_are_not_confirmed(store: Store) -> None:
    here = playing(store)
    code, new = in_contact(here), changed(here)
    recount_changed(new, at(NOW))
    facts, event = here.facts(code), here.events(code)[-1]
    with store.reading("test") as session:
        reader = SurroundingsReader(session, new.definitions, at(NOW))
        reader.fetch([facts])
        situation = reader.situation(facts)
        deadline = why_of_deadline(situation, facts)
        moved = why_of_event(new.definitions, facts, situation.surroundings, event.data)
    assert deadline is not None
    assert moved is not None
    assert [line.in_("en") for line in deadline.lines()][-5:] == [
        "10/03/2026: counted",
        "11/03/2026: not counted, A day of the province (not confirmed)",
        "12/03/2026: counted",
        "13/03/2026: counted",
        "A day of the province is not confirmed yet. Source: Báo, 1/3/2026",
    ]
    assert [line.in_("en") for line in moved.lines()] == [
        "The calendar has changed.",
        "The deadline was 17:00 12/03/2026; now it is 17:00 13/03/2026.",
    ]


def test_a_recount_that_was_stopped_goes_on_where_it_was(store: Store) -> None:
    here = playing(store)
    codes = [in_contact(here, pupil) for pupil in ("pupil", "classmate", "boarder")]
    new, told = changed(here), list[Recounted]()
    assert not recount_deadlines(new, at(NOW), stop=lambda: bool(told), progress=told.append, batch=2).done
    assert [here.facts(code).due_at for code in codes] == [
        at("2026-03-13 17:00"),
        at("2026-03-13 17:00"),
        at("2026-03-12 17:00"),
    ]
    assert recount_changed(new, at(NOW)) == Recounted(3, 3, True)
    assert {here.facts(code).due_at for code in codes} == {at("2026-03-13 17:00")}


def test_a_process_with_earlier_files_does_not_count_back(store: Store) -> None:
    here = playing(store)
    code, new = in_contact(here), changed(here)
    with store.writing("test") as session:
        for text in (TEXT, TEXT + OFF):
            kept = DefinitionText("calendar", "quang-ngai-2025-26", 0, text)
            definition_texts.keep_calendars(session, [kept], at(NOW))
            session.flush()
    recount_changed(new, at(NOW))
    assert recount_changed(here.context, at(NOW)) is None
    assert here.facts(code).due_at == at("2026-03-13 17:00")


def test_what_waits_for_an_answer_gets_its_new_time_too(store: Store) -> None:
    here = playing(store)
    code = in_contact(here)
    act = Act(
        here.viewer("teacher", at("2026-03-09 10:00")),
        code,
        {"difficulty_kind": "road", "difficulty_words": "Cầu gãy"},
        at("2026-03-09 10:00"),
    )
    raise_difficulty(here.context, act)
    assert recount_changed(changed(here), at(NOW)) == Recounted(1, 2, True)
    assert here.events(code)[-1].data["due"] == at("2026-03-13 17:00").isoformat()


@pytest.mark.parametrize("text", [TEXT + OFF, TEXT.replace("2026-05-25", "2026-03-10"), TEXT.replace("17:00", "16:30")])
def test_a_recount_equals_a_fresh_start_with_that_file(store: Store, text: str) -> None:
    here = playing(store)
    new = changed(here, text)
    old, fresh = in_contact(here), replace_context(here, new)
    recount_deadlines(new, at(NOW))
    again = in_contact(fresh, "classmate")
    assert (here.facts(old).due_at, here.facts(old).next_look_at) == (
        here.facts(again).due_at,
        here.facts(again).next_look_at,
    )


def replace_context(here: Playing, context: Context) -> Playing:
    return Playing(context, here.installed)


def test_the_moment_of_a_recount_is_in_the_history(store: Store) -> None:
    here = playing(store)
    code = in_contact(here)
    recount_changed(changed(here), at(NOW))
    event = here.events(code)[-1]
    assert (event.at, event.person_id, event.data["because"]) == (at(NOW), None, "calendar")
    assert event.at - at("2026-03-09 08:00") > dt.timedelta(days=1)
