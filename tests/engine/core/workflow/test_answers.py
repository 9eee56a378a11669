"""Contacts and visits as answers: from when time counts after them, in words, under other rules, and after a move."""

import datetime as dt
from pathlib import Path

import pytest

from engine.core.cases.explain import explain_firing, why_of_deadline
from engine.core.rules.reader import load_ruleset
from engine.core.workflow.answers import Answer, Since, since
from engine.simulation.what_if import simulate
from engine.store.cases.surroundings import SurroundingsReader
from engine.store.cases.verify import breaks
from engine.store.session import Store
from engine.usecases.cases.migrate import migrate_cases
from tests.playing import CALENDAR, CONTACT, Playing, at, definitions
from tests.playing import RULES as NEWEST_RULES
from tests.playing import playing as playing_today

SCENARIOS = Path(__file__).parents[3] / "scenarios"
# The first workflow asks the same whatever was answered; its rules count from the contacts and visits themselves.
WORKFLOW = (SCENARIOS / "workflows" / "dropout-1.toml").read_text(encoding="utf-8")
RULES = (SCENARIOS / "rules" / "dropout-2.toml").read_text(encoding="utf-8")
FIRST_RULES = (SCENARIOS / "rules" / "dropout-1.toml").read_text(encoding="utf-8")
VISIT = {"met_whom": ["parents"], "visit_outcome": "undecided", "note": "Hẹn gặp lại"}


def close_of(day: str) -> dt.datetime:
    return at(f"{day} 17:00")


@pytest.mark.parametrize(
    ("answers", "start"),
    [
        ([], None),
        ([("2026-03-10 08:00", "")], "2026-03-10 08:00"),
        ([("2026-03-10 08:00", "2026-03-16")], "2026-03-16 17:00"),
        ([("2026-03-10 08:00", "2026-03-19")], "2026-03-19 17:00"),  # the seventh working day after it
        ([("2026-03-10 08:00", "2026-03-20")], "2026-03-19 17:00"),  # the eighth
        ([("2026-03-10 08:00", "2027-03-10")], "2026-03-19 17:00"),
        ([("2026-03-10 18:30", "2026-03-10")], "2026-03-10 18:30"),  # tonight, after the office closed
        ([("2026-04-20 08:00", "2026-05-29")], "2026-05-04 17:00"),  # 27 and 30 April and 1 May are holidays
        ([("2026-03-10 08:00", "2026-03-16"), ("2026-03-11 08:00", "")], "2026-03-16 17:00"),  # never shorter
        ([("2026-03-10 08:00", "2026-03-16"), ("2026-03-11 08:00", "2026-03-13")], "2026-03-13 17:00"),
        ([("2026-03-10 08:00", "2026-03-16"), ("2026-03-18 08:00", "")], "2026-03-18 08:00"),
        (
            [
                ("2026-03-10 08:00", "2026-03-11"),
                ("2026-03-12 08:00", "2026-03-13"),
                ("2026-03-16 08:00", "2026-03-19"),
            ],
            "2026-03-16 08:00",  # the third date puts nothing off
        ),
    ],
)
def test_time_counts_from_the_last_answer_or_from_its_next_date(
    answers: list[tuple[str, str]], start: str | None
) -> None:
    given = [
        Answer(seq, at(when), close_of(next_on) if next_on else None) for seq, (when, next_on) in enumerate(answers)
    ]
    found = since(given, CALENDAR)
    assert (found.start if found else None) == (at(start) if start else None)


def test_it_says_whether_a_date_was_too_far_off_or_one_too_many() -> None:
    near = Answer(1, at("2026-03-10 08:00"), close_of("2026-03-11"))
    far = Answer(2, at("2026-03-12 08:00"), close_of("2026-04-20"))
    third = Answer(3, at("2026-03-30 08:00"), close_of("2026-03-31"))
    assert since([near, far], CALENDAR) == Since(close_of("2026-03-23"), far, bounded=True)
    assert since([near, far, third], CALENDAR) == Since(third.at, third, spent=True)


# --- in a case --------------------------------------------------------------------------------------------------------


def playing(store: Store, rules: str = RULES) -> Playing:
    """The cast, and cases that run on the first workflow."""
    here = playing_today(store)
    here.context = type(here.context)(store, definitions(WORKFLOW, rules))
    return here


def visited(store: Store, rules: str = RULES) -> tuple[Playing, str]:
    """Accepted on Monday 2 March, visited on Thursday the 5th at 07:31: the day on which the time would be up."""
    here = playing(store, rules)
    code = here.open("2026-03-02 08:00")
    here.step(code, "2026-03-02 09:00", "teacher", "ask_commune")
    here.accept(code, "2026-03-02 10:00", "commune_officer")
    here.step(code, "2026-03-05 07:31", "commune_officer", "visit", visited_on="2026-03-05", **VISIT)
    return here, code


def of_deadline(here: Playing, code: str, now: str) -> list[str]:
    facts = here.facts(code)
    with here.context.store.reading("test") as session:
        surroundings_reader = SurroundingsReader(session, here.context.definitions, at(now))
        surroundings_reader.fetch([facts])
        why = why_of_deadline(surroundings_reader.situation(facts), facts)
    return [line.in_("en") for line in why.lines()] if why else []


def of_firing(here: Playing, code: str, kind: str) -> list[str]:
    facts, event = here.facts(code), next(event for event in reversed(here.events(code)) if event.kind == kind)
    with here.context.store.reading("test") as session:
        surroundings = SurroundingsReader(session, here.context.definitions, event.at).surroundings(facts)
    why = explain_firing(here.context.definitions, facts, surroundings, event.data, event.values)
    return [line.in_("en") for line in why.lines()] if why else []


def test_after_a_visit_in_the_morning_nothing_is_overdue_in_the_evening(store: Store) -> None:
    here, code = visited(store)
    here.pass_to("2026-03-05 17:00")
    facts = here.facts(code)
    assert (facts.due_at, facts.next_look_at) == (at("2026-03-10 17:00"), at("2026-03-10 13:00"))
    assert [event.kind for event in here.events(code)] == ["opened", "ask_commune", "accepted", "visit"]


def test_under_the_first_rules_it_is(store: Store) -> None:
    here, code = visited(store, FIRST_RULES)
    here.pass_to("2026-03-05 17:00")
    assert here.facts(code).due_at == at("2026-03-05 17:00")
    assert [event.kind for event in here.events(code)][-2:] == ["visit-due-soon", "visit-overdue"]


def test_the_deadline_says_which_visit_it_counts_from(store: Store) -> None:
    here, code = visited(store)
    assert of_deadline(here, code, "2026-03-05 08:00")[:4] == [
        "The commune's visit brought no return in 3 working days",
        "Rule visit-overdue, version 2 of the rules.",
        "Counted 3 working days from 07:31 05/03/2026: until 17:00 10/03/2026.",
        "Counted from the contact or visit recorded at 07:31 05/03/2026.",
    ]


def test_the_deadline_says_what_a_next_date_comes_to(store: Store) -> None:
    here, code = visited(store)
    here.step(
        code, "2026-03-06 08:00", "commune_officer", "visit", visited_on="2026-03-06", next_on="2026-03-11", **VISIT
    )
    assert "Counted from the next date, 11/03/2026, given at 08:00 06/03/2026." in of_deadline(
        here, code, "2026-03-06 08:00"
    )
    here.step(
        code, "2026-03-12 08:00", "commune_officer", "visit", visited_on="2026-03-12", next_on="2026-04-30", **VISIT
    )
    assert (
        "The next date, 30/04/2026, given at 08:00 12/03/2026, is farther off than 7 working days: counted from "
        "17:00 23/03/2026."
    ) in of_deadline(here, code, "2026-03-12 08:00")
    here.step(
        code, "2026-03-24 08:00", "commune_officer", "visit", visited_on="2026-03-24", next_on="2026-03-30", **VISIT
    )
    assert of_deadline(here, code, "2026-03-24 08:00")[3:5] == [
        "Counted from the contact or visit recorded at 08:00 24/03/2026.",
        "Its next date, 30/03/2026, puts nothing off: that was done 2 times already.",
    ]


def test_a_firing_keeps_what_it_was_counted_from(store: Store) -> None:
    here, code = visited(store)
    here.pass_to("2026-03-10 18:00")
    assert of_firing(here, code, "visit-due-soon")[:4] == [
        "The visit is due in 4 working hours",
        "Rule visit-due-soon, version 2 of the rules.",
        "4 working hours before the deadline: from 13:00 10/03/2026.",
        "Counted from the contact or visit recorded at 07:31 05/03/2026.",
    ]
    here.step(code, "2026-03-11 08:00", "commune_officer", "visit", visited_on="2026-03-11", **VISIT)
    here.pass_to("2026-03-16 18:00")
    assert of_firing(here, code, "visit-overdue")[2:] == [  # the second firing is no repetition of the first
        "Counted 3 working days from 08:00 11/03/2026: until 17:00 16/03/2026.",
        "Counted from the contact or visit recorded at 08:00 11/03/2026.",
        "12/03/2026: counted",
        "13/03/2026: counted",
        "14/03/2026 to 15/03/2026: not counted, weekend",
        "16/03/2026: counted",
    ]
    assert of_firing(here, code, "visit-due-soon")[2] == "4 working hours before the deadline: from 13:00 16/03/2026."
    here.pass_to("2026-03-18 18:00")
    assert of_firing(here, code, "visit-overdue")[3] == "Repetition 2."
    assert list(breaks(store)) == []


def test_a_visit_before_the_case_was_accepted_takes_nothing_from_the_officers_time(store: Store) -> None:
    here = playing(store)
    code = here.open("2026-03-02 08:00")
    here.step(code, "2026-03-02 09:00", "teacher", "ask_commune")
    here.step(code, "2026-03-02 10:00", "commune_leader", "visit", visited_on="2026-03-02", **VISIT)
    here.accept(code, "2026-03-03 10:00", "commune_officer")
    assert here.facts(code).due_at == at("2026-03-06 17:00")
    assert len(of_deadline(here, code, "2026-03-03 10:00")) == 3 + 3  # three lines, three days: none of the visit


def test_a_visit_of_an_earlier_stay_is_no_answer_in_this_one(store: Store) -> None:
    here, code = visited(store)
    here.step(code, "2026-03-05 08:00", "commune_officer", "refer_support", need="Gạo")
    here.accept(code, "2026-03-05 08:30", "volunteer")
    here.step(code, "2026-03-05 09:00", "volunteer", "hand_back")
    here.accept(code, "2026-03-05 10:00", "commune_officer")
    here.pass_to("2026-03-10 17:00")
    assert here.events(code)[-1].kind == "visit-overdue"
    assert "answered" not in here.events(code)[-1].data


# --- under other rules, and after a move ------------------------------------------------------------------------------


def test_what_if_counts_from_visits_as_the_rules_do(store: Store) -> None:
    here, code = visited(store)
    here.pass_to("2026-03-10 18:00")
    here.step(
        code, "2026-03-11 08:00", "commune_officer", "visit", visited_on="2026-03-11", next_on="2026-03-16", **VISIT
    )
    here.pass_to("2026-03-27 18:00")
    workflow = here.context.definitions.workflow("dropout")
    first, end = at("2026-03-01 00:00"), at("2026-03-27 00:00")
    same = simulate(here.context, load_ruleset(RULES, "2.toml", workflow), first, end)
    assert (same.changed, same.lost, ("visit-overdue", 4, 4) in same.rules()) == ([], [], True)
    before = simulate(here.context, load_ruleset(FIRST_RULES, "1.toml", workflow), first, end)
    (changed,) = before.changed
    urged = [moment for rule, moment in changed.would if rule == "visit-overdue"]
    assert urged == [at(f"2026-03-{day} 17:00") for day in ("05", "09", "11", "13")]


def test_cases_of_the_first_rules_that_are_moved_count_from_the_visits_that_were_recorded(store: Store) -> None:
    here, code = visited(store, FIRST_RULES)
    here.step(
        code, "2026-03-05 08:00", "commune_officer", "visit", visited_on="2026-03-05", next_on="2026-03-09", **VISIT
    )
    moved = migrate_cases(here.with_rules(RULES, WORKFLOW), at("2026-03-05 09:00"))
    assert [(move.due_before, move.due) for move in moved.done] == [(at("2026-03-05 17:00"), at("2026-03-12 17:00"))]
    here.context = here.with_rules(RULES, WORKFLOW)
    here.pass_to("2026-03-12 16:59")
    assert [event.kind for event in here.events(code)][-2:] == ["migrated", "visit-due-soon"]
    assert here.facts(code).level == 0


def test_a_contact_that_was_recorded_under_the_first_rules_keeps_its_promise_after_a_move(store: Store) -> None:
    here = playing(store, FIRST_RULES)
    code = here.open("2026-03-02 08:00")
    here.step(code, "2026-03-02 09:00", "teacher", "contact", **(CONTACT | {"next_on": "2026-03-06"}))
    assert here.facts(code).due_at == at("2026-03-05 17:00")
    migrate_cases(here.with_rules(RULES, WORKFLOW), at("2026-03-02 10:00"))
    assert here.facts(code).due_at == at("2026-03-11 17:00")


def test_a_case_that_is_moved_to_the_newest_workflow_counts_from_the_visit_that_was_recorded(store: Store) -> None:
    here, code = visited(store)
    here.step(
        code, "2026-03-06 08:00", "commune_officer", "visit", visited_on="2026-03-06", next_on="2026-03-11", **VISIT
    )
    before = here.facts(code)
    assert (before.request, before.asked_role, before.due_at) == ("visit", "commune_officer", at("2026-03-16 17:00"))
    here.context = here.with_rules(NEWEST_RULES)
    migrate_cases(here.context, at("2026-03-06 09:00"))
    facts = here.facts(code)
    assert (facts.request, facts.asked_role, facts.due_at) == (before.request, before.asked_role, before.due_at)
    assert (facts.asked_at, facts.asked_from, facts.put_off) == (at("2026-03-06 08:00"), at("2026-03-11 17:00"), 1)
    here.pass_to("2026-03-16 17:00")
    assert [event.kind for event in here.events(code)][1:] == [
        *("ask_commune", "accepted", "visit", "visit", "migrated"),
        *("visit-due-soon", "visit-overdue", "visit-long"),
    ]
