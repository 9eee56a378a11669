"""Playing: the worker is never late unless it is down, and what does not hold is told with what was found."""

from engine.simulation.player import Check, play
from engine.store.session import Store
from tests.engine.core.scenario.test_reader import OPENED, load, step


def wrong(store: Store, steps: str) -> list[tuple[int, str, object, object]]:
    return [(check.step, check.key, check.expected, check.found) for check in play(load(steps), store) if not check.ok]


def test_what_does_not_hold_is_told_with_what_was_found(store: Store) -> None:
    expect = (
        'expect = { state = "closed", assignee = "head", offered_to = "admin", accepted = true, count = 2, level = 1 }'
    )
    assert wrong(store, OPENED + expect) == [
        (1, "state", "closed", "absent"),
        (1, "assignee", "head", "teacher"),
        (1, "offered_to", "admin", ""),
        (1, "accepted", True, False),
        (1, "count", 2, 1),
        (1, "level", 1, 0),
    ]


def test_an_act_refused_though_nobody_expected_it_fails_with_its_sentence(store: Store) -> None:
    refused = next(check for check in play(load(step('by = "head"\ndo = "close"')), store) if not check.ok)
    assert (refused.key, refused.expected, refused.found) == ("refused", "", "not_found")
    assert str(refused.sentence) == "There is no case RL-0000-000000."


def test_an_act_that_should_have_been_refused_and_was_not_fails(store: Store) -> None:
    assert wrong(store, OPENED + 'expect = { refused = "no_access" }') == [(1, "refused", "no_access", "")]


def test_the_play_goes_on_after_what_does_not_hold(store: Store) -> None:
    checks = list(play(load(step('by = "head"\ndo = "close"') + OPENED + "expect = { count = 1 }"), store))
    assert [(check.step, check.ok) for check in checks] == [(1, False), (2, True)]


def test_the_worker_fires_at_the_due_moment_and_not_when_somebody_looks(store: Store) -> None:
    from sqlalchemy import select

    from engine.store import tables as t

    list(play(load(OPENED + step("", at="at = 2026-04-20T12:00:00")), store))
    with store.reading("test") as session:
        fired = session.execute(select(t.Firing.rule, t.Firing.due_at, t.Firing.at).order_by(t.Firing.at)).all()
    assert fired[0].rule == "contact-overdue"
    assert [(row.rule, row.due_at) for row in fired] == [(row.rule, row.at) for row in fired]


def test_a_moment_before_it_is_due_nothing_has_fired_and_at_it_it_has(store: Store) -> None:
    before = step("expect = { fired = [], overdue = false }", at="at = 2026-03-10T11:29:59")
    then = step('expect = { fired = ["contact-overdue"], overdue = true }', at="at = 2026-03-10T11:30:00")
    assert wrong(store, OPENED + before + then) == []


def test_told_are_those_since_the_step_before(store: Store) -> None:
    at_5 = step('expect = { notified = ["head", "teacher"] }', at="at = 2026-03-10T11:30:00")
    later = step("expect = { notified = [] }", at="at = 2026-03-10T17:00:00")
    assert wrong(store, OPENED + at_5 + later) == []


def test_each_pupil_has_a_case_of_their_own(store: Store) -> None:
    other = OPENED.replace('do = "open"', 'do = "open"\npupil = "classmate"')
    checks = list(play(load(OPENED + other + 'expect = { count = 1, state = "absent" }'), store))
    assert [check.ok for check in checks] == [True, True]


def test_due_is_told_as_the_clock_on_the_wall_shows_it(store: Store) -> None:
    found: list[Check] = list(play(load(OPENED + "expect = { due = 2026-03-10T11:30:00 }"), store))
    assert (found[0].ok, found[0].found.isoformat()) == (True, "2026-03-10T11:30:00+07:00")
