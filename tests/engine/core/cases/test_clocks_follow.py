"""Properties of the clocks of cases: seasons hurry and never put off, no open case is forgotten, all who tell agree."""

import datetime as dt
from dataclasses import replace
from functools import cache

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.core.calendar import Calendar, ClosedDays, clock_of, load_calendar, merge
from engine.core.cases import escalation
from engine.core.cases.casework import SYSTEM, Actor, Casework
from engine.core.cases.definitions import Definitions, Surroundings
from engine.core.cases.explain import why_of_deadline
from engine.core.cases.facts import Facts, Fired
from engine.core.rules.model import RuleSet
from engine.core.rules.reader import load_ruleset
from engine.core.workflow.answers import Answer
from engine.core.workflow.reader import load_workflow
from engine.core.workflow.requests import ACCEPT
from tests.engine.core.calendar.test_reference import Walker, moments, questions, walkers
from tests.playing import ROOT, WORKFLOW
from tests.shipped_roles import ROLES

SHIPPED = (ROOT / "rules" / "dropout.toml").read_text(encoding="utf-8")
FLOW = load_workflow(WORKFLOW, "dropout.toml", ROLES)
RULES = load_ruleset(SHIPPED, "rules.toml", FLOW)
PLAIN = load_ruleset(SHIPPED.partition("[[season]]")[0], "plain.toml", FLOW)
FILES = sorted((ROOT / "rules" / "calendars").glob("*.toml"))
CALENDAR = merge([load_calendar(path.read_text(encoding="utf-8"), path.name) for path in FILES])
SHORTER = merge(
    [load_calendar(path.read_text(encoding="utf-8").replace('"17:00"', '"16:00"'), path.name) for path in FILES]
)
OPEN = tuple(name for name, state in FLOW.states.items() if not state.final)
SLOW = settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
DAY = dt.timedelta(days=1)


@SLOW
@given(walkers(), questions)
def test_a_season_never_makes_a_deadline_later(walker: Walker, asked: list[tuple[dt.datetime, object]]) -> None:
    hurrying = tuple(window for window in walker.windows if window.factor <= 1)
    case = {"weekdays": walker.weekdays, "closures": walker.closures, "pauses": walker.pauses}
    plain, hurried = clock_of(walker.calendar, **case), clock_of(walker.calendar, windows=hurrying, **case)  # type: ignore[arg-type]
    for start, duration in asked:
        without, within = plain.deadline(start, duration), hurried.deadline(start, duration)  # type: ignore[arg-type]
        assert without is None or (within is not None and within <= without)


@cache
def definitions(rules: RuleSet, calendar: Calendar) -> Definitions:
    versions = {FLOW.name: (FLOW.version, rules.version)}
    return Definitions(
        {(FLOW.name, FLOW.version): FLOW}, {(FLOW.name, rules.version): rules}, {"": calendar}, versions, ROLES
    )


@st.composite
def cases(draw: st.DrawFn) -> Facts:
    """An open case as it could stand: in any state, offered and accepted or not, after any firings and answers."""
    state, since = draw(st.sampled_from(OPEN)), draw(moments)
    offered = since if FLOW.states[state].offered else None
    accepted = since + draw(st.integers(1, 30)) * DAY if offered and draw(st.booleans()) else None
    fired = {}
    for number, rule in enumerate(RULES.watching(state)):
        most = (rule.repeat.at_most or 30) + 1 if rule.repeat else 1
        most = 0 if rule.fires else most  # it would have taken the case out of the state
        if times := draw(st.integers(0, most)):
            fired[rule.id] = Fired(times, since + draw(st.integers(1, 200)) * DAY, number + 2, 1)
    answered = [Answer(1, since + draw(st.integers(0, 20)) * DAY)] if draw(st.booleans()) else []
    return Facts(
        id=1,
        code="RL-2026-000001",
        pupil_id=1,
        workflow=FLOW.name,
        workflow_version=FLOW.version,
        rules_version=RULES.version,
        state=state,
        entry=1,
        last_entry=1,
        request=ACCEPT if offered and not accepted else FLOW.states[state].asks,
        asked_role=FLOW.states[state].owner,
        asked_unit_id=1,
        asked_at=accepted or since,
        asked_from=accepted or since,
        put_off=0,
        stay=1,
        beside_until=None,
        since=since,
        level=draw(st.integers(0, 3)),
        absent_since=since.date(),
        opened_at=since,
        closed_at=None,
        assignee_id=None,
        offered_role="commune_officer" if offered else None,
        offered_unit_id=1 if offered else None,
        offered_at=offered,
        accepted_at=accepted,
        due_at=None,
        next_look_at=None,
        flags=[],
        unreached=0,
        grade=6,
        class_id=1,
        school_id=1,
        village_id=1,
        commune_id=1,
        province_id=1,
        association_id=None,
        version=9,
        last_hash="",
        fired=fired,
        answers=tuple(answered),
    )


@SLOW
@given(cases(), st.integers(0, 400))
def test_no_open_case_is_forgotten_and_all_who_tell_its_deadline_agree(facts: Facts, days: int) -> None:
    now = facts.since + days * DAY
    situation = definitions(RULES, CALENDAR).situation(facts, Surroundings())
    seen = escalation.evaluate(facts, situation, now)
    assert seen.look is not None
    work = Casework(facts, situation, None, now)  # type: ignore[arg-type]
    work.recount("recounted", Actor(None, SYSTEM), {})
    assert facts.next_look_at is not None
    assert facts.due_at == seen.deadline == escalation.deadline(facts, situation)
    why = why_of_deadline(situation, facts)
    said = [line.in_("en") for line in why.lines()] if why else []
    if seen.deadline:
        until = f"until {situation.calendar.local(seen.deadline):%H:%M %d/%m/%Y}."
        assert any(line.endswith(until) for line in said)


@SLOW
@given(cases())
def test_a_season_shortens_neither_the_watch_over_a_return_nor_the_pace_of_reminders(facts: Facts) -> None:
    hurried = definitions(RULES, CALENDAR).situation(facts, Surroundings())
    plain = definitions(PLAIN, CALENDAR).situation(facts, Surroundings())
    without = {due.rule.id: due for due in escalation.coming(facts, plain)}
    for due in escalation.coming(facts, hurried):
        other = without[due.rule.id]
        if (due.repetition and due.since is None) or not due.rule.season:
            assert due.at == other.at
        assert due.at <= other.at


@SLOW
@given(cases(), st.lists(st.tuples(st.integers(0, 200), st.integers(0, 5)), max_size=3))
def test_a_changed_calendar_and_a_recount_equal_a_fresh_start_with_that_file(
    facts: Facts, closed: list[tuple[int, int]]
) -> None:
    day = facts.since.date()
    around = Surroundings(
        closures=tuple(ClosedDays(day + a * DAY, day + (a + n) * DAY, "", "school") for a, n in closed),
        shut=tuple(ClosedDays(day + a * DAY, day + (a + n) * DAY, "", "commune") for a, n in closed[:1]),
    )
    fresh = replace(facts)
    for at in (facts, fresh):
        first = CALENDAR if at is facts else SHORTER
        work = Casework(at, definitions(RULES, first).situation(at, around), None, at.since)  # type: ignore[arg-type]
        work.recount("recounted", Actor(None, SYSTEM), {})
    again = Casework(facts, definitions(RULES, SHORTER).situation(facts, around), None, facts.since)  # type: ignore[arg-type]
    again.recount("recounted", Actor(None, SYSTEM), {"because": "calendar"})
    assert (facts.due_at, facts.next_look_at) == (fresh.due_at, fresh.next_look_at)
