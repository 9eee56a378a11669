"""Why a rule fired, who was passed over, how a deadline was counted, and what comes next."""

import datetime as dt

from engine.core.cases.explain import Next, Why, what_comes, why_of_deadline, why_of_event
from engine.store.cases.surroundings import SurroundingsReader
from engine.store.session import Store
from engine.usecases.calendar.closures import announce_closure
from tests.playing import CONTACT, RULES, Playing, at, definitions, playing


def lines(why: Why | None) -> list[str]:
    assert why is not None
    return [line.in_("en") for line in why.lines()]


def of_last_event(here: Playing, code: str, now: str) -> list[str]:
    facts = here.facts(code)
    with here.context.store.reading("test") as session:
        surroundings = SurroundingsReader(session, here.context.definitions, at(now)).surroundings(facts)
    last = here.events(code)[-1]
    return lines(why_of_event(here.context.definitions, facts, surroundings, last.data, last.values))


def of_deadline(here: Playing, code: str, now: str) -> list[str]:
    facts = here.facts(code)
    with here.context.store.reading("test") as session:
        return lines(
            why_of_deadline(SurroundingsReader(session, here.context.definitions, at(now)).situation(facts), facts)
        )


def coming(here: Playing, code: str, now: str) -> list[Next]:
    facts = here.facts(code)
    with here.context.store.reading("test") as session:
        reader = SurroundingsReader(session, here.context.definitions, at(now))
        reader.fetch([facts])
        return list(what_comes(reader.situation(facts), facts, at(now)))


def test_a_firing_tells_its_rule_its_version_and_each_day_it_counted(store: Store) -> None:
    here = playing(store)
    code = here.open("2026-03-05 08:00")
    here.pass_to("2026-03-06 18:00")
    assert of_last_event(here, code, "2026-03-06 18:00") == [
        "No contact with the family within 1 school day",
        "Rule contact-overdue, version 3 of the rules.",
        "Counted 1 school day from 08:00 05/03/2026: until 17:00 06/03/2026.",
        "06/03/2026: counted",
    ]


def test_a_firing_keeps_the_closure_it_was_counted_with(store: Store) -> None:
    here = playing(store)
    code = here.open("2026-03-05 08:00")
    school = here.installed.units["school"]
    friday, now = dt.date(2026, 3, 6), at("2026-03-05 09:00")
    announce_closure(here.context, None, unit_id=school, first_day=friday, last_day=friday, reason="Lũ", now=now)
    assert of_last_event(here, code, "2026-03-05 09:00") == [
        "Days without class were entered or lifted.",
        "The deadline was 17:00 06/03/2026; now it is 17:00 09/03/2026.",
        "Days without class: 06/03/2026 to 06/03/2026.",
    ]
    here.pass_to("2026-03-09 18:00")
    assert of_last_event(here, code, "2026-03-09 18:00")[-3:] == [
        "06/03/2026: not counted, Lũ",
        "07/03/2026 to 08/03/2026: not counted, weekend",
        "09/03/2026: counted",
    ]


def test_an_offer_tells_who_was_passed_over_and_why(store: Store) -> None:
    here = playing(store)
    here.vacate("commune_officer", "2026-03-01")
    code = here.open("2026-03-02 08:00")
    here.step(code, "2026-03-02 09:00", "teacher", "ask_commune")
    assert of_last_event(here, code, "2026-03-02 09:00") == [
        "Responsible here: Commune officer. The nearest post on the way up that is filled has it.",
        "Offered to: Commune leader.",
        "Passed over: Commune officer, the post is vacant.",
    ]


def test_a_reminder_before_the_deadline_counts_back_from_it(store: Store) -> None:
    here = playing(store)
    code = here.open("2026-03-02 08:00")
    here.step(code, "2026-03-02 09:00", "teacher", "ask_commune")
    here.accept(code, "2026-03-02 10:00", "commune_officer")
    here.pass_to("2026-03-05 14:00")
    assert here.events(code)[-1].kind == "visit-due-soon"
    assert of_last_event(here, code, "2026-03-05 14:00") == [
        "The visit is due in 4 working hours",
        "Rule visit-due-soon, version 3 of the rules.",
        "4 working hours before the deadline: from 13:00 05/03/2026.",
        "03/03/2026: counted",
        "04/03/2026: counted",
        "05/03/2026: counted",
    ]


def test_a_deadline_tells_the_rule_it_comes_from_and_the_days_between(store: Store) -> None:
    here = playing(store)
    code = here.open("2026-03-06 08:00")
    assert of_deadline(here, code, "2026-03-06 08:00") == [
        "No contact with the family within 1 school day",
        "Rule contact-overdue, version 3 of the rules.",
        "Counted 1 school day from 08:00 06/03/2026: until 17:00 09/03/2026.",
        "07/03/2026 to 08/03/2026: not counted, weekend",
        "09/03/2026: counted",
    ]


def test_what_comes_next_ends_with_the_rule_that_moves_the_case_on(store: Store) -> None:
    here = playing(store)
    code = here.open("2026-03-02 08:00")
    assert [(item.rule.id, item.at, item.perhaps) for item in coming(here, code, "2026-03-02 08:00")] == [
        ("contact-overdue", at("2026-03-03 17:00"), False),
        ("contact-missing", at("2026-03-05 17:00"), False),
    ]
    here.step(code, "2026-03-02 09:00", "teacher", "contact", **CONTACT)
    assert [item.rule.id for item in coming(here, code, "2026-03-02 09:00")] == ["contact-failed"]


def test_a_rule_that_waits_for_absences_may_come(store: Store) -> None:
    more = """
[[rule]]
id = "many"
why = { vi = "Vắng nhiều", en = "Many absences" }
when = { state = "absent", for = "2 school days", absences = { at_least = 5 } }
then = [{ notify = ["head"] }]
"""
    here = playing(store)
    here.context = type(here.context)(store, definitions(rules=RULES + more))
    code = here.open("2026-03-02 08:00")
    assert [(item.rule.id, item.perhaps) for item in coming(here, code, "2026-03-02 08:00")] == [
        ("contact-overdue", False),
        ("many", True),
        ("contact-missing", False),
    ]


def test_a_case_that_has_ended_has_no_deadline_and_nothing_to_come(store: Store) -> None:
    here = playing(store)
    code = here.open("2026-03-02 08:00")
    here.step(code, "2026-03-02 09:00", "teacher", "mark_error", reason="Nhầm")
    facts = here.facts(code)
    with store.reading("test") as session:
        situation = SurroundingsReader(session, here.context.definitions, at("2026-03-02 09:00")).situation(facts)
    assert why_of_deadline(situation, facts) is None
    assert what_comes(situation, facts, at("2026-03-02 09:00")) == ()
